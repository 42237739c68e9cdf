<?php
// Sign one element of a SAML document, as an identity provider or a federation does.
//
// Usage: sign.php KEY CERTIFICATE NAME-OF-THE-ELEMENT [METHOD DIGEST] < unsigned.xml > signed.xml
// METHOD is rsa-sha256, rsa-sha1, rsa-md5, none, or hmac-sha256 with the certificate for a secret;
// DIGEST is sha256, sha1 or md5. Signatures that are there are taken out of what is signed.

declare(strict_types=1);

require '/usr/share/simplesamlphp/lib/_autoload.php';

use RobRichards\XMLSecLibs\XMLSecurityDSig;
use RobRichards\XMLSecLibs\XMLSecurityKey;

const METHODS = [
    'rsa-sha256' => 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
    'rsa-sha1' => 'http://www.w3.org/2000/09/xmldsig#rsa-sha1',
    'rsa-md5' => 'http://www.w3.org/2001/04/xmldsig-more#rsa-md5',
    'hmac-sha256' => 'http://www.w3.org/2001/04/xmldsig-more#hmac-sha256',
    'none' => 'http://www.w3.org/2000/09/xmldsig#none',
];
const DIGESTS = [
    'sha256' => 'http://www.w3.org/2001/04/xmlenc#sha256',
    'sha1' => 'http://www.w3.org/2000/09/xmldsig#sha1',
    'md5' => 'http://www.w3.org/2001/04/xmldsig-more#md5',
];

[, $keyFile, $certificateFile, $what] = $argv;
[$method, $digest] = [$argv[4] ?? 'rsa-sha256', $argv[5] ?? 'sha256'];
$document = new DOMDocument();
$document->loadXML(stream_get_contents(STDIN), LIBXML_NONET) or exit(1);
$paths = new DOMXPath($document);
$paths->registerNamespace('ds', XMLSecurityDSig::XMLDSIGNS);
$subject = $paths->query("//*[local-name()='$what']")->item(0);
foreach (iterator_to_array($paths->query('./ds:Signature', $subject)) as $old) {
    $subject->removeChild($old);
}
$issuer = $paths->query("./*[local-name()='Issuer']", $subject)->item(0);
$digested = $subject->C14N(true, false);

$key = new XMLSecurityKey(XMLSecurityKey::RSA_SHA256, ['type' => 'private']);
$key->loadKey($keyFile, true);
$signature = new XMLSecurityDSig();
$signature->setCanonicalMethod(XMLSecurityDSig::EXC_C14N);
$signature->addReferenceList(
    [$subject],
    XMLSecurityDSig::SHA256,
    ['http://www.w3.org/2000/09/xmldsig#enveloped-signature', XMLSecurityDSig::EXC_C14N],
    ['id_name' => 'ID', 'overwrite' => false]
);
$signature->sign($key);
$signature->add509Cert(file_get_contents($certificateFile));
$signature->insertSignature($subject, $issuer ? $issuer->nextSibling : $subject->firstChild);

if ([$method, $digest] !== ['rsa-sha256', 'sha256']) {
    $one = fn (string $name): DOMElement => $paths->query("./ds:Signature//ds:$name", $subject)->item(0);
    $one('SignatureMethod')->setAttribute('Algorithm', METHODS[$method]);
    $one('DigestMethod')->setAttribute('Algorithm', DIGESTS[$digest]);
    $one('DigestValue')->textContent = base64_encode(hash($digest, $digested, true));
    $signed = $one('SignedInfo')->C14N(true, false);
    $value = '';
    if ($method === 'hmac-sha256') {
        $value = hash_hmac('sha256', $signed, file_get_contents($certificateFile), true);
    } elseif ($method !== 'none') {
        openssl_sign($signed, $value, file_get_contents($keyFile), substr($method, 4)) or exit(1);
    }
    $one('SignatureValue')->textContent = base64_encode($value);
}
echo $document->saveXML();

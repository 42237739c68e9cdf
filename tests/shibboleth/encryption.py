"""Encrypted assertions by hand, as XML Encryption has them: what anybody with a certificate can do.

SimpleSAMLphp uses AES-128 in CBC mode and names no digest beside RSA-OAEP, which then has SHA-1.
Shibboleth's identity provider uses AES-128 in GCM mode and names SHA-1, which signs nothing here:
XML Encryption 1.1, section 5.5.2.
"""

from __future__ import annotations

import base64
import os
import re
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

ENCRYPTED = re.compile(r"<saml:EncryptedAssertion.*?</saml:EncryptedAssertion>", re.DOTALL)
_VALUE = re.compile(r"<xenc:CipherValue>([^<]*)</xenc:CipherValue>")
_BLOCK = 16
_NONCE = 12
_OAEP = padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None)  # noqa: S303 - as the standard has it

_TEMPLATE = """<saml:EncryptedAssertion\
 xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"\
 xmlns:xenc="http://www.w3.org/2001/04/xmlenc#" xmlns:dsig="http://www.w3.org/2000/09/xmldsig#">\
<xenc:EncryptedData Type="http://www.w3.org/2001/04/xmlenc#Element">\
<xenc:EncryptionMethod Algorithm="http://www.w3.org/2009/xmlenc11#aes128-gcm"/>\
<dsig:KeyInfo><xenc:EncryptedKey>\
<xenc:EncryptionMethod Algorithm="http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p">\
<dsig:DigestMethod Algorithm="http://www.w3.org/2000/09/xmldsig#sha1"/></xenc:EncryptionMethod>\
<xenc:CipherData><xenc:CipherValue>{key}</xenc:CipherValue></xenc:CipherData>\
</xenc:EncryptedKey></dsig:KeyInfo>\
<xenc:CipherData><xenc:CipherValue>{text}</xenc:CipherValue></xenc:CipherData>\
</xenc:EncryptedData></saml:EncryptedAssertion>"""


def decrypted(response: str, key_file: Path) -> str:
    """The assertion in a response of SimpleSAMLphp's, encrypted to the owner of this key."""
    key = serialization.load_pem_private_key(key_file.read_bytes(), None)
    assert isinstance(key, rsa.RSAPrivateKey)
    secret, text = (base64.b64decode(value) for value in _VALUE.findall(response))
    cipher = Cipher(algorithms.AES(key.decrypt(secret, _OAEP)), modes.CBC(text[:_BLOCK]))
    decryptor = cipher.decryptor()
    padded = decryptor.update(text[_BLOCK:]) + decryptor.finalize()
    return padded[: -padded[-1]].decode()


def encrypted(assertion: str, certificate_file: Path) -> str:
    """An assertion encrypted to the owner of this certificate, as Shibboleth's provider does it."""
    key = x509.load_pem_x509_certificate(certificate_file.read_bytes()).public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    secret, start = os.urandom(_BLOCK), os.urandom(_NONCE)
    body = AESGCM(secret).encrypt(start, assertion.encode(), None)
    return _TEMPLATE.format(
        key=base64.b64encode(key.encrypt(secret, _OAEP)).decode(),
        text=base64.b64encode(start + body).decode(),
    )

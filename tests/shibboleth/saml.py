"""A real SAML response on its way to the service provider, for a test to hold and to change.

Whoever has the key of an identity provider can say anything; the providers of a test are its own,
so `signed` makes what only they could have made, and `forged` what somebody else would make.
"""

from __future__ import annotations

import base64
import re
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path

from slurmhub_deploy.front.keys import make_key_pair
from slurmhub_deploy.front.provider import IdentityProvider
from tests.shibboleth.web import Form

_SIGN = Path(__file__).with_name("sign.php")
SIGNATURE = re.compile(r"<ds:Signature\b.*?</ds:Signature>", re.DOTALL)
ASSERTION = re.compile(r"<saml:Assertion\b.*</saml:Assertion>", re.DOTALL)


@dataclass(frozen=True)
class Response:
    """What a browser carries from the identity provider: the document, and where it is posted."""

    xml: str
    form: Form

    @classmethod
    def of(cls, form: Form) -> Response:
        """The response in the form that an identity provider's page submits."""
        return cls(base64.b64decode(form.fields["SAMLResponse"]).decode(), form)

    def to_post(self) -> Form:
        """The form with this document in it."""
        fields = {
            **self.form.fields,
            "SAMLResponse": base64.b64encode(self.xml.encode()).decode(),
        }
        return replace(self.form, fields=fields)

    def with_text(self, pattern: str, replacement: str) -> Response:
        """The document with each match of a regular expression replaced; there must be one."""
        changed, count = re.subn(pattern, replacement, self.xml, flags=re.DOTALL)
        assert count, (pattern, self.xml)
        return replace(self, xml=changed)

    def unsigned(self) -> Response:
        """The document without any signature."""
        return self.with_text(SIGNATURE.pattern, "")

    def signed(
        self,
        provider: IdentityProvider,
        *,
        what: str = "Assertion",
        method: str = "rsa-sha256",
        digest: str = "sha256",
    ) -> Response:
        """The document signed anew by this provider: its assertion, or the whole response."""
        signed = sign(self.xml, provider.key, provider.certificate, what, method, digest)
        return replace(self, xml=signed)

    def forged(self, folder: Path, *, what: str = "Assertion") -> Response:
        """The document signed by a key that nobody trusts, made in `folder`."""
        key, certificate = make_key_pair(folder, "forger", "https://forger.example/idp")
        return replace(self, xml=sign(self.xml, key, certificate, what))


def sign(
    xml: str,
    key: Path,
    certificate: Path,
    what: str,
    method: str = "rsa-sha256",
    digest: str = "sha256",
) -> str:
    """A document whose first element of this name is signed, by a method that sign.php knows."""
    done = subprocess.run(
        ["php", str(_SIGN), str(key), str(certificate), what, method, digest],
        input=xml,
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    return done.stdout

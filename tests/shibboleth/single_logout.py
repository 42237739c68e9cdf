"""An identity provider that tells the service provider from server to server that a session ends.

SimpleSAMLphp speaks of it through the browser alone; others send the same message by SOAP
(Profiles for SAML 2.0, 4.4.3.1).
"""

from __future__ import annotations

import re
import secrets
from pathlib import Path

import requests

from slurmhub_deploy.front.embedded import EmbeddedFront
from tests.shibboleth.judged import moment
from tests.shibboleth.saml import Response, sign

_SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
_ENVELOPE = f'<S:Envelope xmlns:S="{_SOAP}"><S:Body>{{}}</S:Body></S:Envelope>'
_ACTION = "http://www.oasis-open.org/committees/security"
_ISSUER = "<saml:Issuer>[^<]*</saml:Issuer>"
_NAME = "<saml:NameID .*?</saml:NameID>"
_INDEX = 'SessionIndex="([^"]*)"'


def logout_request(
    front: EmbeddedFront, response: Response, signed_by: tuple[Path, Path] | None
) -> str:
    """The message that ends the session of this response; unsigned where nobody signs it."""
    issuer, name, index = (re.search(pattern, response.xml) for pattern in (_ISSUER, _NAME, _INDEX))
    assert issuer
    assert name
    assert index
    place = f"{front.url}/hub/Shibboleth.sso/SLO/SOAP"
    message = (
        '<samlp:LogoutRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" '
        'xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" Version="2.0" '
        f'ID="_{secrets.token_hex(16)}" IssueInstant="{moment(0)}" Destination="{place}">'
        f"{issuer[0]}{name[0]}<samlp:SessionIndex>{index[1]}</samlp:SessionIndex>"
        "</samlp:LogoutRequest>"
    )
    return sign(message, *signed_by, "LogoutRequest") if signed_by else message


def send(front: EmbeddedFront, message: str) -> requests.Response:
    """Bring it to the service provider, without any cookie."""
    body = _ENVELOPE.format(re.sub(r"^<\?xml.*?\?>\s*", "", message))
    return requests.post(
        f"{front.url}/hub/Shibboleth.sso/SLO/SOAP",
        data=body.encode(),
        headers={"Content-Type": "text/xml", "SOAPAction": _ACTION},
        verify=str(front.certificate),
        timeout=30,
    )

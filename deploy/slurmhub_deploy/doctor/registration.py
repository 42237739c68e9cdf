"""The certificates that a federation was told of, from the metadata that was registered."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from pathlib import Path


def registered_certificates(state: Path, hub: str) -> frozenset[str]:
    """SHA-256 of each certificate in `registration/HUB` of the state folder; none if empty."""
    found = set()
    for path in sorted((state / "registration" / hub).glob("*.xml")):
        for text in re.findall(r"<(?:\w+:)?X509Certificate>([^<]+)<", path.read_text()):
            try:
                found.add(hashlib.sha256(base64.b64decode("".join(text.split()))).hexdigest())
            except binascii.Error:
                continue
    return frozenset(found)

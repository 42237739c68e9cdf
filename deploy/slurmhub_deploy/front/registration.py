"""What the operator of a federation, or of one identity provider, needs to know of a service."""

from __future__ import annotations

import base64
import hashlib
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from slurmhub_deploy.front.attributes import ATTRIBUTES, Attribute
from slurmhub_deploy.front.errors import FrontError
from slurmhub_deploy.front.keys import certificates
from slurmhub_deploy.front.render import document, plain_text, write
from slurmhub_deploy.front.settings import FrontSettings

METADATA = "sp-metadata.xml"
# Asked for with an attribute of the entity, not as an attribute of the person (section 4 of the
# SAML V2.0 Subject Identifier Attributes Profile).
_SUBJECTS = ("subject-id", "pairwise-id")


def registration(settings: FrontSettings) -> dict[str, str]:
    """The registration pack: file names and texts. Raises FrontError when there are no keys."""
    return texts(settings, certificates(settings))


def texts(settings: FrontSettings, found: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """The pack with these certificates, which are base64 of DER by use: one set, or two."""
    at = f"{settings.origin}{settings.handler}"
    asked = _asked(settings)
    metadata = document(
        "registration/metadata.xml.j2", settings, certificates=found, at=at, asked=asked
    )
    readme = plain_text(
        "registration/README.md.j2",
        settings,
        at=at,
        listed=[*_subject(settings), *asked],
        fingerprints=[{use: _fingerprint(text) for use, text in each.items()} for each in found],
    )
    return {METADATA: metadata, "README.md": readme}


def write_registration(settings: FrontSettings, folder: Path) -> list[Path]:
    """Write the pack into a folder, with the logo if its file is named; what changed."""
    changed = write(registration(settings), folder)
    if settings.logo is not None and settings.logo.file is not None:
        copy = folder / f"logo{settings.logo.file.suffix}"
        try:
            shutil.copyfile(settings.logo.file, copy)
        except OSError as error:
            raise FrontError(
                f"The logo {settings.logo.file} cannot be copied: {error.strerror}.",
                remedy="Correct `logo.file`, or leave it out.",
            ) from error
        changed.append(copy)
    return changed


def _asked(settings: FrontSettings) -> list[tuple[Attribute, bool]]:
    """The attributes asked for one by one, and whether the hub cannot do without."""
    wanted = {*settings.required, *settings.wanted}
    return [
        (attribute, attribute.id in settings.required)
        for attribute in ATTRIBUTES
        if attribute.id in wanted and attribute.id not in _SUBJECTS
    ]


def _subject(settings: FrontSettings) -> list[tuple[Attribute, bool]]:
    chosen = _SUBJECTS if settings.subject == "any" else (settings.subject,)
    return [
        (attribute, settings.subject != "any") for attribute in ATTRIBUTES if attribute.id in chosen
    ]


def _fingerprint(certificate: str) -> str:
    digest = hashlib.sha256(base64.b64decode(certificate)).hexdigest().upper()
    return ":".join(digest[index : index + 2] for index in range(0, len(digest), 2))

"""A registrar's file: uploaded, looked at, and carried out as it was looked at.

Between the two the file is in the page itself, not at the service: nothing of it stays behind where
somebody looks and goes away. What is carried out is checked against what was seen all the same.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tornado import web

from slurmhub.courses.errors import CourseError, CourseFull
from slurmhub.courses.rights import Action
from slurmhub.courses.roster.applying import Consent, DropsUnconfirmed, PreviewChanged
from slurmhub.courses.roster.decoding import ENCODINGS
from slurmhub.courses.roster.facts import CALLED, Identifiers
from slurmhub.courses.roster.matching import Choice, ChoiceUnknown
from slurmhub.courses.roster.preview import Change
from slurmhub.courses.roster.reading import MOST_BYTES
from slurmhub.courses.roster.remarks import RosterUnreadable
from slurmhub.courses.service.pages.base import CoursePage
from slurmhub.courses.service.uploads import Upload, read_choice, written_choice
from slurmhub.errors import SlurmhubError

_CHOSEN = "who-"


class ChosenSince(CourseError):
    """What is said to who chose otherwise and did not look at what that changes."""

    def __init__(self) -> None:
        super().__init__(
            "You chose otherwise for somebody after this was shown. Nothing was done.",
            remedy="Look at it again, as it is with your choices, and say yes to that.",
        )


@dataclass(frozen=True)
class Carried:
    """A file as the page carries it between looking and doing."""

    upload: Upload

    @property
    def data(self) -> str:
        """Its bytes."""
        return base64.b64encode(self.upload.data).decode()

    @property
    def encoding(self) -> str:
        """What was said to be its encoding, empty: nothing."""
        return self.upload.encoding or ""

    @property
    def shown(self) -> str:
        """The choices with which it was looked at."""
        return written_choices(self.upload.chosen)

    def choice(self, key: str) -> str:
        """What was chosen for somebody."""
        return written_choice(self.upload.chosen.get(key))


class RosterPage(CoursePage):
    """GET: a form for a file. POST: what it would change, or, after a yes, changing it."""

    HERE = "roster"

    async def get(self, key: str) -> None:
        """Show the form."""
        await self._draw(key)

    async def post(self, key: str) -> None:
        """Look at the file, or carry out what was seen."""
        await self.rights(key, Action.CHANGE_ROSTER)
        try:
            upload = self._upload()
            if self.typed("action") != "apply":
                await self._look(key, upload)
            elif self.get_body_argument("shown", "") != written_choices(upload.chosen):
                await self._look(key, upload, ChosenSince())
            else:
                await self._apply(key, upload)
        except (RosterUnreadable, ChoiceUnknown) as error:
            await self._draw(key, error)

    async def _look(self, key: str, upload: Upload, error: SlurmhubError | None = None) -> None:
        seen = await self.ask(
            upload.preview, self.courses, self.person, key, await self.running(key)
        )
        await self._draw(key, error, seen=seen, carried=Carried(upload))

    async def _apply(self, key: str, upload: Upload) -> None:
        consent = Consent(drop=bool(self.typed("drop")), drop_many=bool(self.typed("drop-many")))
        try:
            done = await self.ask(
                upload.apply,
                self.courses,
                self.person,
                key,
                self.typed("fingerprint"),
                consent,
                await self.running(key),
            )
        except (PreviewChanged, DropsUnconfirmed, CourseFull) as error:
            await self._look(key, upload, error)
        else:
            self.go(f"course/{key}/people", "roster" if done else "nothing")

    async def _draw(self, key: str, error: SlurmhubError | None = None, **values: Any) -> None:
        known: dict[str, Any] = {
            "seen": None,
            "encodings": tuple(ENCODINGS),
            "most": MOST_BYTES // (1024 * 1024),
            "changes": tuple(Change),
            "told_apart": _told_apart,
            "chosen_name": _CHOSEN,
        }
        await self.show_course(
            "course_roster.html", key, Action.CHANGE_ROSTER, error=error, **{**known, **values}
        )

    def _upload(self) -> Upload:
        sent = self.request.files.get("file", [])
        data = sent[0]["body"] if sent else _unpacked(self.get_body_argument("data", ""))
        if not data:
            raise RosterUnreadable("No file was sent.", remedy="Choose the registrar's file.")
        encoding = self.typed("encoding")
        return Upload(data, encoding if encoding in ENCODINGS else None, self._chosen())

    def _chosen(self) -> dict[str, Choice]:
        found = {
            name.removeprefix(_CHOSEN): read_choice(self.typed(name))
            for name in self.request.body_arguments
            if name.startswith(_CHOSEN)
        }
        return {key: choice for key, choice in found.items() if choice is not None}


def written_choices(chosen: Mapping[str, Choice]) -> str:
    """All choices as one text."""
    return json.dumps({key: written_choice(one) for key, one in sorted(chosen.items())})


def _unpacked(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise web.HTTPError(400, "The file did not come back whole.") from error


def _told_apart(identifiers: Identifiers) -> list[tuple[str, str]]:
    return [(CALLED[kind], value) for kind, value in identifiers]


HANDLERS = [(r"course/([^/]+)/roster", RosterPage)]

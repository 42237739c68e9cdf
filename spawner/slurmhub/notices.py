"""What operators announce: to everybody or for a partition, and whether servers start meanwhile."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import sqlalchemy as sa

from slurmhub.errors import SlurmhubError
from slurmhub.language import LANGUAGES, language
from slurmhub.ledger import notices

LONGEST_TEXT = 2000
MOST = 50
"""More notices than anybody reads; a bound for what each page carries."""


class NoticeInvalid(SlurmhubError):
    """A notice that cannot be kept as it is, with words for the operator who wrote it."""


class NoticeUnknown(SlurmhubError):
    """There is no such notice, or no longer."""


@dataclass(frozen=True)
class Notice:
    """One announcement, shown from `since` until `until` (seconds since the epoch, None: open).

    `texts` are its words by language, at least one of them. `partition` is None for all. With
    `drains`, no new server starts there meanwhile.
    """

    texts: Mapping[str, str]
    author: str
    partition: str | None = None
    drains: bool = False
    since: float | None = None
    until: float | None = None
    created: float = 0.0
    id: int = 0

    @property
    def language(self) -> str:
        """The language it is shown in: that of this request, else any that it has."""
        return language() if language() in self.texts else next(iter(self.texts))

    @property
    def text(self) -> str:
        """Its words in that language."""
        return self.texts[self.language]

    def shown(self, now: float) -> bool:
        """Whether it holds at this time."""
        return (self.since or 0.0) <= now and (self.until is None or now < self.until)

    def as_json(self) -> dict[str, Any]:
        """For the REST interface."""
        return {**asdict(self), "texts": dict(self.texts)}


class Notices:
    """The table of notices, kept in memory: reading it costs no query."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._all = self._read()

    def all(self) -> tuple[Notice, ...]:
        """Every notice, also those of the past and of the future, oldest first."""
        return self._all

    def shown(self, partition: str | None = None) -> tuple[Notice, ...]:
        """Those that hold now: all of them, or those that concern one partition."""
        now = time.time()
        return tuple(
            one
            for one in self._all
            if one.shown(now) and (partition is None or one.partition in (None, partition))
        )

    def draining(self, partition: str) -> Notice | None:
        """The notice for which no new server starts in this partition now."""
        return next((one for one in self.shown(partition) if one.drains), None)

    def add(self, notice: Notice) -> Notice:
        """Keep a new notice; raises NoticeInvalid."""
        checked = replace(_checked(notice), created=time.time())
        if len(self._all) >= MOST:
            raise NoticeInvalid(
                f"There are {MOST} notices already.", remedy="Remove those that are over."
            )
        with self._writing() as connection:
            connection.execute(notices.insert().values(_row(checked)))
        self._all = self._read()
        return self._all[-1]

    def change(self, number: int, **values: Any) -> Notice:
        """Give a notice other values; raises NoticeUnknown or NoticeInvalid."""
        changed = _checked(replace(self.get(number), **values))
        with self._writing() as connection:
            connection.execute(notices.update().where(notices.c.id == number).values(_row(changed)))
        self._all = self._read()
        return changed

    def remove(self, number: int) -> None:
        """Take a notice away; raises NoticeUnknown."""
        self.get(number)
        with self._writing() as connection:
            connection.execute(notices.delete().where(notices.c.id == number))
        self._all = self._read()

    def get(self, number: int) -> Notice:
        """The notice of this number; raises NoticeUnknown."""
        for one in self._all:
            if one.id == number:
                return one
        raise NoticeUnknown("There is no such notice.", remedy="It may have been removed.")

    def _writing(self) -> _Writing:
        return _Writing(self._engine)

    def _read(self) -> tuple[Notice, ...]:
        with self._engine.connect() as connection:
            rows = connection.execute(sa.select(notices).order_by(notices.c.id)).mappings().all()
        return tuple(_notice(row) for row in rows)


class _Writing:
    """A transaction whose failure is said in words."""

    def __init__(self, engine: sa.Engine) -> None:
        self._transaction = engine.begin()

    def __enter__(self) -> sa.Connection:
        return self._transaction.__enter__()

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        try:
            self._transaction.__exit__(kind, error, trace)
        except sa.exc.SQLAlchemyError as failed:
            raise _unwritable(failed) from failed
        if isinstance(error, sa.exc.SQLAlchemyError):
            raise _unwritable(error) from error


def _unwritable(error: Exception) -> NoticeInvalid:
    return NoticeInvalid(
        "The hub could not write this notice down.",
        remedy="The disk of the hub may be full.",
    )


def _checked(notice: Notice) -> Notice:
    texts = _checked_texts(notice.texts)
    if notice.partition is not None and not _is_name(notice.partition):
        raise NoticeInvalid(
            "This is not the name of a partition.", remedy="Leave it empty for all partitions."
        )
    if notice.until is not None and notice.until <= (notice.since or 0.0):
        raise NoticeInvalid("The notice ends before it begins.", remedy="Give a later end.")
    return replace(notice, texts=texts)


def _checked_texts(texts: Mapping[str, str]) -> dict[str, str]:
    kept = {}
    for code, words in texts.items():
        text = "\n".join(line.rstrip() for line in words.strip().splitlines())
        if code not in LANGUAGES:
            raise NoticeInvalid(
                "There is no such language.", remedy=f"Choose among: {', '.join(LANGUAGES)}."
            )
        if len(text) > LONGEST_TEXT:
            raise NoticeInvalid(
                "The text is too long.", remedy=f"Keep it below {LONGEST_TEXT} characters."
            )
        if not text.replace("\n", "").isprintable():
            raise NoticeInvalid(
                "The text holds characters that cannot be shown.", remedy="Write plain text."
            )
        if text:
            kept[code] = text
    if not kept:
        raise NoticeInvalid("The notice has no text.", remedy="Write it in at least one language.")
    return kept


def _is_name(partition: str) -> bool:
    return 0 < len(partition) <= 255 and partition.isprintable() and " " not in partition


def _row(notice: Notice) -> dict[str, Any]:
    row = asdict(notice)
    number = row.pop("id")
    row["text"] = json.dumps(row.pop("texts"), ensure_ascii=False)
    return {**row, "id": number} if number else row


def _notice(row: Mapping[Any, Any]) -> Notice:
    values = dict(row)
    return Notice(texts=json.loads(values.pop("text")), **values)

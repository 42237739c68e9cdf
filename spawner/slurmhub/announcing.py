"""Where notices are told: on every page, on the form and in the queue."""

from __future__ import annotations

from collections.abc import Iterator

from jinja2 import Environment
from jinja2.ext import Extension

from slurmhub.notices import Notice, Notices

_board: Notices | None = None


class Announcing(Extension):
    """Gives templates `notices()`: those that hold now, of all or of one partition."""

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        environment.globals.update(notices=shown)


def use(board: Notices | None) -> None:
    """Tell the notices of this board from now on; the hub has one, once it has its ledger."""
    global _board
    _board = board


def board() -> Notices | None:
    """The hub's notices; None before it has its ledger."""
    return _board


def shown(partition: str | None = None) -> tuple[Notice, ...]:
    """The notices that hold now: all of them, or those that concern one partition."""
    return _board.shown(partition) if _board is not None else ()


def draining(partition: str) -> Notice | None:
    """The notice for which no new server starts in this partition now."""
    return _board.draining(partition) if _board is not None else None


def facts(partition: str) -> Iterator[tuple[str, str]]:
    """What the page of a server that waits says of its partition."""
    for notice in shown(partition):
        yield "Announcement", notice.text

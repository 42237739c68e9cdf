"""The one shape of every error that slurmhub raises to a person."""

from __future__ import annotations


class SlurmhubError(Exception):
    """Something went wrong, said so that the reader can act on it.

    `what` says what happened and to what; `remedy` says what to do next.
    """

    def __init__(self, what: str, *, remedy: str) -> None:
        super().__init__(what, remedy)
        self.what = what
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.what} {self.remedy}"

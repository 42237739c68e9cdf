"""What a parser makes of hostile text: a meaning, or a refusal that is short enough to show."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import pytest

from slurmhub.slurm.errors import SlurmTextError

T = TypeVar("T")


def meaning(parse: Callable[[str], T], text: str) -> T | None:
    """The meaning of a text, or None where it is refused; any other exception fails the test."""
    try:
        return parse(text)
    except SlurmTextError as error:
        if len(str(error)) >= 500:
            pytest.fail("the refusal is too long for a page")
        return None

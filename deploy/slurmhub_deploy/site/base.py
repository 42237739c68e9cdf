"""What every part of the site file has in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from pydantic import BaseModel, ConfigDict


class SiteModel(BaseModel):
    """A part of the site file: unknown settings are refused, and values are never repeated."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    not_here: ClassVar[Mapping[str, str]] = {}
    """Settings that people look for here, and where they are or why there are none."""

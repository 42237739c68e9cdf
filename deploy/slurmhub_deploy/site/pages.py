"""What people meet in a hub: its pages, the terms of use, and the end of idle servers."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from slurmhub_deploy.site.base import SiteModel

ClassTrait = Annotated[str, Field(pattern=r"^[A-Z][A-Za-z0-9]{1,60}\.[a-z][a-z0-9_]{1,60}$")]
"""A setting of JupyterHub's configuration, as `JupyterHub.active_server_limit`."""

_MINUTES = Annotated[int, Field(ge=5, le=100_000)]


def _terms(text: str) -> str:
    if not text.strip():
        raise ValueError("must have words in it")
    return text


_TermsText = Annotated[str, Field(max_length=100_000), AfterValidator(_terms)]


class Terms(SiteModel):
    """Terms of use. People are asked again when the version changes."""

    version: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")] = Field(
        description="Which version it is: a date, or a number.", examples=["2031-09"]
    )
    text: Annotated[dict[Literal["en", "fr"], _TermsText], Field(min_length=1)] = Field(
        description="The text by language; a blank line begins a paragraph.",
        examples=[{"en": "Be kind.", "fr": "Soyez gentils."}],
    )


class Idle(SiteModel):
    """When servers that nobody uses are ended; see [idle servers](pages.md#idle-servers)."""

    server_minutes: _MINUTES | None = Field(
        default=None, description="Without any use for so long, a server is ended."
    )
    gpu_minutes: _MINUTES | None = Field(
        default=None, description="When its GPUs have done nothing for so long, a server is ended."
    )
    warning_minutes: Annotated[int, Field(ge=1, le=10_000)] | None = Field(
        default=None,
        description="How long before the end its owner is warned; ten minutes if absent, or half of"
        " the time if that is less.",
    )


class Pages(SiteModel):
    """What people see of the hub's pages."""

    language: Literal["en", "fr"] = Field(
        default="en", description="For people whose browser asks for no language that there is."
    )
    files: bool = Field(
        default=True,
        description="Whether people can list, download, add and delete the files of their home"
        " while no server of theirs runs.",
    )
    scripts: bool = Field(
        default=True, description="Whether people may read the script of their own job."
    )
    logs: bool = Field(
        default=True, description="Whether people may read the log of their own job."
    )

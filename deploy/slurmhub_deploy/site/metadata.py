"""Whose word is taken, as the site file has it: files beside it are copied to the hub's host."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from slurmhub_deploy.front.settings import EntityId, WebUrl
from slurmhub_deploy.site.base import SiteModel

_FILE = r"^[A-Za-z0-9/._][A-Za-z0-9 ._~/+:@-]*$"
_BESIDE = "beside the site file, copied to the hub's host; or that host's own, with its whole path"


def _file(value: str) -> str:
    if ".." in PurePosixPath(value).parts:
        raise ValueError("must not have .. in it")
    return value


MetadataPath = Annotated[str, Field(pattern=_FILE), AfterValidator(_file)]
"""A file beside the site file, or with its whole path one of the hub's host."""


class FileOfMetadata(SiteModel):
    """Metadata of one identity provider or several, in a file that the site looks after."""

    kind: Literal["file"] = Field(description="`file`.")
    file: MetadataPath = Field(description=f"The file: {_BESIDE}.", examples=["idp-metadata.xml"])
    signing_certificate: MetadataPath | None = Field(
        default=None, description=f"What it must be signed by, in PEM: {_BESIDE}."
    )


class _Fetched(SiteModel):
    signing_certificate: MetadataPath = Field(
        description=f"What it must be signed by, in PEM: {_BESIDE}.", examples=["federation.pem"]
    )
    max_validity_days: Annotated[int, Field(ge=1, le=60)] = Field(
        default=28, description="For how many days ahead it may say that it is valid."
    )
    include: tuple[EntityId, ...] = Field(
        default=(), description="Entity IDs that are taken from it, all if absent; or"
    )
    exclude: tuple[EntityId, ...] = Field(default=(), description="those that are not.")

    @model_validator(mode="after")
    def _one_list(self) -> _Fetched:
        if self.include and self.exclude:
            raise ValueError("give `include` or `exclude`, not both")
        return self


class AggregateOfMetadata(_Fetched):
    """Metadata fetched again and again: a federation's aggregate, or one provider's own."""

    kind: Literal["url"] = Field(description="`url`.")
    url: WebUrl = Field(
        description="Where it is.", examples=["https://federation.example.org/metadata.xml"]
    )
    refresh_seconds: Annotated[int, Field(ge=60, le=86400)] = Field(
        default=7200, description="It is fetched again after at most this."
    )


class QueryOfMetadata(_Fetched):
    """One provider's metadata at a time, asked for when somebody comes from there (MDQ)."""

    kind: Literal["mdq"] = Field(description="`mdq`.")
    base_url: WebUrl = Field(
        description="Where it is asked for.", examples=["https://mdq.example.org/"]
    )


Metadata = Annotated[
    FileOfMetadata | AggregateOfMetadata | QueryOfMetadata, Field(discriminator="kind")
]


def placed(sources: Sequence[Metadata], folder: str) -> list[dict[str, Any]]:
    """The sources as the front has them: what is beside the site file is in `folder` there."""
    found = []
    for source in sources:
        data = source.model_dump(mode="json")
        for name in ("file", "signing_certificate"):
            if data.get(name):
                data[name] = _there(data[name], folder)
        found.append(data)
    return found


def copies(sources: Sequence[Metadata], folder: str) -> list[dict[str, str]]:
    """What is copied: `src` beside the site file, `dest` on the hub's host; each once."""
    named = [
        path
        for source in sources
        for path in (getattr(source, "file", None), source.signing_certificate)
        if path and not PurePosixPath(path).is_absolute()
    ]
    return [{"src": path, "dest": _there(path, folder)} for path in dict.fromkeys(named)]


def _there(path: str, folder: str) -> str:
    if PurePosixPath(path).is_absolute():
        return path
    # Two files of one name in different folders stay two.
    return f"{folder}/{path.replace('/', '-')}"

"""Homes: what they lie on, how much each person has, and what was in them yesterday."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from slurmhub_deploy.front.settings import AbsolutePath
from slurmhub_deploy.site.base import SiteModel
from slurmhub_deploy.site.texts import Amount, DatasetName, HostName, PoolName, Word

_NO_SNAPSHOTS = {
    "snapshots": "This file system has none: take zfs or btrfs, or leave it out.",
}
_HOSTED = {"host": "It is called `server`."}
_Kept = Annotated[int, Field(ge=0, le=1000)]


class Snapshots(SiteModel):
    """How many snapshots are kept of each kind; people find their own files in them."""

    hourly: _Kept = Field(default=24, description="Kept of those taken each hour.")
    daily: _Kept = Field(default=14, description="Kept of those taken each day.")
    weekly: _Kept = Field(default=8, description="Kept of those taken each week.")

    @property
    def none(self) -> bool:
        """Whether nothing is kept."""
        return not (self.hourly or self.daily or self.weekly)


class _Homes(SiteModel):
    path: AbsolutePath = Field(
        default="/home",
        validate_default=True,
        description="Where they are on the hub, the login and the compute nodes.",
    )
    quota: Amount | None = Field(
        default="20G",
        description="What each person may have; `null` for no quota, which lets one person fill"
        " it for all.",
    )


class _ServedHomes(_Homes):
    not_here: ClassVar[Mapping[str, str]] = _HOSTED

    # Providers' images have the account that one signs in with, and its keys, in /home.
    path: AbsolutePath = Field(
        default="/home/people",
        validate_default=True,
        description="Where they are on the hub, the login and the compute nodes.",
    )
    server: HostName = Field(
        description="The host that has the disks.",
        examples=["controller"],
    )
    share: Literal["nfs", "none"] = Field(
        default="nfs",
        description="`nfs`: the server serves them to the other hosts; `none`: those get them in"
        " another way, such as a cluster file system, at `path`.",
    )
    devices: tuple[AbsolutePath, ...] = Field(
        default=(),
        description="Empty devices to make it of, best by `/dev/disk/by-id`. What has anything on"
        " it is refused, always. Absent: it exists.",
    )


class ZfsHomes(_ServedHomes):
    """A ZFS dataset for each person, with a refquota, and snapshots."""

    backend: Literal["zfs"] = Field(description="`zfs`.")
    pool: PoolName = Field(description="The pool's name.", examples=["tank"])
    dataset: DatasetName = Field(
        default="homes", description="The dataset below which everybody has one."
    )
    layout: Literal["stripe", "mirror", "raidz", "raidz2", "raidz3"] = Field(
        default="mirror", description="How `devices` make a new pool; one device is a `stripe`."
    )
    snapshots: Snapshots = Field(default=Snapshots(), description="How many are kept.")


class BtrfsHomes(_ServedHomes):
    """A btrfs subvolume for each person, with a quota group, and snapshots."""

    backend: Literal["btrfs"] = Field(description="`btrfs`.")
    volume: Word = Field(description="The file system's label.", examples=["homes"])
    snapshots: Snapshots = Field(default=Snapshots(), description="How many are kept.")


class XfsHomes(_ServedHomes):
    """Folders on XFS, with a user quota and no snapshots."""

    not_here: ClassVar[Mapping[str, str]] = {**_HOSTED, **_NO_SNAPSHOTS}

    backend: Literal["xfs"] = Field(description="`xfs`.")
    volume: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,11}$")] = Field(
        description="The file system's label, at most 12 characters.", examples=["homes"]
    )


class Ext4Homes(_ServedHomes):
    """Folders on ext4, with a user quota and no snapshots."""

    not_here: ClassVar[Mapping[str, str]] = {**_HOSTED, **_NO_SNAPSHOTS}

    backend: Literal["ext4"] = Field(description="`ext4`.")
    volume: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,15}$")] = Field(
        description="The file system's label, at most 16 characters.", examples=["homes"]
    )


class NfsHomes(_Homes):
    """Somebody else's file server, which has its own quotas and snapshots."""

    not_here: ClassVar[Mapping[str, str]] = {
        "snapshots": "They are the file server's own. Say where they are: `snapshot_folder`.",
        "host": "It is called `server`.",
        "devices": "They are the file server's own.",
    }

    backend: Literal["nfs"] = Field(description="`nfs`: a file server that is not of this site.")
    server: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9.:-]{0,252}$")] = Field(
        description="The file server's name or address.", examples=["files.example.ca"]
    )
    export: AbsolutePath = Field(description="What it exports.", examples=["/export/homes"])
    quota: Amount | None = Field(
        default=None, description="What each person has there, to tell them; the server keeps it."
    )
    snapshot_folder: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")] | None = Field(
        default=None, description="The folder in a home in which its snapshots are: `.snapshot`."
    )


Homes = Annotated[
    ZfsHomes | BtrfsHomes | XfsHomes | Ext4Homes | NfsHomes, Field(discriminator="backend")
]

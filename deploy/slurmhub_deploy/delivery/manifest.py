"""The manifest of a bundle: what it is for, what it was made by, and the SHA-256 of each file."""

from __future__ import annotations

import json
import platform
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from slurmhub.assets import asset
from slurmhub_deploy.delivery.apt_index import sha256_of
from slurmhub_deploy.delivery.proxy import ARCHIVE, proxy_digest
from slurmhub_deploy.delivery.wheels import digest_of
from slurmhub_deploy.errors import DeployError

NAME = "manifest.json"
FILES = ("packages.tar", "wheels.tar", ARCHIVE)
PYTHON_LOCKS = ("hub.lock", "jupyter.lock")


class NoBundle(DeployError):
    """A folder that is no bundle, and `why`."""

    def __init__(self, folder: Path, why: str) -> None:
        super().__init__(
            f"No bundle is in {folder}: {why}.", remedy=f"Make one: slurmhub bundle --to {folder}"
        )
        self.why = why


def locks() -> dict[str, str]:
    """A name for each lock of this slurmhub; a bundle that was made by others does not serve it."""
    python = {name: digest_of(asset(f"requirements/{name}")) for name in PYTHON_LOCKS}
    return {**python, "package-lock.json": proxy_digest()}


def write_manifest(to: Path, distribution: str, release: str) -> Path:
    """Write that of the files in this folder, which are all there."""
    files = {name: sha256_of(to / name) for name in FILES}
    made = datetime.now(timezone.utc)
    manifest = {
        "version": 1,
        "name": f"{made:%Y%m%d}-{files['packages.tar'][:12]}",
        "made": made.isoformat(timespec="seconds"),
        "distribution": distribution,
        "release": release,
        "architecture": platform.machine(),
        "locks": locks(),
        "files": files,
    }
    path = to / NAME
    path.write_text(json.dumps(manifest, indent=2) + "\n")
    return path


def read_manifest(folder: Path) -> dict[str, Any]:
    """That of a bundle. Raises NoBundle if there is none."""
    try:
        manifest = dict(json.loads((folder / NAME).read_text()))
        for name in ("files", "locks"):
            manifest[name] = dict(manifest[name])
    except OSError as error:
        raise NoBundle(folder, f"{NAME}: {error.strerror}") from error
    except KeyError as error:
        raise NoBundle(folder, f"{NAME} does not say its {error}") from error
    except (ValueError, TypeError) as error:
        raise NoBundle(folder, f"{NAME} cannot be read: {error}") from error
    return manifest


def verify_bundle(folder: Path, names: Sequence[str] = ()) -> list[str]:
    """What of a bundle, or of these files, is not as its manifest says. Raises NoBundle."""
    files = read_manifest(folder)["files"]
    return [
        name
        for name, digest in files.items()
        if (not names or name in names)
        and (not (folder / name).is_file() or sha256_of(folder / name) != digest)
    ]


def other_locks(folder: Path) -> list[str]:
    """The locks that a bundle was made by and that are others here. Raises NoBundle."""
    made_by = read_manifest(folder)["locks"]
    return [name for name, digest in locks().items() if made_by.get(name) != digest]


def missing_files(folder: Path) -> list[str]:
    """What a bundle lacks, without a look at what is in its files. Raises NoBundle."""
    return [name for name in read_manifest(folder)["files"] if not (folder / name).is_file()]

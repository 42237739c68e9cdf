"""Wheels of this project, of the very code that runs here.

From a checkout hatchling builds them. An installation has no sources to build from, so its wheel is
put together again from the files that its RECORD lists (the PyPA specification "Recording installed
projects").
"""

from __future__ import annotations

import base64
import csv
import hashlib
import importlib.metadata
import importlib.util
import io
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

from slurmhub.assets import PACKAGE, asset
from slurmhub_deploy.errors import DeployError

_SECONDS = 300
# Every file has this time, the first that zip has: one state of the sources gives one wheel.
_TIME = (1980, 1, 1, 0, 0, 0)


def project_wheel(cache: Path) -> Path:
    """The wheel of slurmhub, in a folder of `cache` that is named for what is in it.

    Raises DeployError.
    """
    checkout = PACKAGE.parents[1]
    if (checkout / "pyproject.toml").is_file():
        return _kept(cache, lambda folder: _build(checkout, folder))
    return _kept(cache, _repack)


def lab_wheel(cache: Path) -> Path:
    """The wheel of the extension of JupyterLab, likewise. Raises DeployError."""
    return _kept(cache, lambda folder: _build(asset("labextension"), folder))


def digest_of(*files: Path) -> str:
    """A short name for what is in these files, in this order: 16 hexadecimal digits."""
    found = hashlib.sha256()
    for file in files:
        found.update(hashlib.sha256(file.read_bytes()).digest())
    return found.hexdigest()[:16]


def _kept(cache: Path, make: Callable[[Path], None]) -> Path:
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache, prefix=".building-") as scratch:
        make(Path(scratch))
        (wheel,) = Path(scratch).glob("*.whl")
        folder = cache / digest_of(wheel)
        folder.mkdir(exist_ok=True)
        return wheel.replace(folder / wheel.name)


def _build(source: Path, folder: Path) -> None:
    if importlib.util.find_spec("hatchling") is None:
        raise DeployError(
            f"The wheel of {source} cannot be built: hatchling is not installed here.",
            remedy="pip install 'slurmhub[operate]', or hatchling, beside the slurmhub command.",
        )
    argv = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    done = subprocess.run(
        argv, cwd=source, capture_output=True, text=True, check=False, timeout=_SECONDS
    )
    if done.returncode != 0:
        raise DeployError(
            f"The wheel of {source} cannot be built: {done.stderr.strip()[-1000:]}",
            remedy="Look at that checkout: git status.",
        )


def _repack(folder: Path) -> None:
    """The wheel of the installed slurmhub, from its own files."""
    try:
        distribution = importlib.metadata.distribution("slurmhub")
    except importlib.metadata.PackageNotFoundError as error:
        raise DeployError(
            f"slurmhub runs from {PACKAGE}, which is neither a checkout nor an installation.",
            remedy="Run it from a checkout, or install it with pip.",
        ) from error
    name = f"slurmhub-{distribution.version}"
    rows: list[tuple[str, str, int]] = []
    with zipfile.ZipFile(folder / f"{name}-py3-none-any.whl", "w") as wheel:
        for path in sorted(distribution.files or [], key=str):
            place = path.as_posix()
            if not _of_the_wheel(place):
                continue
            content = path.read_binary()
            _add(wheel, place, content)
            rows.append((place, _sha256(content), len(content)))
        record = f"{name}.dist-info/RECORD"
        _add(wheel, record, _record(rows, record))


def _of_the_wheel(place: str) -> bool:
    """Whether a wheel has this file; what pip adds beside is made anew where it is installed."""
    first, _, rest = place.partition("/")
    if first in ("..", "") or place.endswith(".pyc"):
        return False
    return rest not in ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json")


def _add(wheel: zipfile.ZipFile, place: str, content: bytes) -> None:
    entry = zipfile.ZipInfo(place, _TIME)
    entry.external_attr = 0o100644 << 16
    entry.compress_type = zipfile.ZIP_DEFLATED
    wheel.writestr(entry, content)


def _sha256(content: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip("=")
    return f"sha256={digest}"


def _record(rows: list[tuple[str, str, int]], itself: str) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows(rows)
    writer.writerow((itself, "", ""))
    return text.getvalue().encode()

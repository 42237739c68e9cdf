"""A backup of one hub: database, ledger, courses and register of accounts, each as of one moment.

A hub may run meanwhile. SQLite's own backup reads a database that is written to
(sqlite3.Connection.backup), and pg_dump(1) reads one state of it. Each backup is a folder named for
its time; it has that name only when it is whole.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
import subprocess
import tarfile
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy.engine import make_url

from slurmhub_deploy.errors import DeployError

DATABASES = {"jupyterhub": "JupyterHub.db_url", "ledger": "SlurmHubSpawner.ledger_url"}
"""The databases of a hub, and the settings that say where they are."""

COURSES = "courses"
"""The database of its courses, where it has any."""
_COURSES_URL = "SlurmHubSpawner.courses_url"

_NAME = re.compile(r"[0-9]{8}T[0-9]{6}Z")
_SECONDS = 3600


@dataclass(frozen=True)
class Places:
    """Where a hub is backed up from and to."""

    settings: Path
    account: str
    to: Path
    register: Path = Path("/var/lib/slurmhub/accounts")
    metrics: Path | None = None


def places_of(name: str, account: str) -> Places:
    """Those of a hub that was set up from a site file."""
    return Places(
        settings=Path(f"/etc/slurmhub/{name}/hub.json"),
        account=account,
        to=Path(f"/srv/slurmhub/backup/{name}"),
        metrics=Path(f"/var/lib/prometheus/node-exporter/slurmhub_backup_{name}.prom"),
    )


def back_up(places: Places, *, keep: int, now: float | None = None) -> Path:
    """Make one more backup, and remove the oldest beyond `keep`. Raises DeployError."""
    began = time.time() if now is None else now
    urls = _urls(places.settings)
    places.to.mkdir(mode=0o700, parents=True, exist_ok=True)
    name = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(began))
    partial = places.to / f".{name}.partial"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(mode=0o700)
    try:
        for database, url in urls.items():
            _copy(url, partial / database, places.account)
        if places.register.is_dir():
            with tarfile.open(partial / "accounts.tar", "w") as archive:
                archive.add(places.register, arcname="accounts")
        shutil.copy(places.settings, partial / "hub.json")
        if COURSES in urls:
            _copy_secret(places.settings.with_name("courses.json"), partial / "courses-secret")
        whole = places.to / name
        partial.rename(whole)
    except OSError as error:
        raise DeployError(
            f"The backup in {places.to} could not be written: {error}.",
            remedy=f"Make room there: df -h {places.to}. The backups before are as they were.",
        ) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    for old in backups(places.to)[:-keep]:
        shutil.rmtree(old)
    if places.metrics is not None and places.metrics.parent.is_dir():
        _tell(places.metrics, places.to.name, began, whole)
    return whole


def backups(folder: Path) -> list[Path]:
    """The whole backups in a folder, oldest first."""
    return sorted(each for each in folder.iterdir() if _NAME.fullmatch(each.name))


def _urls(settings: Path) -> dict[str, str]:
    try:
        found: dict[str, Any] = json.loads(settings.read_text())["settings"]
        databases = DATABASES | ({COURSES: _COURSES_URL} if _COURSES_URL in found else {})
        return {name: str(found[setting]) for name, setting in databases.items()}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DeployError(
            f"{settings} does not say where the hub's databases are: {error}.",
            remedy="It is written by 'slurmhub up'; run that again.",
        ) from error


def _copy_secret(settings: Path, target: Path) -> None:
    """That on which join codes hang: without it, those that were given are worth nothing."""
    try:
        file = Path(json.loads(settings.read_text())["secret_file"])
        target.write_bytes(file.read_bytes())
        target.chmod(0o600)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DeployError(
            f"The secret of the courses, which {settings} names, cannot be copied: {error}.",
            remedy="Has their service ever been started? 'slurmhub up' does it.",
        ) from error


def _copy(url: str, target: Path, account: str) -> None:
    parsed = make_url(url)
    backend, database = parsed.get_backend_name(), parsed.database or ""
    if backend == "sqlite":
        _copy_sqlite(Path(database), target.with_suffix(".sqlite"))
    elif backend == "postgresql":
        _dump(database, target.with_suffix(".dump"), account)
    else:
        raise DeployError(
            f"A database of the kind {backend} cannot be backed up here.",
            remedy="Back it up with its own programs.",
        )


def _copy_sqlite(source: Path, target: Path) -> None:
    if not source.is_file():
        raise DeployError(
            f"There is no database {source}.", remedy="Has the hub ever been started?"
        )
    try:
        # Read by a URI, so that a database that has just gone away is not made anew, empty.
        with (
            closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True)) as original,
            closing(sqlite3.connect(target)) as copy,
        ):
            original.backup(copy)
            # One file alone, without a log beside it.
            copy.execute("PRAGMA journal_mode=DELETE")
            (found,) = copy.execute("PRAGMA integrity_check").fetchone()
    except sqlite3.Error as error:
        found = str(error)
    if found != "ok":
        raise DeployError(
            f"The database {source} cannot be copied: {found}.",
            remedy="If it is damaged, stop the hub and restore the newest backup.",
        )


def _dump(database: str, target: Path, account: str) -> None:
    argv = ["runuser", "--user", account, "--", "pg_dump", "--format=custom", database]
    with target.open("wb") as output:
        try:
            done = subprocess.run(
                argv, stdout=output, stderr=subprocess.PIPE, check=False, timeout=_SECONDS, cwd="/"
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise DeployError(
                f"pg_dump could not be run: {error}.", remedy="Is PostgreSQL installed here?"
            ) from error
    if done.returncode != 0:
        raise DeployError(
            f"pg_dump of {database} failed: {done.stderr.decode(errors='replace').strip()}",
            remedy="systemctl status 'postgresql*'",
        )


def _tell(file: Path, name: str, began: float, whole: Path) -> None:
    """For node_exporter's textfile collector, which reads whole files only."""
    size = sum(each.stat().st_size for each in whole.iterdir())
    text = (
        "# HELP slurmhub_backup_last_success_timestamp_seconds When one was last made.\n"
        "# TYPE slurmhub_backup_last_success_timestamp_seconds gauge\n"
        f'slurmhub_backup_last_success_timestamp_seconds{{what="hub",name="{name}"}} {began:.0f}\n'
        "# HELP slurmhub_backup_size_bytes Size of the last backup.\n"
        "# TYPE slurmhub_backup_size_bytes gauge\n"
        f'slurmhub_backup_size_bytes{{what="hub",name="{name}"}} {size}\n'
    )
    new = file.with_name(f".{file.name}.{os.getpid()}")
    new.write_text(text)
    new.chmod(0o644)
    new.rename(file)

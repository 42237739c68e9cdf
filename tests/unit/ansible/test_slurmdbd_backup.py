"""slurmhub-backup-slurmdbd: backups that are whole, the old ones removed, and when the last was."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.rig.role_docs import ROLES

PROGRAM = ROLES / "slurm_database/files/slurmhub-backup-slurmdbd"
DUMP = """#!/bin/sh
for database; do :; done
echo "-- all of $database"
exit "$STATUS"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "mariadb-dump").write_text(DUMP)
    (tmp_path / "mariadb-dump").chmod(0o755)
    for name in ("backups", "metrics"):
        (tmp_path / name).mkdir()
    return tmp_path


def run(folder: Path, *, keep: int = 2, status: int = 0) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-I", str(PROGRAM), "slurm_acct_db", str(folder / "backups")]
    path = f"{folder}:/usr/bin:/bin"
    return subprocess.run(
        [*argv, str(keep), str(folder / "metrics")],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PATH": path, "STATUS": str(status)},
    )


def backups(folder: Path) -> list[str]:
    return sorted(each.name for each in (folder / "backups").iterdir())


def test_a_backup_and_when_it_was_made(folder: Path) -> None:
    begun = int(time.time())
    done = run(folder)
    assert (done.returncode, done.stderr) == (0, "")
    (name,) = backups(folder)
    assert gzip.decompress((folder / "backups" / name).read_bytes()) == b"-- all of slurm_acct_db\n"
    assert (folder / "backups" / name).stat().st_mode & 0o777 == 0o600
    (told,) = (folder / "metrics").iterdir()
    assert told.stat().st_mode & 0o777 == 0o644
    metric, made = told.read_text().splitlines()[-1].split()
    assert metric == (
        'slurmhub_backup_last_success_timestamp_seconds{what="slurmdbd",name="slurm_acct_db"}'
    )
    assert int(made) >= begun


def test_the_oldest_go(folder: Path) -> None:
    old = [f"slurm_acct_db-2020010{day}T000000Z.sql.gz" for day in (1, 2, 3)]
    for name in (*old, "notes.txt"):
        (folder / "backups" / name).touch()
    assert run(folder).returncode == 0
    assert backups(folder)[0] == "notes.txt"
    assert len(backups(folder)) == 3
    assert backups(folder)[1] == old[-1]


def test_one_that_failed_leaves_nothing_and_is_not_told_of(folder: Path) -> None:
    done = run(folder, status=3)
    assert done.returncode == 1
    assert "slurm_acct_db was not backed up" in done.stderr
    assert backups(folder) == []
    assert not list((folder / "metrics").iterdir())

"""slurmhub-backup-directory: copies that are whole, and the old ones of them removed."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.rig.role_docs import ROLES

PROGRAM = ROLES / "directory_server/files/slurmhub-backup-directory"
SLAPCAT = """#!/bin/sh
test "$4" = "$FAILING" && { echo "no such database" >&2; exit 1; }
echo "dn: of database $4"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "slapcat").write_text(SLAPCAT)
    (tmp_path / "slapcat").chmod(0o755)
    for name in ("copies", "metrics"):
        (tmp_path / name).mkdir()
    return tmp_path


def run(folder: Path, *, days: int = 30, failing: str = "") -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-I", str(PROGRAM), "--folder", str(folder / "copies")]
    argv += ["--days", str(days), "--settings", "/etc/ldap/slapd.d"]
    argv += ["--slapcat", str(folder / "slapcat"), "--metrics", str(folder / "metrics")]
    return subprocess.run(
        argv, capture_output=True, text=True, check=False, env={**os.environ, "FAILING": failing}
    )


def copies(folder: Path) -> list[str]:
    return sorted(each.name for each in (folder / "copies").iterdir())


def test_a_copy_of_both_databases(folder: Path) -> None:
    begun = int(time.time())
    done = run(folder)
    assert (done.returncode, done.stderr) == (0, "")
    config, people = copies(folder)
    assert config == people.replace(".ldif.gz", ".config.ldif.gz")
    assert gzip.decompress((folder / "copies" / people).read_bytes()) == b"dn: of database 1\n"
    assert (folder / "copies" / people).stat().st_mode & 0o777 == 0o600
    metric = (folder / "metrics/slurmhub_directory_backup.prom").read_text().splitlines()[-1]
    name, _, labels = metric.split()[0].partition("{")
    assert name == "slurmhub_backup_last_success_timestamp_seconds"
    assert labels == 'what="directory",name="directory"}'
    assert int(metric.split()[-1]) >= begun


def test_old_copies_go_and_strange_files_stay(folder: Path) -> None:
    for name in ("20200101T000000Z.ldif.gz", "20200101T000000Z.config.ldif.gz", "notes.txt"):
        (folder / "copies" / name).touch()
    assert run(folder).returncode == 0
    left = copies(folder)
    assert "notes.txt" in left
    assert not [name for name in left if name.startswith("2020")]
    assert len(left) == 3


@pytest.mark.parametrize("database", ["0", "1"])
def test_when_it_fails_nothing_is_removed(folder: Path, database: str) -> None:
    (folder / "copies/20200101T000000Z.ldif.gz").touch()
    done = run(folder, failing=database)
    assert done.returncode == 1
    assert "slapcat -n" in done.stderr
    assert "no such database" in done.stderr
    assert "20200101T000000Z.ldif.gz" in copies(folder)
    assert not list((folder / "metrics").iterdir())


def test_the_newest_copy_stays_whatever_its_age(folder: Path) -> None:
    assert run(folder, days=0).returncode == 0
    assert len(copies(folder)) == 2

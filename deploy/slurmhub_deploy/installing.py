"""Putting files of root's in place, whole or not at all, and what sudo must make of them."""

from __future__ import annotations

import os
import re
import secrets
import stat
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from slurmhub_deploy.errors import DeployError

_ALIAS = re.compile(r"[A-Z][A-Z0-9_]*")
_VISUDO = ("/usr/sbin/visudo", "/usr/local/sbin/visudo")


class State(Enum):
    """What became of a file."""

    UNCHANGED = "unchanged"
    WRITTEN = "written"
    WOULD_BE_WRITTEN = "would be written"


@dataclass(frozen=True)
class Outcome:
    """One file, what became of it, and its text if that is for people."""

    path: Path
    state: State
    text: str | None = None


@dataclass(frozen=True)
class InstalledFile:
    """A file that is to be; `shown` says whether its text is for people."""

    path: Path
    content: bytes
    mode: int
    shown: bool = True


def install_files(root: Path, files: Sequence[InstalledFile], *, dry_run: bool) -> list[Outcome]:
    """Writes what is not yet as it should be, below `root`. Raises DeployError.

    Nothing is written before every folder on the way was found to be root's own.
    """
    if os.geteuid() != 0 and not dry_run:
        raise DeployError(
            "The helper can only be installed by root.",
            remedy="Run it again with sudo, or with --dry-run to see what it would do.",
        )
    for file in files:
        _check_parents(below(root, file.path), root)
    return [_put(root, file, dry_run=dry_run) for file in files]


def escaped(word: str) -> str:
    """A name or path as sudoers(5) reads it."""
    # Words that begin otherwise are ids or netgroups, those in capitals are aliases.
    if not word.isprintable() or not re.match(r"[A-Za-z0-9_/]", word) or _ALIAS.fullmatch(word):
        raise DeployError(
            f"{word!r} cannot be written in a sudoers file.",
            remedy="Use a name that begins with a letter and is not all in capitals.",
        )
    # Groups of a directory service may hold spaces, and sudoers has meanings for much else.
    return re.sub(r"([^A-Za-z0-9_./-])", r"\\\1", word)


def check_sudoers(text: str) -> None:
    """Have visudo read it. Raises DeployError."""
    visudo = next((program for program in _VISUDO if os.access(program, os.X_OK)), None)
    if visudo is None:
        raise DeployError(
            "visudo is not installed, so the sudoers line cannot be checked.",
            remedy="Install sudo, and run this again.",
        )
    checked = _run([visudo, "-c", "-s", "-f", "-"], text)
    if checked.returncode != 0:
        raise DeployError(
            f"visudo refuses the sudoers line: {checked.stderr.strip() or checked.stdout.strip()}",
            remedy="Nothing was changed. Choose account and group names that sudo can read.",
        )


def check_effect(hub_account: str, program: Path, sudoers: Path) -> None:
    """Whether sudo would run the program for this account. Raises DeployError."""
    if str(program) not in _run(["/usr/bin/sudo", "-n", "-l", "-U", hub_account]).stdout:
        raise DeployError(
            f"{sudoers} is in place, but sudo does not follow it.",
            remedy="Add the line '@includedir /etc/sudoers.d' to /etc/sudoers with visudo.",
        )


def _run(argv: list[str], text: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        argv,
        input=text,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"},
    )


def below(root: Path, path: Path) -> Path:
    """An absolute path below another root."""
    return root / path.relative_to("/")


def _check_parents(path: Path, root: Path) -> None:
    """Whoever may write to a folder above a file may replace the file."""
    for folder in path.parents:
        try:
            found = folder.stat()
        except FileNotFoundError:
            continue  # it is made below
        if found.st_uid != 0 or found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise DeployError(
                f"{folder} can be changed by others than root.",
                remedy=f"Run 'chown root {folder}' and 'chmod go-w {folder}', then this again.",
            )
        if folder == root:
            return


def _put(root: Path, file: InstalledFile, *, dry_run: bool) -> Outcome:
    path = below(root, file.path)
    text = file.content.decode() if file.shown else None
    if _is_as_it_should_be(path, file):
        return Outcome(path, State.UNCHANGED, text)
    if dry_run:
        return Outcome(path, State.WOULD_BE_WRITTEN, text)
    _make_folders(reversed([folder for folder in path.parents if not folder.exists()]))
    # sudo reads no file with a dot in its name, should this one be left behind.
    scratch = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with open(descriptor, "wb") as handle:
            handle.write(file.content)
            handle.flush()
            os.fchown(descriptor, 0, 0)
            os.fchmod(descriptor, file.mode)
            os.fsync(descriptor)
        scratch.replace(path)
    finally:
        scratch.unlink(missing_ok=True)
    return Outcome(path, State.WRITTEN, text)


def _make_folders(missing: Iterable[Path]) -> None:
    for folder in missing:
        folder.mkdir(mode=0o755)
        folder.chmod(0o755)  # whatever the umask is


def _is_as_it_should_be(path: Path, file: InstalledFile) -> bool:
    try:
        found = path.lstat()
        same = stat.S_ISREG(found.st_mode) and path.read_bytes() == file.content
    except OSError:
        return False
    return same and found.st_uid == 0 and found.st_gid == 0 and found.st_mode & 0o7777 == file.mode

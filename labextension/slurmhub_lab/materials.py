"""What new materials of a course would meet in somebody's folder, before nbgitpuller brings them.

nbgitpuller merges what others changed into what is there, line by line, and where both changed the
same lines it keeps one side without a word (its documentation, "Automatic merging behavior"). In a
notebook, which is JSON, a merge of lines is none of cells. Here a file that both changed is kept
whole, the person's own, or taken whole, with their own beside it; nbgitpuller then finds nothing to
merge in it.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

SECONDS = 60
MOST_LINES = 200
"""Of a difference that is shown."""

_BRANCH = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,199}")
_OURS = "slurmhub-mine"
# Names of files are bytes: what is no text comes back as it was.
_AS_BYTES = {"encoding": "utf-8", "errors": "surrogateescape"}
_BEGIN, _END = "# slurmhub: kept as they are", "# slurmhub: end"


class MaterialsUnusable(Exception):
    """Why the folder cannot be brought up to date: `why` is a name of one of the page's sentences.

    `said` are words of a program, or an address.
    """

    def __init__(self, why: str, said: str = "") -> None:
        super().__init__(why)
        self.why = why
        self.said = said


@dataclass(frozen=True)
class Materials:
    """A repository, a branch of it, and the folder of the person's that it is in."""

    repository: str
    branch: str
    folder: Path

    @property
    def remote(self) -> str:
        """The branch as this clone last saw it."""
        return f"refs/remotes/origin/{self.branch}"


@dataclass(frozen=True)
class Met:
    """A file of the person's that new materials would change; paths are below the folder.

    `difference` is from theirs to the new one, as diff(1) writes it, empty for a notebook.
    """

    path: str
    difference: str = ""


@dataclass(frozen=True)
class Meeting:
    """What new materials meet.

    `both` are files that both changed, `removed` those that the person changed and that are gone
    now, `named` those of the person's whose names new files have, `others` how many else come.
    """

    both: tuple[Met, ...] = ()
    removed: tuple[str, ...] = ()
    named: tuple[str, ...] = ()
    others: int = 0

    @property
    def asks(self) -> bool:
        """Whether there is anything to be told before."""
        return bool(self.both or self.removed or self.named)


def inside(root: Path, target: str) -> Path | None:
    """The folder that is meant, below the server's own; None where it is not."""
    folder = Path(os.path.normpath(root / target))
    return folder if root in folder.parents else None


def is_branch(name: str) -> bool:
    """Whether git is given this name of a branch."""
    return bool(_BRANCH.fullmatch(name)) and ".." not in name


def meet(materials: Materials) -> Meeting:
    """Ask the repository for what is new, and look what it meets; nothing of the person's changes.

    Raises MaterialsUnusable. A folder that is not there yet meets nothing.
    """
    if not materials.folder.exists():
        return Meeting()
    _belongs(materials)
    _fetch(materials)
    base = _git(materials, "merge-base", "HEAD", materials.remote, fails="rewritten").strip()
    theirs = _changes(materials, base, materials.remote)
    mine = _changes(materials, base)
    # Links of people may lead anywhere, also to nothing.
    there = {path for path in theirs if os.path.lexists(str(materials.folder / path))}
    known = set(_listed(materials, "ls-files", "-z"))
    both, removed, named = [], [], []
    for path, kind in sorted(theirs.items()):
        if path not in there:
            continue
        if kind == "A" and path not in known:
            named.append(path)
        elif path in mine and kind == "D":
            removed.append(path)
        elif path in mine and not _same(materials, path):
            both.append(Met(path, _difference(materials, path)))
    told = len(both) + len(removed) + len(named)
    return Meeting(tuple(both), tuple(removed), tuple(named), len(theirs) - told)


def settle(materials: Materials, taken: Mapping[str, bool], now: datetime) -> dict[str, str]:
    """Let each of these files be the new one (True) or stay as it is; where one's own is kept now.

    Call it after `meet`, with paths that it named. What is taken replaces a file that was renamed
    before, so that nothing is lost wherever this ends. Raises MaterialsUnusable.
    """
    kept = {}
    try:
        for path, take in taken.items():
            if take:
                kept[path] = _beside(materials.folder, path, now)
                os.rename(str(materials.folder / path), str(materials.folder / kept[path]))
                _git(materials, "checkout", materials.remote, "--", _literal(path))
        _keep(materials, [path for path, take in taken.items() if not take])
    except OSError as error:
        raise MaterialsUnusable("git", str(error)) from error
    return kept


def _belongs(materials: Materials) -> None:
    # A folder below another clone must not be taken for that one.
    if not (materials.folder / ".git").is_dir():
        raise MaterialsUnusable("occupied")
    origin = _git(materials, "config", "--get", "remote.origin.url", fails="occupied").strip()
    if origin != materials.repository:
        raise MaterialsUnusable("another", origin)


def _fetch(materials: Materials) -> None:
    # A clone of one branch knows no other, and a course may change to another.
    refs = f"+refs/heads/{materials.branch}:{materials.remote}"
    _git(materials, "fetch", "--quiet", "origin", refs, fails="away")
    known = _git(materials, "config", "--get-all", "remote.origin.fetch", may=True).splitlines()
    if refs not in known and "+refs/heads/*:refs/remotes/origin/*" not in known:
        _git(materials, "config", "--add", "remote.origin.fetch", refs)


def _changes(materials: Materials, *between: str) -> dict[str, str]:
    """Path and kind (A, D, M or T) of each file that is different; a file renamed is two."""
    words = _listed(materials, "diff", "--name-status", "--no-renames", "-z", *between, "--")
    return {words[at + 1]: words[at] for at in range(0, len(words) - 1, 2)}


def _same(materials: Materials, path: str) -> bool:
    return not _git(materials, "diff", "--name-only", materials.remote, "--", _literal(path))


def _difference(materials: Materials, path: str) -> str:
    if path.endswith(".ipynb"):
        return ""
    plain = ("diff", "-R", "--no-color", "--no-ext-diff", "--no-textconv", materials.remote)
    lines = _git(materials, *plain, "--", _literal(path)).splitlines()
    begin = next((at for at, line in enumerate(lines) if line.startswith("@@")), len(lines))
    shown = lines[begin : begin + MOST_LINES]
    return "\n".join([*shown, "..."] if len(lines) > begin + MOST_LINES else shown)


def _beside(folder: Path, path: str, now: datetime) -> str:
    """A name for one's own copy that nothing has yet."""
    head, dot, tail = path.rpartition(".")
    if not dot or "/" in tail or not head or head.endswith("/"):
        head, tail = path, ""
    stem = f"{head}.mine-{now:%Y-%m-%d}"
    end = f".{tail}" if tail else ""
    number, name = 1, f"{stem}{end}"
    while os.path.lexists(str(folder / name)):
        number += 1
        name = f"{stem}-{number}{end}"
    return name


def _keep(materials: Materials, paths: list[str]) -> None:
    """Have git keep these whole when it merges: gitattributes(5), "Defining a custom merge driver".

    The file is the clone's own and not part of the materials.
    """
    _git(materials, "config", f"merge.{_OURS}.name", "keeps the file as it is")
    _git(materials, "config", f"merge.{_OURS}.driver", "true")
    file = materials.folder / ".git" / "info" / "attributes"
    file.parent.mkdir(exist_ok=True)
    lines = file.read_text(**_AS_BYTES).splitlines() if file.exists() else []
    if _BEGIN in lines and _END in lines:
        lines = lines[: lines.index(_BEGIN)] + lines[lines.index(_END) + 1 :]
    lines += [_BEGIN, *(f"{_pattern(path)} merge={_OURS}" for path in paths), _END]
    whole = file.with_name("attributes.slurmhub")
    whole.write_text("\n".join(lines) + "\n", **_AS_BYTES)
    os.replace(str(whole), str(file))


def _pattern(path: str) -> str:
    """A path in gitattributes(5): nothing in it is a wildcard, and it is quoted as in C."""
    plain = re.sub(r"([\\*?\[])", r"\\\1", f"/{path}")
    return '"' + plain.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def _literal(path: str) -> str:
    """A path as git's pathspec, without wildcards: gitglossary(7), "pathspec"."""
    return f":(top,literal){path}"


def _listed(materials: Materials, *argv: str) -> list[str]:
    return [word for word in _git(materials, *argv).split("\0") if word]


def _git(materials: Materials, *argv: str, fails: str = "git", may: bool = False) -> str:
    """What git says. Raises MaterialsUnusable(`fails`) if it fails, unless it `may`."""
    try:
        done = subprocess.run(
            ["git", "-C", str(materials.folder), *argv],  # noqa: S607 - that of the environment
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=SECONDS,
            check=False,
            # Nobody is there to be asked for a password.
            env={**os.environ, "LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0"},
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise MaterialsUnusable(fails, str(error)) from error
    if done.returncode and not may:
        raise MaterialsUnusable(fails, done.stderr.decode(errors="replace").strip()[-2000:])
    return done.stdout.decode(**_AS_BYTES)

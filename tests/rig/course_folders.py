"""Folders of courses with a copy of the program that keeps them, below one folder of root's."""

from __future__ import annotations

import json
import secrets
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from slurmhub.assets import asset
from tests.rig.disks import disk, mounted

# Numbers that no account of this machine has; the kernel does not ask for names.
PROF, TA, ALICE, BOB, CAROL, STRANGER = range(70101, 70107)
STAFF = {"prof": PROF}
STUDENTS = {"alice": ALICE, "bob": BOB}
ALL = ["shared", "data", "drop", "exchange"]


@dataclass
class CourseFolders:
    """Folders called `main`; courses lie in `base`."""

    folder: Path
    base: Path
    words: list[str] = field(default_factory=list)

    @property
    def program(self) -> Path:
        return self.folder / "slurmhub-course-folders"

    @property
    def settings(self) -> Path:
        return self.folder / "etc" / "main.json"

    @property
    def argv(self) -> list[str]:
        """How the program is asked."""
        return [str(self.program), "main"]

    def set(self, **changes: object) -> None:
        before = json.loads(self.settings.read_text()) if self.settings.exists() else {}
        self.settings.write_text(json.dumps({**before, **changes}))

    def run(self, request: Any, *words: str, **options: Any) -> subprocess.CompletedProcess[bytes]:
        data = request if isinstance(request, bytes) else json.dumps(request).encode()
        return subprocess.run(
            [*self.words, *(words or self.argv)],
            input=data,
            capture_output=True,
            check=False,
            timeout=120,
            **options,
        )

    def ask(self, verb: str, **request: Any) -> dict[str, Any]:
        """The program's answer."""
        done = self.run({"verb": verb, **request})
        assert done.stderr == b"", done.stderr.decode()
        answer = dict(json.loads(done.stdout))
        assert done.returncode == (0 if answer["ok"] else 1)
        return answer

    def ensure(self, key: str = "phys101", **changes: Any) -> dict[str, Any]:
        """One call; a course with all folders, a professor and two students."""
        request: dict[str, Any] = {
            "frozen": False,
            "folders": ALL,
            "staff": STAFF,
            "students": STUDENTS,
            "quota": None,
        }
        return self.ask("ensure", course=key, **{**request, **changes})

    def settled(self, key: str = "phys101", **changes: Any) -> dict[str, Any]:
        """Calls until it is done."""
        return self._until_done(lambda: self.ensure(key, **changes))

    def removed(self, key: str = "phys101") -> dict[str, Any]:
        """Calls until it is gone."""
        return self._until_done(lambda: self.ask("remove", course=key))

    def _until_done(self, ask: Any) -> dict[str, Any]:
        for _ in range(200):
            answer: dict[str, Any] = ask()
            assert answer["ok"], answer
            if answer["done"]:
                return answer
        raise AssertionError("it does not come to its end")

    def export(self, key: str = "phys101", folders: list[str] = ALL) -> tuple[int, bytes, bytes]:
        """Exit status, first line and archive."""
        done = self.run({"verb": "export", "course": key, "folders": folders})
        line, _, archive = done.stdout.partition(b"\n")
        return done.returncode, line, archive

    def as_person(self, uid: int, script: str, **options: Any) -> subprocess.CompletedProcess[str]:
        """A shell script of somebody's, in the folder of all courses."""
        who = ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", "--"]
        return subprocess.run(
            [*self.words, *who, "sh", "-c", script],
            cwd=self.base,
            check=False,
            capture_output=True,
            text=True,
            timeout=60,
            **options,
        )

    def can(self, uid: int, script: str) -> bool:
        """Whether it ends well."""
        return self.as_person(uid, script).returncode == 0

    def replace_all(self, changes: Mapping[str, str]) -> None:
        """Change lines of the program."""
        text = self.program.read_text()
        for old, new in changes.items():
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        self.program.write_text(text)

    @contextmanager
    def changed(self, old: str, new: str) -> Iterator[None]:
        """Meanwhile the program has another line."""
        before = self.program.read_text()
        self.replace_all({old: new})
        try:
            yield
        finally:
            self.program.write_text(before)

    @contextmanager
    def killed_at(self, line: str) -> Iterator[None]:
        """Meanwhile the program kills itself before this line."""
        indent = " " * (len(line) - len(line.lstrip()))
        with self.changed(line, f"{indent}os.kill(os.getpid(), 9)\n{line}"):
            yield

    def thaw_all(self) -> None:
        """Whatever a test froze."""
        subprocess.run(["chattr", "-R", "-i", "-f", str(self.base)], check=False)


@contextmanager
def course_folders(backend: str = "", megabytes: int = 300) -> Iterator[CourseFolders]:
    """On this machine's own disk, or on a fresh file system of this kind."""
    folder = Path("/opt") / f"c{secrets.token_hex(3)}"  # root's alone, unlike /tmp
    folder.mkdir(mode=0o755)
    folder.chmod(0o755)
    base = folder / "courses"
    try:
        made = CourseFolders(folder, base)
        _install(made)
        if not backend:
            base.mkdir(mode=0o755)
            base.chmod(0o755)
            try:
                yield made
            finally:
                made.thaw_all()
            return
        with disk(folder, "disk", megabytes) as device:
            # A small ext4 has small blocks, and a list of people is never more than one.
            block = ["-b", "4096"] if backend == "ext4" else []
            argv = [f"mkfs.{backend}", "-q", *block, device]
            subprocess.run(argv, check=True, capture_output=True)
            with mounted(device, base):
                base.chmod(0o755)
                made.set(mount=str(base))
                yield made
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _install(made: CourseFolders) -> None:
    (made.folder / "etc").mkdir(mode=0o755)
    text = asset("libexec/slurmhub-course-folders").read_text()
    old = 'SETTINGS_FOLDER = "/etc/slurmhub/course-folders"'
    assert text.count(old) == 1
    made.program.write_text(text.replace(old, f'SETTINGS_FOLDER = "{made.folder}/etc"'))
    made.program.chmod(0o755)
    made.set(folder=str(made.base), keep_days=0)


def flags(path: Path) -> str:
    """What lsattr says of it."""
    done = subprocess.run(["lsattr", "-d", str(path)], check=True, capture_output=True, text=True)
    return done.stdout.split()[0]

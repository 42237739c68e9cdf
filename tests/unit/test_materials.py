"""New materials of a course and what somebody has already: real git, and nbgitpuller's way."""

from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

import pytest
from slurmhub_lab.materials import Materials, MaterialsUnusable, inside, is_branch, meet, settle
from slurmhub_lab.materials_words import WORDS, language

NOW = datetime(2026, 11, 22, 10, 15)
ODD = ("week 1/[a]*.txt", 'say "é".txt', "back\\slash.txt", "line\nbreak.txt", "#hash !x.txt")
WHO = ("-c", "user.name=x", "-c", "user.email=x@example.ca")


def git(folder: Path, *argv: str) -> str:
    done = subprocess.run(["git", "-C", str(folder), *WHO, *argv], check=True, capture_output=True)
    return done.stdout.decode(errors="replace")


class Course:
    """A repository of an instructor, and a student's clone of it as nbgitpuller makes one."""

    def __init__(self, ground: Path) -> None:
        self.upstream, self.home = ground / "upstream", ground / "home"
        self.upstream.mkdir()
        self.home.mkdir()
        git(self.upstream, "init", "-q", "-b", "main")
        self.address = f"file://{self.upstream}"
        self.folder = self.home / "phys101"
        self.materials = Materials(self.address, "main", self.folder)

    def publish(self, files: Mapping[str, str | None]) -> None:
        """Commit these files; None removes one."""
        for name, text in files.items():
            path = self.upstream / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if text is None:
                path.unlink()
            else:
                path.write_text(text)
        git(self.upstream, "add", "-A")
        git(self.upstream, "commit", "-q", "-m", "materials")

    def clone(self) -> None:
        """As nbgitpuller does: its GitPuller.initialize_repo."""
        plain = ("clone", "-q", "--depth", "1", "--branch", "main", "--")
        git(self.home, *plain, self.address, str(self.folder))

    def pull(self) -> None:
        """As nbgitpuller does: its GitPuller.update."""
        git(self.folder, "fetch")
        git(self.folder, "reset", "--mixed", "-q")
        git(self.folder, "commit", "-q", "-a", "-m", "automatic", "--allow-empty")
        git(self.folder, "merge", "-q", "-Xours", "origin/main")

    def mine(self, name: str, text: str) -> None:
        (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / name).write_text(text)

    def read(self, name: str) -> str:
        return (self.folder / name).read_text()


@pytest.fixture
def course(tmp_path: Path) -> Course:
    made = Course(tmp_path)
    made.publish({"a.ipynb": '{"cells": [1]}\n', "b.txt": "one\ntwo\nthree\n", "old.txt": "x\n"})
    made.clone()
    return made


def test_a_first_time_meets_nothing(tmp_path: Path) -> None:
    made = Course(tmp_path)
    assert not meet(made.materials).asks
    assert not made.folder.exists()


def test_what_only_one_of_them_changed_is_not_asked(course: Course) -> None:
    course.mine("a.ipynb", "mine")
    course.mine("notes.txt", "mine")
    course.publish({"b.txt": "one\n", "c.txt": "new\n"})
    before = git(course.folder, "status", "--porcelain")
    found = meet(course.materials)
    assert not found.asks
    assert found.others == 2
    assert git(course.folder, "status", "--porcelain") == before
    course.pull()
    assert (course.read("a.ipynb"), course.read("b.txt")) == ("mine", "one\n")


def test_a_file_that_both_changed_is_shown_and_stays_whole(course: Course) -> None:
    course.mine("b.txt", "one\ntwo\nmine\n")
    course.mine("a.ipynb", "mine")
    course.publish({"b.txt": "new\ntwo\nthree\n", "a.ipynb": "theirs", "c.txt": "new\n"})
    found = meet(course.materials)
    assert [one.path for one in found.both] == ["a.ipynb", "b.txt"]
    assert found.others == 1
    assert found.both[0].difference == ""
    assert "-mine" in found.both[1].difference.splitlines()
    assert "+new" in found.both[1].difference.splitlines()
    assert settle(course.materials, {"a.ipynb": False, "b.txt": False}, NOW) == {}
    course.pull()
    # Merged line by line it would be somebody else's file: new, two, mine.
    assert course.read("b.txt") == "one\ntwo\nmine\n"
    assert course.read("a.ipynb") == "mine"
    assert course.read("c.txt") == "new\n"
    # It is asked once for each change.
    assert not meet(course.materials).asks
    course.publish({"b.txt": "newer\ntwo\nthree\n"})
    assert [one.path for one in meet(course.materials).both] == ["b.txt"]


def test_the_new_one_is_taken_and_mine_is_beside_it(course: Course) -> None:
    course.mine("a.ipynb", "mine")
    git(course.folder, "commit", "-q", "-a", "-m", "an earlier pull")
    course.mine("b.txt", "mine too")
    course.publish({"b.txt": "new\n", "a.ipynb": "theirs"})
    taken = {one.path: True for one in meet(course.materials).both}
    kept = settle(course.materials, taken, NOW)
    assert kept == {"a.ipynb": "a.mine-2026-11-22.ipynb", "b.txt": "b.mine-2026-11-22.txt"}
    course.pull()
    assert (course.read("a.ipynb"), course.read("b.txt")) == ("theirs", "new\n")
    assert course.read("a.mine-2026-11-22.ipynb") == "mine"
    assert course.read("b.mine-2026-11-22.txt") == "mine too"
    course.mine("b.txt", "again")
    course.publish({"b.txt": "newest\n"})
    meet(course.materials)
    assert settle(course.materials, {"b.txt": True}, NOW) == {"b.txt": "b.mine-2026-11-22-2.txt"}


def test_the_same_change_of_both_is_none(course: Course) -> None:
    course.mine("b.txt", "new\n")
    course.publish({"b.txt": "new\n"})
    assert not meet(course.materials).asks


def test_new_files_with_names_of_mine_and_files_that_are_gone(course: Course) -> None:
    course.mine("c.txt", "mine")
    course.mine("old.txt", "mine")
    course.publish({"c.txt": "new\n", "old.txt": None})
    found = meet(course.materials)
    assert (found.both, found.named, found.removed) == ((), ("c.txt",), ("old.txt",))


def test_what_somebody_deleted_comes_back(course: Course) -> None:
    (course.folder / "b.txt").unlink()
    course.publish({"b.txt": "new\n"})
    assert not meet(course.materials).asks


@pytest.mark.parametrize("take", [True, False])
def test_a_disk_that_takes_nothing_loses_nothing(
    course: Course, monkeypatch: pytest.MonkeyPatch, take: bool
) -> None:
    course.mine("b.txt", "mine")
    course.publish({"b.txt": "new\n"})
    assert meet(course.materials).both

    def full(*_: str) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "rename", full)
    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(MaterialsUnusable, match="git") as caught:
        settle(course.materials, {"b.txt": take}, NOW)
    assert "No space left" in caught.value.said
    assert course.read("b.txt") == "mine"


@pytest.mark.parametrize("name", ODD)
def test_a_file_of_any_name_is_taken(course: Course, name: str) -> None:
    course.publish({name: "a\n", "week 1/a.txt": "a\n"})
    git(course.folder, "pull", "-q")
    course.mine(name, "mine\n")
    course.mine("week 1/a.txt", "mine\n")
    course.publish({name: "new\n", "week 1/a.txt": "new\n"})
    assert len(meet(course.materials).both) == 2
    (kept,) = settle(course.materials, {name: True}, NOW).values()
    assert (course.read(name), course.read(kept)) == ("new\n", "mine\n")
    assert course.read("week 1/a.txt") == "mine\n", "nothing else is taken"


@pytest.mark.parametrize("name", ODD)
def test_any_name_of_a_file(course: Course, name: str) -> None:
    neighbour = "week 1/a.txt"
    course.publish({name: "a\nb\nc\n", neighbour: "a\nb\nc\n"})
    git(course.folder, "pull", "-q")
    for each in (name, neighbour):
        course.mine(each, "a\nb\nmine\n")
    course.publish({name: "new\nb\nc\n", neighbour: "new\nb\nc\n"})
    assert {one.path for one in meet(course.materials).both} == {name, neighbour}
    settle(course.materials, {name: False}, NOW)
    course.pull()
    assert course.read(name) == "a\nb\nmine\n"
    assert course.read(neighbour) == "new\nb\nmine\n", "only what is named is kept whole"


def test_names_that_are_no_text(course: Course) -> None:
    name = b"caf\xe9.txt".decode(errors="surrogateescape")
    course.publish({name: "a\nb\nc\n"})
    git(course.folder, "pull", "-q")
    course.mine(name, "a\nb\nmine\n")
    course.publish({name: "new\nb\nc\n"})
    (one,) = meet(course.materials).both
    settle(course.materials, {one.path: False}, NOW)
    course.pull()
    assert course.read(name) == "a\nb\nmine\n"


def test_a_long_difference_is_cut(course: Course) -> None:
    course.mine("b.txt", "".join(f"{n}\n" for n in range(500)))
    course.publish({"b.txt": "new\n"})
    (one,) = meet(course.materials).both
    assert len(one.difference.splitlines()) == 201


def occupied(course: Course) -> None:
    subprocess.run(["rm", "-rf", str(course.folder)], check=True)
    course.mine("own.txt", "x")


def occupied_in_a_clone(course: Course) -> None:
    occupied(course)
    git(course.home, "init", "-q")


def another(course: Course) -> None:
    git(course.folder, "remote", "set-url", "origin", "https://git.example.ca/chem.git")


def away(course: Course) -> None:
    course.upstream.rename(course.upstream.with_name("elsewhere"))


def rewritten(course: Course) -> None:
    git(course.upstream, "checkout", "-q", "--orphan", "anew")
    git(course.upstream, "commit", "-q", "-m", "anew")
    git(course.upstream, "branch", "-q", "-M", "anew", "main")


@pytest.mark.parametrize(
    ("happens", "why"),
    [
        (occupied, "occupied"),
        (occupied_in_a_clone, "occupied"),
        (another, "another"),
        (away, "away"),
        (rewritten, "rewritten"),
    ],
)
def test_what_cannot_be_brought_up_to_date_is_said(
    course: Course, happens: Callable[[Course], None], why: str
) -> None:
    happens(course)
    with pytest.raises(MaterialsUnusable) as caught:
        meet(course.materials)
    assert caught.value.why == why
    for words in WORDS.values():
        assert words[why]
        assert words[f"{why}-remedy"]


def test_a_course_that_goes_on_with_another_branch(course: Course) -> None:
    git(course.upstream, "checkout", "-q", "-b", "winter")
    course.publish({"w.txt": "new\n"})
    assert meet(Materials(course.address, "winter", course.folder)).others == 1
    git(course.folder, "fetch")
    git(course.folder, "merge", "-q", "origin/winter")
    assert course.read("w.txt") == "new\n"


def test_folders_are_below_the_home(tmp_path: Path) -> None:
    assert inside(tmp_path, "a/b") == tmp_path / "a/b"
    for target in ("", ".", "..", "../x", "a/../..", "/etc", "a/../../etc"):
        assert inside(tmp_path, target) is None, target
    assert is_branch("main")
    assert is_branch("2026/winter")
    for name in ("", "--upload-pack=x", "-b", "a..b", "a b", "a\nb"):
        assert not is_branch(name), name


def test_the_languages_say_the_same() -> None:
    english, french = WORDS["en"], WORDS["fr"]
    assert english.keys() == french.keys()
    for name, text in english.items():
        assert ("{folder}" in text, "{count}" in text) == (
            "{folder}" in french[name],
            "{count}" in french[name],
        )


@pytest.mark.parametrize(
    ("chosen", "accepted", "spoken"),
    [
        ("", "", "en"),
        ("fr", "en", "fr"),
        ("tlh", "fr-CA", "fr"),
        ("", "de, en;q=0.3, fr-CA;q=0.8", "fr"),
        ("", "fr;q=0, en", "en"),
        ("", "fr;q=x,,;", "en"),
    ],
)
def test_a_page_is_in_the_readers_language(chosen: str, accepted: str, spoken: str) -> None:
    assert language(chosen, accepted) == spoken

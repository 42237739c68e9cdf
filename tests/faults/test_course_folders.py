"""The folders of courses on a real disk, and when the program is killed, hurried or out of room."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import tarfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.rig.course_folders import (
    ALICE,
    ALL,
    BOB,
    CAROL,
    PROF,
    STAFF,
    STRANGER,
    STUDENTS,
    TA,
    CourseFolders,
    course_folders,
    flags,
)

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="makes folders as root")


@pytest.fixture
def site() -> Iterator[CourseFolders]:
    with course_folders() as made:
        yield made


def used(site: CourseFolders) -> None:
    """A course in which people have worked."""
    site.settled()
    assert site.can(PROF, "cd phys101/shared && echo x >a && mkdir -p w/v && echo y >w/v/b")
    assert site.can(PROF, "echo 1,2 >phys101/data/table.csv")
    assert site.can(ALICE, "cd phys101/drop/alice && mkdir -p d/e && echo mine >d/e/f && echo m >g")
    assert site.can(BOB, "echo his >phys101/drop/bob/f")


# What must work


def test_who_may_what(site: CourseFolders) -> None:
    used(site)
    assert site.can(ALICE, "cat phys101/shared/a phys101/shared/w/v/b && ls phys101/data")
    assert not site.can(ALICE, "echo z >phys101/shared/c")
    assert not site.can(ALICE, "echo z >>phys101/shared/a")
    assert not site.can(ALICE, "rm phys101/shared/a")
    assert site.can(PROF, "ls phys101/drop && echo good >>phys101/drop/alice/d/e/f")
    assert site.can(PROF, "echo marked >phys101/drop/alice/marks")
    assert site.can(ALICE, "echo thanks >>phys101/drop/alice/marks")
    for hidden in ("drop", "drop/alice"):
        assert not site.can(BOB, f"ls phys101/{hidden}")
    assert not site.can(BOB, "cat phys101/drop/alice/d/e/f")
    for what in ("ls phys101", "cat phys101/shared/a", "cat phys101/drop/alice/g"):
        assert not site.can(STRANGER, what)


def test_staff_work_on_what_others_of_the_staff_made(site: CourseFolders) -> None:
    site.settled(staff={"prof": PROF, "ta": TA})
    assert site.can(PROF, "umask 077; mkdir phys101/shared/w && echo x >phys101/shared/w/a")
    assert site.can(TA, "echo y >>phys101/shared/w/a && echo z >phys101/shared/w/b")
    assert site.can(PROF, "rm phys101/shared/w/b")
    assert site.can(ALICE, "cat phys101/shared/w/a")
    # A folder of a student's, too, whatever the student's umask.
    assert site.can(ALICE, "umask 077; mkdir phys101/drop/alice/p; echo 1 >phys101/drop/alice/p/q")
    assert site.can(TA, "echo 2 >>phys101/drop/alice/p/q")


def test_who_comes_and_goes(site: CourseFolders) -> None:
    used(site)
    everybody = {**STUDENTS, "carol": CAROL}
    # No new sign-in, no new process: the next look at the folder is enough.
    assert not site.can(CAROL, "cat phys101/shared/a")
    site.settled(students=everybody)
    assert site.can(CAROL, "cat phys101/shared/a && echo x >phys101/drop/carol/a")
    site.settled(students={"alice": ALICE})
    assert not site.can(BOB, "cat phys101/shared/a")
    assert not site.can(BOB, "cat phys101/drop/bob/f")
    assert site.can(PROF, "cat phys101/drop/bob/f")  # what was dropped off is not lost
    site.settled(students=everybody)
    assert site.can(BOB, "cat phys101/drop/bob/f")


def test_staff_who_come_and_go(site: CourseFolders) -> None:
    used(site)
    assert not site.can(TA, "ls phys101/shared")
    site.settled(staff={**STAFF, "ta": TA})
    assert site.can(TA, "echo more >>phys101/shared/w/v/b && cat phys101/drop/alice/d/e/f")
    # A student from now on: nothing of what they could do is left, deep inside neither.
    site.settled(students={**STUDENTS, "ta": TA})
    assert site.can(TA, "cat phys101/shared/w/v/b")
    assert not site.can(TA, "echo more >>phys101/shared/w/v/b")
    assert not site.can(TA, "echo more >phys101/shared/w/v/c")
    assert not site.can(TA, "cat phys101/drop/alice/d/e/f")


def test_what_is_frozen_nobody_changes_and_thawed_is_as_before(site: CourseFolders) -> None:
    used(site)
    assert site.settled(frozen=True)["left"] == 0
    assert site.can(ALICE, "cat phys101/drop/alice/d/e/f phys101/shared/w/v/b")
    for who, what in (
        (PROF, "echo x >>phys101/shared/a"),
        (PROF, "echo x >phys101/shared/new"),
        (PROF, "echo x >phys101/shared/w/v/new"),
        (PROF, "mv phys101/shared/w/v/b phys101/shared/w/v/c"),
        (ALICE, "echo x >phys101/drop/alice/new"),
        (ALICE, "echo x >>phys101/drop/alice/d/e/f"),
        (ALICE, "chmod 600 phys101/drop/alice/d/e/f"),
        (ALICE, "rm phys101/drop/alice/g"),
        (ALICE, "ln phys101/drop/alice/g phys101/drop/alice/h"),
        (ALICE, "touch phys101/drop/alice/g"),
    ):
        assert not site.can(who, what), what
    assert "i" in flags(site.base / "phys101/drop/alice/d/e/f")
    # Who comes while it is frozen reads it, who leaves does not.
    site.settled(frozen=True, students={"alice": ALICE, "carol": CAROL})
    assert site.can(CAROL, "cat phys101/shared/w/v/b")
    assert not site.can(BOB, "cat phys101/shared/w/v/b")
    assert site.settled()["left"] == 0
    assert site.can(ALICE, "echo x >>phys101/drop/alice/d/e/f && rm phys101/drop/alice/g")
    assert site.can(PROF, "echo x >>phys101/shared/w/v/b")
    assert "i" not in flags(site.base / "phys101/drop/alice/d/e/f")


def test_private_files_that_were_moved_in_are_opened_after_a_while(site: CourseFolders) -> None:
    used(site)
    private = site.base / "phys101/shared/w/private"
    private.write_text("x")
    os.chown(private, PROF, PROF)
    private.chmod(0o600)
    assert not site.can(ALICE, "cat phys101/shared/w/private")
    site.settled()
    assert not site.can(ALICE, "cat phys101/shared/w/private")  # not at each call
    with site.changed("MEND_SECONDS = 24 * 3600.0", "MEND_SECONDS = 0.0"):
        site.ensure()
    assert site.can(ALICE, "cat phys101/shared/w/private")
    assert not site.can(ALICE, "echo x >phys101/shared/w/private")
    assert private.stat().st_mode & 0o111 == 0


def test_a_folder_that_is_not_wanted_any_more_is_kept_for_staff(site: CourseFolders) -> None:
    used(site)
    site.settled(folders=["shared"])
    assert not site.can(ALICE, "cat phys101/drop/alice/g")
    assert not site.can(ALICE, "cat phys101/data/table.csv")
    assert site.can(PROF, "cat phys101/drop/alice/g phys101/data/table.csv")
    site.settled()
    assert site.can(ALICE, "cat phys101/drop/alice/g phys101/data/table.csv")


def test_only_what_is_asked_for_is_made(site: CourseFolders) -> None:
    site.settled(folders=["shared"])
    assert sorted(each.name for each in (site.base / "phys101").iterdir()) == ["shared"]


def test_somebody_who_is_called_otherwise_now_keeps_their_folder(site: CourseFolders) -> None:
    used(site)
    site.settled(students={"asmith": ALICE, "bob": BOB})
    assert site.can(ALICE, "cat phys101/drop/asmith/d/e/f")
    assert not (site.base / "phys101/drop/alice").exists()


def test_an_archive_of_a_course(site: CourseFolders) -> None:
    used(site)
    status, line, data = site.export(folders=["shared", "drop", "exchange"])
    assert (status, json.loads(line)) == (0, {"ok": True})
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        names = archive.getnames()
        found = archive.extractfile("phys101/drop/alice/d/e/f")
        assert found is not None
        assert found.read() == b"mine\n"
        assert archive.getmember("phys101/drop/alice/d/e/f").mode == 0o644
    assert "phys101/shared/w/v/b" in names
    assert not [name for name in names if "data" in name or "NOT-IN" in name]
    assert names == sorted(names)


def test_an_archive_that_cannot_be_finished_is_not_taken_for_whole(site: CourseFolders) -> None:
    used(site)
    line = "            self._tar.addfile(self._info(path, found, tarfile.DIRTYPE))"
    fails = line.replace("self._tar", "path[-1] == 'e' and os.stat('/nowhere'); self._tar")
    with site.changed(line, fails):
        status, first, data = site.export()
    assert (status, json.loads(first)) == (1, {"ok": True})
    assert not data.endswith(bytes(1024))
    assert b'"ok"' not in data


def test_a_course_is_removed_at_once_or_after_some_days(site: CourseFolders) -> None:
    used(site)
    site.settled(frozen=True)
    site.set(keep_days=7)
    answer = site.ask("remove", course="phys101")
    assert (answer["ok"], answer["done"]) == (True, False)
    assert 6.9 < (answer["until"] - time.time()) / 86400 < 7.1
    assert list(site.base.iterdir()) == [site.base / ".slurmhub"]
    assert site.ask("list") == {"ok": True, "courses": [], "going": ["phys101"]}
    assert site.ensure()["kind"] == "busy"
    assert not site.can(PROF, "ls .slurmhub/gone/phys101")
    site.set(keep_days=0)
    assert site.removed() == {"ok": True, "done": True, "until": None}
    assert site.removed()["done"]  # nothing is nothing to do
    assert site.ask("list") == {"ok": True, "courses": [], "going": []}
    assert [each for each in (site.base / ".slurmhub").rglob("*") if each.name == "phys101"] == [
        site.base / ".slurmhub/locks/phys101"
    ]
    assert site.settled()["done"]


# Killed


PLACES = {
    "before it is marked": '        os.setxattr(folder, MARK, value.encode("ascii"))',
    "before the folders": "        course.make()",
    "before the lists": "                set_acl(descriptor, DEFAULT, top.default)",
    "before the drop folders": "            self._make_drops(drop)",
    "before a drop folder's list": "                set_acl(descriptor, DEFAULT, IN_DROP)",
    "before it is known where it is": "        self.place.write_state(self.key, state)\n"
    "        tops =",
    "while it keeps where it is": "        os.rename(new, key, src_dir_fd=self.state, "
    "dst_dir_fd=self.state)",
    "in the tree": "            if not is_top:\n                self._put_right(",
    "before one is frozen": "    fcntl.ioctl(descriptor, SET_FLAGS, buffer)",
    "before it is settled": "        settled = {",
}


def killed(done: subprocess.CompletedProcess[bytes]) -> bool:
    return done.returncode == -signal.SIGKILL


def request(verb: str = "ensure", **changes: object) -> dict[str, object]:
    if verb == "remove":
        return {"verb": verb, "course": "phys101"}
    whole: dict[str, object] = {"frozen": False, "folders": ALL, "staff": STAFF}
    whole.update({"students": STUDENTS, "quota": None}, **changes)
    return {"verb": verb, "course": "phys101", **whole}


@pytest.mark.parametrize("place", [each for each in PLACES if "one is frozen" not in each])
def test_what_is_half_made_is_finished(site: CourseFolders, place: str) -> None:
    if place == "in the tree":
        used(site)
        site.settled(staff={"ta": TA})  # so that there is something to do
    with site.killed_at(PLACES[place]):
        assert killed(site.run(request()))
        assert killed(site.run(request()))  # the same again
    # Never open too early.
    assert not site.can(STRANGER, "ls phys101")
    if place != "in the tree":
        used(site)
    site.settled()
    assert site.can(ALICE, "cat phys101/shared/w/v/b phys101/drop/alice/g")
    assert not site.can(BOB, "cat phys101/drop/alice/g")
    assert not site.can(ALICE, "echo x >phys101/shared/no")
    assert not [each for each in (site.base / ".slurmhub/state").iterdir() if each.name[0] == "."]


@pytest.mark.parametrize("frozen", [True, False])
@pytest.mark.parametrize(
    "place",
    [
        "before it is known where it is",
        "in the tree",
        "before one is frozen",
        "before it is settled",
    ],
)
def test_freezing_and_thawing_that_were_killed_are_finished(
    site: CourseFolders, place: str, frozen: bool
) -> None:
    used(site)
    site.settled(frozen=not frozen)
    with site.killed_at(PLACES[place]):
        assert killed(site.run(request(frozen=frozen)))
    site.settled(frozen=frozen)
    may = not frozen
    assert site.can(ALICE, "echo x >>phys101/drop/alice/d/e/f") is may
    assert site.can(PROF, "echo x >>phys101/shared/w/v/b") is may


def test_half_frozen_and_thawed_again(site: CourseFolders) -> None:
    used(site)
    with site.killed_at(PLACES["before it is settled"]):
        assert killed(site.run(request(frozen=True)))
    site.settled(frozen=False)
    assert site.can(ALICE, "echo x >>phys101/drop/alice/d/e/f")
    # Also where it is not known any more that anything was frozen.
    site.settled(frozen=True)
    (site.base / ".slurmhub/state/phys101").unlink()
    site.settled(frozen=False)
    assert site.can(ALICE, "echo x >>phys101/drop/alice/d/e/f")


@pytest.mark.parametrize(
    "line",
    [
        "            set_acl(folder, ACCESS, Acl(7, 0))",
        "            os.rename(key, key, src_dir_fd=self",
        "        if not take_away(place, key, time.monotonic() + STEP_SECONDS):",
        "                    bring_up(folder, each, heap)",
        "        os.rmdir(name, dir_fd=heap)",
        "    os.rmdir(key, dir_fd=place.gone)",
        "        os.unlink(key, dir_fd=place.state)",
    ],
)
def test_a_removal_that_was_killed_is_finished(site: CourseFolders, line: str) -> None:
    line = line.replace("=self", "=place.base, dst_dir_fd=place.gone)")
    used(site)
    site.settled(frozen=True)
    with site.killed_at(line):
        assert killed(site.run(request("remove")))
        site.run(request("remove"))
    site.removed()
    assert site.ask("list") == {"ok": True, "courses": [], "going": []}
    assert list((site.base / ".slurmhub/gone").iterdir()) == []


def test_killed_anywhere_in_a_large_tree(site: CourseFolders) -> None:
    used(site)
    assert site.can(ALICE, "cd phys101/drop/alice; for i in $(seq 60); do mkdir $i; >$i/f; done")
    kills = 0
    for milliseconds in range(1, 8):
        timer = f"    signal.setitimer(signal.ITIMER_REAL, {milliseconds / 1000})\n"
        with site.changed("    seen = 0\n", f"    seen = 0\n{timer}"):
            kills += site.run(request(frozen=True)).returncode == -signal.SIGALRM
    assert kills
    site.settled(frozen=True)
    for path in (site.base / "phys101/drop/alice").rglob("*"):
        assert "i" in flags(path), path


# In steps, at once, and full


def test_a_large_tree_takes_several_calls(site: CourseFolders) -> None:
    site.settled()
    many = "cd phys101/drop/alice; for i in $(seq 250); do mkdir $i; echo x >$i/f; done"
    assert site.can(ALICE, many)
    site.replace_all({"STEP_SECONDS = 10.0": "STEP_SECONDS = 0.0"})
    answers = 0
    while not (answer := site.ensure(frozen=True))["done"]:
        assert answer["ok"]
        answers += 1
    assert answers >= 2
    for number in range(1, 701):
        assert "i" in flags(site.base / f"phys101/drop/alice/{number}/f")
        if number > 50:
            break
    assert not site.can(
        ALICE, "for i in phys101/drop/alice/*/f; do echo x >$i && exit 0; done; exit 1"
    )
    site.settled(frozen=False)
    assert site.can(ALICE, "for i in phys101/drop/alice/*/f; do echo x >$i || exit 1; done")
    site.replace_all({"STEP_SECONDS = 0.0": "STEP_SECONDS = 0.03"})
    answers = 0
    while not (answer := site.ask("remove", course="phys101"))["done"]:
        assert answer["ok"]
        answers += 1
    assert answers >= 2


def test_ten_at_once(site: CourseFolders) -> None:
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: site.ensure(), range(10)))
    assert all(answer["ok"] and answer["done"] for answer in answers), answers
    used(site)
    with ThreadPoolExecutor(6) as pool:
        done = list(pool.map(lambda n: site.ensure(frozen=bool(n % 2)), range(6)))
    assert all(answer["ok"] for answer in done), done
    site.settled(frozen=True)
    with ThreadPoolExecutor(6) as pool:
        done = list(pool.map(lambda _: site.ask("remove", course="phys101"), range(6)))
    assert all(answer["ok"] and answer["done"] for answer in done), done


def test_who_waits_too_long_is_told(site: CourseFolders) -> None:
    site.settled()
    site.replace_all({"LOCK_SECONDS = 15.0": "LOCK_SECONDS = 0.2"})
    lock = site.base / ".slurmhub/locks/phys101"
    with subprocess.Popen(["flock", str(lock), "cat"], stdin=subprocess.PIPE) as holder:
        end = time.monotonic() + 5
        while site.ensure()["ok"]:
            assert time.monotonic() < end
        assert site.ensure()["kind"] == "busy"
        # Another course is not held up.
        assert site.ensure("chem101", students={}, staff=STAFF)["ok"]
        assert holder.stdin is not None
        holder.stdin.close()
    assert site.ensure()["ok"]


def test_a_full_disk() -> None:
    with course_folders("ext4", 16) as site:
        site.settled()
        assert site.can(ALICE, "echo mine >phys101/drop/alice/f")
        filler = site.base / "filler"
        subprocess.run(
            ["dd", "if=/dev/zero", f"of={filler}", "bs=4k"], check=False, capture_output=True
        )
        several = {f"s{number}": 70200 + number for number in range(400)}
        answer = site.ensure("chem101", students=several, staff={"ta": TA})
        assert (answer["ok"], answer["kind"]) == (False, "full"), answer
        assert site.can(ALICE, "cat phys101/drop/alice/f")
        filler.unlink()
        assert site.settled("chem101", students=several, staff={"ta": TA})["done"]


# File systems


def test_where_no_quotas_are_kept(site: CourseFolders) -> None:
    assert site.settled(quota=20 * 2**20)["quota"] is None


@pytest.mark.parametrize(("backend", "most"), [("ext4", 480), ("xfs", 5400), ("btrfs", 1900)])
def test_how_many_people_a_course_can_have(backend: str, most: int) -> None:
    people = {f"s{number}": 80000 + number for number in range(most)}
    with course_folders(backend, 400) as site:
        answer = site.settled(students=people, staff={"prof": PROF})
        assert (answer["ok"], answer["troubles"]) == (True, {})
        assert site.can(80000 + most - 1, f"echo x >phys101/drop/s{most - 1}/f")
        assert not site.can(STRANGER, "ls phys101")
        if backend == "ext4":
            many = {f"s{number}": 80000 + number for number in range(600)}
            answer = site.ensure(students=many, staff={"prof": PROF})
            assert answer["kind"] == "full"
            assert "do not hold 601 people" in answer["message"]
            # Who was in it is in it still.
            assert site.can(80001, "ls phys101")
        assert site.settled(frozen=True, students=people, staff={"prof": PROF})["done"]
        assert not site.can(80000 + most - 1, f"echo x >phys101/drop/s{most - 1}/f")
        site.removed()


def test_a_file_system_that_is_not_mounted(site: CourseFolders) -> None:
    site.set(mount=str(site.base))
    assert site.ensure()["kind"] == "away"
    assert list(site.base.iterdir()) == []
    site.set(mount=None, folder=str(site.base / "nowhere"))
    assert site.ensure()["kind"] == "away"


def test_a_file_system_without_lists(site: CourseFolders, tmp_path: Path) -> None:
    subprocess.run(["mount", "-t", "ramfs", "none", str(site.base)], check=True)
    try:
        site.base.chmod(0o755)
        answer = site.ensure()
        assert (answer["ok"], answer["kind"]) == (False, "unsupported"), answer
    finally:
        subprocess.run(["umount", str(site.base)], check=True)

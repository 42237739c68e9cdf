"""Homes without room, on disks that hold their limits: the end says so, files go, and it starts.

EDQUOT comes from btrfs, which holds a quota for a folder (btrfs-quota(8)); ENOSPC from a small
tmpfs(5). Both are mounted for these tests only.
"""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import expect

from slurmhub_deploy.cluster.plan import standard_plan
from tests.browser.conftest import GuestMaker
from tests.browser.test_endings import begin, keep_text
from tests.conftest import hub_settings, running_cluster
from tests.rig.accounts import PREFIX, account, unix_accounts
from tests.rig.hub import HubUnderTest, until

MEBI = 2**20
# btrfs makes no smaller disk than this.
DISK, QUOTA = 160 * MEBI, 8 * MEBI
SETTINGS = """
c.SlurmHubSpawner.unix_account = lambda name: {prefix!r} + name.partition("-")[0]
c.SlurmHubSpawner.files_page = True
c.Spawner.cmd = {cmd!r}
"""
SAID = {errno.EDQUOT: "Disk quota exceeded", errno.ENOSPC: "No space left on device"}
# A server as people have it, which must write in its home before it can listen.
SAVES = (
    "dd if=/dev/zero of=$HOME/history bs=64k count=16 conv=fsync && exec /usr/bin/python3 {stub}"
)


def run(*argv: str) -> None:
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{argv}: {done.stderr}"


@pytest.fixture(scope="module")
def homes(ground: Path) -> Iterator[Path]:
    """Two homes of QUOTA bytes: `quota` may have no more, `small` is a disk of its own."""
    homes = ground / "limited"
    homes.mkdir(mode=0o711)
    disk = ground / "limited.disk"
    with ExitStack() as stack:
        with disk.open("wb") as file:
            file.truncate(DISK)
        stack.callback(disk.unlink)
        run("mkfs.btrfs", "--quiet", str(disk))
        run("mount", "-o", "loop", str(disk), str(homes))
        stack.callback(run, "umount", "--lazy", str(homes))
        homes.chmod(0o711)
        run("btrfs", "quota", "enable", str(homes))
        people = stack.enter_context(unix_accounts(homes, "quota", "small"))
        for name in people:
            home = homes / name
            owner = home.stat()
            shutil.rmtree(home)
            if name == "quota":
                run("btrfs", "subvolume", "create", str(home))
                run("btrfs", "qgroup", "limit", str(QUOTA), str(home))
            else:
                home.mkdir()
                run("mount", "-t", "tmpfs", "-o", f"size={QUOTA}", "tmpfs", str(home))
                stack.callback(run, "umount", "--lazy", str(home))
            os.chown(home, owner.st_uid, owner.st_gid)
            home.chmod(0o700)
        yield homes


@pytest.fixture(scope="module")
def hub(
    ground: Path, homes: Path, stub: Path, code: Path, proxy_command: list[str]
) -> Iterator[HubUnderTest]:
    """A hub whose servers write in the home before they listen."""
    serve = SAVES.format(stub=stub)
    extra = SETTINGS.format(prefix=PREFIX, cmd=["/bin/sh", "-c", serve])
    folder = ground / "hub-of-the-limited"
    folder.mkdir()
    with running_cluster(ground, standard_plan) as cluster:
        hub = HubUnderTest(folder, hub_settings(cluster, stub, extra), proxy_command, code=code)
        try:
            hub.start()
            yield hub
        finally:
            hub.stop()
            shutil.rmtree(folder, ignore_errors=True)


def fill(home: Path, name: str) -> int:
    """Have the owner write until there is no more room; what the last write was told."""
    line = (
        "rm -f history; mkdir -p old && dd if=/dev/zero of=old/core.1234 bs=64k conv=fsync;"
        " for n in 1 2 3; do dd if=/dev/zero of=old/rest.$n bs=4k conv=fsync; done"
    )
    done = subprocess.run(
        ["/bin/sh", "-c", line],
        user=account(name),
        group=account(name),
        extra_groups=[],
        cwd=home,
        capture_output=True,
        text=True,
        check=False,
        env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"},
    )
    last = done.stderr.strip()
    return next((number for number in SAID if SAID[number] in last), 0)


@pytest.mark.parametrize(
    ("name", "error", "says"),
    [
        ("quota", errno.EDQUOT, "You have used up the space or the number of files"),
        ("small", errno.ENOSPC, "There is no room left in your home folder."),
    ],
)
def test_a_home_without_room_is_named_cleared_and_works_again(
    name: str,
    error: int,
    says: str,
    homes: Path,
    hub: HubUnderTest,
    guest: GuestMaker,
    album: Path | None,
) -> None:
    who = hub.visitor(name)
    begin(who)
    who.wait_ready()
    who.stop()
    who.wait_for("ended")
    assert fill(homes / name, name) == error

    begin(who)
    job = who.wait_for("ended")["job_id"]
    student = guest(name)
    student.visit(student.path("spawn-pending"))
    expect(student.news).to_contain_text(says)
    keep_text(album, f"room-{name}", student)
    expect(student.page.get_by_role("heading", level=1)).to_have_text("Your server did not start")
    expect(student.page.locator("#slurmhub-remedy")).to_contain_text("Delete what you no longer")
    expect(student.page.locator("#slurmhub-log")).to_contain_text(SAID[error])

    # All by the page: to the files, the largest away, and back to a server that starts.
    page = student.page
    page.get_by_role("button", name="Look through my files").click()
    page.get_by_role("link", name="old/").click()
    expect(page.locator("#slurmhub-files")).to_contain_text("core.1234")
    student.picture(f"files-{name}")
    page.get_by_role("link", name="Delete core.1234").click()
    page.get_by_role("button", name="Delete").click()
    expect(page.locator("#slurmhub-files")).not_to_contain_text("core.1234")
    assert not (homes / name / "old" / "core.1234").exists()
    student.open_form()
    student.press_start()
    until(lambda: who.status()["job_id"] not in (None, job), what="a new job")
    who.wait_ready()
    assert (homes / name / "history").stat().st_size == MEBI
    who.stop()

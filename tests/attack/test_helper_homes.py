"""slurmhub-as-user under attack: its settings, and the homes in which it makes folders."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.attack.helper_site import (
    Site,
    request_of,
    run_tool,
    site_under_attack,
)

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="makes accounts and a sudoers line")


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with site_under_attack() as made:
        yield made


@pytest.fixture(autouse=True)
def _nothing_recorded(site: Site) -> None:
    Path(site.alice.pw_dir, "record").unlink(missing_ok=True)


# The settings


@pytest.fixture
def settings(site: Site) -> Iterator[Path]:
    before = site.settings.read_bytes()
    yield site.settings
    _remove(site.settings)
    site.settings.write_bytes(before)
    site.settings.chmod(0o644)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        path.rmdir()
    else:
        path.unlink(missing_ok=True)


def test_settings_must_be_roots_own(site: Site, settings: Path) -> None:
    good = settings.read_bytes()
    for mode in (0o664, 0o646, 0o666):
        settings.chmod(mode)
        assert site.ask(request_of())["kind"] == "forbidden", oct(mode)
    settings.chmod(0o644)
    for owner in (site.alice.pw_uid, site.hub.pw_uid):
        os.chown(settings, owner, 0)
        assert site.ask(request_of())["kind"] == "forbidden"
    os.chown(settings, 0, site.alice.pw_gid)
    assert site.ask(request_of())["ok"]
    elsewhere = site.folder / "elsewhere.json"
    elsewhere.write_bytes(good)
    _remove(settings)
    settings.symlink_to(elsewhere)
    assert site.ask(request_of())["kind"] == "forbidden"
    _remove(settings)
    assert "helper install" in site.ask(request_of())["message"]
    os.mkfifo(settings)
    assert site.ask(request_of())["kind"] == "forbidden"
    _remove(settings)
    settings.mkdir()
    assert site.ask(request_of())["kind"] == "forbidden"


def test_settings_that_lead_nowhere(site: Site, settings: Path) -> None:
    for text, kind in (
        ({"bin_dir": "/nowhere"}, "missing"),
        ({"bin_dir": str(site.bin_dir), "slurm_conf": "/nowhere/slurm.conf"}, "missing"),
        ({"bin_dir": "bin"}, "invalid"),
    ):
        settings.write_text(json.dumps(text))
        assert site.ask(request_of())["kind"] == kind


# Homes and folders


def test_makes_folders_below_the_home(site: Site) -> None:
    home = Path(site.alice.pw_dir)
    assert site.ask(request_of(directories=[str(home / ".local/share/slurmhub/logs")]))["ok"]
    for part in (".local", ".local/share", ".local/share/slurmhub", ".local/share/slurmhub/logs"):
        found = (home / part).stat()
        assert (found.st_mode & 0o7777, found.st_uid) == (0o700, site.alice.pw_uid)


def test_a_link_to_another_disk_of_ones_own_is_followed(site: Site) -> None:
    """Many people keep such folders where there is more room."""
    disk = site.folder / "scratch-of-alice"
    disk.mkdir(mode=0o700)
    os.chown(disk, site.alice.pw_uid, site.alice.pw_gid)
    link = Path(site.alice.pw_dir, "roomy")
    link.symlink_to(disk)
    assert site.ask(request_of(directories=[str(link / "logs")]))["ok"]
    assert (disk / "logs").is_dir()


@pytest.mark.parametrize("target", ["/tmp", "/etc", "mallory", "/nowhere"])
def test_a_link_to_a_folder_of_others_is_not_followed(site: Site, target: str) -> None:
    place = Path(site.mallory.pw_dir) if target == "mallory" else Path(target)
    if target == "mallory":
        place.chmod(0o777)
    name = f"logs-{secrets.token_hex(4)}"
    link = Path(site.alice.pw_dir, f"link-{name}")
    link.symlink_to(place)
    for path in (link, link / name):
        answer = site.ask(request_of(directories=[str(path)]))
        assert answer["kind"] == "home"
        assert str(path) in answer["message"]
    assert not (place / name).exists() or not list((place / name).iterdir())
    assert site.nothing_submitted()


@pytest.mark.parametrize("spoil", ["file", "unreadable", "missing"])
def test_a_home_that_cannot_be_used(site: Site, spoil: str) -> None:
    home, aside = Path(site.alice.pw_dir), site.folder / "aside"
    (home / "a-file").write_text("")
    request = request_of(directories=[str(home / "a-file" / "logs")] if spoil == "file" else [])
    if spoil == "missing":
        home.rename(aside)
    elif spoil == "unreadable":
        os.chown(home, 0, 0)
    try:
        answer = site.ask(request)
    finally:
        if spoil == "missing":
            aside.rename(home)
        os.chown(home, site.alice.pw_uid, site.alice.pw_gid)
    assert answer["kind"] == "home"
    assert str(home) in answer["message"]
    assert site.ask(request_of())["ok"]


def test_a_full_home(site: Site) -> None:
    """A file system of one page, in place of the home."""
    home = site.alice.pw_dir
    owner = f"uid={site.alice.pw_uid},gid={site.alice.pw_gid}"
    run_tool("mount", "-t", "tmpfs", "-o", f"size=4k,nr_inodes=2,mode=700,{owner}", "none", home)
    try:
        answer = site.ask(request_of(directories=[f"{home}/a/b/c"]))
    finally:
        run_tool("umount", home)
    assert answer["kind"] == "home"
    assert "No space left on device" in answer["message"]

"""A host that reads its accounts from an LDAP directory with nslcd(8): its files, no init."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.lab.tree import tree
from tests.rig.hub import until
from tests.rig.slapd import GROUPS, PEOPLE, Slapd

_PACKAGES = ("nslcd", "libnss-ldapd", "ca-certificates")
_NSSWITCH = "passwd: files ldap\ngroup: files ldap\nshadow: files ldap\n"
_NSLCD = """
uid root
gid root
uri {uri}
base passwd {people}
base group {groups}
"""


@dataclass
class LdapClient:
    """The running host; `root` has its files."""

    root: Path

    def getent(self, *words: str) -> str:
        """What getent(1) says there; empty if it finds nothing."""
        done = subprocess.run(
            ["chroot", str(self.root), "getent", *words],
            capture_output=True,
            text=True,
            check=False,
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"},
        )
        assert done.returncode in (0, 2), done.stderr
        return done.stdout.strip()

    def id(self, name: str) -> str:
        """What id(1) says of somebody there."""
        done = subprocess.run(
            ["chroot", str(self.root), "id", name], capture_output=True, text=True, check=True
        )
        return done.stdout.strip()


@contextmanager
def ldap_client(folder: Path, slapd: Slapd) -> Iterator[LdapClient]:
    """A host of its own files that asks this directory; ended by its number."""
    root, upper, work = (folder / name for name in ("root", "upper", "work"))
    for place in (root, upper, work):
        place.mkdir(parents=True)
    layers = f"lowerdir={tree('bookworm', _PACKAGES)},upperdir={upper},workdir={work}"
    subprocess.run(["mount", "-t", "overlay", "-o", layers, "lab", str(root)], check=True)
    try:
        (root / "etc/nsswitch.conf").write_text(_NSSWITCH)
        settings = _NSLCD.format(uri=slapd.tcp, people=PEOPLE, groups=GROUPS)
        (root / "etc/nslcd.conf").write_text(settings)
        (root / "run/nslcd").mkdir(exist_ok=True)
        with (folder / "log").open("wb") as log:
            nslcd = subprocess.Popen(
                ["chroot", str(root), "/usr/sbin/nslcd", "--nofork"], stdout=log, stderr=log
            )
        try:
            client = LdapClient(root)
            until(lambda: client.getent("group", "students"), what="nslcd")
            yield client
        finally:
            nslcd.terminate()
            nslcd.wait(20)
    finally:
        subprocess.run(["umount", str(root)], check=True)

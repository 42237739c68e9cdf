"""An LDAP directory of a test's own: a real slapd(8) on a socket, in one folder."""

from __future__ import annotations

import base64
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from tests.rig.hub import free_port, until

SUFFIX = "dc=example,dc=org"
PEOPLE, GROUPS = f"ou=people,{SUFFIX}", f"ou=groups,{SUFFIX}"
ADMIN, PASSWORD = f"cn=admin,{SUFFIX}", "not-a-secret"
_ROOT = "gidNumber=0+uidNumber=0,cn=peercred,cn=external,cn=auth"
_CONF = """
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/nis.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile {folder}/pid
database mdb
suffix "{suffix}"
rootdn "{admin}"
rootpw {password}
directory {folder}/db
maxsize {size}
dbnosync
index objectClass,uid,uidNumber,gidNumber,cn eq
access to * by dn.exact="{root}" manage by * read
"""
_FIRST = f"""
dn: {SUFFIX}
objectClass: dcObject
objectClass: organization
o: example
dc: example

dn: {PEOPLE}
objectClass: organizationalUnit
ou: people

dn: {GROUPS}
objectClass: organizationalUnit
ou: groups

dn: cn=students,{GROUPS}
objectClass: posixGroup
cn: students
gidNumber: 30000
"""


@dataclass
class Slapd:
    """The running directory: `socket` for this host's root, `tcp` for others, without TLS."""

    folder: Path
    port: int

    @property
    def socket(self) -> str:
        return f"ldapi://{quote(str(self.folder / 'ldapi'), safe='')}"

    @property
    def tcp(self) -> str:
        return f"ldap://127.0.0.1:{self.port}"

    def settings(self, **changes: object) -> dict[str, object]:
        """What slurmhub-account is told of it."""
        return {"uri": self.socket, "people": PEOPLE, "groups": GROUPS, **changes}

    def search(self, query: str, base: str = SUFFIX) -> list[dict[str, list[str]]]:
        """The entries that a query finds, their attributes as the directory writes them."""
        text = self.run("ldapsearch", "-LLL", "-o", "ldif-wrap=no", "-b", base, query)
        return [_entry(block) for block in text.split("\n\n") if block.strip()]

    def add(self, ldif: str) -> None:
        """Adds entries."""
        self.run("ldapadd", text=ldif)

    def run(self, program: str, *arguments: str, text: str = "") -> str:
        """One of OpenLDAP's programs, as this host's root."""
        done = subprocess.run(
            [program, "-Q", "-Y", "EXTERNAL", "-H", self.socket, *arguments],
            input=text,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@contextmanager
def running_slapd(folder: Path, *, size: int = 64 * 2**20) -> Iterator[Slapd]:
    """A directory with two folders and the group of students; ended by its number."""
    (folder / "db").mkdir(parents=True)
    conf = folder / "slapd.conf"
    conf.write_text(
        _CONF.format(
            folder=folder, suffix=SUFFIX, admin=ADMIN, password=PASSWORD, size=size, root=_ROOT
        )
    )
    slapd = Slapd(folder, free_port())
    argv = ["/usr/sbin/slapd", "-d", "0", "-f", str(conf), "-h", f"{slapd.socket} {slapd.tcp}"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(argv, stdout=log, stderr=log)
    try:
        until(lambda: _answers(slapd, process), what="slapd")
        slapd.add(_FIRST)
        yield slapd
    finally:
        process.terminate()
        process.wait(20)


def _answers(slapd: Slapd, process: subprocess.Popen[bytes]) -> bool:
    assert process.poll() is None, (slapd.folder / "log").read_text()
    argv = ["ldapwhoami", "-Q", "-Y", "EXTERNAL", "-H", slapd.socket]
    return subprocess.run(argv, check=False, capture_output=True).returncode == 0


def _entry(block: str) -> dict[str, list[str]]:
    entry: dict[str, list[str]] = {}
    for line in block.splitlines():
        name, _, value = line.partition(":")
        text = base64.b64decode(value[1:]).decode() if value.startswith(":") else value.strip()
        entry.setdefault(name, []).append(text)
    return entry

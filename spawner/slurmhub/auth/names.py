"""POSIX account names for people: valid everywhere, readable, and nobody else's.

useradd(8) and the portable file name characters of POSIX (XBD 3.437, 3.282) allow what `PATTERN`
does; 32 characters are what utmp(5) and useradd take.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Iterator

from slurmhub.auth.assertion import Assertion

LONGEST = 32
PATTERN = re.compile(r"[a-z_][a-z0-9_-]{0,31}")
# Of accounts that exist; JupyterHub writes its users' names in lower case.
_LOGIN = re.compile(r"[a-z_][a-z0-9_.-]{0,31}")

# Accounts and groups of distributions, of what a cluster runs, and words that mean something else
# to a shell, a mail server, a hub or a file format. libexec/slurmhub-account has the same list.
_WORDS = """
abuse adm admin administrator all anonymous apache apt audio avahi backup bin bind cdrom ceph
certmaster chrony clock colord console consul crontab daemon dba dbus debian default demo
dialout dip disk dnsmasq docker epmd everyone false fax floppy ftp fuse games ganglia gdm
geoclue git gnats gnome-initial-setup gopher grafana group guest halt haproxy hostmaster hpc hub
ident info input irc jovyan jupyter jupyterhub kernel kmem kube kvm ldap libvirt list lock log
lp lpadmin lxd mail mailman man mariadb me memcached messagebus mongodb mqtt munge mysql named
nan netdev news nfs nfsnobody nginx nm-openconnect no nobody nogroup none noreply nscd nslcd ntp
null nvidia nvidia-persistenced off on oneadmin openldap operator oprofile owner php pipewire
plugdev polkitd postfix postgres postmaster powerdev prometheus proxy public pulse puppet python
rabbitmq radvd redis render root rpc rpcuser rpm rstudio rtkit saned saslauth scanner security
self server service sgx shadow shibd shutdown singularity slapd slocate slurm slurmdbd slurmhub
slurmrest slurmrestd src ssh ssh_keys sshd ssl-cert sssd staff statd static stunnel sudo super
superuser support sync sys sysadmin syslog system systemd tape tcpdump telnetd terraform test
tftp tomcat true tss tty undefined unknown usbmux user users utempter utmp uucp uuidd vagrant
vault video voice webmaster wheel www www-data xfs yes zabbix zope
"""
RESERVED_NAMES = frozenset(_WORDS.split())
# Whole families of them.
_RESERVED_BEGINNINGS = ("_", "systemd-", "slurm-", "jupyter-", "slurmhub-", "debian-", "rpc-")

# Letters that no decomposition of Unicode makes plain, as people of these languages write them.
_PLAIN = str.maketrans(
    {
        "\N{LATIN SMALL LETTER SHARP S}": "ss",
        "\N{LATIN SMALL LETTER AE}": "ae",
        "\N{LATIN SMALL LIGATURE OE}": "oe",
        "\N{LATIN SMALL LETTER O WITH STROKE}": "o",
        "\N{LATIN SMALL LETTER D WITH STROKE}": "d",
        "\N{LATIN SMALL LETTER ETH}": "d",
        "\N{LATIN SMALL LETTER THORN}": "th",
        "\N{LATIN SMALL LETTER L WITH STROKE}": "l",
        "\N{LATIN SMALL LETTER H WITH STROKE}": "h",
        "\N{LATIN SMALL LETTER DOTLESS I}": "i",
        "\N{LATIN SMALL LETTER ENG}": "ng",
    }
)
_APOSTROPHES = re.compile("['`\N{RIGHT SINGLE QUOTATION MARK}\N{MODIFIER LETTER APOSTROPHE}]")
_OPAQUE = re.compile(r"[0-9a-f=-]{16,}|.*\d{5,}.*|.*=.*")


# For those of whom nothing that can be folded is known.
_NOBODY_KNOWN = "person"


def is_valid(name: str) -> bool:
    """Whether this can be an account's name at all."""
    return PATTERN.fullmatch(name) is not None


def is_a_login(name: str) -> bool:
    """Whether an existing account of this name can be a user of the hub."""
    return _LOGIN.fullmatch(name) is not None


def is_reserved(name: str, more: frozenset[str] = frozenset()) -> bool:
    """Whether no person may be called so; `more` are the site's own."""
    return name in RESERVED_NAMES or name in more or name.startswith(_RESERVED_BEGINNINGS)


def folded(text: str) -> str:
    """A text in the characters of account names; empty where nothing of it can be kept."""
    lower = unicodedata.normalize("NFKD", text.casefold()).translate(_PLAIN)
    without_marks = "".join(c for c in lower if not unicodedata.combining(c))
    without = _APOSTROPHES.sub("", without_marks)
    return re.sub(r"[^a-z0-9]+", "-", without).strip("-")


def proposals(assertion: Assertion) -> Iterator[str]:
    """Names that somebody would recognise as theirs, best first; all valid.

    The local part of eppn, then that of subject-id if it is no mere code, then what people are
    called. There may be none: what is written in other scripts cannot be folded.
    """
    seen = set()
    for text in _texts(assertion):
        name = _as_name(text)
        if name and name not in seen:
            seen.add(name)
            yield name


def candidates(assertion: Assertion, *, reserved: frozenset[str], used: UsedNames) -> Iterator[str]:
    """Every name that this person may get, best first, without end: alice, alice2, alice3 ..."""
    # A system's word with a number after it would still look like what it is not.
    base = next((name for name in proposals(assertion) if not is_reserved(name)), _NOBODY_KNOWN)
    numbers = (numbered(base, number) for number in itertools.count(2))
    for name in itertools.chain([base], numbers):
        if not is_reserved(name, reserved) and not used(name):
            yield name


class UsedNames:
    """Names that are known to be somebody's, asked for by name and kept once learnt."""

    def __init__(self, names: frozenset[str] = frozenset()) -> None:
        self._names = set(names)

    def __call__(self, name: str) -> bool:
        return name in self._names

    def add(self, name: str) -> None:
        """This one is somebody's as well."""
        self._names.add(name)


def numbered(base: str, number: int) -> str:
    """The base with a number that can be told from it, as long as a name may be."""
    suffix = f"-{number}" if base[-1].isdigit() else str(number)
    return base[: LONGEST - len(suffix)].rstrip("-_") + suffix


def _as_name(text: str) -> str:
    """A text as a valid name; empty where it cannot be one that anybody recognises."""
    name = folded(text)
    if not name:
        return ""
    # What looks like a number would be taken for a uid by chown(1) and others.
    if not name[0].isalpha():
        name = f"u{name}"
    name = name[:LONGEST].rstrip("-")
    return name if is_valid(name) and len(name) > 1 else ""


def _texts(assertion: Assertion) -> Iterator[str]:
    if assertion.eppn:
        yield assertion.eppn.rpartition("@")[0]
    local = (assertion.subject_id or "").rpartition("@")[0]
    if local and not _OPAQUE.fullmatch(local.lower()):
        yield local
    given, surname = assertion.given_name or "", assertion.surname or ""
    if folded(surname):
        # As most institutions do: the first letter of the one, and the other.
        yield f"{folded(given)[:1]}{folded(surname)}"
    else:
        yield assertion.display_name or given

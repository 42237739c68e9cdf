"""The kinds of texts in a site file: names, amounts, durations and addresses, checked as typed."""

from __future__ import annotations

import ipaddress
import re
import zoneinfo
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, WithJsonSchema

from slurmhub.auth.names import PATTERN as LOGIN
from slurmhub.auth.names import is_reserved
from slurmhub.errors import SlurmhubError
from slurmhub.options.request import FEATURE_NAME, PARTITION_NAME
from slurmhub.slurm.memory import Memory
from slurmhub.slurm.nodelist import expand
from slurmhub.slurm.times import TimeLimit

MOST_HOSTS = 2000
"""Hosts that one entry may name."""

# RFC 1123, section 2.1; a letter first, since Slurm and Ansible take a bare number for something
# else.
_HOST = re.compile(r"[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?")
# With "slurmhub-people-" before it a Unix group: 32 characters.
_OWN_NAME = re.compile(r"[a-z](?:[a-z0-9-]{0,14}[a-z0-9])?")
# Part of the names of tables in slurmdbd's database; slurm.conf(5) asks for lower case.
_CLUSTER = re.compile(r"[a-z](?:[a-z0-9-]{0,38}[a-z0-9])?")
_GPU_TYPE = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")
_AMOUNT = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,3})?[KMGTP]")
# Slurm reads 30:00 as half an hour; people mean thirty. Here hours always have minutes and seconds.
_DURATION = re.compile(r"(?:[0-9]{1,3}-)?[0-9]{1,4}:[0-5][0-9]:[0-5][0-9]|[0-9]{1,3}-[0-9]{1,2}")
_POOL = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}")
_DATASET = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*(?:/[A-Za-z0-9][A-Za-z0-9_.-]*)*")
# zpoolconcepts(7): words that a pool may not begin with.
_NO_POOL = ("mirror", "raidz", "draid", "spare", "log")
_DN = re.compile(r"[A-Za-z]+=[^,=+<>#;\"\\]+(?:,[A-Za-z]+=[^,=+<>#;\"\\]+)*")
_ZONE = re.compile(r"[A-Z][A-Za-z_]+(?:/[A-Z][A-Za-z_+-]+){1,2}")
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
# Words with a meaning of their own to Ansible, Slurm or the resolver.
_TAKEN = frozenset({"all", "ungrouped", "localhost", "default", "none"})


def _host(value: str) -> str:
    if not _HOST.fullmatch(value):
        raise ValueError(
            "must be a host's short name: small letters, digits and '-', a letter first, at most 63"
        )
    if value in _TAKEN:
        raise ValueError("is a word that Ansible, Slurm or the resolver takes for something else")
    return value


def _hosts(value: str) -> str:
    for name in names_in(value):
        _host(name)
    return value


def names_in(value: str) -> list[str]:
    """The hosts of a text such as c[01-40] or a,b; raises ValueError."""
    try:
        found = expand(value)
    except SlurmhubError as error:
        raise ValueError("must be one host, or several as in c1,c2 or c[01-40]") from error
    if not 1 <= len(found) <= MOST_HOSTS:
        raise ValueError(f"must name between one host and {MOST_HOSTS}")
    if len(set(found)) < len(found):
        raise ValueError("names a host twice")
    return found


def _matching(pattern: re.Pattern[str], allowed: str, value: str) -> str:
    if not pattern.fullmatch(value) or value.lower() in _TAKEN:
        raise ValueError(f"must be {allowed}")
    return value


def _own_name(value: str) -> str:
    return _matching(_OWN_NAME, "small letters, digits and '-', a letter first, at most 16", value)


def _cluster(value: str) -> str:
    return _matching(_CLUSTER, "small letters, digits and '-', a letter first, at most 40", value)


def _partition(value: str) -> str:
    return _matching(
        re.compile(PARTITION_NAME), "letters, digits and ._+@-, and not DEFAULT or ALL", value
    )


def _term(value: str) -> str:
    return _matching(re.compile(PARTITION_NAME), "letters, digits and ._+@-", value)


def _feature(value: str) -> str:
    return _matching(re.compile(FEATURE_NAME), "letters, digits and ._:=/+@-", value)


def _gpu_type(value: str) -> str:
    return _matching(_GPU_TYPE, "small letters, digits and ._-, such as h100", value)


def _unix_name(value: str) -> str:
    return _matching(LOGIN, "small letters, digits, '_' and '-', a letter first, at most 32", value)


def _person(value: str) -> str:
    _unix_name(value)
    if is_reserved(value):
        raise ValueError("is the name of a system's account, which is nobody's")
    return value


def _amount(value: object) -> str:
    # A bare number is refused in the same words: it has no unit.
    if not isinstance(value, str) or not _AMOUNT.fullmatch(value):
        raise ValueError("must be an amount with its unit, such as 512M, 4G or 1.5T")
    if not Memory.parse(value).mebibytes:
        raise ValueError("must be more than nothing")
    return value


def _duration(value: object) -> str:
    if not isinstance(value, str) or not _DURATION.fullmatch(value):
        raise ValueError("must be hours:minutes:seconds (8:00:00), or days-hours (7-0)")
    if TimeLimit.parse(value) < TimeLimit.of_minutes(1):
        raise ValueError("must be at least a minute, 0:01:00")
    return value


def _limit(value: object) -> str:
    return "UNLIMITED" if value == "UNLIMITED" else _duration(value)


def _address(value: str) -> str:
    try:
        address = ipaddress.ip_address(value)
    except ValueError as error:
        raise ValueError("must be an IP address, such as 192.0.2.10") from error
    if address.is_multicast or address.is_unspecified:
        raise ValueError("must be the address of one host")
    return str(address)


def _network(value: str) -> str:
    try:
        return str(ipaddress.ip_network(value))
    except ValueError as error:
        raise ValueError(
            "must be a network with its length and no bits beyond it, such as 192.0.2.0/24"
        ) from error


def _timezone(value: str) -> str:
    try:
        zoneinfo.ZoneInfo(value)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        # A machine without tzdata knows none; the hosts will.
        if _ZONE.fullmatch(value) and not zoneinfo.available_timezones():
            return value
        raise ValueError("must be a time zone's name, such as America/Vancouver") from error
    return value


def _pool(value: str) -> str:
    if value.startswith(_NO_POOL):
        raise ValueError(f"must not begin with {', '.join(_NO_POOL)}: words of zpool(8)")
    return _matching(_POOL, "letters, digits and _.-, a letter first", value)


def _dataset(value: str) -> str:
    return _matching(_DATASET, "names of letters, digits and _.- with / between them", value)


def _dn(value: str) -> str:
    return _matching(_DN, "a distinguished name, such as dc=example,dc=ca", value)


def _word(value: str) -> str:
    return _matching(_WORD, "letters, digits and ._-", value)


HostName = Annotated[str, AfterValidator(_host)]
HostNames = Annotated[str, AfterValidator(_hosts)]
OwnName = Annotated[str, AfterValidator(_own_name)]
ClusterName = Annotated[str, AfterValidator(_cluster)]
PartitionName = Annotated[str, AfterValidator(_partition)]
TermName = Annotated[str, AfterValidator(_term)]
FeatureName = Annotated[str, AfterValidator(_feature)]
GpuType = Annotated[str, AfterValidator(_gpu_type)]
UnixName = Annotated[str, AfterValidator(_unix_name)]
PersonName = Annotated[str, AfterValidator(_person)]
Amount = Annotated[
    str,
    BeforeValidator(_amount),
    WithJsonSchema({"type": "string", "pattern": f"^{_AMOUNT.pattern}$"}),
]
Duration = Annotated[
    str,
    BeforeValidator(_duration),
    WithJsonSchema({"type": "string", "pattern": f"^(?:{_DURATION.pattern})$"}),
]
Limit = Annotated[
    str,
    BeforeValidator(_limit),
    WithJsonSchema({"type": "string", "pattern": f"^(?:UNLIMITED|{_DURATION.pattern})$"}),
]
Address = Annotated[str, AfterValidator(_address)]
Network = Annotated[str, AfterValidator(_network)]
TimeZone = Annotated[str, AfterValidator(_timezone)]
PoolName = Annotated[str, AfterValidator(_pool)]
DatasetName = Annotated[str, AfterValidator(_dataset)]
DistinguishedName = Annotated[str, AfterValidator(_dn)]
Word = Annotated[str, AfterValidator(_word)]

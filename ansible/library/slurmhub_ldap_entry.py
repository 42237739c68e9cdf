#!/usr/bin/python3
"""An entry of an LDAP directory, or of a server's own settings, as the host's root."""

from __future__ import annotations

DOCUMENTATION = r"""
module: slurmhub_ldap_entry
short_description: One entry of an LDAP directory is as it is said
description:
  - Adds an entry, or gives it the attributes that are named; other attributes stay as they are, and
    nothing is ever removed. Runs OpenLDAP's own programs over C(ldapi), where the host's root is
    known without a password; entries go to their standard input.
options:
  dn:
    description: The entry's name.
    type: str
    required: true
  attributes:
    description:
      - Attributes, each a value or a list. Where the server numbers them, as in C({0}...), their
        order counts.
    type: dict
    default: {}
  first:
    description: Attributes that are given only when the entry is added.
    type: dict
    default: {}
  passwords:
    description:
      - Attributes that hold a password, which is kept salted and hashed. One that fits is left
        alone.
    type: dict
    default: {}
  number:
    description:
      - Gives a number that no entry has, when the entry is added.
    type: dict
    suboptions:
      attribute:
        description: Such as C(gidNumber).
        type: str
        required: true
      base:
        description: Below which entries numbers are looked for.
        type: str
        required: true
      lowest:
        description: The lowest number that is given.
        type: int
        required: true
      highest:
        description: The highest number that is given.
        type: int
        required: true
  uri:
    description: The server.
    type: str
    default: ldapi:///
author: [slurmhub]
attributes:
  check_mode:
    description: Says what it would do; of a server that does not run yet, that it would add all.
    support: full
  diff_mode:
    description: Shows the attributes that change; no passwords.
    support: full
"""

EXAMPLES = r"""
- name: Have the folder of people
  slurmhub_ldap_entry:
    dn: ou=people,dc=example,dc=ca
    attributes: {objectClass: organizationalUnit, ou: people}
"""

RETURN = r"""
added:
  description: Whether the entry was not there.
  returned: always
  type: bool
attributes:
  description: The names of the attributes that were given another value.
  returned: always
  type: list
  elements: str
"""

import base64  # noqa: E402 - Ansible wants the documentation first
import hashlib  # noqa: E402
import hmac  # noqa: E402
import os  # noqa: E402
import re  # noqa: E402
import subprocess  # noqa: E402
from collections.abc import Mapping  # noqa: E402
from typing import Any  # noqa: E402

from ansible.module_utils.basic import AnsibleModule  # noqa: E402

SECONDS = 60
# Exit statuses are the result codes of RFC 4511, appendix A.
NO_ENTRY = 32
ORDERED = re.compile(r"\{-?\d+\}")
Values = dict[str, list[str]]


class Trouble(Exception):
    """What the server or its programs said."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status = status


def listed(given: Mapping[str, Any]) -> Values:
    """Every attribute as a list of texts."""
    return {
        name: [str(each) for each in (value if isinstance(value, list) else [value])]
        for name, value in given.items()
    }


def same(found: list[str], wanted: list[str]) -> bool:
    """Whether an attribute has these values; in this order where the server numbers them."""
    if any(ORDERED.match(value) for value in found):
        return [ORDERED.sub("", each, count=1) for each in in_order(found)] == [
            ORDERED.sub("", each, count=1) for each in wanted
        ]
    return sorted(found) == sorted(wanted)


def in_order(values: list[str]) -> list[str]:
    """Values with numbers in braces, by these numbers."""

    def number(value: str) -> int:
        found = ORDERED.match(value)
        return int(found.group()[1:-1]) if found else 0

    return sorted(values, key=number)


def hashed(password: str, salt: bytes | None = None) -> str:
    """A password as RFC 2307 stores it. SHA-1 is all that every slapd knows without a module: it is
    enough for a password that was drawn at random, and for no other."""
    salt = os.urandom(16) if salt is None else salt
    digest = hashlib.sha1(password.encode() + salt, usedforsecurity=False).digest()
    return "{SSHA}" + base64.b64encode(digest + salt).decode("ascii")


def fits(password: str, stored: str) -> bool:
    """Whether this is the password that was stored so."""
    if not stored.startswith("{SSHA}"):
        return False
    salt = base64.b64decode(stored[len("{SSHA}") :])[20:]
    return hmac.compare_digest(hashed(password, salt), stored)


def ldif(lines: list[tuple[str, str]]) -> str:
    """Lines of LDIF (RFC 2849), every value in base64, so that none is more than a value."""
    control = ("add", "replace", "changetype")
    text = ""
    for name, value in lines:
        if name in control:
            text += f"{name}: {value}\n"
        else:
            text += f"{name}:: {base64.b64encode(value.encode()).decode('ascii')}\n"
    return text


def read_ldif(text: str) -> list[Values]:
    """The entries of an answer, their attributes in lower case."""
    entries: list[Values] = []
    for block in text.split("\n\n"):
        entry: Values = {}
        for line in block.splitlines():
            name, separator, value = line.partition(":")
            if not separator or line.startswith("#"):
                continue
            if value.startswith(":"):
                value = base64.b64decode(value[1:].strip()).decode("utf-8", "replace")
            entry.setdefault(name.lower(), []).append(value.strip())
        if "dn" in entry:
            entries.append(entry)
    return entries


class Server:
    """The programs that speak to one server."""

    def __init__(self, uri: str) -> None:
        self._bind = ["-Q", "-Y", "EXTERNAL", "-H", uri]

    def entry(self, dn: str) -> Values | None:
        """One entry; nothing if it is not there."""
        try:
            found = self._search(dn, "base", "(objectClass=*)")
        except Trouble as trouble:
            if trouble.status == NO_ENTRY:
                return None
            raise
        return found[0] if found else None

    def numbers(self, base: str, attribute: str) -> set[int]:
        """All numbers of this kind that are given."""
        found = self._search(base, "sub", f"({attribute}=*)", attribute)
        return {int(value) for entry in found for value in entry.get(attribute.lower(), [])}

    def add(self, dn: str, attributes: Values) -> None:
        """Adds an entry."""
        lines = [("dn", dn)]
        lines += [(name, value) for name, values in attributes.items() for value in values]
        self._call(["ldapadd", *self._bind], ldif(lines))

    def change(self, dn: str, attributes: Values) -> None:
        """Gives attributes of an entry these values, all or none of them."""
        text = ldif([("dn", dn), ("changetype", "modify")])
        for name, values in attributes.items():
            text += ldif([("replace", name)] + [(name, value) for value in values]) + "-\n"
        self._call(["ldapmodify", *self._bind], text)

    def _search(self, base: str, scope: str, query: str, *attributes: str) -> list[Values]:
        argv = ["ldapsearch", *self._bind, "-LLL", "-o", "ldif-wrap=no", "-b", base, "-s", scope]
        return read_ldif(self._call([*argv, query, *attributes]))

    def _call(self, argv: list[str], text: str = "") -> str:
        environment = {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "LANG": "C.UTF-8",
            "LDAPNOINIT": "1",
        }
        try:
            done = subprocess.run(
                argv,
                input=text,
                capture_output=True,
                text=True,
                check=False,
                timeout=SECONDS,
                env=environment,
            )
        except OSError as problem:
            raise Trouble(-1, f"{argv[0]} cannot be run: {problem.strerror}") from problem
        except subprocess.TimeoutExpired as problem:
            raise Trouble(-1, f"{argv[0]} had no answer within {SECONDS} s") from problem
        if done.returncode:
            raise Trouble(done.returncode, (done.stderr or done.stdout).strip())
        return done.stdout


def to_add(given: Mapping[str, Any], server: Server) -> Values:
    """What a new entry has."""
    entry = {**listed(given["attributes"]), **listed(given["first"])}
    for name, password in given["passwords"].items():
        entry[name] = [hashed(str(password))]
    number = given["number"]
    if number is not None:
        used = server.numbers(number["base"], number["attribute"])
        free = (n for n in range(number["lowest"], number["highest"] + 1) if n not in used)
        chosen = next(free, None)
        if chosen is None:
            words = f"no {number['attribute']} is free up to {number['highest']}"
            raise Trouble(0, f"{words}; give a wider range")
        entry[number["attribute"]] = [str(chosen)]
    return entry


def to_change(given: Mapping[str, Any], found: Values) -> Values:
    """What of an entry is not as it is to be."""
    changes = {
        name: values
        for name, values in listed(given["attributes"]).items()
        if not same(found.get(name.lower(), []), values)
    }
    for name, password in given["passwords"].items():
        stored = found.get(name.lower(), [])
        if len(stored) != 1 or not fits(str(password), stored[0]):
            changes[name] = [hashed(str(password))]
    return changes


def shown(attributes: Values, secret: Mapping[str, Any]) -> str:
    """Attributes as lines for people, without the passwords."""
    return "".join(
        f"{name}: {'(a password)' if name in secret else value}\n"
        for name, values in sorted(attributes.items())
        for value in (ORDERED.sub("", each, count=1) for each in in_order(values))
    )


def ensure(given: Mapping[str, Any], server: Server, *, dry: bool) -> dict[str, Any]:
    """Brings it about, or says what would be; the result of the module."""
    dn = given["dn"]
    found = server.entry(dn)
    changes = to_add(given, server) if found is None else to_change(given, found)
    if changes and not dry:
        if found is None:
            server.add(dn, changes)
        else:
            server.change(dn, changes)
    before = {name: (found or {}).get(name.lower(), []) for name in changes}
    secret = given["passwords"]
    return {
        "changed": bool(changes),
        "added": found is None,
        "attributes": sorted(changes),
        "diff": {
            "before_header": dn,
            "after_header": dn,
            "before": shown(before, secret),
            "after": shown(changes, secret),
        },
    }


def main() -> None:
    """Runs the module."""
    number = {
        "attribute": {"type": "str", "required": True},
        "base": {"type": "str", "required": True},
        "lowest": {"type": "int", "required": True},
        "highest": {"type": "int", "required": True},
    }
    module = AnsibleModule(
        argument_spec={
            "dn": {"type": "str", "required": True},
            "attributes": {"type": "dict", "default": {}},
            "first": {"type": "dict", "default": {}},
            "passwords": {"type": "dict", "default": {}, "no_log": True},
            "number": {"type": "dict", "options": number},
            "uri": {"type": "str", "default": "ldapi:///"},
        },
        supports_check_mode=True,
    )
    given = module.params
    try:
        result = ensure(given, Server(given["uri"]), dry=module.check_mode)
    except Trouble as trouble:
        # In check mode the server may not be installed yet, or not run.
        if module.check_mode and trouble.status in (-1, 255):
            after = shown(listed({**given["attributes"], **given["first"]}), {})
            diff = {"before": "", "after": after, "after_header": given["dn"]}
            module.exit_json(changed=True, added=True, attributes=[], diff=diff)
        module.fail_json(msg=f"{given['dn']}: the directory says: {trouble}")
    module.exit_json(**result)


if __name__ == "__main__":
    main()

#!/usr/bin/python
"""Has an entity of Slurm's accounting be there: a cluster, an account, a QOS or a user."""

from __future__ import annotations

DOCUMENTATION = r"""
module: slurmhub_sacctmgr
short_description: Clusters, accounts, QOS and users of Slurm's accounting
description:
  - Has an entity be there, with what is named of it. It takes nothing away, and leaves alone what
    is not named. Runs C(sacctmgr) as the account that the task runs as, which must be root, Slurm's
    own or an Operator.
options:
  entity:
    description: What it is.
    type: str
    required: true
    choices: [cluster, account, qos, user]
  name:
    description: Its name; Slurm has names in small letters.
    type: str
    required: true
  cluster:
    description: The cluster, of an account or a user.
    type: str
  account:
    description: The account that a user has an association with.
    type: str
  parent:
    description: The account above this one.
    type: str
    default: root
  description:
    description: What an account or a QOS is for.
    type: str
  organization:
    description: Whose account it is.
    type: str
  admin_level:
    description: What a user may do.
    type: str
    choices: [None, Operator, Administrator]
  qos:
    description: The QOS that an account or a user may use.
    type: list
    elements: str
  default_qos:
    description: The one that jobs have which name none.
    type: str
  max_tres_per_user:
    description: The most that a user's running jobs may have together, of a QOS, by resource as
      sacctmgr names it, such as C(cpu), C(mem) (in MiB) and C(gres/gpu).
    type: dict
  flags:
    description: Flags that a QOS has, as sacctmgr names them, such as C(DenyOnLimit).
    type: list
    elements: str
author: [slurmhub]
attributes:
  check_mode:
    description: Says what it would do.
    support: full
"""

EXAMPLES = r"""
- name: Let the hub's account act for others
  slurmhub_sacctmgr:
    entity: user
    name: slurmhub-main
    cluster: main
    account: main
    admin_level: Operator
"""

RETURN = r"""
commands:
  description: What was run, or would be.
  returned: always
  type: list
  elements: list
"""

import subprocess  # noqa: E402 - Ansible wants the documentation first
from typing import Any  # noqa: E402

from ansible.module_utils.basic import AnsibleModule  # noqa: E402

SECONDS = 60
# How a setting is named when it is changed and when it is shown, see sacctmgr(1).
_QOS_ROW = ("Name", "Description", "MaxTRESPU")
_ACCOUNT_ROW = ("Account", "Descr", "Org")
_ASSOCIATION_ROW = ("Account", "User", "ParentName", "QOS", "DefaultQOS")
_USER_ROW = ("User", "AdminLevel")
_UNITS = {"K": 1 / 1024, "M": 1, "G": 1024, "T": 1024**2, "P": 1024**3}

Row = dict[str, str]


class Sacctmgr:
    """Questions to sacctmgr, and changes, which are only collected in check mode."""

    def __init__(self, module: AnsibleModule) -> None:
        self._module = module
        self.commands: list[list[str]] = []

    def rows(self, fields: tuple[str, ...], *what: str) -> list[Row]:
        """What `sacctmgr show` says, a mapping for each line."""
        argv = ["sacctmgr", "--noheader", "--parsable2", "--readonly", "show", *what]
        output = self._run([*argv, f"format={','.join(fields)}"])
        return [read_row(fields, line) for line in output.splitlines() if line.strip()]

    def change(self, *what: str) -> None:
        """Note a change, and make it unless this is check mode."""
        argv = ["sacctmgr", "--immediate", "--quiet", *what]
        self.commands.append(argv)
        if not self._module.check_mode:
            self._run(argv)

    def _run(self, argv: list[str]) -> str:
        try:
            done = subprocess.run(
                argv,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
                timeout=SECONDS,
            )
        except FileNotFoundError:
            self._module.fail_json(msg="There is no sacctmgr here. Install Slurm's commands.")
        except subprocess.TimeoutExpired:
            self._module.fail_json(msg=f"{argv[0]} did not answer in {SECONDS} s: {argv}")
        if done.returncode:
            said = (done.stderr.strip() or done.stdout.strip())[-1000:]
            self._module.fail_json(
                msg=f"sacctmgr refused: {said} Is slurmdbd up? systemctl status slurmdbd", cmd=argv
            )
        return str(done.stdout)


def read_row(fields: tuple[str, ...], line: str) -> Row:
    """A line of --parsable2, by field."""
    return dict(zip(fields, line.split("|"), strict=True))


def tres(text: str) -> dict[str, int]:
    """Resources as sacctmgr shows them; memory in MiB.

    >>> tres("cpu=4,mem=64G,gres/gpu=1")
    {'cpu': 4, 'mem': 65536, 'gres/gpu': 1}
    """
    found = {}
    for part in filter(None, text.split(",")):
        name, _, amount = part.partition("=")
        unit = _UNITS.get(amount[-1:].upper())
        found[name] = int(float(amount[:-1]) * unit) if unit else int(amount)
    return found


def as_tres(limits: dict[str, Any]) -> str:
    """Limits as sacctmgr takes them, in one order."""
    return ",".join(f"{name}={int(limits[name])}" for name in sorted(limits))


def changed_settings(row: Row, wanted: dict[str, tuple[str, str]]) -> list[str]:
    """Settings that are another way: sacctmgr's name of each to its field and the wanted value."""
    return [
        f"{setting}={value}"
        for setting, (field, value) in wanted.items()
        if _plain(field, row.get(field, "")) != _plain(field, value)
    ]


def _plain(field: str, value: str) -> object:
    if field == "MaxTRESPU":
        return tres(value)
    if field == "QOS":
        return set(filter(None, value.split(",")))
    return value.lower() if field in ("Descr", "Org", "Description") else value


def cluster(ask: Sacctmgr, params: dict[str, Any]) -> None:
    name = params["name"].lower()
    if not ask.rows(("Cluster",), "cluster", "where", f"name={name}"):
        ask.change("add", "cluster", name)


def qos(ask: Sacctmgr, params: dict[str, Any]) -> None:
    name = params["name"].lower()
    wanted: dict[str, tuple[str, str]] = {}
    if params["description"] is not None:
        wanted["Description"] = ("Description", params["description"])
    if params["max_tres_per_user"] is not None:
        wanted["MaxTRESPerUser"] = ("MaxTRESPU", as_tres(params["max_tres_per_user"]))
    flags = params["flags"] or []
    fields = (*_QOS_ROW, "Flags") if flags else _QOS_ROW
    rows = ask.rows(fields, "qos", "where", f"name={name}")
    if not rows:
        # sacctmgr refuses a setting without a value, and does not say so.
        given = [f"{key}={value}" for key, (_, value) in wanted.items() if value]
        if flags:
            given.append(f"Flags={','.join(flags)}")
        ask.change("add", "qos", name, *given)
        return
    changes = changed_settings(rows[0], wanted)
    # A limit that is not wanted any more is taken back with -1, by resource.
    if params["max_tres_per_user"] is not None:
        gone = set(tres(rows[0]["MaxTRESPU"])) - set(params["max_tres_per_user"])
        changes = [_with_gone(change, gone) for change in changes]
    there = rows[0].get("Flags", "").lower().split(",")
    if lacking := [flag for flag in flags if flag.lower() not in there]:
        changes.append(f"Flags+={','.join(lacking)}")
    if changes:
        ask.change("modify", "qos", "where", f"name={name}", "set", *changes)


def _with_gone(change: str, gone: set[str]) -> str:
    setting, _, value = change.partition("=")
    if setting != "MaxTRESPerUser" or not gone:
        return change
    parts = [value] if value else []
    return f"{setting}={','.join([*parts, *(f'{name}=-1' for name in sorted(gone))])}"


def account(ask: Sacctmgr, params: dict[str, Any]) -> None:
    name, where = params["name"].lower(), params["cluster"]
    words: dict[str, tuple[str, str]] = {}
    for key, field in (("description", "Descr"), ("organization", "Org")):
        if params[key] is not None:
            words[key.capitalize()] = (field, params[key])
    known = ask.rows(_ACCOUNT_ROW, "account", "where", f"name={name}")
    of_cluster = ("where", f"cluster={where}", f"account={name}", "user=")
    here = ask.rows(_ASSOCIATION_ROW, "assoc", *of_cluster)
    rights = _rights(params)
    if not here:
        given = {} if known else words
        ask.change(
            *("add", "account", name, f"cluster={where}", f"parent={params['parent'].lower()}"),
            *(f"{key}={value[1]}" for key, value in {**given, **rights}.items()),
        )
    if known and (changes := changed_settings(known[0], words)):
        ask.change("modify", "account", "where", f"name={name}", "set", *changes)
    if here:
        parent = {"Parent": ("ParentName", params["parent"].lower())}
        if changes := changed_settings(here[0], {**parent, **rights}):
            ask.change(
                *("modify", "account", "where", f"name={name}", f"cluster={where}", "set"),
                *changes,
            )


def user(ask: Sacctmgr, params: dict[str, Any]) -> None:
    name, where = params["name"], params["cluster"]
    wanted_account = params["account"].lower()
    level = params["admin_level"]
    of_user = ("where", f"cluster={where}", f"account={wanted_account}", f"user={name}")
    here = ask.rows(_ASSOCIATION_ROW, "assoc", *of_user)
    known = ask.rows(_USER_ROW, "user", "where", f"name={name}")
    rights = _rights(params)
    if not here:
        more = [f"adminlevel={level}"] if level and not known else []
        ask.change(
            *("add", "user", name, f"cluster={where}", f"account={wanted_account}", *more),
            *(f"{key}={value[1]}" for key, value in rights.items()),
        )
    elif changes := changed_settings(here[0], rights):
        ask.change(
            *("modify", "user", "where", f"name={name}", f"cluster={where}"),
            *(f"account={wanted_account}", "set", *changes),
        )
    if known and level and known[0]["AdminLevel"] != level:
        ask.change("modify", "user", "where", f"name={name}", "set", f"adminlevel={level}")


def _rights(params: dict[str, Any]) -> dict[str, tuple[str, str]]:
    rights: dict[str, tuple[str, str]] = {}
    if params["qos"] is not None:
        rights["QOS"] = ("QOS", ",".join(params["qos"]))
    if params["default_qos"] is not None:
        rights["DefaultQOS"] = ("DefaultQOS", params["default_qos"])
    return rights


ENTITIES = {"cluster": cluster, "account": account, "qos": qos, "user": user}


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "entity": {"type": "str", "required": True, "choices": list(ENTITIES)},
            "name": {"type": "str", "required": True},
            "cluster": {"type": "str"},
            "account": {"type": "str"},
            "parent": {"type": "str", "default": "root"},
            "description": {"type": "str"},
            "organization": {"type": "str"},
            "admin_level": {"type": "str", "choices": ["None", "Operator", "Administrator"]},
            "qos": {"type": "list", "elements": "str"},
            "default_qos": {"type": "str"},
            "max_tres_per_user": {"type": "dict"},
            "flags": {"type": "list", "elements": "str"},
        },
        required_if=[
            ("entity", "account", ["cluster"]),
            ("entity", "user", ["cluster", "account"]),
        ],
        supports_check_mode=True,
    )
    ask = Sacctmgr(module)
    ENTITIES[module.params["entity"]](ask, module.params)
    lines = "".join(f"{' '.join(argv[3:])}\n" for argv in ask.commands)
    module.exit_json(
        changed=bool(ask.commands), commands=ask.commands, diff={"before": "", "after": lines}
    )


if __name__ == "__main__":
    main()

#!/usr/bin/python
"""Has databases of PostgreSQL be there that a Unix account of their owner's name may use."""

from __future__ import annotations

DOCUMENTATION = r"""
module: slurmhub_postgresql
short_description: Databases of PostgreSQL, and the role that owns them
description:
  - Has a role be there, without a password, and databases that it owns. It is let in by its Unix
    account over the socket (C(peer), as the distributions set it up). It takes nothing away, and
    leaves a database that another role owns as it is. Runs C(psql) as C(postgres).
options:
  databases:
    description: The databases.
    type: list
    elements: str
    required: true
  owner:
    description: The role, which has the name of the Unix account.
    type: str
    required: true
  shared_with:
    description:
      - Roles that are there, and act as the owner in these databases, so that it owns what they
        make; each is let in by its own Unix account.
    type: list
    elements: str
    default: []
author: [slurmhub]
attributes:
  check_mode:
    description: Says what it would do.
    support: full
"""

EXAMPLES = r"""
- name: Have the hub's databases
  slurmhub_postgresql:
    databases: [slurmhub-main, slurmhub-main-ledger]
    owner: slurmhub-main
"""

RETURN = r"""
statements:
  description: What was run, or would be.
  returned: always
  type: list
  elements: str
"""

import re  # noqa: E402 - Ansible wants the documentation first
import shutil  # noqa: E402
import subprocess  # noqa: E402

from ansible.module_utils.basic import AnsibleModule  # noqa: E402

SECONDS = 60
# As PostgreSQL takes them between double quotes, and at most as long as it keeps them.
NAME = re.compile(r"[a-z][a-z0-9_-]{0,62}")


class Refused(Exception):
    """PostgreSQL refused, or what is there is somebody else's."""


def statements(
    databases: list, owner: str, roles: set, owners: dict, sharers: list = (), shares: set = ()
) -> list:
    """What is lacking, as SQL; `owners` has the role of each database that there is.

    `sharers` are to act as the owner; `shares` has (role, "") for each that may, and (role,
    database) for each that does.
    """
    lacking = []
    if owner not in roles:
        lacking.append(f'CREATE ROLE "{owner}" LOGIN;')
    for name in databases:
        if name not in owners:
            # Such that texts compare alike on every host, and in no language's order.
            lacking.append(
                f'CREATE DATABASE "{name}" OWNER "{owner}" TEMPLATE template0 ENCODING \'UTF8\''
                " LC_COLLATE 'C.UTF-8' LC_CTYPE 'C.UTF-8';"
            )
            lacking.append(f'REVOKE ALL ON DATABASE "{name}" FROM PUBLIC;')
        elif owners[name] != owner:
            raise Refused(
                f"The database {name} belongs to {owners[name]}, not to {owner}. It stays as it is:"
                " rename one of them, or change its owner yourself if it is this hub's."
            )
    for sharer in sharers:
        if (sharer, "") not in shares:
            lacking.append(f'GRANT "{owner}" TO "{sharer}";')
        lacking += [
            f'ALTER ROLE "{sharer}" IN DATABASE "{name}" SET role = \'{owner}\';'
            for name in databases
            if (sharer, name) not in shares
        ]
    return lacking


def known_shares(owner: str) -> set:
    """Who may act as the owner, and who does so in which database."""
    members = run("SELECT pg_get_userbyid(roleid), pg_get_userbyid(member) FROM pg_auth_members;")
    settings = run(
        "SELECT unnest(setconfig), pg_get_userbyid(setrole), datname FROM pg_db_role_setting"
        " JOIN pg_database ON pg_database.oid = setdatabase;"
    )
    return {
        (words[1], (*words, "")[2])
        for words in (row.split("|") for row in f"{members}{settings}".splitlines())
        if words[0] in (owner, f"role={owner}")
    }


def run(sql: str) -> str:
    """What psql answers, a row a line, as postgres. Raises Refused."""
    argv = ["runuser", "--user", "postgres", "--", "psql", "--no-psqlrc", "--quiet"]
    try:
        done = subprocess.run(
            [*argv, "--tuples-only", "--no-align", "--field-separator=|", "-v", "ON_ERROR_STOP=1"],
            input=sql,
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS,
            cwd="/",
        )
    except subprocess.TimeoutExpired as error:
        raise Refused(f"PostgreSQL did not answer in {SECONDS} s.") from error
    if done.returncode != 0:
        raise Refused(
            f"PostgreSQL refused: {done.stderr.strip()[-1000:]} systemctl status 'postgresql*' says"
            " whether it is up."
        )
    return done.stdout


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "databases": {"type": "list", "elements": "str", "required": True},
            "owner": {"type": "str", "required": True},
            "shared_with": {"type": "list", "elements": "str", "default": []},
        },
        supports_check_mode=True,
    )
    databases, owner = module.params["databases"], module.params["owner"]
    sharers = module.params["shared_with"]
    for value in (*databases, owner, *sharers):
        if not NAME.fullmatch(value):
            module.fail_json(msg=f"{value} must be small letters, digits, _ and -, a letter first.")
    roles, owners, shares = set(), {}, set()
    try:
        if shutil.which("psql") or not module.check_mode:
            roles = set(run("SELECT rolname FROM pg_roles;").split())
            rows = run("SELECT datname, pg_get_userbyid(datdba) FROM pg_database;").splitlines()
            owners = dict(row.split("|", 1) for row in rows if row)
            if sharers:
                shares = known_shares(owner)
        lacking = statements(databases, owner, roles, owners, sharers, shares)
        if not module.check_mode:
            # One at a time: CREATE DATABASE is in no transaction with others.
            for each in lacking:
                run(each)
    except Refused as refused:
        module.fail_json(msg=str(refused))
    module.exit_json(
        changed=bool(lacking),
        statements=lacking,
        diff={"before": "", "after": "".join(f"{line}\n" for line in lacking)},
    )


if __name__ == "__main__":
    main()

#!/usr/bin/python
"""Has a database and an account of MariaDB be there, which a Unix account of that name may use."""

from __future__ import annotations

DOCUMENTATION = r"""
module: slurmhub_mariadb
short_description: A database of MariaDB, and who may use it
description:
  - Has a database be there, and an account that is let in by its Unix account (C(unix_socket)), so
    that there is no password. It takes nothing away. Runs C(mariadb) as root over the socket.
options:
  name:
    description: The database.
    type: str
    required: true
  user:
    description: The account of MariaDB, which has the name of the Unix account.
    type: str
    required: true
author: [slurmhub]
attributes:
  check_mode:
    description: Says what it would do.
    support: full
"""

EXAMPLES = r"""
- name: Have slurmdbd's database
  slurmhub_mariadb:
    name: slurm_acct_db
    user: slurm
"""

RETURN = r"""
statements:
  description: What was run, or would be.
  returned: always
  type: list
  elements: str
"""

import re  # noqa: E402 - Ansible wants the documentation first
import subprocess  # noqa: E402

from ansible.module_utils.basic import AnsibleModule  # noqa: E402

SECONDS = 60
NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")


def statements(name: str, user: str, databases: set[str], ways_in: str, grants: str) -> list[str]:
    """What is lacking, as SQL.

    `ways_in` is what SHOW CREATE USER says of the account and `grants` what SHOW GRANTS says;
    both are empty where there is no such account.
    """
    lacking = []
    if name not in databases:
        lacking.append(f"CREATE DATABASE `{name}`;")
    if not ways_in:
        lacking.append(f"CREATE USER '{user}'@'localhost' IDENTIFIED VIA unix_socket;")
    elif "unix_socket" not in ways_in:
        lacking.append(f"ALTER USER '{user}'@'localhost' IDENTIFIED VIA unix_socket;")
    # In grants, _ stands for any character unless it is escaped; both ways of writing it count.
    escaped = name.replace("_", "\\_")
    if not any(f"ALL PRIVILEGES ON `{each}`.*" in grants for each in (name, escaped)):
        lacking.append(f"GRANT ALL PRIVILEGES ON `{escaped}`.* TO '{user}'@'localhost';")
    return lacking


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "user": {"type": "str", "required": True},
        },
        supports_check_mode=True,
    )
    name, user = module.params["name"], module.params["user"]
    for value in (name, user):
        if not NAME.fullmatch(value):
            module.fail_json(msg=f"{value} must be small letters, digits and _, a letter first.")

    def run(sql: str) -> str:
        argv = ["mariadb", "--no-defaults", "--batch", "--raw", "--skip-column-names"]
        try:
            done = subprocess.run(
                [*argv, "--protocol=socket", "--user=root"],
                input=sql,
                capture_output=True,
                text=True,
                check=False,
                timeout=SECONDS,
            )
        except FileNotFoundError:
            module.fail_json(msg="There is no mariadb here. Install MariaDB.")
        except subprocess.TimeoutExpired:
            module.fail_json(msg=f"MariaDB did not answer in {SECONDS} s.")
        if done.returncode:
            module.fail_json(
                msg=f"MariaDB refused: {done.stderr.strip()[-1000:]} systemctl status mariadb says"
                " whether it is up; root must be let in over its socket."
            )
        return str(done.stdout)

    databases = set(run("SHOW DATABASES;").split())
    account = f"'{user}'@'localhost'"
    known = run("SELECT User FROM mysql.user WHERE Host='localhost';").split()
    there = user in known
    lacking = statements(
        name,
        user,
        databases,
        run(f"SHOW CREATE USER {account};") if there else "",
        run(f"SHOW GRANTS FOR {account};") if there else "",
    )
    if lacking and not module.check_mode:
        run("\n".join(lacking))
    module.exit_json(
        changed=bool(lacking),
        statements=lacking,
        diff={"before": "", "after": "".join(f"{line}\n" for line in lacking)},
    )


if __name__ == "__main__":
    main()

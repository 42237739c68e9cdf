"""A host with a hub and an installed account helper, as the attacks on that program need it."""

from __future__ import annotations

import json
import os
import pwd
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slurmhub_deploy import account_install
from slurmhub_deploy.account_install import AccountsPlan, account_files, account_sudoers_text
from slurmhub_deploy.installing import below, install_files
from tests.attack.helper_site import SUDO, edit, identity, run_tool

TOKEN = "0123456789abcdef" * 2
OTHER_TOKEN = "f" * 32
# Tests that run side by side share /etc/passwd; useradd by itself gives no number above 60000.
LOWEST = 70000 + 1000 * int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:])
HIGHEST = LOWEST + 999


@dataclass
class AccountSite:
    """A host with a hub, an installed account helper and its sudoers line, and a bystander.

    Every account that is made begins with `mark`.
    """

    mark: str
    folder: Path
    program: Path
    settings: Path
    sudoers: Path
    hub: pwd.struct_passwd
    mallory: pwd.struct_passwd

    @property
    def homes(self) -> Path:
        return self.folder / "home"

    @property
    def register(self) -> Path:
        return self.folder / "state" / "accounts"

    def name(self, name: str = "a") -> str:
        return self.mark + name

    def set(self, **changes: object) -> None:
        """Changes settings of the helper; root's own file stays root's own."""
        settings = json.loads(self.settings.read_text())
        self.settings.write_text(json.dumps({**settings, **changes}))

    def sudo(self, *arguments: str, stdin: bytes = b"", **options: Any) -> Any:
        """`sudo -n ARGUMENTS` as the hub's account."""
        return subprocess.run(
            [SUDO, "-n", *arguments],
            input=stdin,
            capture_output=True,
            check=False,
            timeout=60,
            **{**identity(self.hub), "env": {}, "cwd": "/", **options},
        )

    def ask(self, request: Any, **options: Any) -> dict[str, Any]:
        """The helper's answer, through sudo."""
        data = request if isinstance(request, bytes) else json.dumps(request).encode()
        done = self.sudo(str(self.program), stdin=data, **options)
        assert done.stderr == b"", done.stderr
        answer = json.loads(done.stdout)
        assert done.returncode == (0 if answer["ok"] else 1)
        return dict(answer)

    def ensure(self, name: str = "a", **more: Any) -> dict[str, Any]:
        """Has an account made, whose name begins with the mark."""
        return self.ask({"verb": "ensure", "name": self.name(name), "token": TOKEN, **more})

    def about(self, verb: str, name: str = "a", **more: Any) -> dict[str, Any]:
        """Any other verb about such an account."""
        return self.ask({"verb": verb, "name": self.name(name), "token": TOKEN, **more})

    def remove_accounts(self) -> None:
        """Every account and group that begins with the mark, but hub and bystander."""
        keep = {self.hub.pw_name, self.mallory.pw_name}
        for path, program in (("/etc/passwd", "userdel"), ("/etc/group", "groupdel")):
            for line in Path(path).read_text().splitlines():
                name = line.partition(":")[0]
                if name.startswith(self.mark) and name not in keep:
                    subprocess.run([program, name], check=False, capture_output=True)
        for folder in (self.homes, self.register.parent):
            shutil.rmtree(folder, ignore_errors=True)
        self.homes.mkdir(mode=0o755)
        self.homes.chmod(0o755)


def exists(name: str) -> bool:
    """Whether this host has an account of this name."""
    return any(line.startswith(f"{name}:") for line in Path("/etc/passwd").read_text().splitlines())


@contextmanager
def account_site() -> Iterator[AccountSite]:
    """Everything is named after one random mark, and removed whatever happens."""
    mark = f"s{secrets.token_hex(3)}"
    folder = Path("/opt") / mark  # root's alone, unlike /tmp
    sudoers = Path("/etc/sudoers.d") / mark
    site: AccountSite | None = None
    names = [f"{mark}hub", f"{mark}mallory"]
    try:
        folder.mkdir(mode=0o755)
        folder.chmod(0o755)
        for name in names:
            run_tool("useradd", "--system", "--no-create-home", name)
        root = folder / "root"
        root.mkdir(mode=0o755)
        root.chmod(0o755)
        files = account_files(AccountsPlan("files"), names[0], None, root)
        install_files(root, files, dry_run=False)
        program = below(root, account_install.PROGRAM)
        settings = below(root, account_install.SETTINGS)
        edit(program, str(account_install.SETTINGS), str(settings))
        sudoers.write_text(account_sudoers_text(names[0], program))
        sudoers.chmod(0o440)
        people = [pwd.getpwnam(name) for name in names]
        site = AccountSite(mark, folder, program, settings, sudoers, *people)
        site.remove_accounts()
        site.set(
            min_uid=LOWEST,
            max_uid=HIGHEST,
            home_base=str(site.homes),
            register=str(site.register),
        )
        yield site
    finally:
        sudoers.unlink(missing_ok=True)
        if site is not None:
            site.remove_accounts()
        for name in names:
            subprocess.run(["userdel", "--force", name], check=False, capture_output=True)
        shutil.rmtree(folder, ignore_errors=True)

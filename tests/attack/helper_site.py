"""A host with a hub, an installed as-user helper and its sudoers line, and people to act for."""

from __future__ import annotations

import json
import os
import pwd
import secrets
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slurmhub_deploy import helper as installing
from slurmhub_deploy.helper import HelperPlan, install

SUDO = "/usr/bin/sudo"
SECRET = "PAYLOAD-SECRET-0123456789"
# Writes down all that it was given, and then behaves as the script on its input tells it to.
FAKE_SBATCH = r"""#!/usr/bin/python3 -IS
import json, os, signal, sys, time
script = sys.stdin.read()
record = {
    "argv": sys.argv[1:], "environment": dict(os.environ), "script": script,
    "directory": os.getcwd(), "ids": [os.getresuid(), os.getresgid(), sorted(os.getgroups())],
    "descriptors": sorted(int(name) for name in os.listdir("/proc/self/fd")),
    "umask": os.umask(0o22), "pid": os.getpid(),
    "blocked": [int(number) for number in signal.pthread_sigmask(signal.SIG_BLOCK, [])],
    "handled": [signal.getsignal(number) == signal.SIG_DFL
                for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD)],
}
with open(os.path.join(os.environ["HOME"], "record"), "w") as file:
    json.dump(record, file)
mode = script.partition("#MODE ")[2].partition("\n")[0]
if mode == "refuse":
    sys.exit("sbatch: error: Batch job submission failed: Invalid account \x1b[31m")
if mode == "flood":
    for _ in range(2000):
        os.write(1, b"x" * 10000)
        os.write(2, b"y" * 10000)
    os.write(2, b"the last words\n")
    sys.exit(1)
if mode == "starts":
    words = "sbatch: Job 7 to start at 1795277040 using 1 processors on nodes n1 in partition cpu"
    sys.exit(print(words, file=sys.stderr))
if mode == "slow":
    time.sleep(1)
if mode == "hang":
    if os.fork() == 0:
        time.sleep(60)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    time.sleep(60)
print("4711;cluster" if mode == "cluster" else "4711")
"""
FAKE_SCANCEL = """#!/bin/sh
printf '%s ' "$@" >"$HOME/cancelled"
case "$2" in
    404) echo "scancel: error: Kill job error on job id 404: Invalid job id specified" >&2 ;;
esac
"""


def run_tool(*argv: str) -> None:
    subprocess.run(argv, check=True, capture_output=True)


@dataclass
class Site:
    """A host with a hub, an installed helper, a sudoers line, and people."""

    folder: Path
    program: Path
    settings: Path
    hub: pwd.struct_passwd
    alice: pwd.struct_passwd
    system: pwd.struct_passwd
    mallory: pwd.struct_passwd
    bin_dir: Path

    def sudo(self, *arguments: str, stdin: bytes = b"", **options: Any) -> Any:
        """`sudo -n ARGUMENTS` as the hub's account."""
        return subprocess.run(
            [SUDO, "-n", *arguments],
            input=stdin,
            capture_output=True,
            check=False,
            timeout=40,
            **{**identity(self.hub), "env": {}, "cwd": "/", **options},
        )

    def ask(self, request: Any, *, who: str = "", **options: Any) -> dict[str, Any]:
        """The helper's answer, through sudo, as alice unless said otherwise."""
        data = request if isinstance(request, bytes) else json.dumps(request).encode()
        done = self.sudo("-u", who or self.alice.pw_name, str(self.program), stdin=data, **options)
        assert done.stderr == b"", done.stderr
        answer = json.loads(done.stdout)
        assert done.returncode == (0 if answer["ok"] else 1)
        return dict(answer)

    def record(self) -> dict[str, Any]:
        """What sbatch was given; reading it once removes it."""
        path = Path(self.alice.pw_dir, "record")
        record = json.loads(path.read_text())
        path.unlink()
        return dict(record)

    def nothing_submitted(self) -> bool:
        return not Path(self.alice.pw_dir, "record").exists()


def identity(account: pwd.struct_passwd) -> dict[str, Any]:
    groups = os.getgrouplist(account.pw_name, account.pw_gid)
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": groups}


def request_of(mode: str = "", **changes: Any) -> dict[str, Any]:
    request = {
        "verb": "submit",
        "script": f"#!/bin/bash\n#MODE {mode}\n",
        "payload": SECRET,
        "directories": [],
        "deadline": time.time() + 60,
    }
    return {**request, **changes}


def directly(site: Site, request: Any, *arguments: str, **options: Any) -> dict[str, Any]:
    """Without sudo, as a hub that is root starts it."""
    done = subprocess.run(
        [str(site.program), *arguments],
        input=json.dumps(request).encode(),
        capture_output=True,
        check=False,
        **{**identity(site.alice), "env": {}, "cwd": "/", **options},
    )
    return dict(json.loads(done.stdout))


@contextmanager
def site_under_attack() -> Iterator[Site]:
    """Everything is named after one random mark, and removed whatever happens."""
    mark = f"shub{secrets.token_hex(4)}"
    folder = Path("/tmp") / mark
    sudoers = Path("/etc/sudoers.d") / mark
    names = {name: f"{mark}{name[0]}" for name in ("hub", "alice", "system", "mallory")}
    try:
        folder.mkdir(mode=0o755)
        folder.chmod(0o755)
        run_tool("groupadd", mark)
        for name, account in names.items():
            kind = ["--system"] if name in ("hub", "system") else []
            run_tool("useradd", *kind, "--create-home", "--home-dir", str(folder / name), account)
            (folder / name).chmod(0o700)
        for name in ("alice", "system"):
            run_tool("usermod", "--append", "--groups", mark, names[name])
        bin_dir = folder / "bin"
        bin_dir.mkdir()
        for name, text in (("sbatch", FAKE_SBATCH), ("scancel", FAKE_SCANCEL)):
            (bin_dir / name).write_text(text)
            (bin_dir / name).chmod(0o755)
        root = folder / "root"
        root.mkdir()
        install(HelperPlan(names["hub"], mark, bin_dir=bin_dir, root=root))
        program = root / installing.PROGRAM.relative_to("/")
        settings = root / installing.SETTINGS.relative_to("/")
        edit(program, str(installing.SETTINGS), str(settings))
        _place(sudoers, root / installing.SUDOERS.relative_to("/"), program)
        yield Site(
            folder,
            program,
            settings,
            **{name: pwd.getpwnam(account) for name, account in names.items()},
            bin_dir=bin_dir,
        )
    finally:
        sudoers.unlink(missing_ok=True)
        for account in names.values():
            subprocess.run(["userdel", "--force", account], check=False, capture_output=True)
        subprocess.run(["groupdel", mark], check=False, capture_output=True)
        shutil.rmtree(folder, ignore_errors=True)


def edit(program: Path, old: str, new: str) -> None:
    source = program.read_text()
    assert old in source
    program.write_text(source.replace(old, new))


def _place(sudoers: Path, written: Path, program: Path) -> None:
    """Puts the installed sudoers file in force, for the program where the test has it."""
    text = written.read_text()
    assert text.count(str(installing.PROGRAM)) == 3
    subprocess.run(
        ["/usr/sbin/visudo", "-c", "-f", "-"],
        input=text.replace(str(installing.PROGRAM), str(program)).encode(),
        check=True,
        capture_output=True,
    )
    descriptor = os.open(sudoers, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o440)
    with open(descriptor, "w") as file:
        file.write(text.replace(str(installing.PROGRAM), str(program)))

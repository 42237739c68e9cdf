"""Every command in the documentation runs: here, or in the test that is named for it."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import typer

from slurmhub_deploy.helper import PROGRAM, SETTINGS, SUDOERS, sudoers_text
from slurmhub_deploy.main import command
from tests.lab.site import is_for_a_host
from tests.rig.checkout import copy_checkout
from tests.rig.docs import PROJECT, pages

# Where the other commands are run. The lines of a page stand here as they are there.
RUN_ELSEWHERE = {
    "script/demo": "tests/demo/test_demo.py",
    "script/demo --shibboleth": "tests/demo/conftest.py",
    "pip install ./labextension": "deploy/slurmhub_deploy/demo/environment.py",
    "script/test": ".ci/run",
    "script/test --fast": ".ci/run",
    "script/lab up lab-site": "tests/docs/test_lab.py",
    "script/catalogues": "tests/unit/test_language.py",
    "script/pictures": "tests/browser/pictures.py",
    "script/test --slurm 24.11": "script/matrix",
    "script/test --lab": ".ci/run",
    "script/test tests/slurm/test_requeue.py": ".ci/run",
    "script/test --fast tests/unit/test_jobs.py -k silence": ".ci/run",
}
# On a host of their own, where the page's lines are run as they stand there.
RUN_ON_A_HOST = frozenset(
    {
        "install -m 600 /dev/null /etc/jupyterhub/proxy.env",
        'echo "CONFIGPROXY_AUTH_TOKEN=$(openssl rand -hex 32)" > /etc/jupyterhub/proxy.env',
        "systemctl enable --now jupyterhub-proxy jupyterhub",
    }
)
# On an instructor's own machine: tests/unit/course_command/test_client.py has such a file.
ON_ONES_OWN = frozenset(
    {
        "export SLURMHUB_HUB=https://hub.example.ca SLURMHUB_TOKEN_FILE=~/.slurmhub-token",
    }
)
RUN_HERE = frozenset(
    {
        'pip install ".[deploy]"',
        'pip install ".[operate]"',
        "python3 -m venv ~/slurmhub",
        '~/slurmhub/bin/pip install ".[operate]"',
        "export PATH=~/slurmhub/bin:$PATH",
        "slurmhub helper install --hub-account jupyterhub --users-group students",
        "slurmhub helper install --hub-account jupyterhub --users-group students --accounts files",
        "slurmhub helper course-folders --folder /srv/courses --account slurmhub-courses",
        "script/docs",
    }
)
# In tests/docs/test_accounts.py, one after the other, on a ledger with people in it.
ON_A_LEDGER = "slurmhub identity "
# In tests/docs/test_front.py, with the settings that the page shows.
OF_A_FRONT = "slurmhub front "
# In tests/docs/test_site.py, in a folder of their own.
OF_A_SITE = ("slurmhub init ", "slurmhub check", "slurmhub schema ")
# On a site's hosts: which test runs each verb. That their words are taken is tested here.
ON_HOSTS = {
    "secret": "tests/unit/operate/test_keeping.py",
    "plan": "tests/operate/test_up.py",
    "up": "tests/operate/test_up.py",
    "down": "tests/operate/test_up.py",
    "ssh": "tests/unit/operate/test_reaching.py",
    "logs": "tests/unit/operate/test_log_places.py",
    "status": "tests/unit/doctor/test_status.py",
    "doctor": "tests/unit/doctor/test_checks.py",
    "smoke": "tests/shibboleth/test_smoke.py",
    "quota": "tests/unit/operate/test_homes_verbs.py",
    "user": "tests/unit/operate/test_homes_verbs.py",
    "announce": "tests/unit/operate/test_announce.py",
    "drain": "tests/unit/operate/test_drain.py",
    "undrain": "tests/unit/operate/test_drain.py",
    "bundle": "tests/unit/delivery/test_bundle.py",
    "course": "tests/courses/test_command.py",
}
# Accounts that every machine has, in place of those of the pages.
INSTEAD = {"jupyterhub": "daemon", "students": "users"}
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files to root")


def commands() -> set[str]:
    """Every line of every `sh` block."""
    return {
        line
        for page in pages()
        for block in page.blocks("sh")
        for line in block.text.splitlines()
        if line
    }


def test_every_command_is_run_somewhere() -> None:
    elsewhere = {
        line
        for line in commands()
        if line.startswith((ON_A_LEDGER, OF_A_FRONT, *OF_A_SITE)) or _verb_on_hosts(line)
    }
    assert commands() == RUN_HERE | RUN_ON_A_HOST | ON_ONES_OWN | set(RUN_ELSEWHERE) | elsewhere
    assert {line for line in commands() if is_for_a_host(line)} >= RUN_ON_A_HOST
    for line, runner in RUN_ELSEWHERE.items():
        if line.startswith("pip install ./"):
            assert f'asset("{line.partition("./")[2]}")' in (PROJECT / runner).read_text()
            continue
        program = line.split()[0]
        assert os.access(PROJECT / program, os.X_OK), program
        assert Path(program).name in (PROJECT / runner).read_text(), f"{runner} runs {program}"


def _verb_on_hosts(line: str) -> list[str]:
    """What a line says to `slurmhub` about a site's hosts; nothing if it says nothing to it."""
    words = re.split(r" \| (?!.*slurmhub)| [<>] |  # ", line.rpartition("| ")[2])[0]
    if "slurmhub ssh" in line:
        words = line.partition(" | ")[0].partition("#")[0]
    name, *rest = shlex.split(words.partition("  #")[0]) or [""]
    return rest if name == "slurmhub" and rest and rest[0] in ON_HOSTS else []


@pytest.mark.parametrize(
    "line", sorted(line for line in commands() if _verb_on_hosts(line)), ids=lambda line: line[:60]
)
def test_the_command_takes_what_the_pages_give_it(line: str) -> None:
    """Every option and argument, without doing it; the verb itself runs in its own test."""
    words = _verb_on_hosts(line)
    verb: Any = typer.main.get_command(command())
    name, context = "slurmhub", None
    while hasattr(verb, "resolve_command"):
        context = typer.Context(verb, info_name=name, parent=context)
        name, verb, words = verb.resolve_command(context, words)
    verb.make_context(name, words, parent=context)
    assert (PROJECT / ON_HOSTS[_verb_on_hosts(line)[0]]).exists()


def test_the_extras_that_the_pages_name_exist() -> None:
    project = (PROJECT / "pyproject.toml").read_text()
    for extra in {name for line in commands() for name in re.findall(r"\[(\w+)\]\"", line)}:
        assert re.search(rf"^{extra} = \[", project, re.MULTILINE), extra


def test_script_test_takes_what_the_pages_give_it() -> None:
    usage = _run(["script/test", "--help"]).stdout
    assert re.search(r"script/test \[--fast.* --slurm RELEASE\] \[PYTEST ARGUMENT", usage)
    for line in RUN_ELSEWHERE:
        for path in re.findall(r"tests/\S+\.py", line):
            assert (PROJECT / path).exists()
        for word in re.findall(r"-k (\w+)", line):
            assert word in (PROJECT / "tests/unit/test_jobs.py").read_text()


def test_options_of_the_demo_that_the_pages_name_exist() -> None:
    text = "".join(page.text for page in pages())
    named = set(re.findall(r"`(--(?:detach|stop|port|status|clean))`", text))
    assert len(named) >= 3
    shown = _run([sys.executable, "-m", "slurmhub_deploy.demo", "--help"]).stdout
    assert named <= set(re.findall(r"--[a-z]+", re.sub(r"\x1b\[[0-9;]*m", "", shown)))


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `pip install ".[deploy]"` installs of this project, in a folder of its own."""
    target = tmp_path_factory.mktemp("installed")
    assert 'pip install ".[deploy]"' in commands()
    # What it depends on is in this environment already; nothing is asked of a package index.
    pip = [sys.executable, "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
    offline = ["--no-index", "--no-deps", "--no-build-isolation", "--target", str(target)]
    # From a copy, for building writes into the folder that it builds from.
    source = tmp_path_factory.mktemp("source")
    copy_checkout(source)
    _run([*pip, *offline, ".[deploy]"], cwd=source)
    return target


def test_the_command_is_there_after_the_installation(installed: Path, tmp_path: Path) -> None:
    assert "helper" in _slurmhub(installed, tmp_path, "--help").stdout
    shown = _slurmhub(installed, tmp_path, "helper", "install", "--help").stdout
    plain = re.sub(r"\x1b\[[0-9;]*m", "", shown)
    text = (PROJECT / "docs/operators/spawner.md").read_text()
    named = set(re.findall(r"`(--[a-z-]+)`", text.partition("### A system account")[2])) - {
        "--requeue",
        "--partition",
        "--time",
    }
    assert named >= {"--dry-run", "--bin-dir", "--slurm-conf"}
    assert all(option in plain for option in named)


@needs_root
@pytest.mark.parametrize(("helpers", "files"), [("", 3), ("--accounts files", 6)])
def test_the_helper_is_installed_as_the_page_says(
    installed: Path, tmp_path: Path, helpers: str, files: int
) -> None:
    (line,) = (
        line for line in RUN_HERE if line.endswith(f"--users-group students {helpers}".strip())
    )
    arguments = [INSTEAD.get(word, word) for word in line.split()[1:]]
    root, programs = tmp_path / "root", tmp_path / "programs"
    root.mkdir(mode=0o755)
    programs.mkdir(mode=0o755)
    for name in ("sbatch", "scancel"):
        (programs / name).write_text("#!/bin/sh\n")
        (programs / name).chmod(0o755)
    arguments += ["--root", str(root), "--bin-dir", str(programs)]
    dry = _slurmhub(installed, tmp_path, *arguments, "--dry-run").stdout
    assert dry.count("would be written") == files
    assert list(root.iterdir()) == []
    assert _slurmhub(installed, tmp_path, *arguments).stdout.count(": written") == files
    assert os.access(root / PROGRAM.relative_to("/"), os.X_OK)
    assert (root / SUDOERS.relative_to("/")).read_text() == sudoers_text("daemon", "users")
    # "Edit the file to change it, a later run keeps what you wrote."
    settings = root / SETTINGS.relative_to("/")
    ours = {**json.loads(settings.read_text()), "min_uid": 5000}
    settings.write_text(json.dumps(ours, indent=2) + "\n")
    assert "nothing was changed" in _slurmhub(installed, tmp_path, *arguments).stdout
    assert json.loads(settings.read_text())["min_uid"] == 5000


def test_script_docs_writes_the_tables_again(tmp_path: Path) -> None:
    copy_checkout(tmp_path)
    page = tmp_path / "docs/operators/spawner.md"
    right = page.read_text()
    spoilt = right.replace("| `port_range` |", "| `ports` |")
    assert spoilt != right
    page.write_text(spoilt)
    said = _run([str(tmp_path / "script" / "docs")], cwd=tmp_path).stdout
    assert said.splitlines()[-1] == "docs/operators/spawner.md: written"
    assert page.read_text() == right


def _slurmhub(installed: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the installed command from a folder that has nothing of ours."""
    code = (
        "import slurmhub; from slurmhub_deploy.main import main; "
        f"assert slurmhub.__file__.startswith({str(installed)!r}), slurmhub.__file__; main()"
    )
    return _run(
        [sys.executable, "-c", code, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(installed)},
    )


def _run(
    argv: list[str], *, cwd: Path = PROJECT, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(argv, cwd=cwd, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{argv}: {done.stdout}{done.stderr}"
    return done

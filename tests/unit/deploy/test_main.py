"""The `slurmhub` command as it is installed."""

from __future__ import annotations

import re
import subprocess
import sys
import textwrap


def slurmhub(*arguments: str, before: str = "") -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own, after some lines of Python."""
    code = f"{textwrap.dedent(before)}\nfrom slurmhub_deploy.main import main; main()"
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False
    )


def test_its_verbs_are_there() -> None:
    shown = slurmhub("helper", "install", "--help")
    assert shown.returncode == 0, shown.stderr
    assert "--hub-account" in re.sub(r"\x1b\[[0-9;]*m", "", shown.stdout)


def test_without_typer_it_says_what_to_install() -> None:
    shown = slurmhub("helper", before="import sys; sys.modules['typer'] = None")
    assert shown.returncode == 1
    assert "pip install typer rich" in shown.stderr
    assert "Traceback" not in shown.stderr


def test_an_error_is_what_happened_and_what_to_do() -> None:
    shown = slurmhub(
        "helper",
        "install",
        before="""
        from slurmhub.errors import SlurmhubError
        import slurmhub_deploy.helper_command as command
        def install(*_, **__):
            raise SlurmhubError("The disk is full.", remedy="Make room.")
        command.install = install
        """,
    )
    assert shown.returncode == 1
    assert shown.stderr == "slurmhub: The disk is full.\nWhat to do: Make room.\n"

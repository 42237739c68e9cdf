"""The `slurmhub` command: wires its verbs, each of which has a file of its own."""

from __future__ import annotations

import importlib
import inspect
import sys
from typing import TYPE_CHECKING, NoReturn

from slurmhub.errors import SlurmhubError

if TYPE_CHECKING:
    import typer

_VERBS = {
    "init": "site.init_command",
    "check": "site.check_command",
    "schema": "site.schema_command",
    "plan": "operate.plan_command",
    "up": "operate.up_command",
    "down": "operate.down_command",
    "secret": "operate.secrets.command",
    "bundle": "delivery.bundle_command",
    "status": "status.command",
    "doctor": "doctor.command",
    "smoke": "smoke.command",
    "ssh": "operate.ssh_command",
    "logs": "operate.logs_command",
    "quota": "operate.verbs.quota",
    "user": "operate.verbs.user",
    "drain": "operate.verbs.drain",
    "undrain": "operate.verbs.drain",
    "announce": "operate.verbs.announce",
    "course": "courses.command",
    "helper": "helper_command",
    "identity": "identity_command",
    "front": "front.command",
    "hub-backup": "hub_backup_command",
}
"""The module of each verb, in the order in which `slurmhub --help` lists them."""


def main() -> None:
    """Run the command; an error is what happened and what to do, and its status, 1."""
    try:
        app = command(sys.argv[1] if len(sys.argv) > 1 else None)
    except ModuleNotFoundError as error:
        if error.name not in {"typer", "rich"}:
            raise
        _fail(
            f"The slurmhub command needs the package {error.name}, which is not installed.",
            "pip install typer rich",
        )
    try:
        app(prog_name="slurmhub")
    except SlurmhubError as error:
        _fail(error.what, error.remedy, getattr(error, "status", 1))


def command(verb: str | None = None) -> typer.Typer:
    """The command with the one verb that was typed, or with all where that is none of them.

    All of them take a second to load. Raises ModuleNotFoundError without the extra `deploy`.
    """
    import typer

    app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
    # Without it, typer takes an only verb for the command itself.
    app.callback()(_slurmhub)
    for name in [verb] if verb in _VERBS else _VERBS:
        module = importlib.import_module(f"slurmhub_deploy.{_VERBS[name]}")
        found = getattr(module, name.replace("-", "_"))
        if isinstance(found, typer.Typer):
            app.add_typer(_flowing(found), name=name)
        else:
            app.command(name)(found)
    return _flowing(app)


def _flowing(app: typer.Typer) -> typer.Typer:
    """The same, its help as wide as the terminal: typer keeps a docstring's own line ends."""
    for each in app.registered_commands:
        words = inspect.cleandoc(each.help or (each.callback and each.callback.__doc__) or "")
        each.help = "\n\n".join(part.replace("\n", " ") for part in words.split("\n\n"))
    return app


def _slurmhub() -> None:
    """JupyterHub on Slurm: the tools around the hub."""


def _fail(what: str, remedy: str, status: int = 1) -> NoReturn:
    print(f"slurmhub: {what}\nWhat to do: {remedy}", file=sys.stderr)
    sys.exit(status)

"""The `slurmhub` command: wires its verbs, each of which has a file of its own."""

from __future__ import annotations

import sys

from slurmhub.errors import SlurmhubError


def main() -> None:
    """Run the command; an error is what happened and what to do, and status 1."""
    try:
        import typer

        from slurmhub_deploy.front.command import front
        from slurmhub_deploy.helper_command import helper
        from slurmhub_deploy.identity_command import identity
        from slurmhub_deploy.site.check_command import check
        from slurmhub_deploy.site.init_command import init
        from slurmhub_deploy.site.schema_command import schema
    except ModuleNotFoundError as error:
        if error.name not in {"typer", "rich"}:
            raise
        _fail(
            f"The slurmhub command needs the package {error.name}, which is not installed.",
            "pip install typer rich",
        )
    app = typer.Typer(
        help="JupyterHub on Slurm: the tools around the hub.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    app.add_typer(helper, name="helper")
    app.add_typer(identity, name="identity")
    app.add_typer(front, name="front")
    app.command()(init)
    app.command()(check)
    app.command()(schema)
    try:
        app(prog_name="slurmhub")
    except SlurmhubError as error:
        _fail(error.what, error.remedy)


def _fail(what: str, remedy: str) -> None:
    print(f"slurmhub: {what}\nWhat to do: {remedy}", file=sys.stderr)
    sys.exit(1)

"""The `slurmhub` command: wires its verbs, each of which has a file of its own."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, NoReturn

from slurmhub.errors import SlurmhubError

if TYPE_CHECKING:
    import typer


def main() -> None:
    """Run the command; an error is what happened and what to do, and its status, 1."""
    try:
        app = command()
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


def command() -> typer.Typer:
    """The command with all its verbs; raises ModuleNotFoundError without the extra `deploy`."""
    import typer

    from slurmhub_deploy.delivery.bundle_command import bundle
    from slurmhub_deploy.doctor.command import doctor
    from slurmhub_deploy.front.command import front
    from slurmhub_deploy.helper_command import helper
    from slurmhub_deploy.hub_backup_command import hub_backup
    from slurmhub_deploy.identity_command import identity
    from slurmhub_deploy.operate.down_command import down
    from slurmhub_deploy.operate.logs_command import logs
    from slurmhub_deploy.operate.plan_command import plan
    from slurmhub_deploy.operate.secrets.command import secret
    from slurmhub_deploy.operate.ssh_command import ssh
    from slurmhub_deploy.operate.up_command import up
    from slurmhub_deploy.operate.verbs.announce import announce
    from slurmhub_deploy.operate.verbs.drain import drain, undrain
    from slurmhub_deploy.operate.verbs.quota import quota
    from slurmhub_deploy.operate.verbs.user import user
    from slurmhub_deploy.site.check_command import check
    from slurmhub_deploy.site.init_command import init
    from slurmhub_deploy.site.schema_command import schema
    from slurmhub_deploy.smoke.command import smoke
    from slurmhub_deploy.status.command import status

    app = typer.Typer(
        help="JupyterHub on Slurm: the tools around the hub.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    app.add_typer(helper, name="helper")
    app.add_typer(identity, name="identity")
    app.add_typer(front, name="front")
    app.command()(hub_backup)
    app.command()(bundle)
    app.command()(init)
    app.command()(check)
    app.command()(smoke)
    app.command()(schema)
    app.command()(plan)
    app.command()(up)
    app.command()(down)
    app.command()(ssh)
    app.command()(logs)
    app.command()(status)
    app.command()(doctor)
    app.command()(drain)
    app.command()(undrain)
    app.command()(announce)
    app.add_typer(secret, name="secret")
    app.add_typer(quota, name="quota")
    app.add_typer(user, name="user")
    return app


def _fail(what: str, remedy: str, status: int = 1) -> NoReturn:
    print(f"slurmhub: {what}\nWhat to do: {remedy}", file=sys.stderr)
    sys.exit(status)

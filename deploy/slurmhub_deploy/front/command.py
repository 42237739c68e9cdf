"""`slurmhub front`: the files of Apache and Shibboleth in front of the hub."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from slurmhub_deploy.front.check import check_with_programs
from slurmhub_deploy.front.keys import Made, make_keys
from slurmhub_deploy.front.registration import write_registration
from slurmhub_deploy.front.render import render, write
from slurmhub_deploy.front.settings import FrontSettings, load_settings

front = typer.Typer(
    help="Apache and Shibboleth in front of the hub: configuration, keys, registration.",
    no_args_is_help=True,
)

SettingsFile = Annotated[Path, typer.Option("--settings", help="The front's settings, in YAML.")]
Folder = Annotated[Path, typer.Option("--to", help="Folder to write into.")]


@front.command("render")
def render_front(
    settings: SettingsFile,
    to: Folder,
    check: Annotated[
        bool, typer.Option("--check", help="Have apache2 -t and shibd -t read it as well.")
    ] = False,
) -> None:
    """Write the configuration of Apache and of Shibboleth; a second run changes nothing.

    What goes where: apache/slurmhub.conf is a site of Apache's, apache/pages belongs into
    `apache_folder`, and what is in shibboleth/ into `shibboleth_folder`.
    """
    found = load_settings(settings)
    texts = render(found)
    if check:
        for line in check_with_programs(found):
            _say(f"shibd warns: {line}")
        _say("apache2 -t and shibd -t accept this configuration.")
    changed = write(texts, to)
    for path in changed:
        _say(f"{path}: written")
    if not changed:
        _say("Everything was as it should be; nothing was changed.")


@front.command("keys")
def front_keys(settings: SettingsFile) -> None:
    """Make the service provider's keys and the secret between front and hub, once.

    What is there is never overwritten. Run as root on the front's host.
    """
    found = load_settings(settings)
    for line in report(found, make_keys(found)):
        _say(line)


@front.command("registration")
def front_registration(settings: SettingsFile, to: Folder) -> None:
    """Write what the federation's operator needs: metadata, a summary to read, the logo."""
    for path in write_registration(load_settings(settings), to):
        _say(f"{path}: written")
    _say("Send this folder to your federation, or to the identity provider's operators.")


def report(settings: FrontSettings, outcome: list[Made]) -> list[str]:
    """What was made, for people, and what to do with it."""
    lines = [f"{made.path}: {'made' if made.new else 'was there, and stays'}" for made in outcome]
    folders = " and ".join(map(str, settings.key_folders))
    lines.append(
        f"Back up {folders} now, where only operators can read it. The federation knows this"
        " service by these keys: with others nobody can sign in until it has published them."
    )
    return lines


def _say(line: str) -> None:
    Console(highlight=False, soft_wrap=True).print(line, markup=False)

"""`slurmhub bundle`: everything needed to set up hosts without the internet."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from slurmhub_deploy.delivery.bundle import make_bundle
from slurmhub_deploy.delivery.manifest import other_locks, verify_bundle
from slurmhub_deploy.errors import DeployError


def bundle(
    to: Annotated[Path, typer.Option(help="The folder that it is made in.")],
    suite: Annotated[str, typer.Option(help="What the hosts have.")] = "bookworm",
    verify: Annotated[
        bool, typer.Option("--verify", help="Make nothing; see whether the one there is whole.")
    ] = False,
) -> None:
    """Gather packages, wheels and the proxy for hosts that do not reach the internet.

    Run as root on a machine that reaches it, with mmdebstrap. Takes some minutes, 300 MB, and 2 GB
    while it runs.
    """
    if not verify:
        print(make_bundle(to, suite, say=print))
        return
    wrong = verify_bundle(to)
    if wrong:
        raise DeployError(
            f"{', '.join(wrong)} in {to} is not what the manifest says.",
            remedy="Copy the bundle again, or make it again.",
        )
    others = other_locks(to)
    if others:
        raise DeployError(
            f"{to} is whole, but of another {' and '.join(others)} than this slurmhub has.",
            remedy="Make it again with this slurmhub.",
        )
    print(f"{to} is whole.")

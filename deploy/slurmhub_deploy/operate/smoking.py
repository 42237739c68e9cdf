"""After a run: a sign-in with the test account, a job, a kernel, a file, for each hub."""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import Console

from slurmhub_deploy.operate.errors import DONE, SMOKE_FAILED
from slurmhub_deploy.operate.site_file import OpenSite


def smoke_hubs(opened: OpenSite, secrets: Mapping[str, str], console: Console) -> int:
    """Try every hub that has a test account, and say of the others that nobody did.

    Exit status: 0, or SMOKE_FAILED if one of them did not work.
    """
    status = DONE
    for name, hub in opened.site.hubs.items():
        if getattr(hub, "probe", None) is None:
            _say(
                console,
                f"Hub {name}: not tried, since it has no test account (`hubs.{name}.probe`)."
                f" Sign in at https://{hub.domain} yourself.",
            )
        elif not _works(opened, name, secrets, console):
            status = SMOKE_FAILED
    return status


def _works(opened: OpenSite, name: str, secrets: Mapping[str, str], console: Console) -> bool:
    from slurmhub_deploy.smoke import smoke

    report = smoke(opened.site, name, secrets, folder=opened.folder)
    _say(console, report.as_text())
    return report.worked


def _say(console: Console, text: str) -> None:
    console.print(text, markup=False, highlight=False, soft_wrap=True)

"""Checks of what watches the site."""

from __future__ import annotations

from collections.abc import Iterator

from slurmhub_deploy.site.checks.finding import Around, Said
from slurmhub_deploy.site.model import Path


def alerts_are_sent(around: Around) -> Iterator[Said]:
    """Who is to be told by mail needs a mail server."""
    watch = around.site.monitoring
    if watch is None:
        return
    path: Path = ("monitoring", "alerts_to")
    if watch.alerts_to and watch.mail_relay is None:
        yield Said(
            path,
            "nothing says which mail server takes the alerts",
            "Name one in `mail_relay`.",
            (("monitoring",),),
        )


def grafana_is_trusted(around: Around) -> Iterator[Said]:
    """Packages of an archive of others need the archive's key."""
    watch = around.site.monitoring
    if watch is None or not watch.grafana:
        return
    path: Path = ("monitoring", "grafana")
    if watch.grafana_key is None:
        yield Said(
            path,
            "nothing is there to check the packages of Grafana's archive with",
            "Fetch its key, check the fingerprint with Grafana's documentation, name the file in"
            " `grafana_key`.",
            (("monitoring",),),
        )
    elif not (around.folder / watch.grafana_key).is_file():
        yield Said(
            ("monitoring", "grafana_key"),
            f"{watch.grafana_key} is not there",
            "Put the file beside the site file, or write where it is.",
        )

"""Prometheus, its alerts, and dashboards."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from slurmhub_deploy.front.settings import Mail
from slurmhub_deploy.site.base import SiteModel
from slurmhub_deploy.site.texts import HostName
from slurmhub_deploy.site.tls import LocalFile


class Monitoring(SiteModel):
    """What watches the site."""

    host: HostName = Field(
        description="The host of Prometheus and alertmanager.", examples=["monitor"]
    )
    retention_days: Annotated[int, Field(ge=1, le=3650)] = Field(
        default=90, description="For how many days measurements are kept."
    )
    grafana: bool = Field(
        default=False,
        description="Whether dashboards are set up as well. Grafana is in no distribution: it comes"
        " from the archive of its makers; with a bundle, install it on the host beforehand.",
    )
    grafana_key: LocalFile | None = Field(
        default=None,
        description="For `grafana`: the key of that archive, armoured, in a file beside the site"
        " file.",
    )
    alerts_to: tuple[Mail, ...] = Field(default=(), description="Mail addresses that alerts go to.")
    mail_relay: Annotated[str, Field(pattern=r"^[A-Za-z0-9.-]+(:[0-9]{1,5})?$")] | None = Field(
        default=None, description="The mail server that takes them, `host` or `host:port`."
    )
    mail_tls: bool = Field(
        default=True,
        description="Whether mail is sent only if that server offers STARTTLS.",
    )

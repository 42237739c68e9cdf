"""Which secrets a site needs, and where each comes from: a pure function of the site.

The names are those that plays know them by, as keys of `slurmhub_secrets`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from slurmhub_deploy.operate.secrets import making
from slurmhub_deploy.operate.secrets.making import Maker
from slurmhub_deploy.site.clusters import ExistingCluster
from slurmhub_deploy.site.course_folders import kept
from slurmhub_deploy.site.homes import NfsHomes
from slurmhub_deploy.site.hubs import Hub
from slurmhub_deploy.site.model import Site
from slurmhub_deploy.site.secret_source import SecretSource
from slurmhub_deploy.site.tls import AcmeTls


@dataclass(frozen=True)
class Needed:
    """One secret, or several that are made together and are of no use apart.

    It is made at first use (`maker`) or comes from where the site file says (`source`).
    """

    names: tuple[str, ...]
    what: str
    maker: Maker | None = None
    source: SecretSource | None = None
    base64: bool = False
    """Whether it is bytes, given as base64."""


def needed_by(site: Site) -> tuple[Needed, ...]:
    """All secrets of this site, in a fixed order."""
    return (
        *_of_clusters(site),
        *_of_directory(site),
        *_of_homes(site),
        *(each for name in site.hubs for each in _of_hub(site, name)),
        *_of_monitoring(site),
    )


def _made(name: str, what: str, maker: Maker) -> Needed:
    return Needed((name,), what, maker=maker)


def _of_clusters(site: Site) -> Iterator[Needed]:
    for name, cluster in site.clusters.items():
        key = f"munge.{name}"
        if isinstance(cluster, ExistingCluster):
            if cluster.munge_key is not None:
                what = f"munge's key on the cluster {name}, as base64"
                yield Needed((key,), what, source=cluster.munge_key, base64=True)
            continue
        yield _made(key, f"munge's key on the cluster {name}, as base64", making.munge_key)


def _of_directory(site: Site) -> Iterator[Needed]:
    directory = site.directory
    if directory.kind == "made":
        yield _made("directory.admin", "the directory's administrator", making.words)
        yield _made("directory.reader", "whom hosts read the directory as", making.words)
        for name in site.hubs:
            what = f"whom the hub {name} makes accounts as in the directory"
            yield _made(f"directory.hub.{name}", what, making.words)
    elif directory.kind == "joined" and directory.bind_password is not None:
        what = "whom hosts read the institution's directory as"
        yield Needed(("directory.bind",), what, source=directory.bind_password)


def _of_homes(site: Site) -> Iterator[Needed]:
    for name, homes in site.homes.items():
        if not isinstance(homes, NfsHomes):
            yield Needed(
                (f"homes_ssh_key.{name}", f"homes_ssh_public.{name}"),
                f"by which hubs ask the server of the homes {name} for a home",
                maker=making.ssh_pair(f"slurmhub-homes-{name}"),
            )


def _of_hub(site: Site, name: str) -> Iterator[Needed]:
    hub = site.hubs[name]
    yield _made(f"hub_cookie.{name}", "signs JupyterHub's cookies", making.hexadecimal)
    yield _made(f"hub_crypt.{name}", "encrypts what JupyterHub keeps", making.hexadecimal)
    yield _made(f"hub_key.{name}", "jobs derive their tokens from it", making.hexadecimal)
    yield _made(f"proxy_token.{name}", "between the hub and its proxy", making.hexadecimal)
    yield _made(f"metrics_token.{name}", "Prometheus reads metrics with it", making.hexadecimal)
    yield _made(f"probe_token.{name}", "announce, drain and status use it", making.hexadecimal)
    yield _made(f"front_secret.{name}", "between the front and the hub", making.front_secret)
    if hub.courses is not None:
        what = "the service of courses is known to the hub by it"
        yield _made(f"courses_token.{name}", what, making.hexadecimal)
    if kept(site, name) is not None:
        yield Needed(
            (f"courses_ssh_key.{name}", f"courses_ssh_public.{name}"),
            "by which the service of courses has their folders made",
            maker=making.ssh_pair(f"slurmhub-courses-{name}"),
        )
    for use in ("signing", "encryption"):
        yield Needed(
            (f"sp_{use}_key.{name}", f"sp_{use}_certificate.{name}"),
            f"the service provider's, for {use}; the federation knows the hub by it",
            maker=making.provider_pair(hub.domain, hub.sign_in.entity_id),
        )
    yield from _given_to_hub(site, name, hub)


def _given_to_hub(site: Site, name: str, hub: Hub) -> Iterator[Needed]:
    tls = site.tls_of(hub)[1]
    if not isinstance(tls, AcmeTls):
        what = f"the private key of the certificate of {hub.domain}"
        yield Needed((f"tls_key.{name}",), what, source=tls.key)
    elif tls.dns_credential is not None:
        what = f"what the DNS hook for {hub.domain} needs"
        yield Needed((f"dns_credential.{name}",), what, source=tls.dns_credential)
    probe = getattr(hub, "probe", None)
    if probe is not None:
        what = "password of the test account"
        yield Needed((f"probe_password.{name}",), what, source=probe.password)


def _of_monitoring(site: Site) -> Iterator[Needed]:
    if site.monitoring is not None and site.monitoring.grafana:
        yield _made("grafana_admin", "Grafana's administrator", making.words)

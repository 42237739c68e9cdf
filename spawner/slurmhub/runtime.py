"""What all spawners of one hub share: its ledger, its jobs, its view of the cluster."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from slurmhub import announcing
from slurmhub.assets import asset
from slurmhub.certificates import issue
from slurmhub.courses.seen import SeenCourses
from slurmhub.courses.slurm.desired import is_courses
from slurmhub.enrolment import Enrolment
from slurmhub.errors import SlurmhubError
from slurmhub.files.folder import Files
from slurmhub.idle.activity import last_used
from slurmhub.idle.watch import IdleWatch
from slurmhub.job.crossing import Crossing, person
from slurmhub.job.job import Job
from slurmhub.jobs import Jobs
from slurmhub.keys import load_key
from slurmhub.ledger import Ledger
from slurmhub.measuring import cluster, labels
from slurmhub.measuring.orphans import Orphans
from slurmhub.notices import Notices
from slurmhub.offers import Offers
from slurmhub.options.cards import warm
from slurmhub.options.limits import SiteLimits
from slurmhub.options.offer import Offer
from slurmhub.options.profiles import SiteProfiles
from slurmhub.presets import Presets
from slurmhub.rendezvous import Rendezvous
from slurmhub.rights import PeoplesRights
from slurmhub.session.extend import Extensions
from slurmhub.session.log import LogReader
from slurmhub.slurm.accounting_cache import AccountingCache
from slurmhub.slurm.client import SlurmClient
from slurmhub.slurm.facts import FactsCache
from slurmhub.slurm.records import ClusterFacts
from slurmhub.waiting.outlook import Waiting


class SettingUnusable(SlurmhubError):
    """A setting of the hub that slurmhub cannot work with."""


@dataclass
class Runtime:
    """One hub's jobs on one cluster, built from the settings on first use."""

    jobs: Jobs
    client: SlurmClient
    facts: FactsCache
    rendezvous: Rendezvous
    limits: SiteLimits
    key: bytes
    extensions: Extensions
    logs: LogReader
    profiles: SiteProfiles
    presets: Presets
    files: Files
    waiting: Waiting
    people: PeoplesRights
    idle: IdleWatch
    offers: Offers
    orphans: Orphans
    enrolment: Enrolment
    course_offers: Offers
    courses: SeenCourses | None = None

    def offer(self, account: str | None = None) -> Offer | None:
        """What may be asked for now, from cached facts; None while there are none.

        With the name of a Unix account, what this person may ask for.
        """
        return self.offers.of(account)


# Our pages; `slurmhub.configure` puts them before JupyterHub's own.
TEMPLATES = Path(__file__).parent / "web" / "templates"

_runtime: Runtime | None = None


def runtime(settings: Any) -> Runtime:
    """The hub's runtime; `settings` is any spawner, whose traits and hub it is built from.

    Must first be called on the hub's event loop. Raises SlurmhubError when a
    setting cannot be used.
    """
    global _runtime
    if _runtime is None:
        _runtime = _build(settings)
        _runtime.jobs.start()
        _runtime.facts.refresh()
        _runtime.idle.start()
        _runtime.orphans.start()
        if settings.max_extension:
            _runtime.extensions.begin()
    return _runtime


def current() -> Runtime | None:
    """The runtime, where one was built."""
    return _runtime


async def close() -> None:
    """Forget the runtime; jobs go on. For a hub that ends within a living process."""
    global _runtime
    if _runtime is not None:
        _runtime.idle.close()
        _runtime.orphans.close()
        await _runtime.jobs.close()
        if _runtime.courses is not None:
            await _runtime.courses.close()
        _runtime = None


def _build(settings: Any) -> Runtime:
    log: logging.Logger = settings.log
    # Both are built again for every server; what is wrong with them must show now.
    settings.script_policy(), settings.site_limits()
    profiles = settings.site_profiles()
    warm()
    idle_policies = settings.read_idle_policies()
    _warn_without_configure(settings.hub_app, log)
    conf = Path(settings.slurm_conf) if settings.slurm_conf else None
    if conf is not None and not conf.is_file():
        raise SettingUnusable(
            f"c.SlurmHubSpawner.slurm_conf is {conf}, and there is no such file.",
            remedy="Give the path of the cluster's slurm.conf, or leave it out.",
        )
    bin_dir = Path(settings.slurm_bin_dir)
    client = SlurmClient(bin_dir=bin_dir, conf=conf, timeout=settings.slurm_timeout)
    key = load_key(Path(settings.key_file))
    crossing = Crossing(
        bundled=asset("libexec/slurmhub-as-user"),
        installed=Path(settings.helper),
        bin_dir=bin_dir,
        slurm_conf=conf,
    )
    jobs = Jobs(
        ledger=Ledger(settings.ledger_url, log=log),
        client=client,
        crossing=crossing,
        accounts=lambda name: person(name).account,
        log=log,
        rest_interval=settings.watch_interval,
    )
    announcing.use(Notices(jobs.ledger.engine))
    limits = settings.site_limits()
    accounting = AccountingCache(client, log=log)
    courses = settings.seen_courses(log)
    people = PeoplesRights(
        accounting, log=log, not_offered=(lambda _: False) if courses is None else is_courses
    )
    facts = FactsCache(client, log=log, prepare=partial(_prepare, limits=limits))
    labels.use(labels.bounds_of(facts, [one.name for one in profiles.profiles], accounting))
    rendezvous = Rendezvous(
        jobs,
        key=key,
        ports=settings.port_range,
        forbidden_ports=partial(_own_ports, settings.hub_app),
        address_of=_Addresses(facts, settings.node_addresses).of,
        certify=_Certifier(settings).server,
        log=log,
    )
    return Runtime(
        jobs,
        client,
        facts,
        rendezvous,
        limits,
        key,
        Extensions(jobs, client, facts, accounting, log=log),
        LogReader(crossing),
        profiles,
        Presets(jobs.ledger.engine),
        Files(crossing),
        Waiting.on(client, crossing, facts, jobs.switch.alternative, log=log),
        people,
        idle=IdleWatch(
            jobs,
            idle_policies,
            last_used=partial(last_used, settings.hub_app),
            usage_interval=settings.usage_interval,
            log=log,
        ),
        offers=Offers(facts, people, limits),
        orphans=Orphans(
            jobs, client, hub_name=settings.hub_name, look_at_cluster=facts.refresh, log=log
        ),
        enrolment=_enrolment(settings, client, accounting),
        course_offers=Offers(facts, people, settings.course_limits(limits)),
        courses=courses,
    )


def _enrolment(settings: Any, client: SlurmClient, accounting: AccountingCache) -> Enrolment:
    if settings.enrol and not settings.slurm_account:
        raise SettingUnusable(
            "c.SlurmHubSpawner.enrol is set, and slurm_account is not: into which account?",
            remedy="Name the account in c.SlurmHubSpawner.slurm_account.",
        )
    account = settings.slurm_account if settings.enrol else ""
    return Enrolment(client, accounting, account, log=settings.log)


def _prepare(facts: ClusterFacts, *, limits: SiteLimits) -> None:
    """What is made of new facts before anybody gets them; runs in a thread."""
    Offer.from_facts(facts, limits)
    cluster.show(facts)


class _Addresses:
    """Where nodes are reached: the site's map first, then Slurm's NodeAddr."""

    def __init__(self, facts: FactsCache, mapped: Mapping[str, str]) -> None:
        self._facts = facts
        self._mapped = mapped

    async def of(self, node: str) -> str | None:
        if node in self._mapped:
            return self._mapped[node]
        return await self._facts.address(node)


class _Certifier:
    """Certificates for jobs, where the hub runs with internal_ssl."""

    def __init__(self, settings: Any) -> None:
        app = settings.hub_app
        self._store = Path(app.internal_certs_location) if app and app.internal_ssl else None
        bundles = app.internal_trust_bundles if self._store else {}
        self._trust = {name: Path(path) for name, path in bundles.items()}

    async def server(self, job: Job, address: str) -> Mapping[str, str] | None:
        if self._store is None:
            return None
        certificate = await asyncio.to_thread(
            issue,
            self._store,
            name=f"user-{job.intent.username}",
            addresses=[address],
            trust=self._trust["notebooks-ca"],
        )
        return certificate.payload()


def _warn_without_configure(app: Any, log: logging.Logger) -> None:
    if app is not None and str(TEMPLATES) not in app.template_paths:
        log.warning(
            "slurmhub.configure(c) was not called in jupyterhub_config.py. This hub has no page "
            "that says why a server waits, cancels servers when it is stopped, refuses starts "
            "once a hundred people wait, and repeats unconfirmed cancels only after a sign-in."
        )


def _own_ports(app: Any) -> frozenset[int]:
    """The ports of the hub and its proxy, which no job may claim."""
    if app is None:
        return frozenset()
    urls = [app.bind_url, app.hub_bind_url, app.hub.url, getattr(app.proxy, "api_url", "")]
    ports = {urlsplit(url).port for url in urls if url}
    return frozenset(port for port in ports if port)

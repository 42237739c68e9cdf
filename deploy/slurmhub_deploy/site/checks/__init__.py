"""Checks of what only several parts of a site file together can show: a function for each.

A check yields what it finds; none stops another. Its name, with '-' for '_', is the rule that
`slurmhub check --json` names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path as FilePath

from slurmhub_deploy.site.checks import (
    clusters,
    control,
    courses,
    homes,
    hosts,
    hubs,
    monitoring,
    pages,
    people,
    profiles,
    signing_in,
    tls,
)
from slurmhub_deploy.site.checks.finding import Around, Finding, Said
from slurmhub_deploy.site.model import Site

Check = Callable[[Around], Iterator[Said]]

CHECKS: tuple[Check, ...] = (
    control.ssh_config_is_there,
    control.vault_opens_from_outside,
    control.bundle_is_there,
    hosts.ssh_from_is_kept_by_the_firewall,
    hosts.names_differ,
    hosts.addresses_differ,
    hosts.hosts_exist,
    hosts.hosts_are_used,
    hosts.one_machine_has_loopback,
    hosts.controllers_are_apart,
    clusters.one_cluster_each,
    clusters.nodes_once,
    clusters.partitions_have_nodes,
    clusters.one_default_partition,
    clusters.partition_times_agree,
    clusters.gpu_files_agree,
    clusters.existing_clusters_are_reached,
    homes.paths_differ,
    homes.quotas_are_sane,
    homes.devices_once,
    homes.snapshots_are_kept,
    homes.homes_are_used,
    hubs.names_exist,
    hubs.numbers_differ,
    hubs.domains_differ,
    hubs.hubs_have_hosts_of_their_own,
    hubs.limits_agree,
    hubs.limits_fit_the_cluster,
    hubs.gpus_exist,
    hubs.somebody_can_start,
    pages.idle_times_agree,
    pages.settings_are_known,
    pages.modules_are_there,
    profiles.profiles_are_read,
    profiles.profiles_fit_the_cluster,
    courses.courses_are_made_by_somebody,
    courses.courses_reach_their_staff,
    courses.courses_bounds_agree,
    courses.courses_fit_the_cluster,
    courses.courses_have_an_account_of_their_own,
    courses.courses_folders_have_a_disk,
    people.uids_are_free,
    people.hubs_that_share,
    people.directory_serves_all,
    people.accounts_come_from_somewhere,
    signing_in.front_can_be_made,
    signing_in.sessions_agree,
    signing_in.groups_are_read,
    signing_in.entities_differ,
    signing_in.files_are_there,
    tls.authority_reaches_the_domain,
    tls.certificate_names_the_domain,
    monitoring.alerts_are_sent,
    monitoring.grafana_is_trusted,
)


def findings(site: Site, folder: FilePath) -> Iterator[Finding]:
    """All that the checks find; `folder` is that of the site file."""
    around = Around(site, folder)
    for check in CHECKS:
        for said in check(around):
            yield said.by(check.__name__.replace("_", "-"))

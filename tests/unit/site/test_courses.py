"""What follows from `courses` of a hub: the service, the hub's settings, what Slurm is told."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest

from slurmhub.courses.policy import Policy
from slurmhub.courses.service.settings import ServiceSettings
from slurmhub.from_file import check_names
from slurmhub_deploy.doctor.tasks import tasks_of
from slurmhub_deploy.operate.secrets.catalogue import needed_by
from slurmhub_deploy.site.hub_config import hub_config
from slurmhub_deploy.site.inventory import inventory
from slurmhub_deploy.site.model import Site
from tests.unit.site.fixtures import HERE, RIGHT, read, site

COURSES = """\
    admins: [alice]
    courses:
      makers: [instructors]
      approvers: [heads]
      bounds: {cpus: 8, memory: 16G, gpus: 1, hours: 8, seats: 400}
      free: {gpus: 0, seats: 100}
      total: {running_gpus: 2}
      partitions: [cpu, gpu]
      repositories: [git.example.ca]
      retention: {freeze_after: 21}
      rates: {gpu_hour: {a100: 1.2}}
      mail: {relay: mail.example.ca}
"""
HOMES = "  main: {backend: btrfs, server: ctl, volume: homes, quota: 10G}\n"
OWN_DISK = "  courses: {backend: zfs, server: ctl, pool: tank, path: /courses, quota: null}\n"
GROUPS = """\
      groups:
        - {attribute: entitlement, equals: urn:x-example:instructor, group: instructors}
        - {attribute: entitlement, equals: urn:x-example:head, group: heads}
"""
GOLDEN = HERE / "golden" / "with-courses.json"


def with_courses(text: str = COURSES) -> Site:
    loaded = read(RIGHT + GROUPS + text)
    assert loaded.problems == ()
    assert loaded.site is not None
    return loaded.site


def variables(found: Site) -> dict[str, Any]:
    return dict(inventory(found)["all"]["vars"])


def test_what_follows_is_in_the_file_beside() -> None:
    """Only what a site without courses has not; `SLURMHUB_GOLDEN=write` writes it again."""
    with_them, without = variables(with_courses()), variables(with_courses("    admins: [alice]\n"))
    text = json.dumps(_more(with_them, without), indent=1, ensure_ascii=False) + "\n"
    if os.environ.get("SLURMHUB_GOLDEN") == "write":
        GOLDEN.write_text(text)
    assert GOLDEN.read_text() == text


def _more(one: Any, other: Any) -> Any:
    """What of `one` is not in `other`; nothing of `other` may be lacking or another way."""
    if isinstance(one, dict) and isinstance(other, dict):
        assert set(other) <= set(one)
        found = {name: _more(value, other.get(name)) for name, value in one.items()}
        return {name: value for name, value in found.items() if value is not None} or None
    if isinstance(one, list) and isinstance(other, list):
        assert all(each in one for each in other)
        return [each for each in one if each not in other] or None
    assert other is None or one == other
    return one if other is None else None


def test_the_service_reads_its_settings_as_they_are_written() -> None:
    data = variables(with_courses())["slurmhub_hubs"]["main"]["courses"]["settings"]
    settings = ServiceSettings.model_validate(json.loads(json.dumps(data)))
    assert settings.hub == "main"
    assert settings.policy.makers == ("instructors",)
    assert settings.policy.retention.freeze_after == 21
    assert settings.cluster is not None
    assert settings.cluster.shared_qos == "courses"


def test_hub_and_service_are_of_one_mind() -> None:
    found = with_courses()
    hub = hub_config(found, "main")
    service = variables(found)["slurmhub_hubs"]["main"]["courses"]
    settings = hub["settings"]
    check_names(settings, "the test")
    assert settings["SlurmHubSpawner.courses_url"] == service["settings"]["database"]
    assert settings["SlurmHubSpawner.hub_name"] == service["settings"]["hub"]
    mine = Policy.model_validate(settings["SlurmHubSpawner.courses_policy"])
    assert mine == ServiceSettings.model_validate(service["settings"]).policy
    assert hub["courses"]["url"] == service["url"] == "http://127.0.0.1:8061"
    assert service["hub_api_url"] == f"{settings['JupyterHub.hub_bind_url']}/hub/api"


def test_prometheus_reaches_the_service_where_there_is_one() -> None:
    found = with_courses(f"{COURSES}monitoring: {{host: ctl}}\n")
    assert variables(found)["slurmhub_hubs"]["main"]["courses"]["url"] == "http://192.0.2.10:8061"


def test_a_cluster_of_ones_own_has_an_account_and_a_qos_for_courses() -> None:
    cluster = variables(with_courses())["slurmhub_clusters"]["main"]
    (parent,) = cluster["course_accounts"]
    assert (parent["name"], parent["flags"]) == ("courses", ["DenyOnLimit"])
    names = [each["name"] for each in cluster["operators"]]
    assert names == ["slurmhub-main", "slurmhub-course-main"]
    assert len({each["uid"] for each in cluster["operators"]}) == 2


def test_doctor_looks_at_the_service() -> None:
    task = tasks_of(inventory(with_courses()))["hub"]
    (hub,) = task["hubs"]
    assert hub["courses"] == "http://127.0.0.1:8061/services/courses/health"
    assert "slurmhub-main-courses.service" in task["units"]
    (other,) = tasks_of(inventory(site()))["hub"]["hubs"]
    assert other["courses"] is None


def test_folders_are_beside_the_homes_and_nodes_see_them() -> None:
    found = with_courses()
    courses = variables(found)["slurmhub_hubs"]["main"]["courses"]
    folder = "/srv/slurmhub/homes/main/.courses/main"
    assert (courses["folders"]["server"], courses["folders"]["folder"]) == ("ctl", folder)
    seen = hub_config(found, "main")["settings"]["SlurmHubSpawner.course_folders"]
    assert seen == "/home/people/.courses/main"
    words = ["/usr/bin/ssh", "-F", "/etc/slurmhub/main/courses-ssh/config", "storage"]
    assert courses["settings"]["folders"]["command"] == words
    (hub,) = tasks_of(inventory(found))["hub"]["hubs"]
    assert hub["folders"] == words


def test_folders_on_a_disk_of_their_own_are_on_every_host_that_needs_them() -> None:
    text = RIGHT.replace(HOMES, HOMES + OWN_DISK) + GROUPS + COURSES + "      folders: courses\n"
    loaded = read(text)
    assert loaded.problems == ()
    assert loaded.site is not None
    found = variables(loaded.site)
    folders = found["slurmhub_hubs"]["main"]["courses"]["folders"]
    assert folders["folder"] == "/srv/slurmhub/homes/courses/.courses/main"
    assert folders["dataset"] == "tank/homes-courses"
    assert found["slurmhub_homes"]["courses"]["hosts"] == ["hub", "c1", "c2", "g1"]
    # Nobody's home is made there.
    assert found["slurmhub_homes"]["courses"]["hub_hosts"] == []


@pytest.mark.parametrize(
    ("homes", "more"),
    [
        (None, "      folders: false\n"),
        ("  main: {backend: nfs, server: files.example.ca, export: /homes}\n", ""),
    ],
    ids=["refused", "another's file server"],
)
def test_courses_without_folders(homes: str | None, more: str) -> None:
    text = RIGHT.replace(HOMES, homes or HOMES) + GROUPS + COURSES + more
    loaded = read(text)
    assert loaded.problems == ()
    assert loaded.site is not None
    courses = variables(loaded.site)["slurmhub_hubs"]["main"]["courses"]
    assert courses["folders"] is None
    assert "folders" not in courses["settings"]
    assert "SlurmHubSpawner.course_folders" not in hub_config(loaded.site, "main")["settings"]
    names = {name for each in needed_by(loaded.site) for name in each.names}
    assert not names & {"courses_ssh_key.main", "courses_ssh_public.main"}


def test_with_postgresql_it_is_a_database_of_its_own() -> None:
    found = with_courses(COURSES + "    database: postgresql\n")
    service = variables(found)["slurmhub_hubs"]["main"]["courses"]
    assert service["settings"]["database"] == (
        "postgresql+psycopg:///slurmhub-main-courses?host=/var/run/postgresql"
    )


def test_there_is_a_token_for_it() -> None:
    names = {name for each in needed_by(with_courses()) for name in each.names}
    assert names - {name for each in needed_by(site()) for name in each.names} == {
        "courses_token.main",
        "courses_ssh_key.main",
        "courses_ssh_public.main",
    }


def test_the_longest_name_of_a_hub_makes_names_of_accounts_that_there_can_be() -> None:
    text = (RIGHT + GROUPS + COURSES).replace("  main:\n    domain", f"  {'h' * 16}:\n    domain")
    loaded = read(text)
    assert loaded.site is not None, loaded.problems
    service = variables(loaded.site)["slurmhub_hubs"]["h" * 16]["courses"]
    assert len(service["unix_account"]) == 32

"""Where logs are: hosts, units and files that follow from the site."""

from __future__ import annotations

from pathlib import Path

import pytest

from slurmhub_deploy.operate.errors import OperateError
from slurmhub_deploy.operate.log_places import SUBJECTS, log_place
from slurmhub_deploy.operate.site_file import OpenSite
from tests.unit.site.fixtures import site
from tests.unit.site.test_examples import site_of

SITE = OpenSite(Path("/x/site.yml"), site())


@pytest.mark.parametrize(
    ("subject", "name", "host", "where"),
    [
        ("hub", None, "hub", "slurmhub-main.service"),
        ("proxy", "main", "hub", "slurmhub-main-proxy.service"),
        ("front", None, "hub", "/var/log/apache2/slurmhub-error.log"),
        ("shibboleth", None, "hub", "/var/log/shibboleth/shibd.log"),
        ("slurmctld", None, "ctl", "/var/log/slurm/slurmctld.log"),
        ("slurmdbd", None, "ctl", "/var/log/slurm/slurmdbd.log"),
        ("slurmd", "g1", "g1", "/var/log/slurm/slurmd.log"),
        ("node", "c2", "c2", "*"),
    ],
)
def test_places(subject: str, name: str | None, host: str, where: str) -> None:
    place = log_place(SITE, subject, name)
    assert place.host == host
    assert where in (place.unit, *place.files)


@pytest.mark.parametrize(
    ("subject", "name", "what"),
    [
        ("mail", None, "There is no log of mail."),
        ("slurmd", None, "There are several nodes."),
        ("slurmd", "hub", "There is no node hub."),
        ("hub", "other", "There is no hub other."),
    ],
)
def test_wrong_names(subject: str, name: str | None, what: str) -> None:
    with pytest.raises(OperateError) as raised:
        log_place(SITE, subject, name)
    assert raised.value.what == what
    assert raised.value.status == 2


def test_of_several_hubs_one_is_named() -> None:
    several = OpenSite(Path("/x/site.yml"), site_of("federation"))
    with pytest.raises(OperateError, match="several hubs"):
        log_place(several, "hub", None)


def test_commands() -> None:
    hub = log_place(SITE, "hub", None)
    usual = ["journalctl", "--no-pager", "--output=short-iso", "--quiet"]
    unit = "--unit=slurmhub-main.service"
    assert hub.argv(lines=5, since=None, follow=False) == [*usual, unit, "--lines=5"]
    assert hub.argv(lines=5, since="1 hour ago", follow=True) == [
        *usual,
        unit,
        "--since=1 hour ago",
        "--follow",
    ]
    assert log_place(SITE, "node", "c1").argv(lines=5, since=None, follow=False) == [
        *usual,
        "--lines=5",
    ]
    ctld = log_place(SITE, "slurmctld", None)
    assert ctld.argv(lines=5, since=None, follow=True) == [
        "tail",
        "--lines=5",
        "--follow=name",
        "/var/log/slurm/slurmctld.log",
    ]
    with pytest.raises(OperateError, match="is not asked by time"):
        ctld.argv(lines=5, since="1 hour ago", follow=False)


def test_all_subjects_are_known() -> None:
    names = {"slurmd": "c1", "node": "c1"}
    assert all(log_place(SITE, subject, names.get(subject)).host for subject in SUBJECTS)

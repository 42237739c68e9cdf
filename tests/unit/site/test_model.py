"""Every setting is described, has an example that is right, and names what the system takes."""

from __future__ import annotations

import zoneinfo
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from slurmhub.courses.model import CourseModel
from slurmhub_deploy.site import texts
from slurmhub_deploy.site.base import SiteModel
from slurmhub_deploy.site.shape import all_models, tag_of

SETTINGS = [
    pytest.param(field, id=f"{model.__name__}.{name}")
    for model in all_models()
    if issubclass(model, (SiteModel, CourseModel))
    for name, field in model.model_fields.items()
]


def test_all_of_it_is_found() -> None:
    names = {model.__name__ for model in all_models()}
    assert {"Site", "Hub", "ZfsHomes", "JoinedDirectory", "Profile", "SecretSource"} <= names
    assert len(SETTINGS) > 120


@pytest.mark.parametrize("field", SETTINGS)
def test_every_setting_is_described(field: FieldInfo) -> None:
    assert field.description
    assert field.description[-1] in ".;" or field.description.endswith((" or", "or"))


@pytest.mark.parametrize("field", SETTINGS)
def test_what_is_needed_has_an_example_that_is_taken(field: FieldInfo) -> None:
    for example in field.examples or []:
        if example != {}:
            TypeAdapter(field.rebuild_annotation()).validate_python(example)
    if field.is_required() and field.annotation is not None:
        told = tag_of_literal(field)
        assert field.examples or told


def tag_of_literal(field: FieldInfo) -> bool:
    """Whether the setting is the word of one kind, which needs no other example."""
    return any(
        model.model_fields[tag[0]] is field for model in all_models() if (tag := tag_of(model))
    )


def taken(kind: Any, value: object) -> bool:
    try:
        TypeAdapter(kind).validate_python(value)
    except ValidationError:
        return False
    return True


@pytest.mark.parametrize(
    ("kind", "right", "wrong"),
    [
        (texts.HostName, ["a", "hub-1", "x" * 63], ["", "1a", "A", "a_b", "a.b", "a-", "all",
         "localhost", "x" * 64, "a\n"]),
        (texts.HostNames, ["a", "a,b", "c[1-3]", "c[08-10]"], ["", "c[3-1]", "a,a", "c[1-9999]",
         "c[1", "C1", "c[1-2].x"]),
        (texts.OwnName, ["a", "x" * 16], ["x" * 17, "a_b", "none"]),
        (texts.ClusterName, ["main", "a-1"], ["Main", "1a", "a b"]),
        (texts.PartitionName, ["cpu", "GPU_2", "a.b"], ["ALL", "default", "a b", "-a", "a,b"]),
        (texts.PersonName, ["alice", "b_1"], ["root", "slurm", "Alice", "1a", "a" * 33]),
        (texts.UnixName, ["staff", "_x"], ["x y", "X", "-x"]),
        (texts.GpuType, ["a100", "mi300x", "1g.5gb"], ["A100", "", "a:b", "a 1"]),
        (texts.Amount, ["1G", "1.5T", "500M"], ["1", 1, "0G", "1GB", "G", "-1G", "1 G", None]),
        (texts.Duration, ["8:00:00", "1-0", "2-12:00:00", "100:00:00"], ["30:00", 90, "0:00:00",
         "UNLIMITED", "8h", "1:60:00", None]),
        (texts.Limit, ["UNLIMITED", "1-0"], ["unlimited", "INFINITE", "1"]),
        (texts.Address, ["192.0.2.1", "2001:db8::1"], ["::", "224.0.0.1", "192.0.2", "hub"]),
        (texts.Network, ["192.0.2.0/24"], ["192.0.2.1/24", "192.0.2.0/33", "x"]),
        (texts.TimeZone, ["America/Vancouver", "Etc/UTC"], ["Vancouver", "../../passwd", "/x"]),
        (texts.PoolName, ["tank", "Pool_1"], ["mirror", "raidz1", "log", "1a", "a/b"]),
        (texts.DatasetName, ["homes", "a/b"], ["/a", "a//b", "a@b"]),
        (texts.DistinguishedName, ["dc=example,dc=ca"], ["example", "dc=a;dc=b", "dc="]),
    ],
)  # fmt: skip
def test_names_are_what_dns_slurm_and_posix_take(
    kind: Any, right: list[object], wrong: list[object]
) -> None:
    assert [value for value in right if not taken(kind, value)] == []
    assert [value for value in wrong if taken(kind, value)] == []


def test_a_machine_without_time_zones_takes_what_looks_like_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(zoneinfo, "available_timezones", set)

    def none(name: str) -> None:
        raise zoneinfo.ZoneInfoNotFoundError(name)

    monkeypatch.setattr(zoneinfo, "ZoneInfo", none)
    assert taken(texts.TimeZone, "America/Vancouver")
    assert not taken(texts.TimeZone, "../../passwd")

"""A backup of a hub: whole or not there, and of a hub that runs."""

from __future__ import annotations

import json
import sqlite3
import tarfile
from contextlib import closing
from pathlib import Path

import pytest

from slurmhub_deploy.errors import DeployError
from slurmhub_deploy.hub_backup import Places, back_up, backups


@pytest.fixture
def places(tmp_path: Path) -> Places:
    state, register = tmp_path / "state", tmp_path / "accounts"
    state.mkdir()
    register.mkdir()
    (register / "alice").write_text("20000")
    for name in ("jupyterhub", "ledger"):
        with closing(sqlite3.connect(state / f"{name}.sqlite")) as database:
            database.execute("PRAGMA journal_mode=WAL")
            database.execute("CREATE TABLE words (said TEXT)")
            database.execute("INSERT INTO words VALUES (?)", (name,))
            database.commit()
    settings = {
        "JupyterHub.db_url": f"sqlite:///{state}/jupyterhub.sqlite",
        "SlurmHubSpawner.ledger_url": f"sqlite:///{state}/ledger.sqlite",
    }
    file = tmp_path / "hub.json"
    file.write_text(json.dumps({"version": 1, "settings": settings, "services": {}}))
    metrics = tmp_path / "metrics/slurmhub_backup_main.prom"
    metrics.parent.mkdir()
    return Places(file, "nobody", tmp_path / "backup/main", register, metrics)


def words_in(file: Path) -> list[str]:
    with closing(sqlite3.connect(file)) as database:
        return [said for (said,) in database.execute("SELECT said FROM words")]


def test_it_has_everything_and_can_be_read(places: Places) -> None:
    made = back_up(places, keep=3, now=0.0)
    assert made.name == "19700101T000000Z"
    assert made.stat().st_mode & 0o077 == 0
    assert words_in(made / "ledger.sqlite") == ["ledger"]
    assert words_in(made / "jupyterhub.sqlite") == ["jupyterhub"]
    with tarfile.open(made / "accounts.tar") as archive:
        assert "accounts/alice" in archive.getnames()
    assert not list(made.glob("*-wal"))
    assert places.metrics is not None
    text = places.metrics.read_text()
    assert 'slurmhub_backup_last_success_timestamp_seconds{what="hub",name="main"} 0' in text


def test_its_courses_are_in_it_where_it_has_any(places: Places) -> None:
    database = places.settings.parent / "courses.sqlite"
    with closing(sqlite3.connect(database)) as courses:
        courses.execute("CREATE TABLE words (said TEXT)")
        courses.execute("INSERT INTO words VALUES ('phys101')")
        courses.commit()
    data = json.loads(places.settings.read_text())
    data["settings"]["SlurmHubSpawner.courses_url"] = f"sqlite:///{database}"
    places.settings.write_text(json.dumps(data))
    with pytest.raises(DeployError, match="secret of the courses"):
        back_up(places, keep=3)
    assert backups(places.to) == []
    secret = places.settings.with_name("secret")
    secret.write_bytes(b"s" * 32)
    file = places.settings.with_name("courses.json")
    file.write_text(json.dumps({"secret_file": str(secret)}))
    made = back_up(places, keep=3)
    assert words_in(made / "courses.sqlite") == ["phys101"]
    assert (made / "courses-secret").read_bytes() == b"s" * 32


def test_what_is_written_meanwhile_is_in_it_or_not_but_not_half(places: Places) -> None:
    state = places.settings.parent / "state"
    with closing(sqlite3.connect(state / "ledger.sqlite")) as writer:
        writer.execute("INSERT INTO words VALUES ('kept')")
        writer.commit()
        writer.execute("INSERT INTO words VALUES ('not yet')")
        made = back_up(places, keep=3)
        writer.commit()
    assert words_in(made / "ledger.sqlite") == ["ledger", "kept"]


def test_the_oldest_are_removed(places: Places) -> None:
    for day in range(5):
        back_up(places, keep=3, now=day * 86400.0)
    names = [each.name for each in backups(places.to)]
    assert names == ["19700103T000000Z", "19700104T000000Z", "19700105T000000Z"]


def test_one_that_fails_leaves_those_before(places: Places) -> None:
    back_up(places, keep=1, now=0.0)
    (places.settings.parent / "state/ledger.sqlite").unlink()
    with pytest.raises(DeployError, match="no database"):
        back_up(places, keep=1, now=86400.0)
    assert [each.name for each in backups(places.to)] == ["19700101T000000Z"]
    assert [each.name for each in places.to.iterdir()] == ["19700101T000000Z"]


def test_a_damaged_database_is_told(places: Places) -> None:
    ledger = places.settings.parent / "state/ledger.sqlite"
    ledger.write_bytes(b"rubbish" * 1000)
    with pytest.raises(DeployError, match="not a database"):
        back_up(places, keep=1)
    assert not list(places.to.iterdir())


def test_a_hub_that_was_never_set_up(places: Places) -> None:
    places.settings.unlink()
    with pytest.raises(DeployError, match=r"hub\.json") as raised:
        back_up(places, keep=1)
    assert "slurmhub up" in raised.value.remedy

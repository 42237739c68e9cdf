"""The probe runs as it is sent, on a bare Python, and one look that fails hides no other."""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
import ssl
import subprocess
import threading
from pathlib import Path
from typing import Any

import pytest

from slurmhub_deploy.doctor import probe
from slurmhub_deploy.doctor.facts import Looks
from slurmhub_deploy.doctor.probe import host
from slurmhub_deploy.doctor.probe.basics import figures
from slurmhub_deploy.doctor.probe.looking import LOOKS
from slurmhub_deploy.doctor.tasks import tasks_of
from slurmhub_deploy.front.tls import make_certificate
from slurmhub_deploy.site.inventory import inventory
from tests.unit.doctor.well import INVENTORY
from tests.unit.site.fixtures import site


def told(task: dict[str, Any]) -> dict[str, Any]:
    """What the probe says, run as on a host."""
    done = subprocess.run(
        ["/usr/bin/python3", "-I", "-"],
        input=probe.program(task),
        capture_output=True,
        text=True,
        check=True,
        timeout=90,
    )
    assert done.stderr == ""
    return dict(json.loads(done.stdout))


def test_it_looks_at_this_host() -> None:
    names = {"users": ["root", "nobody-here"], "groups": ["root"]}
    said = told({"system": None, "disks": None, "accounts": names})
    assert said["troubles"] == {}
    looks = Looks.model_validate(said["seen"])
    assert looks.system is not None
    assert looks.system.memory > looks.system.memory_available > 0
    assert looks.disks
    assert looks.accounts is not None
    root = looks.accounts.users["root"]
    assert root is not None
    assert root.uid == 0
    assert looks.accounts.users["nobody-here"] is None


def test_one_look_that_fails_hides_no_other() -> None:
    said = told({"textfiles": "/nowhere", "hubs": [{"wrong": 1}], "names": ["localhost"]})
    assert said["seen"] == {
        "textfiles": {},
        "names": {"localhost": said["seen"]["names"]["localhost"]},
    }
    assert set(said["troubles"]) == {"hubs"}
    assert "KeyError" in said["troubles"]["hubs"]


def test_figures_that_are_not_written_yet(tmp_path: Path) -> None:
    (tmp_path / "later.prom").symlink_to(tmp_path / "not-yet")
    (tmp_path / "now.prom").write_text("slurmhub_one 1\n")
    said = told({"textfiles": str(tmp_path)})
    assert said["seen"]["textfiles"] == {"slurmhub_one": 1.0}
    assert said["troubles"] == {}


def test_ports_are_told_apart() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_server(("127.0.0.1", 0)) as other:
            closed = other.getsockname()[1]
        said = told({"ports": [["127.0.0.1", port], ["127.0.0.1", closed]]})
    assert said["seen"]["ports"] == {
        f"127.0.0.1:{port}": "open",
        f"127.0.0.1:{closed}": "refused",
    }


def test_homes_and_backups_are_looked_at(tmp_path: Path) -> None:
    (tmp_path / "alice").mkdir()
    folder = tmp_path / "backup"
    (folder / "hub").mkdir(parents=True)
    (folder / "empty").mkdir()
    (folder / "hub" / "one").write_text("x")
    os.utime(folder / "hub" / "one", (1000, 1000))
    task = {"homes": [{"name": "main", "path": str(tmp_path)}], "backups": str(folder)}
    seen = Looks.model_validate(told(task)["seen"])
    assert seen.homes is not None
    assert seen.homes["main"].entries["alice"] == (tmp_path / "alice").stat().st_ino
    assert not seen.homes["main"].mounted
    assert seen.backups is not None
    assert seen.backups["hub"].newest == 1000.0
    assert seen.backups["empty"].newest is None
    assert seen.backups["empty"].since == (folder / "empty").stat().st_mtime


def test_a_host_that_only_serves_homes_has_them_where_its_disks_are() -> None:
    tasks = tasks_of(inventory(site()))
    path = {host: task["homes"][0]["path"] for host, task in tasks.items() if "homes" in task}
    assert path == {
        "hub": "/home/people",
        "ctl": "/srv/slurmhub/homes/main",
        **dict.fromkeys(("c1", "c2", "g1"), "/home/people"),
    }


def test_a_private_authority_is_believed_beside_the_others(tmp_path: Path) -> None:
    certificate, key = make_certificate(tmp_path, ["hub.example.ca"])
    task = {"name": "main", "domain": "hub.example.ca", "address": "127.0.0.1"}
    task |= {"certificate": str(certificate), "key": str(key)}
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=_serve, args=(context, listening), daemon=True).start()
        for authority, believed in ((str(certificate), True), (None, False)):
            asked = {**task, "port": listening.getsockname()[1], "authority": authority}
            (seen,) = told({"certificates": [asked]})["seen"]["certificates"].values()
            assert (seen["served"], seen["believed"]) == (True, believed), seen["said"]


def _serve(context: ssl.SSLContext, listening: socket.socket) -> None:
    for _ in range(2):
        connection, _address = listening.accept()
        # Who does not believe the certificate hangs up.
        with contextlib.suppress(ssl.SSLError, ConnectionError):
            context.wrap_socket(connection, server_side=True).close()


def test_metadata_is_read(tmp_path: Path) -> None:
    metadata = tmp_path / "idp.xml"
    metadata.write_text(
        '<md:EntitiesDescriptor xmlns:md="m" validUntil="2030-01-01T00:00:00Z">'
        '<md:EntityDescriptor entityID="https://idp.example.ca"/></md:EntitiesDescriptor>'
    )
    task = {"front": {"metadata": [f"{tmp_path}/*.xml"], "provider": "https://idp.example.ca",
                      "key_folder": str(tmp_path)}}  # fmt: skip
    front = Looks.model_validate(told(task)["seen"]).front
    assert front is not None
    assert front.provider_known is True
    assert front.metadata[0].valid_until == "2030-01-01T00:00:00Z"
    assert front.keys == {"signing": None, "encrypt": None}


@pytest.mark.parametrize("state", ["enabled", "disabled"])
def test_an_init_script_starts_as_its_links_say(
    monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    def run(*argv: str) -> tuple[int, str, str]:
        if argv[1] == "show":
            return 0, "LoadState=loaded\nActiveState=active\nUnitFileState=generated\n", ""
        return 0, f"{state}\n" if argv[1] == "is-enabled" else "", ""

    monkeypatch.setattr(host, "run", run)
    unit = host.units(["slapd.service"])["wanted"]["slapd.service"]
    assert unit["active"]
    assert unit["enabled"] is (state == "enabled")


def test_figures_are_read_by_their_beginning() -> None:
    lines = [
        'slurmhub_a{hub="x y"} 1.5',
        "# HELP slurmhub_a x",
        "other 3",
        'slurmhub_b_bucket{le="1"} 2',
    ]
    assert figures(lines, "slurmhub_") == {'slurmhub_a{hub="x y"}': 1.5}


def test_every_look_that_is_asked_for_is_there_and_typed() -> None:
    asked = {look for task in tasks_of(INVENTORY).values() for look in task}
    assert asked == set(LOOKS)
    assert set(Looks.model_fields) == set(LOOKS)


@pytest.mark.parametrize("name", ["basics", "host", "services", "looking"])
def test_it_is_of_the_standard_library_and_only_reads(name: str) -> None:
    text = (Path(probe.__file__).parent / f"{name}.py").read_text()
    imported = re.findall(r"^(?:from|import) ([\w.]+)", text, re.MULTILINE)
    assert not [each for each in imported if each.startswith(("slurmhub.", "pydantic", "yaml"))]
    assert all(
        each.startswith("slurmhub_deploy.doctor.probe") or "slurmhub" not in each
        for each in imported
    )
    assert not re.search(r"\.unlink\(|\.write_|open\([^,)]*, *[\"'][wax]", text)

"""What the roles render, Prometheus and alertmanager accept."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from jinja2 import Environment, StrictUndefined

from slurmhub_deploy.monitoring import CLUSTER_JOB, HOST_JOB, HUB_JOB
from tests.rig.docs import PROJECT

ROLES = PROJECT / "ansible/roles"

HUBS = [
    {"name": name, "instance": f"{name}.example.ca", "target": f"192.0.2.{number}:8081",
     "path": "/jupyter/hub/metrics"}
    for number, name in enumerate(("one", "two"), start=1)
]  # fmt: skip
CLUSTERS = [
    {"name": "main", "target": "192.0.2.11:9341", "openmetrics": ""},
    {"name": "new", "target": "192.0.2.12:9341", "openmetrics": "192.0.2.12:6817"},
]


def rendered(role: str, name: str, **arguments: Any) -> str:
    """A template with the role's defaults and these arguments, as Ansible renders it."""
    # As ansible.builtin.template does; nothing of it is HTML.
    jinja = Environment(  # noqa: S701
        undefined=StrictUndefined, trim_blocks=True, keep_trailing_newline=True
    )
    jinja.filters["to_json"] = json.dumps
    jinja.filters["bool"] = bool
    template = jinja.from_string((ROLES / role / "templates" / name).read_text())
    defaults = yaml.safe_load((ROLES / role / "defaults/main.yml").read_text())
    return template.render(defaults | arguments)


def accepted(*argv: str) -> None:
    """The program's own check passes; it says why if not."""
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("hosts", [0, 3])
def test_prometheus_accepts_its_targets(tmp_path: Path, hosts: int) -> None:
    text = rendered(
        "prometheus",
        "prometheus.yml.j2",
        prometheus_hubs=HUBS if hosts else [],
        prometheus_clusters=CLUSTERS if hosts else [],
        prometheus_nodes=[
            {"name": f"c{number}", "target": f"192.0.2.2{number}:9100"} for number in range(hosts)
        ],
    ).replace("/etc/prometheus/slurmhub/", f"{tmp_path}/")
    (tmp_path / "rules").mkdir()
    for hub in HUBS:
        (tmp_path / f"token-{hub['name']}").write_text("x")
    config = tmp_path / "prometheus.yml"
    config.write_text(text)
    accepted("promtool", "check", "config", str(config))
    jobs = {job["job_name"]: job for job in yaml.safe_load(text)["scrape_configs"]}
    targets = jobs[HOST_JOB]["static_configs"]
    assert len(targets) == hosts
    assert {each["labels"]["instance"] for each in targets} == {f"c{n}" for n in range(hosts)}
    if hosts:
        assert {name for name in jobs if name.startswith("slurmhub-")} == {
            "slurmhub-one",
            "slurmhub-two",
        }
        for name in ("slurmhub-one", "slurmhub-two"):
            assert jobs[name]["relabel_configs"] == [
                {"target_label": "job", "replacement": HUB_JOB}
            ]
        assert jobs["slurmhub-two"]["authorization"]["credentials_file"].endswith("/token-two")
        assert [each["labels"]["instance"] for each in jobs[CLUSTER_JOB]["static_configs"]] == [
            "main",
            "new",
        ]
        own = {job["metrics_path"] for name, job in jobs.items() if name.startswith("openmetrics-")}
        assert own == {f"/metrics/{part}" for part in ("jobs", "nodes", "partitions", "scheduler")}


@pytest.mark.parametrize("to", [[], ["ops@example.ca", "night@example.ca"]])
def test_alertmanager_accepts_whom_it_tells(tmp_path: Path, to: list[str]) -> None:
    text = rendered(
        "alertmanager",
        "alertmanager.yml.j2",
        alertmanager_mail_to=to,
        alertmanager_mail_from="help@example.ca" if to else "",
        alertmanager_mail_relay="mail.example.ca" if to else "",
    )
    config = tmp_path / "alertmanager.yml"
    config.write_text(text)
    assert shutil.which("amtool"), "script/test installs prometheus-alertmanager"
    accepted("amtool", "check-config", str(config))
    found = yaml.safe_load(text)
    page = found["route"]["routes"][0]
    assert page["matchers"] == ['severity="page"']
    assert page["receiver"] == found["route"]["receiver"] == ("mail" if to else "nobody")
    mails = [mail["to"] for each in found["receivers"] for mail in each.get("email_configs", ())]
    assert mails == to
    if to:
        assert found["global"]["smtp_smarthost"] == "mail.example.ca:25"
        assert found["global"]["smtp_require_tls"] is True

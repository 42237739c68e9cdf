"""A Prometheus of a test's own: Debian's program, in a folder and on a port of the test."""

from __future__ import annotations

import math
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import requests
import yaml

from slurmhub_deploy.cluster.embedded import EmbeddedCluster
from slurmhub_deploy.monitoring import CLUSTER_JOB, COURSES_JOB, HOST_JOB, HUB_JOB, RULES
from tests.rig.hub import free_port, until
from tests.rig.site_metrics import EXPORTER


@dataclass(frozen=True)
class Prometheus:
    """Where it answers."""

    url: str

    def query(self, expr: str) -> list[dict[str, Any]]:
        """The series of an instant query; fails with Prometheus's words when it does not parse."""
        answer = requests.get(f"{self.url}/api/v1/query", params={"query": expr}, timeout=30)
        said = answer.json()
        assert said["status"] == "success", f"{expr}: {said.get('error')}"
        return list(said["data"]["result"])

    def number(self, expr: str) -> float:
        """The value of a query with one series; not a number where there is none."""
        found = self.query(expr)
        assert len(found) <= 1, found
        return float(found[0]["value"][1]) if found else math.nan

    def gained(self, series: str) -> float:
        """What a counter has gained in the last quarter of an hour, over all its resets."""
        total = 0.0
        for found in self.query(f"{series}[15m]"):
            values = [float(value) for _, value in found["values"]]
            total += values[0]
            total += sum(b - a if b >= a else b for a, b in pairwise(values))
        return total

    def targets(self) -> dict[str, str]:
        """The health of each target by its job."""
        said = requests.get(f"{self.url}/api/v1/targets", timeout=30).json()
        return {each["labels"]["job"]: each["health"] for each in said["data"]["activeTargets"]}

    def rule_errors(self) -> list[str]:
        """What went wrong when rules were evaluated."""
        groups = requests.get(f"{self.url}/api/v1/rules", timeout=30).json()["data"]["groups"]
        rules = [rule for group in groups for rule in group["rules"]]
        assert rules
        return [f"{rule['name']}: {rule['lastError']}" for rule in rules if rule.get("lastError")]


def _exporter(port: int) -> list[str]:
    return [
        _program("prometheus-node-exporter"),
        f"--web.listen-address=127.0.0.1:{port}",
        "--collector.disable-defaults",
        *(f"--collector.{name}" for name in ("cpu", "filesystem", "meminfo", "timex")),
    ]


def _of_cluster(cluster: EmbeddedCluster, port: int) -> list[str]:
    program = ["/usr/bin/python3", "-I", str(EXPORTER)]
    return [*program, f"--port={port}", f"--bin-dir={cluster.bin_dir}", "--fresh=1"]


def _program(name: str) -> str:
    found = shutil.which(name)
    assert found, f"{name} is not installed; script/test installs it"
    return found


@contextmanager
def watching(
    folder: Path, hub_port: int, cluster: EmbeddedCluster, *, courses: tuple[int, str] | None = None
) -> Iterator[Prometheus]:
    """A Prometheus that reads a hub, its cluster and this host every second, with all our rules.

    `courses` are the port of the hub's service of courses and a token that may read metrics.
    """
    port, host_port, cluster_port = free_port(), free_port(), free_port()
    folder.mkdir()
    config: dict[str, Any] = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(path) for path in sorted(RULES.glob("*.yml"))],
        "scrape_configs": [
            _job(HUB_JOB, hub_port, metrics_path="/hub/metrics"),
            _job(HOST_JOB, host_port),
            _job(CLUSTER_JOB, cluster_port),
        ],
    }
    if courses is not None:
        own = _job(COURSES_JOB, courses[0], metrics_path="/services/courses/metrics")
        own["authorization"] = {"credentials": courses[1]}
        config["scrape_configs"].append(own)
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    server = [
        _program("prometheus"),
        f"--config.file={folder}/prometheus.yml",
        f"--storage.tsdb.path={folder}/data",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    with (
        (folder / "log").open("wb") as log,
        _running(_exporter(host_port), log),
        _running(_of_cluster(cluster, cluster_port), log, cluster.env()),
        _running(server, log),
    ):
        prometheus = Prometheus(f"http://127.0.0.1:{port}")
        until(lambda: _is_ready(prometheus), what=f"Prometheus ({folder}/log)")
        yield prometheus


def _job(name: str, port: int, **more: str) -> dict[str, Any]:
    return {"job_name": name, "static_configs": [{"targets": [f"127.0.0.1:{port}"]}], **more}


@contextmanager
def _running(argv: Sequence[str], log: Any, env: Mapping[str, str] | None = None) -> Iterator[None]:
    process = subprocess.Popen(argv, stdout=log, stderr=log, env=env)
    try:
        yield
    finally:
        process.terminate()
        process.wait(20)


def _is_ready(prometheus: Prometheus) -> bool:
    try:
        return requests.get(f"{prometheus.url}/-/ready", timeout=5).status_code == 200
    except requests.RequestException:
        return False

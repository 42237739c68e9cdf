"""One machine whose hub has courses: alice is an instructor, bob a student."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any, ClassVar

from playwright.sync_api import Page, expect

from slurmhub.courses.course_file import course_text
from slurmhub.courses.model import WEEKDAYS, Course
from tests.lab.whole.alone import EVERYTHING, METADATA, Alone
from tests.lab.whole.institution import HUB
from tests.lab.whole.operator import Operator

KEY = "phys101"
_HUB = """    database: postgresql
    courses:
      makers: [instructors]
      bounds: {cpus: 2, memory: 2G, hours: 4, seats: 50}
"""
_GROUPS = """      groups:
        - {attribute: eppn, equals: alice@example.ca, group: instructors}
"""
_MAIN = "from slurmhub_deploy.main import main; main()"


class Teaching(Alone):
    """A machine that reaches mirrors, with PostgreSQL."""

    online: ClassVar[bool] = True
    changes: ClassVar[Mapping[str, str]] = {
        **Alone.changes,
        METADATA: f"{_GROUPS}{Alone.changes[METADATA]}",
        EVERYTHING: f"{Alone.changes[EVERYTHING]}{_HUB}",
    }
    more: ClassVar[str] = Alone.more.replace("bundle: bundle\n", "")

    def course(self, token: str, *words: str) -> str:
        """`slurmhub course` of whoever's token it is; what it prints."""
        (self.folder / "token").touch(mode=0o600)
        (self.folder / "token").write_text(token)
        given = {
            "SLURMHUB_HUB": f"https://{HUB}",
            "SLURMHUB_TOKEN_FILE": str(self.folder / "token"),
            # ssl(3ssl): what is trusted in place of the system's authorities.
            "SSL_CERT_FILE": str(self.folder / "tls.pem"),
        }
        done = subprocess.run(
            self.within(sys.executable, "-c", _MAIN, "course", *words),
            cwd=self.folder,
            env={**Operator(self).environment, **given},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def told(self, operator: Operator, verb: str) -> Any:
        """What a verb says as JSON, whatever else of the site it finds wrong."""
        done = subprocess.run(
            operator.command(verb, "--json"),
            cwd=self.folder,
            env={**operator.environment, "SLURMHUB_SITE": "site.yml"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        assert done.stdout, done.stderr
        return json.loads(done.stdout)

    def course_file(self) -> str:
        """A course that has every folder and is held all day; the name of its file."""
        text = course_text(_course())
        (self.folder / f"{KEY}.yml").write_text(text)
        return f"{KEY}.yml"

    def as_account(self, name: str, *argv: str, check: bool = True) -> str:
        """Run a program on the machine as one of its accounts."""
        return self.on_host("runuser", "--user", name, "--", *argv, check=check)

    def service_runs(self) -> dict[str, str]:
        """What systemd says of the service of courses."""
        names = "ActiveState,NRestarts,InvocationID,MainPID"
        said = self.on_host(
            "systemctl", "show", "slurmhub-main-courses.service", f"--property={names}"
        )
        return dict(line.split("=", 1) for line in said.splitlines())

    def prometheus(self, what: str) -> Any:
        """What Prometheus answers of targets, or to a query."""
        url = f"http://127.0.0.1:9090/api/v1/{what}"
        code = f"import urllib.request as u; print(u.urlopen('{url}').read().decode())"
        return json.loads(self.on_host("python3", "-c", code))["data"]


def token_of(page: Page) -> str:
    """A token of whoever is signed in, from the hub's own page for it."""
    page.goto("/hub/token")
    page.get_by_role("button", name="Request new API token").click()
    shown = page.locator("#token-result")
    expect(shown).to_be_visible()
    return shown.inner_text().strip()


def _course() -> Course:
    today = datetime.now(timezone.utc).date()
    # On every day, so that one is held whenever the test runs.
    hours = [{"weekday": day, "start": "00:00", "end": "23:59", "seats": 1} for day in WEEKDAYS]
    return Course.model_validate(
        {
            "key": KEY,
            "title": "Mechanics",
            "term": {
                "name": "This term",
                "first": str(today - timedelta(days=10)),
                "last": str(today + timedelta(days=60)),
            },
            "timezone": "UTC",
            "profile": {"partition": "teaching", "cpus": 1, "memory": "1G", "hours": 1},
            "seats": 20,
            "running": 2,
            "class_hours": hours,
            "storage": {"shared": True, "data": True, "drop": True, "exchange": True},
            "materials": {"open": "start.md"},
        }
    )

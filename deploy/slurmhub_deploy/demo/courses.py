"""The demo's course, with its instructor and its roster, and the service in which courses are made.

The demo's cluster has no accounting: the course has its own page, button and server, and Slurm
keeps no limits for it.

python -m slurmhub_deploy.demo.courses SETTINGS    makes the course, with the hub's Python
"""

from __future__ import annotations

import json
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

from slurmhub_deploy.daemon import Daemon
from slurmhub_deploy.demo.places import Places

ADDRESS = "127.0.0.1"
KEY = "demo101"
GROUP = "instructors"
POLICY = {
    "makers": [GROUP],
    "bounds": {"cpus": 8, "memory": "16G", "gpus": 1, "hours": 8, "seats": 100},
    "free": {"seats": 60},
}
TOKEN = "SLURMHUB_DEMO_COURSES_TOKEN"  # noqa: S105 - the name of a variable
"""What the hub and the service know each other by; in their environments only."""


def settings_file(places: Places) -> Path:
    """What the service is told."""
    return places.hub / "courses.json"


def write_settings(places: Places) -> None:
    """Write what the service is told; it holds no secret."""
    values = {
        "hub": "demo",
        "database": f"sqlite:///{places.hub / 'courses.sqlite'}",
        "policy": POLICY,
    }
    settings_file(places).write_text(json.dumps(values, indent=2))


def hub_settings(places: Places) -> dict[str, object]:
    """What the hub is told."""
    return {
        "SlurmHubSpawner.courses_url": f"sqlite:///{places.hub / 'courses.sqlite'}",
        "SlurmHubSpawner.courses_policy": POLICY,
        "JupyterHub.load_groups": {GROUP: {"users": ["instructor"]}},
    }


def hub_lines(port: int) -> list[str]:
    """Lines of the hub's configuration that let people come to the service."""
    return [
        "",
        "import os",
        "from slurmhub.courses.service.registration import with_courses",
        "",
        f"with_courses(c, url='http://{ADDRESS}:{port}', api_token=os.environ[{TOKEN!r}])",
    ]


def make_command(places: Places, python: Path) -> list[str]:
    """What makes the course; to be run before the hub starts."""
    return [str(python), "-m", "slurmhub_deploy.demo.courses", str(settings_file(places))]


def service_daemon(places: Places, python: Path = Path("python3")) -> Daemon:
    """The service's process."""
    argv = (str(python), "-m", "slurmhub.courses.service", str(settings_file(places)))
    folder = places.hub
    return Daemon(
        "courses", argv, folder / "courses.process", folder / "courses.log", folder, umask=0o077
    )


def service_environment(token: str, *, port: int, hub_port: int) -> dict[str, str]:
    """What JupyterHub would tell a service of its own."""
    return {
        "JUPYTERHUB_SERVICE_URL": f"http://{ADDRESS}:{port}",
        "JUPYTERHUB_API_URL": f"http://{ADDRESS}:{hub_port}/hub/api",
        "JUPYTERHUB_BASE_URL": "/",
        "JUPYTERHUB_API_TOKEN": token,
    }


def document(now: datetime) -> dict[str, object]:
    """The course, of a term that began a while ago, with a class today and one in three days."""
    today = now.date()
    days = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    begins = now.replace(minute=0)
    return {
        "key": KEY,
        "title": "Introduction to computing",
        "description": "A course to look at: made by the demo, gone with it.",
        "term": {
            "name": "This term",
            "first": str(today - timedelta(days=21)),
            "last": str(today + timedelta(days=70)),
        },
        "timezone": "UTC",
        "profile": {"partition": "cpu", "cpus": 2, "memory": "2G", "hours": 2},
        "class_hours": [
            {
                "weekday": days[(today.weekday() + later) % 7],
                "start": f"{begins:%H:%M}",
                "end": f"{begins + timedelta(hours=1, minutes=30):%H:%M}",
            }
            for later in (0, 3)
        ],
        "seats": 30,
    }


def make(settings: Path) -> None:
    """Make the course: the instructor's own, with two on its roster, one of whom never came."""
    # Not at the top: the demo itself runs without what a hub needs.
    from slurmhub.courses.model import Course
    from slurmhub.courses.rights import Person
    from slurmhub.courses.roster.facts import Identifiers
    from slurmhub.courses.service.settings import read_settings
    from slurmhub.courses.store import open_courses

    said = read_settings(settings)
    courses = open_courses(said.database, said.policy)
    instructor = Person("instructor", frozenset({GROUP}))
    courses.create(instructor, Course.model_validate(document(datetime.now(timezone.utc))))
    courses.members.add(instructor, KEY, username="student", name="Student of the demo")
    courses.members.add(
        instructor,
        KEY,
        identifiers=Identifiers(mail="expected@example.ca", number="100200300"),
        name="Expected student",
    )
    # Nobody else says so where there is no accounting.
    courses.realised(KEY)
    courses.close()


if __name__ == "__main__":
    make(Path(sys.argv[1]))

"""`slurmhub announce`: what the hub is asked, and what is taken away."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from slurmhub_deploy.operate import asking_hub
from slurmhub_deploy.operate.asking_hub import ask_hub
from slurmhub_deploy.operate.errors import OperateError
from slurmhub_deploy.operate.site_file import OpenSite
from slurmhub_deploy.operate.verbs.announce import clear_notices, notice_of
from tests.unit.site.fixtures import site

ZONE = ZoneInfo("America/Vancouver")


@pytest.fixture
def opened(tmp_path: Path) -> OpenSite:
    return OpenSite(tmp_path / "site.yml", site())


class Hub:
    """Answers in place of ssh, and keeps what was asked."""

    def __init__(self, *answers: tuple[int, Any], returncode: int = 0, stderr: str = "") -> None:
        self.answers, self.asked, self.argv = list(answers), list[dict[str, Any]](), list[str]()
        self._returncode, self._stderr = returncode, stderr

    def __call__(self, argv: list[str], text: str) -> subprocess.CompletedProcess[str]:
        self.argv = argv
        self.asked.append(json.loads(text))
        status, body = self.answers.pop(0) if self.answers else (0, "")
        said = json.dumps({"status": status, "body": json.dumps(body) if body != "" else ""})
        return subprocess.CompletedProcess(argv, self._returncode, said, self._stderr)


def test_times_are_those_of_the_institution() -> None:
    notice = notice_of("Soon", "Bientôt", "gpu", None, "2031-05-30T18:00", no_new_servers=True,
                       zone=ZONE)  # fmt: skip
    assert notice == {
        "texts": {"en": "Soon", "fr": "Bientôt"},
        "drains": True,
        "partition": "gpu",
        "until": 1937955600.0,
    }
    with pytest.raises(OperateError, match="is not a time"):
        notice_of("x", None, None, "tomorrow", None, no_new_servers=False, zone=ZONE)


def test_the_hub_is_asked_on_its_own_host_and_the_token_stays_there(opened: OpenSite) -> None:
    hub = Hub((201, {"id": 1}))
    assert ask_hub(opened, "main", "POST", "slurmhub/notices", {"x": 1}, run=hub).data == {"id": 1}
    (asked,) = hub.asked
    assert asked["url"] == "http://192.0.2.10:8081/hub/api/slurmhub/notices"
    assert asked["token_file"] == "/etc/slurmhub/main/secrets/operators-token"
    assert hub.argv[0] == "ssh"
    assert "192.0.2.10" in hub.argv


@pytest.mark.parametrize(
    ("hub", "words"),
    [
        (Hub((403, {"message": "Forbidden"})), "refused: Forbidden"),
        (Hub((0, "x")), "does not answer"),
        (Hub((201, {}), returncode=255, stderr="No route to host\n"), "could not be reached: No"),
        (Hub((201, {}), returncode=1, stderr="sudo: a password\n"), "could not ask it: sudo"),
    ],
)
def test_what_goes_wrong_is_said(opened: OpenSite, hub: Hub, words: str) -> None:
    with pytest.raises(OperateError, match=words):
        ask_hub(opened, "main", "GET", "x", run=hub)


def test_only_what_this_command_announced_is_taken_away(
    opened: OpenSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    notices = [{"id": 3, "author": "alice"}, {"id": 4, "author": "operators"}]
    hub = Hub((200, notices), (204, ""))
    monkeypatch.setattr(asking_hub, "run_there", hub)
    assert clear_notices(opened, "main") == 1
    assert [(each["method"], each["url"].rpartition("/")[2]) for each in hub.asked] == [
        ("GET", "notices"),
        ("DELETE", "4"),
    ]


def test_what_runs_there_is_a_whole_program(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("secret\n")
    asked = {"url": "http://127.0.0.1:9/x", "method": "GET", "body": None,
             "token_file": str(token)}  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-I", "-c", asking_hub._THERE],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout)["status"] == 0

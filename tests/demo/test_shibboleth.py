"""script/demo --shibboleth: the same demo behind Apache, with a test identity provider."""

from __future__ import annotations

import re
import subprocess
import time
from pathlib import Path

import pytest
import requests

from slurmhub_deploy.demo.accounts import account_of
from tests.demo.conftest import PEOPLE, DemoScript, Outcome, assert_nothing_left, free_port
from tests.shibboleth.web import Web, forms_of


@pytest.fixture
def started(demo: DemoScript) -> Outcome:
    """A demo with Shibboleth that answers."""
    outcome = demo.run("--shibboleth", "--detach", "--port", str(free_port()))
    assert outcome.status == 0, outcome
    return outcome


def address(started: Outcome) -> str:
    """Where the hub answers."""
    found = re.search(r"https://127\.0\.0\.1:\d+", started.out)
    assert found, started
    return found[0]


def sign_in(demo: DemoScript, started: Outcome, name: str, password: str) -> tuple[Web, str]:
    """Through the identity provider; the browser, and the text of the page that it ends at."""
    web = Web(str(demo.state / "front/tls/tls.pem"))
    url = address(started)
    answer = web.get(f"{url}/hub/shibboleth/login", params={"next": "/hub/spawn"})
    answer = web.submit(forms_of(answer)[0], username=name, password=password)
    forms = [form for form in forms_of(answer) if "SAMLResponse" in form.fields]
    return web, web.submit(forms[0]).text if forms else answer.text


def test_a_student_signs_in_at_the_test_provider_and_works(
    demo: DemoScript, started: Outcome
) -> None:
    """The printed password opens the provider, a wrong one does not; JupyterLab runs as a job."""
    assert tuple(started.passwords) == PEOPLE
    assert "Incorrect username or password" in sign_in(demo, started, "student", "wrong")[1]
    web, page = sign_in(demo, started, "student", started.passwords["student"])
    assert all(choice in page for choice in ("cpu", "gpu", "h100")), page[-2000:]
    url, name = address(started), account_of("student")
    mark = next(
        cookie.value
        for cookie in web.session.cookies
        if cookie.name == "_xsrf" and cookie.path == "/hub/"
    )
    asked = web.session.post(
        f"{url}/hub/api/users/{name}/server",
        json={"partition": "cpu"},
        headers={"X-XSRFToken": str(mark), "Referer": f"{url}/hub/home"},
        timeout=30,
    )
    assert asked.status_code in {201, 202}, asked.text
    limit = time.monotonic() + 40
    while "jupyter-config-data" not in web.get(f"{url}/user/{name}/lab").text:
        assert time.monotonic() < limit
        time.sleep(0.3)
    assert demo.run("--status").out == f"A demo is running at {url}/\n"
    assert demo.run("--stop").status == 0
    assert_nothing_left(demo)


def test_the_operator_is_admin(demo: DemoScript, started: Outcome) -> None:
    """And the student is not."""
    url = address(started)
    for person, status in (("operator", 200), ("student", 403)):
        web, _ = sign_in(demo, started, person, started.passwords[person])
        assert web.get(f"{url}/hub/admin").status_code == status


def test_other_accounts_read_no_secret_of_the_front(demo: DemoScript, started: Outcome) -> None:
    """Passwords, keys and the front's secret are for those who serve; the registration is not."""
    become = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    front = demo.state / "front"

    def readable(path: Path) -> bool:
        done = subprocess.run([*become, "cat", str(path)], capture_output=True, check=False)
        return done.returncode == 0

    provider = front / "providers/example.ca"
    for path in (
        *(provider / "config/authsources.json", provider / "cert/idp.key"),
        *(front / "front-secret", front / "tls/tls.key", front / "keys/sp-signing-key.pem"),
        *(front / "rendered/apache/front-secret.conf", front / "shibboleth-log/transaction.log"),
    ):
        assert path.exists(), path
        assert not readable(path), path
    assert readable(front / "registration/README.md")


def test_a_front_that_ends_ends_the_demo(demo: DemoScript, started: Outcome) -> None:
    """Nobody could sign in: it says which part, and takes everything away."""
    record = demo.state / "front/run/shibd.process"
    found = re.search(r'"pid": (\d+)', record.read_text())
    assert found
    subprocess.run(["kill", "-9", found[1]], check=True)
    limit = time.monotonic() + 30
    while demo.state.exists():
        assert time.monotonic() < limit
        time.sleep(0.2)
    with pytest.raises(requests.ConnectionError):
        requests.get(address(started), timeout=5)


def test_an_ordinary_account_is_told_to_ask_root(ordinary: DemoScript) -> None:
    """Each person needs a Unix account, which it cannot make."""
    refused = ordinary.run("--shibboleth", "--detach", "--port", str(free_port()))
    assert refused.status == 1
    assert "sudo script/demo --shibboleth" in refused.err

"""A student in Chromium: from the choice of an institution to JupyterLab in a job, and out."""

from __future__ import annotations

import http.client
import os
import re
import shutil
import ssl
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from slurmhub_deploy.cluster.embedded import EmbeddedCluster
from slurmhub_deploy.front.embedded import EmbeddedFront, FrontPlan
from tests.browser.conftest import CHROMIUM, FLAGS
from tests.conftest import hub_settings
from tests.rig import queue
from tests.rig.accounts import account
from tests.rig.front import new_session
from tests.rig.hub import HubUnderTest, free_port, until
from tests.shibboleth.conftest import ALICE, PASSWORD, two_providers
from tests.shibboleth.visits import LOGIN, Visit, raw_request

PATIENCE = 30_000

SETTINGS = """
c.JupyterHub.authenticator_class = "shibboleth"
c.JupyterHub.public_url = {url!r} + "/"
c.ShibbolethAuthenticator.front_secret_file = {secret!r}
c.ShibbolethAuthenticator.discovery_feed = {feed!r}
c.ShibbolethAuthenticator.account_rule = [{{"attribute": "eppn", "scopes": ["example.ca"]}}]
c.ShibbolethAuthenticator.group_rules = [
    {{"attribute": "affiliation", "equals": "student@example.ca", "group": "students"}},
]
c.ShibbolethAuthenticator.support_contact = "help@example.ca"
c.Authenticator.allow_all = True
c.SlurmHubSpawner.unix_account = lambda name: name
c.Spawner.cmd = [{jupyter!r}]
c.Spawner.default_url = "/lab"
"""


@pytest.fixture(scope="module")
def jupyter() -> str:
    """The single-user server: script/test says where, else that of this environment."""
    named = os.environ.get("SLURMHUB_TEST_JUPYTER")
    return named or str(Path(sys.executable).parent / "jupyterhub-singleuser")


@pytest.fixture(scope="module")
def site(
    ground: Path,
    cluster: EmbeddedCluster,
    accounts: dict[str, str],
    stub: Path,
    code: Path,
    proxy_command: list[str],
    jupyter: str,
) -> Iterator[tuple[EmbeddedFront, HubUnderTest]]:
    """A hub on a cluster behind a front with two identity providers."""
    port = free_port()
    alice = {**ALICE, "eppn": [f"{account('alice')}@example.ca"]}
    plan = FrontPlan(ground / "front", f"http://127.0.0.1:{port}", two_providers(alice=alice))
    front = EmbeddedFront(plan)
    front.prepare()
    extra = SETTINGS.format(
        url=front.url,
        secret=str(front.secret_file),
        feed=f"http://127.0.0.1:{front.settings.notify_port}/institutions",
        jupyter=jupyter,
    )
    folder = Path(tempfile.mkdtemp(prefix="h", dir=ground))
    settings = hub_settings(cluster, stub, extra)
    hub = HubUnderTest(folder, settings, proxy_command, code=code, port=port)
    with front:
        try:
            hub.start()
            yield front, hub
        finally:
            hub.stop()
            queue.clear(cluster)
            shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def page(site: tuple[EmbeddedFront, HubUnderTest]) -> Iterator[Page]:
    """A fresh browser, which takes the test's certificates."""
    with sync_playwright() as playwright:
        browser: Browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        context = browser.new_context(base_url=site[0].url, ignore_https_errors=True)
        context.set_default_timeout(PATIENCE)
        expect.set_options(timeout=PATIENCE)
        yield context.new_page()
        browser.close()


def sign_in(page: Page, institution: str, name: str) -> None:
    """From the hub's sign-in page to wherever it leads."""
    page.get_by_role("button", name=re.compile("Sign in")).click()
    page.get_by_role("button", name=institution, exact=True).click()
    page.locator("[name=username]").fill(name)
    page.locator("[name=password]").fill(PASSWORD)
    page.locator("[name=password]").press("Enter")


def cookies_of(context: BrowserContext, front: EmbeddedFront) -> dict[str, str]:
    """Every cookie for the front's host, whatever its path."""
    host = front.settings.domain
    found = context.cookies()
    return {str(each["name"]): str(each["value"]) for each in found if each.get("domain") == host}


def status(front: EmbeddedFront, path: str, headers: dict[str, str]) -> int:
    """What the front answers; a redirect is not followed."""
    address, port = front.settings.domain, front.settings.https_port
    context = ssl.create_default_context(cafile=str(front.certificate))
    connection = http.client.HTTPSConnection(address, port, timeout=20, context=context)
    try:
        connection.request("GET", path, headers=headers)
        return connection.getresponse().status
    finally:
        connection.close()


SOCKET = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version": "13",
}


def test_a_student_signs_in_works_and_leaves(
    site: tuple[EmbeddedFront, HubUnderTest], page: Page, cluster: EmbeddedCluster
) -> None:
    """Institution, password, form, JupyterLab, a kernel over a websocket; then nothing is left of
    the sign-in, by whatever way the old cookies come back, and the job goes on."""
    front, _ = site
    name = account("alice")
    page.goto(f"/hub/spawn/{name}")
    sign_in(page, "example.ca", "alice")
    page.locator("#slurmhub-options [name=partition]").select_option("cpu")
    page.get_by_role("button", name="Start", exact=True).click()
    page.wait_for_url(re.compile(f"/user/{name}/lab"))
    page.locator('.jp-LauncherCard[data-category="Notebook"]').first.click()
    expect(page.get_by_role("button", name="Python 3 (ipykernel) | Idle")).to_be_visible()
    page.locator(".jp-Notebook .cm-content").first.click()
    page.keyboard.insert_text("print(6 * 7, 'from', __import__('getpass').getuser())")
    page.keyboard.press("Shift+Enter")
    expect(page.locator(".jp-OutputArea-output").first).to_contain_text(f"42 from {name}")

    cookies = cookies_of(page.context, front)
    assert any(each.startswith("_shibsession_") for each in cookies)
    assert all(each["secure"] for each in page.context.cookies() if "hub" in str(each["name"]))
    sent = {"Cookie": "; ".join(f"{key}={value}" for key, value in cookies.items())}
    kernel = _kernel(page, name)
    channels = f"/user/{name}/api/kernels/{kernel}/channels"
    socket = {**sent, **SOCKET, "Origin": front.url}
    assert status(front, "/hub/home", sent) == 200
    assert status(front, f"/user/{name}/lab", sent) == 200
    assert status(front, channels, socket) == 101

    page.goto("/hub/logout")
    page.wait_for_url(re.compile("/hub/shibboleth/signed-out"))
    for path in ("/hub/home", "/hub/api/user", f"/hub/spawn/{name}", LOGIN):
        assert status(front, path, sent) in {302, 401, 403}, path
    until(
        lambda: status(front, f"/user/{name}/lab", sent) in {302, 401, 403},
        # A server believes what the hub told it for some seconds more.
        seconds=20,
        what="the server's own session ended",
    )
    assert status(front, channels, socket) in {302, 401, 403}
    assert "alice" in cluster.run("squeue", "--noheader", "--format=%u %T")


_KERNELS = """
async (name) => {
    const mark = document.cookie.match(/(?:^|; )_xsrf=([^;]*)/)[1];
    const answer = await fetch(`/user/${name}/api/kernels`, {headers: {"X-XSRFToken": mark}});
    return await answer.json();
}
"""


def _kernel(page: Page, name: str) -> str:
    found: list[dict[str, Any]] = page.evaluate(_KERNELS, name)
    return str(found[0]["id"])


def test_somebody_without_an_account_is_told_so(
    site: tuple[EmbeddedFront, HubUnderTest], page: Page
) -> None:
    """The other university's alice is not this one's: a page says so, and whom to ask."""
    page.goto("/hub/home")
    sign_in(page, "other.example", "alice")
    expect(page.locator("main")).to_contain_text("help@example.ca")
    assert page.goto("/hub/home") is not None
    assert "/hub/login" in page.url


def test_a_sign_out_at_the_institution_ends_the_hubs_session(
    site: tuple[EmbeddedFront, HubUnderTest],
) -> None:
    """The service provider's notice on the back channel is enough."""
    front, hub = site
    visit = Visit.begin(front, front.providers[0])
    assert visit.sign_in("alice", f"{LOGIN}?next=%2Fhub%2Fhome").url == f"{front.url}/hub/home"
    other = f"{front.providers[0].origin}/simplesaml"
    visit.web.get(f"{other}/saml2/idp/SingleLogoutService.php", params={"ReturnTo": f"{other}/"})
    answer = visit.get("/hub/home", allow_redirects=False)
    assert answer.status_code == 302, hub.news


def test_the_hub_takes_no_identity_but_the_fronts(
    site: tuple[EmbeddedFront, HubUnderTest],
) -> None:
    """Round the front, straight to the hub's proxy: nobody is signed in without the secret."""
    front, hub = site
    forged = {
        "X-Slurmhub-Session": new_session(),
        "X-Slurmhub-Idp": front.providers[0].entity_id,
        "X-Slurmhub-Eppn": f"{account('alice')}@example.ca",
        "X-Slurmhub-Subject-Id": ALICE["subject-id"][0],
        "X-Slurmhub-Pairwise-Id": ALICE["pairwise-id"][0],
    }
    for secret in ({}, {"X-Slurmhub-Front": "x" * 64}):
        answer = requests.get(
            hub.url + LOGIN, headers={**forged, **secret}, timeout=10, allow_redirects=False
        )
        assert answer.status_code in {400, 403}
        assert "Set-Cookie" not in answer.headers or "hub-login" not in answer.headers["Set-Cookie"]
    true = {"X-Slurmhub-Front": front.secret_file.read_text().strip()}
    answer = requests.get(
        hub.url + LOGIN, headers={**forged, **true}, timeout=10, allow_redirects=False
    )
    assert answer.status_code == 302, hub.news


def test_institutions_are_listed_to_this_host_alone(
    site: tuple[EmbeddedFront, HubUnderTest],
) -> None:
    """The hub reads the service provider's list without its name and certificate."""
    front, _ = site
    place = f"http://127.0.0.1:{front.settings.notify_port}"
    listed = requests.get(f"{place}/institutions", timeout=10).json()
    assert {each["entityID"] for each in listed} == {each.entity_id for each in front.providers}
    assert raw_request(front, "/institutions").status in {302, 404}
    assert requests.get(f"{place}/institutions/x", timeout=10).status_code == 404

"""A student in Chromium: from the choice of an institution to JupyterLab in a job, and out."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from slurmhub_deploy.cluster.embedded import EmbeddedCluster
from slurmhub_deploy.front.embedded import EmbeddedFront
from slurmhub_deploy.front.keys import make_key_pair
from tests.browser.conftest import CHROMIUM, FLAGS
from tests.rig.accounts import account
from tests.rig.front import new_session
from tests.rig.hub import HubUnderTest
from tests.rig.jupyterlab import new_notebook, open_empty
from tests.shibboleth.conftest import ALICE, PASSWORD
from tests.shibboleth.endings import (
    WITHIN,
    SignedIn,
    by_an_operator,
    by_the_provider,
    in_the_browser,
    with_server,
    worth_nothing,
)
from tests.shibboleth.judged import as_provider, lie
from tests.shibboleth.loot import EVERYTHING, Loot
from tests.shibboleth.saml import Response
from tests.shibboleth.single_logout import logout_request, send
from tests.shibboleth.test_saml_responses import says
from tests.shibboleth.visits import LOGIN, Visit, raw_request
from tests.shibboleth.wrapping import WRAPPED_ASSERTIONS, wrapped

PATIENCE = 60_000


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
    # JupyterLab brings back what an earlier test of this account had open.
    open_empty(page)
    new_notebook(page)
    page.keyboard.insert_text("print(6 * 7, 'from', __import__('getpass').getuser())")
    page.keyboard.press("Shift+Enter")
    expect(page.locator(".jp-OutputArea-output").first).to_contain_text(f"42 from {name}")

    cookies = cookies_of(page.context, front)
    assert any(each.startswith("_shibsession_") for each in cookies)
    assert all(each["secure"] for each in page.context.cookies() if "hub" in str(each["name"]))
    loot = Loot(front, name, cookies, Loot.token_in(page.content()), _kernel(page, name))
    assert loot.opens() == EVERYTHING
    stolen = loot.socket()

    page.goto("/hub/logout")
    page.wait_for_url(re.compile("/hub/shibboleth/signed-out"))
    worth_nothing(loot)
    assert stolen.is_closed_within(WITHIN + 10)
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


@pytest.mark.parametrize("end", [in_the_browser, by_the_provider, by_an_operator])
def test_a_sign_out_elsewhere_ends_all_of_it(
    site: tuple[EmbeddedFront, HubUnderTest],
    cluster: EmbeddedCluster,
    end: Callable[[EmbeddedFront, SignedIn], None],
) -> None:
    """Single logout by the browser or from server to server, and an operator's word to the service
    provider: by its notice on the back channel the same is over as by one's own sign-out."""
    front, hub = site
    gone, stays = with_server(front, hub), with_server(front, hub)
    stolen = gone.loot.socket()
    end(front, gone)
    worth_nothing(gone.loot)
    assert stolen.is_closed_within(WITHIN + 10)
    # Another browser of the same person goes on, and so does the job.
    assert stays.loot.opens() == EVERYTHING
    assert "alice" in cluster.run("squeue", "--noheader", "--format=%u %T")


def test_nobody_else_ends_a_session(
    site: tuple[EmbeddedFront, HubUnderTest], tmp_path: Path
) -> None:
    """A request to sign somebody out is believed of their own provider alone."""
    front, hub = site
    stays = with_server(front, hub)
    first, second = front.providers
    nobody = make_key_pair(tmp_path, "nobody", first.entity_id)
    for signer in (None, nobody, (second.key, second.certificate)):
        answer = send(front, logout_request(front, stays.response, signer))
        assert "status:Success" not in answer.text, signer
    of_another = stays.response.with_text(re.escape(first.entity_id), second.entity_id)
    send(front, logout_request(front, of_another, (second.key, second.certificate)))
    assert stays.loot.opens() == EVERYTHING
    by_the_provider(front, stays)
    worth_nothing(stays.loot)


def test_a_refused_response_signs_nobody_in_at_the_hub(
    site: tuple[EmbeddedFront, HubUnderTest],
) -> None:
    """What the service provider refuses, the hub answers as to somebody signed out."""
    front, hub = site
    provider, home = front.providers[0], f"{LOGIN}?next=%2Fhub%2Fhome"
    other = says("<saml:Audience>[^<]*", "<saml:Audience>https://other.example/shibboleth")
    moved = WRAPPED_ASSERTIONS["XSW5 signature moved"][0]
    changes: tuple[Callable[[Response], Response], ...] = (
        lambda it: it.unsigned(),
        lambda it: as_provider(other(it.unsigned()), provider),
        lambda it: wrapped(moved, it.unsigned().signed(provider), lie),
    )
    for change in changes:
        visit = Visit.begin(front, provider)
        visit.post(change(visit.response("alice", home)))
        assert visit.get("/hub/home", allow_redirects=False).status_code == 302
        assert visit.get("/hub/api/user").status_code == 403
    visit = Visit.begin(front, provider)
    visit.post(as_provider(visit.response("alice", home).unsigned(), provider))
    assert visit.get("/hub/home", allow_redirects=False).status_code == 200, hub.news


def claims(front: EmbeddedFront) -> dict[str, str]:
    """What the front would say of alice, without its secret."""
    return {
        "X-Slurmhub-Session": new_session(),
        "X-Slurmhub-Idp": front.providers[0].entity_id,
        "X-Slurmhub-Eppn": f"{account('alice')}@example.ca",
        "X-Slurmhub-Subject-Id": ALICE["subject-id"][0],
        "X-Slurmhub-Pairwise-Id": ALICE["pairwise-id"][0],
    }


_ATTEMPT = """
import http.client, sys
port, path, *headers = sys.argv[1:]
hub = http.client.HTTPConnection("127.0.0.1", int(port), timeout=20)
hub.request("GET", path, headers=dict(header.split("=", 1) for header in headers))
answer = hub.getresponse()
print(answer.status, "hub-login=" in str(answer.headers))
"""


def test_a_job_on_a_node_is_nobody(
    site: tuple[EmbeddedFront, HubUnderTest], cluster: EmbeddedCluster
) -> None:
    """It reaches the hub's own port and says who it is: refused, with and without a guess."""
    front, hub = site
    as_mallory = ["srun", "--partition=cpu", "--chdir=/", f"--uid={account('mallory')}"]

    def ask(secret: str | None) -> str:
        said = claims(front) | ({"X-Slurmhub-Front": secret} if secret else {})
        headers = [f"{name}={value}" for name, value in said.items()]
        program = ("/usr/bin/python3", "-c", _ATTEMPT, str(hub.hub_port), LOGIN)
        return cluster.run(*as_mallory, *program, *headers).strip()

    secret = front.secret_file.read_text().strip()
    assert ask(None) == "403 False"
    assert ask("x" * len(secret)) == "403 False"
    shown = cluster.run(*as_mallory, "/bin/cat", str(front.secret_file), check=False)
    assert secret not in shown
    # Beside it: the same headers with the secret, from the same place.
    assert ask(secret) == "302 True"


def test_the_hub_takes_no_identity_but_the_fronts(
    site: tuple[EmbeddedFront, HubUnderTest],
) -> None:
    """Round the front, straight to the hub's proxy: nobody is signed in without the secret."""
    front, hub = site
    for secret in ({}, {"X-Slurmhub-Front": "x" * 64}):
        answer = requests.get(
            hub.url + LOGIN, headers={**claims(front), **secret}, timeout=10, allow_redirects=False
        )
        assert answer.status_code in {400, 403}
        assert "hub-login" not in answer.headers.get("Set-Cookie", "")
    true = {"X-Slurmhub-Front": front.secret_file.read_text().strip()}
    answer = requests.get(
        hub.url + LOGIN, headers={**claims(front), **true}, timeout=10, allow_redirects=False
    )
    assert answer.status_code == 302, hub.news
    assert "hub-login" in answer.headers["Set-Cookie"]


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

"""Every page that people reach, in normal use and in error, has no English word left in French."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from slurmhub_deploy.cluster.embedded import EmbeddedCluster
from tests.browser.conftest import GuestMaker
from tests.browser.french import French
from tests.browser.test_language import sign_in_in_french
from tests.rig import queue
from tests.rig.hub import HubUnderTest, until


@pytest.fixture
def french() -> Iterator[French]:
    """A reader who knows no English; at the end the test fails with all that was not French."""
    reader = French()
    yield reader
    reader.verify()


def post(page: Page, path: str, **fields: str) -> None:
    """Send a form to the hub as a page would, and be on the page that answers."""
    page.evaluate(
        """([path, fields]) => {
            const form = document.createElement("form");
            form.method = "post";
            form.action = path;
            for (const [name, value] of Object.entries(fields)) {
                const field = document.createElement("input");
                [field.name, field.value] = [name, value];
                form.append(field);
            }
            document.body.append(form);
            form.submit();
        }""",
        [path, fields],
    )
    page.wait_for_url(f"**{path}*", wait_until="load")


def xsrf(page: Page) -> str:
    return str(page.evaluate("window.jhdata.xsrf_token"))


@pytest.mark.parametrize("locale", ["fr", "fr-CA"])
def test_ways_in_and_out(guest: GuestMaker, french: French, locale: str) -> None:
    alice = guest("alice-walks", signed_in=False, locale=locale)
    page = alice.page
    alice.visit("/hub/login")
    french.read(page, "login")
    page.locator("#toggle_password_visibility").click()
    french.read(page, "login, with the password shown")
    page.locator("#username_input").fill(alice.name)
    page.locator("#password_input").fill("not it")
    page.locator("#login_submit").click()
    expect(page.locator(".login_error")).to_be_visible()
    french.read(page, "login refused")
    sign_in_in_french(alice)
    for path in (
        "/hub/home",
        "/hub/no-such-page",
        "/hub/admin",
        "/hub/slurmhub/notices",
        "/hub/spawn/bob-walks",
        "/hub/user/bob-walks/",
        "/hub/slurmhub/script/alice-walks",
        "/hub/slurmhub/log/alice-walks",
        "/hub/slurmhub/script/alice-walks/x",
        "/hub/accept-share?code=x",
        "/hub/api/oauth2/authorize?client_id=x",
        "/hub/spawn-pending/alice-walks/x",
        "/hub/spawn/alice-walks/X",
        "/hub/user/alice-walks/",
        "/hub/slurmhub/files",
        "/hub/slurmhub/files?path=x",
        "/hub/slurmhub/files/delete?path=x",
    ):
        alice.visit(path)
        french.read(page, path)
    alice.visit("/hub/home")
    post(page, "/hub/slurmhub/language", language="tlh", _xsrf=xsrf(page))
    french.read(page, "a language that is none")
    alice.visit("/hub/home")
    post(page, "/hub/slurmhub/language", language="fr")
    french.read(page, "a form without its token")
    alice.visit("/hub/logout")
    french.read(page, "logout")


def test_tokens(guest: GuestMaker, french: French) -> None:
    alice = guest("alice-tokens", locale="fr-CA")
    page = alice.page
    alice.visit("/hub/token")
    french.read(page, "tokens")
    page.locator("#request-token-form button").click()
    expect(page.locator("#token-area")).to_be_visible()
    french.names = [page.locator("#token-result").inner_text()]
    page.locator("#token-scopes").fill("personne")
    page.locator("#request-token-form button").click()
    expect(page.locator("#error-dialog")).to_be_visible()
    french.read(page, "a scope that is none")
    alice.visit("/hub/token")
    expect(page.locator("#api-tokens-table")).to_contain_text("il y a quelques secondes")
    page.locator("#api-tokens-table summary").first.click()
    french.read(page, "a list of tokens")


def test_servers_with_names(guest: GuestMaker, french: French) -> None:
    alice = guest("alice-named", locale="fr")
    page = alice.page
    for name in ("lab", "Ö Ä"):
        alice.visit("/hub/home")
        page.locator("#slurmhub-new-server [name=name]").fill(name)
        page.locator("#slurmhub-new-server button").click()
        page.wait_for_load_state()
        french.read(page, f"a server with the name {name}")
    refused = page.evaluate(
        """async path => (await (await fetch(path,
            { method: "PUT", headers: { "X-XSRFToken": jhdata.xsrf_token } })).json()).message""",
        "/hub/api/users/alice-named/servers/X",
    )
    assert refused == "Ce nom de serveur n\u2019est pas valide\u00a0: 'X'"
    alice.visit("/hub/home")
    french.read(page, "home with names")


def test_the_form_and_what_it_refuses(guest: GuestMaker, french: French) -> None:
    alice = guest("alice-fills", locale="fr-CA")
    page = alice.page
    alice.open_form()
    french.read(page, "the form")
    alice.fill(partition="gpu", gpus="1")
    french.read(page, "the form for a GPU")
    alice.fill(memory="4,5", hours="1,5", cpus="1")
    assert alice.filled_in()["memory"] == "4,5"
    alice.visit(alice.path("spawn") + "?memory=many&hours=900&cpus=2&partition=nowhere&colour=red")
    french.names = ["nowhere", "many", "colour", "red", "Deux"]
    french.read(page, "a link that cannot be filled in")
    alice.open_form(query="?hours=1.5&memory=4.5")
    assert alice.filled_in()["hours"] == "1,5"
    page.get_by_role("button", name="Conserver ou partager").last.click()
    french.read(page, "options to share")
    page.get_by_label("Nom de votre préréglage").fill("Deux GPU")
    page.get_by_role("button", name="Conserver comme préréglage").click()
    french.read(page, "a preset is kept")
    alice.open_form()
    alice.fill(memory="9000", hours="0")
    page.get_by_role("button", name="Démarrer", exact=True).click()
    expect(page.locator("#slurmhub-problems")).to_be_visible()
    french.read(page, "the form refused")


def test_the_queue_the_session_and_the_end(
    guest: GuestMaker, hub: HubUnderTest, cluster: EmbeddedCluster, french: French
) -> None:
    alice = guest("alice-goes", locale="fr-CA")
    page = alice.page
    visitor = hub.visitor(alice.name)
    with queue.full(cluster):
        visitor.start(partition="cpu", cpus=1, memory="1.5G", hours="1.5")
        alice.visit(alice.path("spawn-pending"))
        alice.until_waiting()
        expect(page.locator("#slurmhub-facts")).to_contain_text("1,5\u00a0Go")
        french.read(page, "waiting")
        french.hear(page.evaluate(WORDS_OF_SCRIPTS), "the words of its script")
        alice.visit("/hub/home")
        french.read(page, "home while a server waits")
    visitor.wait_ready()
    alice.visit("/hub/home")
    french.read(page, "home while a server runs")
    alice.visit("/hub/slurmhub/log/alice-goes")
    french.read(page, "the log")
    until(lambda: has_use(visitor), seconds=120, what="what the server uses")
    alice.visit("/hub/home")
    french.read(page, "home with what the server uses")
    page.get_by_role("button", name="de plus").first.click()
    french.read(page, "home with more time, or the reason why not")
    page.get_by_role("button", name="Arrêter", exact=True).click()
    # Until its route is gone the proxy leads to the server itself.
    alice.visit(alice.path("spawn-pending"))
    expect(page.locator("html[lang=fr]")).to_be_attached()
    french.read(page, "stopping, or ended already")
    until(lambda: visitor.status()["step"] == "ended", what="the end")
    alice.visit(f"/hub/user/{alice.name}/")
    french.read(page, "ended")
    alice.visit("/hub/home")
    french.read(page, "home after the end")


WORDS_OF_SCRIPTS = """() => Array.from(document.scripts, script => script.textContent)
    .flatMap(text => text.match(/const (?:titles|words) = \\{.*\\};/g) || [])
    .flatMap(text => Object.values(JSON.parse(text.replace(/^[^{]*|;$/g, ""))))"""


def has_use(visitor: Any) -> bool:
    said = visitor.api("GET", f"/slurmhub/session/{visitor.name}").json()
    return bool(said.get("use"))


def test_a_server_that_dies(guest: GuestMaker, hub: HubUnderTest, french: French) -> None:
    alice = guest("alice-dies", locale="fr")
    visitor = hub.visitor(alice.name)
    visitor.start(partition="cpu", hours=1)
    until(lambda: visitor.status()["step"] == "ended", what="the end")
    for path in (f"/hub/user/{alice.name}/", "/hub/slurmhub/log/alice-dies", "/hub/home"):
        alice.visit(path)
        french.read(alice.page, path)


def test_files(guest: GuestMaker, french: French, tmp_path: Path) -> None:
    bob = guest("bob-fichiers", locale="fr")
    french.names = ["brouillon", "txt"]
    page = bob.page
    bob.visit("/hub/slurmhub/files")
    small = tmp_path / "brouillon.txt"
    small.write_text("x" * 2500)
    for name in ("added", "there already"):
        page.locator("#slurmhub-file").set_input_files(small)
        page.get_by_role("button", name="Ajouter ici").click()
        page.wait_for_load_state()
        french.read(page, name)
    bob.visit("/hub/slurmhub/files")
    french.read(page, "files")
    page.get_by_role("link", name="Supprimer brouillon.txt").click()
    french.read(page, "before a file is deleted")
    page.get_by_role("button", name="Supprimer définitivement").click()
    french.read(page, "a file is deleted")


def test_what_operators_see(guest: GuestMaker, hub: HubUnderTest, french: French) -> None:
    admin = guest("admin", locale="fr")
    page = admin.page
    admin.visit("/hub/admin")
    expect(page.locator("#react-admin-hook[lang=en] a").first).to_be_visible()
    french.read(page, "JupyterHub's own page for admins, around its English program")
    admin.visit("/hub/slurmhub/notices")
    french.read(page, "announcements")
    page.get_by_role("button", name="Annoncer").click()
    french.read(page, "an announcement without a text")
    page.locator("#slurmhub-text-fr").fill("Entretien vendredi à 18 h.")
    page.locator("#slurmhub-notice-partition").fill("cpu")
    page.locator("#slurmhub-drains").check()
    page.get_by_role("button", name="Annoncer").click()
    try:
        french.read(page, "an announcement")
        alice = guest("alice-annonce", locale="fr")
        alice.visit("/hub/home")
        french.read(alice.page, "home with an announcement")
        alice.open_form()
        french.read(alice.page, "the form while a partition drains")
    finally:
        visitor = hub.visitor("admin")
        for notice in visitor.api("GET", "/slurmhub/notices").json():
            visitor.api("DELETE", f"/slurmhub/notices/{notice['id']}")
    admin.visit("/hub/spawn/alice-annonce")
    french.read(page, "the form for somebody else")


def test_a_shared_server(guest: GuestMaker, hub: HubUnderTest, french: French) -> None:
    # A real JupyterLab, since it asks whoever comes by an invitation to agree.
    owner = hub.visitor("alice")
    owner.start(partition="cpu", hours=1)
    owner.wait_ready()
    code = hub.visitor("admin").api("POST", f"/share-codes/{owner.name}/").json()
    bob = guest("bob-invite", locale="fr")
    bob.visit(code["accept_url"])
    french.read(bob.page, "an invitation")
    expect(bob.page.locator(".form-check").first).to_be_visible()
    bob.page.get_by_role("button", name="Accepter l\u2019invitation").click()
    bob.page.wait_for_url("**/oauth2/authorize*")
    french.read(bob.page, "the consent")
    alice = guest("alice", locale="fr")
    alice.visit(code["accept_url"])
    french.read(alice.page, "an invitation of one's own")
    owner.stop()

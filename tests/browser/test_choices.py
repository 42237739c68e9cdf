"""Accounts, QOS, reservations, features and maintenance: each choice on the form narrows others."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, expect

from slurmhub_deploy.cluster.embedded import EmbeddedCluster
from tests.browser.axe import Axe
from tests.browser.guest import Guest
from tests.browser.test_looks import LOOKS, fits, put_on
from tests.conftest import HubMaker, running_cluster
from tests.rig.hub import HubUnderTest
from tests.slurm.test_truth import form, names_in, rich_plan, somebodys_rights


@pytest.fixture(scope="module")
def rich_cluster(ground: Path, accounts: dict[str, str]) -> Iterator[EmbeddedCluster]:
    """A cluster on which alice has a choice of everything."""
    with running_cluster(ground, rich_plan) as running:
        somebodys_rights(running)
        yield running


@pytest.fixture(scope="module")
def rich_hub(make_shared_hub: HubMaker, rich_cluster: EmbeddedCluster) -> HubUnderTest:
    """A hub on that cluster, which has seen it."""
    hub = make_shared_hub(rich_cluster)
    assert "class" in names_in(form(hub.visitor("alice")), "reservation")
    return hub


@contextmanager
def alice_at(
    browser: Browser, hub: HubUnderTest, album: Path | None, *, script: bool = True
) -> Iterator[Guest]:
    """Alice, signed in, before the form."""
    context = browser.new_context(
        base_url=hub.url,
        viewport=LOOKS[0].viewport,
        java_script_enabled=script,
        reduced_motion="reduce",
    )
    alice = Guest(context, hub, "alice", album)
    alice.visit("/hub/login")
    alice.sign_in()
    alice.open_form()
    yield alice
    alice.check_manners()
    context.close()


def hint(alice: Guest, name: str) -> Locator:
    """What stands below a field."""
    return alice.page.locator(f"#slurmhub-{name}-hint")


def can_be_chosen(alice: Guest, name: str) -> list[str]:
    """The values of a list that are not held back."""
    options = alice.field(name).locator("option:not([disabled])")
    return [str(option.get_attribute("value")) for option in options.all()]


def test_choices_narrow_each_other(
    chromium: Browser, rich_hub: HubUnderTest, album: Path | None, axe: Axe
) -> None:
    with alice_at(chromium, rich_hub, album) as alice:
        assert can_be_chosen(alice, "qos") == ["", "normal"], "the usual account has no other"
        expect(alice.field("qos").locator("option").first).to_have_text("The usual one (normal)")
        expect(hint(alice, "hours")).to_contain_text("Up to 2 hours.")
        alice.field("account").select_option("chem")
        assert can_be_chosen(alice, "qos") == ["", "long", "normal"]
        alice.field("qos").select_option("long")
        expect(hint(alice, "hours")).to_contain_text("Up to 6 hours.")
        expect(hint(alice, "cpus")).to_contain_text("Up to 3.")
        alice.field("account").select_option("physics")
        expect(alice.field("qos")).to_have_value("")
        alice.field("partition").select_option("chem")
        assert can_be_chosen(alice, "account") == ["", "chem"]
        assert can_be_chosen(alice, "reservation") == [""]
        expect(hint(alice, "cpus")).to_contain_text("Up to 4.")

        alice.field("partition").select_option("cpu")
        alice.field("features").check()
        alice.field("account").select_option("chem")
        alice.field("reservation").select_option("class")
        expect(hint(alice, "cpus")).to_contain_text("Up to 8.")
        for look in LOOKS:
            put_on(alice, look)
            assert not axe.grave(alice.page), look.name
            assert fits(alice), look.name
            alice.picture(f"choices-{look.name}")
        put_on(alice, LOOKS[0])

        alice.field("partition").select_option("gpu")
        expect(alice.field("features")).to_be_disabled()
        alice.field("gpu_type").select_option("h100")
        expect(alice.field("gpus")).to_have_value("1")
        expect(hint(alice, "hours")).to_contain_text("maintenance begins at")
        alice.field("gpu_type").select_option("shard")
        expect(hint(alice, "gpus")).to_contain_text("Up to 4.")
        assert not axe.grave(alice.page)


def test_without_a_script_the_hub_checks(
    chromium: Browser, rich_hub: HubUnderTest, album: Path | None
) -> None:
    with alice_at(chromium, rich_hub, album, script=False) as alice:
        alice.field("qos").select_option("long")
        alice.field("features").check()
        alice.press_start()
        expect(alice.problem("qos")).to_contain_text("Account physics has no such QOS")
        expect(alice.problem("qos")).to_contain_text("Choices: normal.")
        expect(alice.field("qos")).to_have_value("long")
        expect(alice.field("features")).to_be_checked()
        alice.picture("choices-refused")

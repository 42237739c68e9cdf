"""A person whose servers wait, or whose home is full, gets at their files all the same."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from slurmhub_deploy.cluster.embedded import EmbeddedCluster
from tests.browser.axe import Axe
from tests.browser.conftest import GuestMaker
from tests.rig import queue
from tests.rig.accounts import account

PAGE = "/hub/slurmhub/files"


@pytest.fixture
def folder(accounts: dict[str, str]) -> Iterator[Path]:
    """A folder in bob's home with things in it; gone after the test."""
    home = Path(os.path.expanduser(f"~{account('bob')}"))
    made = home / "results of 2031"
    made.mkdir()
    (made / "page.html").write_text("<script>document.title = 'broken in'</script>")
    (made / "old").mkdir()
    (made / "old" / "core.1234").write_bytes(b"x" * 2_500_000)
    (made / ("a-very-long-name-" * 12)).touch()
    subprocess.run(["chown", "-R", f"{account('bob')}:", str(made)], check=True)
    yield made
    subprocess.run(["rm", "-rf", "--", str(made)], check=True)


@pytest.mark.parametrize("script", [True, False], ids=["with", "without-javascript"])
def test_files_are_reached_while_the_queue_is_full(
    guest: GuestMaker, cluster: EmbeddedCluster, folder: Path, tmp_path: Path, script: bool
) -> None:
    bob = guest("bob-files", java_script_enabled=script, accept_downloads=True)
    page = bob.page
    with queue.full(cluster):
        bob.visit("/hub/home")
        page.get_by_role("link", name="Files").click()
        page.get_by_role("link", name="results of 2031/").click()
        with page.expect_download() as download:
            page.get_by_role("link", name="page.html", exact=True).click()
        assert download.value.suggested_filename == "page.html"
        assert download.value.path().read_text().startswith("<script>")
        page.get_by_role("link", name="old/").click()
        expect(page.locator("#slurmhub-files")).to_contain_text("2.5 MB")
        # Back up, and away with the folder: by keyboard, and asked once.
        page.get_by_role("link", name="results of 2031").click()
        page.get_by_role("link", name="Delete old").focus()
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text("Delete a file?")
        page.get_by_role("link", name="Keep it").click()
        assert (folder / "old").exists()
        page.get_by_role("link", name="Delete old").click()
        page.get_by_role("button", name="Delete it for ever").click()
        expect(page.get_by_role("status")).to_contain_text("results of 2031/old is deleted.")
        assert not (folder / "old").exists()
        small = tmp_path / "été.txt"
        small.write_text("bonjour")
        page.get_by_label("A file of up to").set_input_files(small)
        page.get_by_role("button", name="Add it here").click()
        expect(page.get_by_role("status")).to_contain_text("été.txt is there now.")
        assert (folder / "été.txt").read_text() == "bonjour"


def test_a_page_among_the_files_never_runs_on_the_hub(guest: GuestMaker, folder: Path) -> None:
    bob = guest("bob-guarded", accept_downloads=True)
    bob.visit(PAGE)
    with bob.page.expect_download():
        bob.page.evaluate(
            "path => { location.href = path }",
            f"{PAGE}/download?path=results%2520of%25202031%2Fpage.html",
        )
    assert bob.page.title() != "broken in"
    # Not as a script or in a frame of some page either.
    framed = bob.page.evaluate(
        """path => new Promise(done => {
            const frame = document.createElement("iframe");
            frame.src = path;
            document.body.append(frame);
            setTimeout(() => done(frame.contentDocument?.title ?? "none"), 1500);
        })""",
        f"{PAGE}/download?path=results%2520of%25202031%2Fpage.html",
    )
    assert framed != "broken in"


def test_the_page_of_files_is_for_everybody(guest: GuestMaker, folder: Path, axe: Axe) -> None:
    bob = guest("bob-looks", reduced_motion="reduce", locale="fr-CA")
    bob.visit(f"{PAGE}?path=results%2520of%25202031")
    for colours, width in (("light", 1280), ("dark", 360)):
        bob.page.emulate_media(color_scheme=colours)  # type: ignore[arg-type]
        bob.page.set_viewport_size({"width": width, "height": 740})
        assert not axe.grave(bob.page), colours
        wide = bob.page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
        assert not wide, colours
        bob.picture(f"files-{colours}")
    expect(bob.page.get_by_role("heading", level=1)).to_have_text("Vos fichiers")
    bob.visit(f"{PAGE}/delete?path=results%2520of%25202031%2Fold")
    assert not axe.grave(bob.page)
    bob.picture("files-delete")
    bob.visit(f"{PAGE}?path=nothing")
    expect(bob.page.get_by_role("alert")).to_be_visible()
    assert not axe.grave(bob.page)

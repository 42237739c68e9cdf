"""Files without a job, through a hub: as their owner, bounded, and never as a page of the hub's."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
import requests

from slurmhub_deploy.cluster.embedded import EmbeddedCluster
from tests.conftest import HubMaker
from tests.rig.accounts import account
from tests.rig.hub import HubUnderTest, Visitor, until
from tests.rig.hub_account import installed_hub_account

EXTRA = """
c.SlurmHubSpawner.files_page = True
c.SlurmHubSpawner.files_largest_download = 60_000_000
c.SlurmHubSpawner.files_largest_upload = 1_500_000
"""
PAGE = "/hub/slurmhub/files"


@pytest.fixture(scope="module", params=["root", "account"])
def hub(
    request: pytest.FixtureRequest,
    make_shared_hub: HubMaker,
    cluster: EmbeddedCluster,
    accounts: dict[str, str],
) -> Iterator[HubUnderTest]:
    """A hub for all tests here: one that is root, and one that crosses by sudo."""
    if request.param == "root":
        yield make_shared_hub(cluster, EXTRA)
    else:
        with installed_hub_account(cluster, accounts) as made:
            own = make_shared_hub(cluster, EXTRA, account=made)
            yield own
            own.stop()


@pytest.fixture
def home(accounts: dict[str, str]) -> Iterator[Path]:
    """Alice's home, as it was before when the test is over."""
    folder = Path(os.path.expanduser(f"~{account('alice')}"))
    before = set(os.listdir(folder))
    yield folder
    for name in set(os.listdir(folder)) - before:
        subprocess.run(["rm", "-rf", "--", str(folder / name)], check=True)


@pytest.fixture
def alice(hub: HubUnderTest) -> Visitor:
    return hub.visitor("alice")


def put(home: Path, name: bytes, data: bytes = b"x") -> None:
    """A file of alice's."""
    path = os.path.join(os.fsencode(home), name)
    with open(path, "wb") as file:
        file.write(data)
    os.chown(path, home.stat().st_uid, home.stat().st_gid)


def address(name: bytes) -> str:
    """A name in an address, as the page writes it."""
    return quote(quote(name, safe="/"), safe="")


def download(visitor: Visitor, name: bytes, **options: object) -> requests.Response:
    return visitor.get(f"{PAGE}/download?path={address(name)}", **options)


def test_a_file_is_sent_whole_and_never_as_a_page(alice: Visitor, home: Path) -> None:
    data = os.urandom(3_000_000)
    put(home, b"page.html", data)
    answer = download(alice, b"page.html")
    assert (answer.status_code, answer.content) == (200, data)
    headers = answer.headers
    assert headers["Content-Type"] == "application/octet-stream"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Disposition"].startswith('attachment; filename="page.html"')
    assert headers["Content-Security-Policy"] == "sandbox; default-src 'none'"


@pytest.mark.parametrize(
    "name",
    [
        b"line\nend",
        b"quote\"and'",
        b"\xff\xfe",
        b"<script>alert(1)<!--",
        b"%2e%2e",
        b"a;b=c\r\nX: y",
    ],
)
def test_hostile_names_stay_names(alice: Visitor, home: Path, name: bytes) -> None:
    put(home, name, b"content")
    page = alice.get(PAGE)
    assert page.status_code == 200
    assert f"download?path={address(name)}" in page.text
    assert "<script>alert" not in page.text
    answer = download(alice, name)
    assert answer.content == b"content"
    assert "X" not in answer.headers
    asked = alice.get(f"{PAGE}/delete?path={address(name)}")
    assert asked.status_code == 200
    done = alice.post(f"{PAGE}/delete", {"path": quote(name, safe="/")})
    assert done.status_code == 200
    assert name not in os.listdir(os.fsencode(home))


def test_a_small_file_is_taken_in_under_its_owner(alice: Visitor, home: Path) -> None:
    data = os.urandom(1_400_000)
    form = {"_xsrf": alice.xsrf, "path": ""}

    def send(name: str, body: bytes) -> requests.Response:
        url = alice.hub.url + PAGE
        return alice.session.post(url, data=form, files={"file": (name, body)}, timeout=60)

    assert send("notes.bin", data).status_code == 200
    assert (home / "notes.bin").read_bytes() == data
    assert (home / "notes.bin").stat().st_uid == home.stat().st_uid
    assert send("notes.bin", b"other").status_code == 409
    assert (home / "notes.bin").read_bytes() == data
    assert send("large.bin", b"x" * 1_500_001).status_code == 413
    assert send("empty", b"").status_code == 200
    assert (home / "empty").read_bytes() == b""
    assert not (home / "large.bin").exists()
    assert send("..", b"x").status_code == 400
    assert send("C:\\folder\\win.txt", b"x").status_code == 200
    assert (home / "win.txt").exists()


def test_nobody_reaches_what_is_not_theirs(alice: Visitor, hub: HubUnderTest, home: Path) -> None:
    put(home, b"mine", b"secret")
    (home / "mine").chmod(0o600)
    other = home.parent / account("bob")
    for path in (f"../{account('alice')}/mine", "/etc/passwd", "x/../../y"):
        for visitor in (alice, hub.visitor("bob")):
            assert download(visitor, path.encode()).status_code in (400, 404), path
    (home / "link").symlink_to(other)
    assert alice.get(f"{PAGE}?path=link").status_code == 404
    assert requests.get(hub.url + PAGE, timeout=10).url.startswith(f"{hub.url}/hub/login")
    # A form of another site carries no token, and a token for something else opens nothing.
    url = f"{hub.url}{PAGE}/delete"
    assert alice.session.post(url, data={"path": "mine"}, timeout=10).status_code == 403
    token = alice.api("POST", "/users/alice/tokens", {"scopes": ["read:users!user"]}).json()
    bare = {"Authorization": f"token {token['token']}"}
    answer = requests.get(hub.url + PAGE, headers=bare, timeout=10)
    assert answer.status_code == 403 or "/hub/login" in answer.url
    assert (home / "mine").exists()


def test_what_is_too_large_or_too_much_is_refused_in_words(alice: Visitor, home: Path) -> None:
    with open(home / "large", "wb") as file:
        file.truncate(60_000_001)
    with open(home / "long", "wb") as file:
        file.truncate(50_000_000)
    answer = download(alice, b"large")
    assert answer.status_code == 413
    assert "too large" in answer.text
    slow = [download(alice, b"long", stream=True) for _ in range(2)]
    assert [one.status_code for one in slow] == [200, 200]
    refused = download(alice, b"long")
    assert refused.status_code == 429
    assert "Too much is being done" in refused.text
    # Who goes away gives their place back, and their helper ends.
    for one in slow:
        one.close()
    until(lambda: alice.get(PAGE).status_code == 200, what="a free place")
    until(lambda: not _helpers(home), what="no helper")


def _helpers(home: Path) -> list[str]:
    done = subprocess.run(
        ["pgrep", "-u", str(home.stat().st_uid), "-f", "slurmhub-as-user"],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.split()


def test_a_hub_that_did_not_ask_for_it_has_no_such_page(
    make_hub: HubMaker, cluster: EmbeddedCluster
) -> None:
    plain = make_hub(cluster)
    alice = plain.visitor("alice")
    for path in (PAGE, f"{PAGE}/download?path=x", f"{PAGE}/delete?path=x"):
        assert alice.get(path).status_code == 404
    assert PAGE not in alice.get("/hub/home").text


def test_the_hub_answers_others_while_it_sends(alice: Visitor, home: Path) -> None:
    with open(home / "long", "wb") as file:
        file.truncate(50_000_000)
    answer = download(alice, b"long", stream=True)
    longest = 0.0
    for _ in answer.iter_content(10_000_000):
        begun = time.monotonic()
        assert requests.get(f"{alice.hub.url}/hub/api/", timeout=10).status_code == 200
        longest = max(longest, time.monotonic() - begun)
    assert longest < 2

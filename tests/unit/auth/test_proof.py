"""The front proves itself by a file that nobody else can read, and by nothing else."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tornado.httputil import HTTPHeaders, HTTPServerRequest, RequestStartLine

from slurmhub.auth.guard import IdentityClaimed
from slurmhub.auth.headers import ALL, FRONT, identity_headers, identity_shaped
from slurmhub.auth.proof import FrontSecret, FrontSecretWrong
from slurmhub.auth.refusals import FrontUnproven, SecretUnusable, SignInRefused

SECRET = "a-secret-of-a-test-0123456789-0123456789"
OTHER = "another-secret-of-a-test-0123456789-0123"


def secret_file(folder: Path, text: str = SECRET, mode: int = 0o600) -> Path:
    """A file with this secret and mode."""
    path = folder / "front-secret"
    path.unlink(missing_ok=True)
    path.touch(mode)
    path.chmod(mode)
    path.write_text(text)
    return path


def headers(*secret: str) -> HTTPHeaders:
    """Headers with the front's one, once for each of these."""
    made = HTTPHeaders()
    for one in secret:
        made.add(FRONT, one)
    return made


def test_the_secret_once_is_proof(tmp_path: Path) -> None:
    front = FrontSecret(secret_file(tmp_path, f"{SECRET}\n"))
    front.check()
    front.prove(headers(SECRET))


@pytest.mark.parametrize(
    "said",
    [
        [],
        [""],
        [SECRET, SECRET],
        [SECRET, ""],
        [SECRET[:-1]],
        [f"{SECRET}x"],
        [OTHER],
        ["\xe9" * 40],
    ],
)
def test_nothing_else_is(tmp_path: Path, said: list[str]) -> None:
    with pytest.raises(FrontUnproven) as refused:
        FrontSecret(secret_file(tmp_path)).prove(headers(*said))
    assert SECRET not in str(refused.value)
    assert SECRET not in refused.value.for_operator


@given(st.text(st.characters(min_codepoint=33, max_codepoint=255, exclude_characters="\x7f")))
def test_no_text_is_taken_for_it(said: str) -> None:
    path = Path(os.environ["SLURMHUB_TEST_SECRET"])
    with pytest.raises(SignInRefused):
        FrontSecret(path).prove(headers(said))


@pytest.fixture(autouse=True)
def a_file_for_all_examples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "of-all-examples"
    path.touch(0o600)
    path.write_text(secrets.token_urlsafe(32))
    monkeypatch.setenv("SLURMHUB_TEST_SECRET", str(path))


@pytest.mark.parametrize("mode", [0o604, 0o644, 0o620, 0o660, 0o602, 0o601, 0o777])
def test_a_file_that_others_may_touch_is_refused(tmp_path: Path, mode: int) -> None:
    with pytest.raises(FrontSecretWrong, match="open to other accounts"):
        FrontSecret(secret_file(tmp_path, mode=mode)).check()


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o640, 0o440])
def test_a_group_may_read_it(tmp_path: Path, mode: int) -> None:
    FrontSecret(secret_file(tmp_path, mode=mode)).check()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "short",
        SECRET[:31],
        f"{SECRET} x",
        f"{SECRET}\r\n",
        f"{SECRET}\n{OTHER}\n{SECRET[::-1]}\n",
        f"{SECRET}\nshort\n",
        "a" * 5000,
        "\u00e9" * 40,
    ],
)
def test_a_file_without_a_good_secret_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(FrontSecretWrong):
        FrontSecret(secret_file(tmp_path, text)).check()


def test_a_file_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FrontSecretWrong, match="No such file"):
        FrontSecret(tmp_path / "none").check()
    os.mkfifo(tmp_path / "pipe", 0o600)
    with pytest.raises(FrontSecretWrong):
        FrontSecret(tmp_path / "pipe").check()
    (tmp_path / "link").symlink_to(secret_file(tmp_path))
    with pytest.raises(FrontSecretWrong):
        FrontSecret(tmp_path / "link").check()


def test_it_can_be_rotated_without_refusing_anybody(tmp_path: Path) -> None:
    front = FrontSecret(secret_file(tmp_path))
    front.prove(headers(SECRET))
    secret_file(tmp_path, f"{OTHER}\n{SECRET}\n")
    front.prove(headers(SECRET))
    front.prove(headers(OTHER))
    secret_file(tmp_path, OTHER)
    front.prove(headers(OTHER))
    with pytest.raises(FrontUnproven):
        front.prove(headers(SECRET))


def test_a_file_that_becomes_unusable_proves_nobody(tmp_path: Path) -> None:
    path = secret_file(tmp_path)
    front = FrontSecret(path)
    front.prove(headers(SECRET))
    secret_file(tmp_path, mode=0o644)
    with pytest.raises(SecretUnusable, match="cannot check"):
        front.prove(headers(SECRET))
    path.unlink()
    with pytest.raises(SecretUnusable):
        front.prove(headers(SECRET))
    secret_file(tmp_path)
    front.prove(headers(SECRET))


# Headers that say who somebody is


@given(st.sampled_from(sorted(ALL)), st.data())
def test_the_fronts_own_names_are_known_in_every_spelling(name: str, data: st.DataObject) -> None:
    letters = []
    for letter in name:
        if letter == "-":
            letters.append(data.draw(st.sampled_from(["-", "_", ".", "--", ""])))
        else:
            letters.append(data.draw(st.sampled_from([letter.lower(), letter.upper()])))
    assert identity_shaped("".join(letters))


@pytest.mark.parametrize(
    "name", ["Mail", "X-Mail", "uid", "Remote_User", "SHIB_x", "X-Shib-Anything", "OIDC_CLAIM_sub"]
)
def test_names_of_other_sign_ins_are_known(name: str) -> None:
    assert identity_shaped(name)


@pytest.mark.parametrize(
    "name",
    [
        "Accept",
        "Cookie",
        "Authorization",
        "X-Forwarded-For",
        "X-XSRFToken",
        "Via",
        "Host",
        "Email-Not",
        "X-Remote-Addr",
        "Sec-Fetch-Site",
        "Content-Type",
        "Upgrade",
        "Origin",
    ],
)
def test_ordinary_names_are_not(name: str) -> None:
    assert not identity_shaped(name)


def request(path: str, *names: str) -> HTTPServerRequest:
    """A request with these headers."""
    made = HTTPHeaders({"Host": "hub.example.ca"})
    for name in names:
        made.add(name, "x")
    start = RequestStartLine("GET", path, "HTTP/1.1")
    return HTTPServerRequest(start_line=start, headers=made)


def test_they_may_be_at_their_places_only() -> None:
    matcher = IdentityClaimed({"/hub/in": ALL, "/hub/word": frozenset({FRONT})})
    assert matcher.match(request("/hub/in", *ALL)) is None
    assert matcher.match(request("/hub/in", "Accept")) is None
    assert matcher.match(request("/hub/word", FRONT)) is None
    assert matcher.match(request("/hub/home", "Accept")) is None
    for path, names in (
        ("/hub/home", [FRONT]),
        ("/hub/in/", [FRONT]),
        ("/hub/in", ["X_Slurmhub_Eppn"]),
        ("/hub/in", [FRONT, "X-Slurmhub-Other"]),
        ("/hub/in", [FRONT, FRONT]),
        ("/hub/in", ["Shib-Session-Id"]),
        ("/hub/word", [FRONT, "X-Slurmhub-Eppn"]),
    ):
        assert matcher.match(request(path, *names)), (path, names)


def test_names_are_told_once_and_sorted() -> None:
    assert identity_headers(["Eppn", "Accept", "Shib-A", "Eppn"]) == ("Eppn", "Shib-A")

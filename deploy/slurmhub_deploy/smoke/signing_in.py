"""From the hub's door to the hub, through whatever pages the institution has in between.

No page of any product is known here by its address, only by what it asks for: a password, to post
a SAML response on, to go on without a script, to agree to what is released.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from slurmhub_deploy.smoke.errors import StepFailed
from slurmhub_deploy.smoke.forms import Form, Page, read_page
from slurmhub_deploy.smoke.web import Answer, Web

_MOST_PAGES = 20
_SAML = ("SAMLResponse", "SAMLRequest", "wresult")
# Shibboleth's IdP, SimpleSAMLphp and ADFS: the button by which one agrees and goes on.
_GO_ON = ("_eventId_proceed", "yes", "_eventId_attributeReleaseConsent", "Continue")
_NAMES = ("username", "j_username", "UserName", "user", "login", "email", "IDToken1")


@dataclass(frozen=True)
class Credentials:
    """Who signs in, and where from, if the hub asks: the provider's entity ID."""

    username: str
    password: str
    provider: str | None = None

    def __repr__(self) -> str:
        """Without the password, which no log may hold."""
        return f"Credentials({self.username!r})"


async def sign_in(web: Web, hub: str, who: Credentials) -> Answer:
    """Sign in to the hub at this address (https://hub.example.ca/hub/), and return its home page.

    Raises StepFailed for a page from which there is no way on.
    """
    answer = await web.get(f"{hub}home")
    given = False
    for _ in range(_MOST_PAGES):
        if _arrived(answer, hub):
            return answer
        page = read_page(answer.url, answer.text)
        if asks_password(page) is not None:
            if given:
                raise _wrong_password(answer, who)
            given = True
        answer = await _go_on(web, hub, answer, page, who)
    raise StepFailed(
        f"After {_MOST_PAGES} pages the sign-in is still at {_where(answer)}.",
        remedy="Sign in there by hand with the test account and see what it asks for.",
    )


def asks_password(page: Page) -> Form | None:
    """The form of this page that asks for a password, if there is one."""
    return next((form for form in page.forms if form.of_kind("password")), None)


def filled(form: Form, who: Credentials) -> dict[str, str]:
    """What the form would send with this name and password."""
    (password, *_) = form.of_kind("password")
    texts = [name for name in form.kinds if form.kinds[name] in ("text", "email", "tel")]
    name = next((each for each in texts if each in _NAMES), texts[0] if texts else "")
    sent = {**form.fields, password: who.password}
    if name:
        sent[name] = who.username
    return sent | dict(form.buttons[:1])


def going_on(page: Page) -> tuple[Form, dict[str, str]] | None:
    """The form by which a browser, or a person who agrees, goes on; and what it sends."""
    for form in page.forms:
        if any(name in form.fields for name in _SAML):
            return form, dict(form.fields)
    for form in page.forms:
        agreed = next((button for button in form.buttons if button[0] in _GO_ON), None)
        if agreed is not None:
            return form, {**form.fields, agreed[0]: agreed[1]}
        # Shibboleth's IdP reads a browser's storage by script, and has this field for without.
        if "_eventId_proceed" in form.fields:
            return form, dict(form.fields)
    return None


async def _go_on(web: Web, hub: str, answer: Answer, page: Page, who: Credentials) -> Answer:
    asking = asks_password(page)
    if asking is not None:
        return await _submit(web, asking, filled(asking, who))
    led = going_on(page)
    if led is not None:
        return await _submit(web, *led)
    if answer.url.startswith(f"{hub}shibboleth/terms"):
        return await _submit(web, *_terms(answer, page))
    if answer.url.startswith(f"{hub}shibboleth/where"):
        return await _submit(web, *_chosen(answer, page, who))
    link = next((each for each in page.links if each.startswith(f"{hub}shibboleth/login")), None)
    if link is not None and answer.status < 400:
        return await web.get(link)
    raise _stuck(answer, page)


def _terms(answer: Answer, page: Page) -> tuple[Form, dict[str, str]]:
    for form in page.forms:
        if ("answer", "accept") in form.buttons:
            return form, {**form.fields, "answer": "accept"}
    raise _stuck(answer, page)


def _chosen(answer: Answer, page: Page, who: Credentials) -> tuple[Form, dict[str, str]]:
    wanted = ("idp", who.provider or "")
    for form in page.forms:
        offered = [button for button in form.buttons if button[0] == "idp"]
        if wanted in offered or (who.provider is None and len(offered) == 1):
            name, value = wanted if wanted in offered else offered[0]
            return form, {**form.fields, name: value}
    raise StepFailed(
        f"{_where(answer)} asks for an institution, and the test account's is not in its list.",
        remedy="Name it in `probe.provider`, by its entity ID, and see whether the hub has its"
        " metadata.",
    )


async def _submit(web: Web, form: Form, sent: dict[str, str]) -> Answer:
    if form.method == "post":
        return await web.post(form.action, sent)
    separator = "&" if urlsplit(form.action).query else "?"
    return await web.get(f"{form.action}{separator}{_query(sent)}")


def _query(sent: dict[str, str]) -> str:
    from urllib.parse import urlencode

    return urlencode(sent)


def _arrived(answer: Answer, hub: str) -> bool:
    path = urlsplit(answer.url).path
    return answer.status == 200 and answer.url.startswith(hub) and path.endswith("/hub/home")


def _where(answer: Answer) -> str:
    parts = urlsplit(answer.url)
    return f"{parts.scheme}://{parts.netloc}{parts.path}"


def _wrong_password(answer: Answer, who: Credentials) -> StepFailed:
    return StepFailed(
        f"{_where(answer)} asks for the password of {who.username} again.",
        remedy="Give the right one with `slurmhub secret set`, and see whether the institution has"
        " closed the test account or asks it for a second factor.",
    )


def _stuck(answer: Answer, page: Page) -> StepFailed:
    title = f" ({page.title})" if page.title else ""
    return StepFailed(
        f"The sign-in ends at {_where(answer)}, which answers {answer.status}{title}.",
        remedy="Open it in a browser with the test account: the page says what is wrong. The"
        " front's and shibd's logs on the hub's host say more (docs/operators/shibboleth.md).",
    )

"""A person at a browser: signs in, fills in the form, reads what the page says."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import (
    BrowserContext,
    Locator,
    Page,
    Request,
    Response,
    Route,
    WebError,
    WebSocket,
    expect,
)

from tests.rig.hub import PASSWORD, HubUnderTest

CHOSEN_FROM_A_LIST = ("partition", "gpu_type")
ELSEWHERE = re.compile(r"^(?!http://127\.0\.0\.1:\d+/|data:|blob:)")
# In milliseconds; a job starts within a second or two here, JupyterLab in a few more.
PATIENCE = 60_000


class Guest:
    """One person with one page; `name` is the hub's user."""

    def __init__(
        self, context: BrowserContext, hub: HubUnderTest, name: str, album: Path | None
    ) -> None:
        self.hub = hub
        self.name = name
        self._album = album
        self._strange: list[str] = []
        context.set_default_timeout(PATIENCE)
        context.route(ELSEWHERE, self._refuse)
        context.on("weberror", self._keep_error)
        self.page: Page = context.new_page()
        self.page.on("websocket", self._look_at_socket)

    # What happens behind the page

    def _refuse(self, route: Route, request: Request) -> None:
        self._strange.append(f"a request to another machine: {request.url}")
        route.abort()

    def _look_at_socket(self, socket: WebSocket) -> None:
        if not socket.url.startswith(self.hub.url.replace("http", "ws", 1)):
            self._strange.append(f"a websocket to another machine: {socket.url}")

    def _keep_error(self, error: WebError) -> None:
        self._strange.append(f"an error in a script: {error.error}")

    def check_manners(self) -> None:
        """No page may have asked another machine for anything, or had an error in its script."""
        assert not self._strange, self._strange

    # Pages

    def sign_in(self) -> None:
        """On the hub's own sign-in page, which leads on to where one wanted to go."""
        # In whichever language the page is.
        self.page.locator("#username_input").fill(self.name)
        self.page.locator("#password_input").fill(PASSWORD)
        self.page.locator("#login_submit").click()
        self.page.wait_for_url(lambda url: "/hub/login" not in url)

    def path(self, kind: str, server: str = "") -> str:
        """The address of the hub's page of a kind that concerns a server: `spawn`, for instance."""
        return f"/hub/{kind}/{self.name}" + (f"/{server}" if server else "")

    def visit(self, path: str) -> Response:
        """Go to an address of the hub, as by a link."""
        answer = self.page.goto(path)
        assert answer is not None
        return answer

    def open_form(self, server: str = "", query: str = "") -> None:
        """The page with the form, perhaps by a link that says something."""
        self.visit(self.path("spawn", server) + query)
        self.expect_form()

    def picture(self, name: str, *, whole: bool = False) -> None:
        """Keep what the page looks like now, if pictures are kept: what is in view, or all."""
        if self._album is not None:
            path = self._album / f"{name}.png"
            self.page.screenshot(path=path, animations="disabled", full_page=whole)

    # The form

    def expect_form(self) -> None:
        """The form is on the page."""
        expect(self.field("partition")).to_be_visible()

    def field(self, name: str) -> Locator:
        """A field of the form."""
        return self.page.locator(f"#slurmhub-options [name={name}]")

    def choices(self, name: str) -> list[str]:
        """What a list on the form offers."""
        return [str(o.get_attribute("value")) for o in self.field(name).locator("option").all()]

    def fill(self, **values: str) -> None:
        """Fill in these fields, in this order."""
        for name, value in values.items():
            if name in CHOSEN_FROM_A_LIST:
                self.field(name).select_option(value)
            else:
                self.field(name).fill(value)

    def filled_in(self) -> dict[str, str]:
        """What the form would send."""
        shown = self.page.locator("#slurmhub-options [name]:enabled")
        return {str(field.get_attribute("name")): field.input_value() for field in shown.all()}

    def problem(self, field: str) -> Locator:
        """The message beside a field."""
        return self.page.locator(f"#slurmhub-{field}-error")

    def press_start(self) -> None:
        """The button below the form."""
        self.page.get_by_role("button", name="Start", exact=True).click()

    # Waiting, and what comes of it

    @property
    def news(self) -> Locator:
        """What the waiting page says, and the page of a server that has ended."""
        return self.page.locator("#slurmhub-message")

    def until_waiting(self, server: str = "") -> None:
        """On the page that says why one waits."""
        self.page.wait_for_url(
            re.compile(re.escape(self.path("spawn-pending", server)) + "([?]|$)")
        )
        expect(self.news).to_be_visible()

    def press_cancel(self) -> None:
        """The button of the waiting page."""
        self.page.get_by_role("button", name="Cancel this server").click()

    def until_ended(self, words: str) -> None:
        """On the page that says what became of the server, and offers to start again."""
        expect(self.start_again).to_be_visible()
        expect(self.news).to_contain_text(words)

    @property
    def start_again(self) -> Locator:
        """The link to the form, on the page of a server that has ended."""
        return self.page.get_by_role("button", name="Start again")

    def until_at_server(self, server: str = "") -> None:
        """Sent on to the server itself."""
        home = f"/user/{self.name}/" + (f"{server}/" if server else "")
        self.page.wait_for_url(re.compile("^" + re.escape(self.hub.url + home)))

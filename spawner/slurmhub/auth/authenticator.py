"""`c.JupyterHub.authenticator_class = "shibboleth"`: from an assertion to a user of the hub."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from jupyterhub.app import JupyterHub
from jupyterhub.auth import Authenticator
from jupyterhub.utils import url_path_join
from sqlalchemy.exc import SQLAlchemyError
from tornado.ioloop import PeriodicCallback
from traitlets import Any as AnyTrait
from traitlets import Bool, Unicode, default

from slurmhub import compat
from slurmhub.auth.account_settings import AccountTraits
from slurmhub.auth.assertion import Assertion
from slurmhub.auth.discovery import Institutions
from slurmhub.auth.groups import groups_of
from slurmhub.auth.handlers import HANDLERS
from slurmhub.auth.people import Source
from slurmhub.auth.places import LOGIN
from slurmhub.auth.refusals import NoSession, NotAllowed
from slurmhub.auth.sessions import COOKIE, Session, Sessions
from slurmhub.auth.settings import SignInTraits
from slurmhub.auth.terms import Acceptances, TermsAwaited, WaitingRoom
from slurmhub.errors import SlurmhubError
from slurmhub.keys import load_key
from slurmhub.ledger import Ledger
from slurmhub.metrics import SESSION_ENDS
from slurmhub.runtime import TEMPLATES

_SWEEP_MILLISECONDS = 60_000


class ShibbolethAuthenticator(SignInTraits, AccountTraits, Authenticator):  # type: ignore[misc]
    """Signs people in by what the front passes on of their institution's word.

    The front is Apache with mod_shib; docs/operators/shibboleth.md sets it up. JupyterHub's
    `allowed_users`, `blocked_users` and `admin_users` apply to the names of accounts.
    """

    enable_auth_state = Bool(
        True, help="Keep name, mail, affiliation and the like of people, encrypted."
    ).tag(config=True)
    manage_groups = Bool(True, help="Groups are those of group_rules, anew at each sign-in.").tag(
        config=True
    )
    login_service = Unicode(
        "your institution", help="What the button to sign in leads to, in a word or two."
    ).tag(config=True)

    accounts: Any = AnyTrait()
    sessions: Any = AnyTrait()
    acceptances: Any = AnyTrait()
    institutions: Any = AnyTrait()
    waiting: Any = AnyTrait()

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.waiting = WaitingRoom()
        self._to_revoke: list[Session] = []
        if isinstance(self.parent, JupyterHub):
            self._or_end(self._prepare)

    @default("ledger_url")
    def _default_ledger_url(self) -> str:
        spawner = getattr(self.parent, "spawner_class", None)
        if spawner is None or not hasattr(spawner, "ledger_url"):
            return "sqlite:///slurmhub.sqlite"
        return str(spawner(config=self.config).ledger_url)

    def _prepare(self) -> None:
        self.check_settings()
        if str(TEMPLATES) not in self.parent.template_paths:
            raise SlurmhubError(
                'authenticator_class is "shibboleth", and slurmhub.configure(c) was not called.',
                remedy="Call it in jupyterhub_config.py: the pages of the sign-in come with it.",
            )
        if self.enable_auth_state:
            compat.encrypt_auth_state_with(
                self.parent, lambda: load_key(Path(self.auth_state_key_file))
            )

    def _or_end(self, act: Any) -> None:
        """End a hub that cannot sign anybody in, in words rather than with a traceback."""
        try:
            act()
        except SlurmhubError as error:
            self.log.critical("This hub cannot start. %s", error)
            raise SystemExit(1) from error

    # What JupyterHub asks for

    def login_url(self, base_url: str) -> str:
        """Where the button leads to: the location that the SP protects."""
        return str(url_path_join(base_url, LOGIN))

    def get_handlers(self, app: Any) -> list[tuple[Any, ...]]:
        """The pages of the sign-in; called once, when the hub starts."""
        self._or_end(self._open)
        compat.ask_for_sessions()
        PeriodicCallback(self.sweep, _SWEEP_MILLISECONDS).start()
        self.sweep()
        return list(HANDLERS)

    def _open(self) -> None:
        engine = Ledger(self.ledger_url, log=self.log).engine
        self.sessions = Sessions(engine, lifetime=self.session_lifetime, terms=self.terms.version)
        self.acceptances = Acceptances(engine)
        self.institutions = Institutions(self.discovery_feed, log=self.log)
        if self.accounts is None:
            # An account that is made must not happen to have the name of an admin.
            named = self.admin_users | self.allowed_users
            self.accounts = self.make_accounts(self.ledger_url, named, self.log)

    async def authenticate(self, handler: Any, data: Any) -> dict[str, Any]:
        """The user of this assertion, with groups and auth_state. Raises SignInRefused."""
        assertion: Assertion = data["assertion"]
        groups = groups_of(assertion, self.rules_of_groups)
        if not (self.allow_all or self.allowed_groups & set(groups)):
            await self._refuse_early(assertion)
        person = await self.accounts.ensure(assertion)
        return {
            "name": person.account,
            "groups": groups,
            "auth_state": {
                "groups": groups,
                **{key: value for key, value in asdict(assertion).items() if key != "session"},
            },
        }

    async def _refuse_early(self, assertion: Assertion) -> None:
        """Make no account for somebody whom nothing allows, whatever the name would be."""
        if self.account_source == Source.MADE.value and not await self.accounts.known(assertion):
            raise NotAllowed(
                f"somebody new from {assertion.idp} is in none of allowed_groups; names in "
                "allowed_users are those of accounts that are there"
            )

    def check_allowed(self, username: str, authentication: Any = None) -> bool:
        """JupyterHub's own lists, and members of `allowed_groups`."""
        groups = set((authentication or {}).get("groups") or ())
        if self.allowed_groups & groups or username in self.admin_users:
            return True
        return bool(super().check_allowed(username, authentication))

    async def run_post_auth_hook(self, handler: Any, auth_model: dict[str, Any]) -> dict[str, Any]:
        """Comes after allow and block lists, and so is where terms of use are asked for."""
        if self.terms.version and not self.acceptances.has(auth_model["name"], self.terms.version):
            raise TermsAwaited(auth_model["name"])
        return dict(await super().run_post_auth_hook(handler, auth_model))

    # Sessions

    def session_of(self, handler: Any) -> Session | None:
        """The living session that a request of a browser belongs to."""
        found: Session | None = self.sessions.find(handler.get_cookie(COOKIE))
        return found

    def begin_session(self, username: str, front_session: str, hub_session: str) -> str:
        """A new session; returns the value of its cookie. Raises SignInRefused, SQLAlchemyError."""
        if self.sessions.is_over(front_session):
            raise NoSession("the SP ended this session while the person was signing in")
        cookie: str = self.sessions.begin(
            username, front_session=front_session, hub_session=hub_session
        )
        return cookie

    def end_sessions(self, ended: Iterable[Session], how: str) -> None:
        """Let these be over now: in the hub, and for the servers and services they led to."""
        ended = list(ended)
        try:
            self.sessions.end(ended)
        except SQLAlchemyError as error:
            self.log.error(
                "The end of %d sessions could not be written down (%s). It is tried again every "
                "minute; restart the hub only when its disk has room.",
                len(ended),
                type(error).__name__,
            )
        for session in ended:
            SESSION_ENDS.labels(how).inc()
            self.log.info("A session of %s has ended (%s).", session.username, how)
        self._to_revoke += ended
        self._revoke()

    def _revoke(self) -> None:
        """Take back the tokens of ended sessions; what cannot be written is tried again."""
        while self._to_revoke:
            session = self._to_revoke[0]
            try:
                compat.end_tokens(self.parent.db, session.username, session.hub_session)
            except SQLAlchemyError as error:
                self.parent.db.rollback()
                self.log.error(
                    "Tokens of %s cannot be revoked (%s). It is tried again every minute.",
                    session.username,
                    type(error).__name__,
                )
                return
            del self._to_revoke[0]

    def sweep(self) -> None:
        """End what is overdue, and write down what could not be; called every minute."""
        try:
            self.sessions.flush()
        except SQLAlchemyError as error:
            self.log.error("Ends of sessions cannot be written (%s).", type(error).__name__)
        self.end_sessions(self.sessions.overdue(), "expired")

"""What we touch of JupyterHub's private side is there, in the version that is installed."""

from __future__ import annotations

import inspect
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import batchspawner
import pytest
import sqlalchemy as sa
from jupyterhub.apihandlers import default_handlers
from jupyterhub.apihandlers.users import UserServerAPIHandler
from jupyterhub.app import JupyterHub
from jupyterhub.crypto import CryptKeeper
from jupyterhub.handlers.base import BaseHandler
from jupyterhub.oauth.provider import JupyterHubOAuthServer
from jupyterhub.orm import APIToken, Base, OAuthCode
from jupyterhub.orm import User as User_
from jupyterhub.spawner import Spawner
from jupyterhub.user import User
from sqlalchemy.orm import Session
from tornado import web
from tornado.routing import PathMatches

from slurmhub import SlurmHubSpawner, compat
from slurmhub.hub.rendezvous_handler import PATTERN
from slurmhub.hub.stopping import StoppingHandler, remember_who_stops


def test_batchspawners_handler_is_gone_and_ours_is_there_once() -> None:
    assert SlurmHubSpawner.__mro__
    patterns = [entry[0] for entry in default_handlers]
    assert not [pattern for pattern in patterns if "batchspawner" in pattern]
    assert patterns.count(PATTERN) == 1
    # The inherited module still has it: only the hub's routes must not.
    assert batchspawner.api.BatchSpawnerAPIHandler


def test_who_stops_a_server_is_remembered_wherever_the_hub_stops_one() -> None:
    before = list(default_handlers)
    # Another test of this process may have replaced it already.
    patterns = [entry[0] for entry in before if issubclass(entry[1], UserServerAPIHandler)]
    assert patterns
    try:
        remember_who_stops()
        ours = [entry[0] for entry in default_handlers if entry[1] is StoppingHandler]
        assert ours == patterns
        assert not [entry for entry in default_handlers if entry[1] is UserServerAPIHandler]
    finally:
        default_handlers[:] = before


def test_the_spawners_private_flags_are_where_we_set_them() -> None:
    for name in ("_check_pending", "_spawn_pending", "_spawn_future"):
        assert hasattr(Spawner, name), name
    assert "_check_pending" in inspect.getsource(Spawner.pending.fget)
    assert "_spawn_future" in inspect.getsource(UserServerAPIHandler.delete)
    assert "_spawn_future" in inspect.getsource(User.stop)


def test_tokens_and_clients_are_made_as_we_make_them() -> None:
    assert {"token", "user", "scopes", "note", "generated"} <= set(
        inspect.signature(APIToken.new).parameters
    )
    assert {"allowed_scopes", "description"} <= set(
        inspect.signature(JupyterHubOAuthServer.add_client).parameters
    )
    assert inspect.iscoroutinefunction(Spawner._get_oauth_client_allowed_scopes)


def test_a_wait_can_be_interrupted_and_leaves_nothing() -> None:
    spawner = Spawner.__new__(Spawner)
    with compat.held(spawner, None):
        assert compat.is_held(spawner)
        assert spawner.pending == "check"
    assert not compat.is_held(spawner)
    assert compat.spawning(spawner) is None


def test_cookies_are_asked_about_where_an_authenticator_keeps_sessions(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bob, alice = SimpleNamespace(name="bob"), SimpleNamespace(name="alice")

    class Handler:
        authenticator: Any = None
        user = alice

    monkeypatch.setattr(BaseHandler, "get_current_user_cookie", lambda self: self.user)
    compat.ask_for_sessions()
    once = BaseHandler.get_current_user_cookie
    compat.ask_for_sessions()
    assert BaseHandler.get_current_user_cookie is once
    handler = Handler()
    # Another authenticator's people have JupyterHub's cookie alone.
    assert once(handler) is alice
    session = SimpleNamespace(username="alice", hub_session="h1")
    handler.authenticator = SimpleNamespace(session_of=lambda _: session)
    assert once(handler) is alice
    assert vars(handler)["_session_id"] == "h1"
    handler.user = bob
    assert once(handler) is None
    handler.authenticator = SimpleNamespace(session_of=lambda _: None)
    assert once(handler) is None


async def test_sign_ins_are_heard_once_whoever_listens_last(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def login_user(handler: Any, data: Any = None) -> Any:
        return data and SimpleNamespace(name=data["username"])

    heard: list[tuple[str, str]] = []

    def listener(called: str) -> Any:
        async def hear(handler: Any, user: Any, data: Any) -> None:
            heard.append((called, user.name))

        return hear

    assert inspect.iscoroutinefunction(BaseHandler.login_user)
    assert list(inspect.signature(BaseHandler.login_user).parameters) == ["self", "data"]
    monkeypatch.setattr(BaseHandler, "login_user", login_user)
    compat.hear_sign_ins(listener("first"))
    compat.hear_sign_ins(listener("second"))
    handler = object()
    assert (await BaseHandler.login_user(handler, {"username": "alice"})).name == "alice"
    assert await BaseHandler.login_user(handler) is None
    assert heard == [("second", "alice")]


async def test_names_of_servers_are_checked_where_jupyterhub_checks_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[Any] = []

    async def inherited(handler: Any, *args: Any, **kwargs: Any) -> None:
        asked.append((args, kwargs))

    async def check(inherited: Any, handler: Any, *args: Any, **kwargs: Any) -> None:
        await inherited(handler, *args, check_limit=False)

    name = "_check_named_server_request"
    parameters = inspect.signature(getattr(BaseHandler, name)).parameters
    assert list(parameters) == ["self", "user", "server_name", "display_name", "check_limit"]
    for place in ("handlers/pages.py", "apihandlers/users.py"):
        assert f"self.{name}(" in (Path(inspect.getfile(JupyterHub)).parent / place).read_text()
    monkeypatch.setattr(BaseHandler, name, inherited)
    compat.check_named_servers(check)
    compat.check_named_servers(check)
    await getattr(BaseHandler, name)(object(), "alice", "work", "work")
    assert asked == [(("alice", "work", "work"), {"check_limit": False})]


def test_jupyterhub_keeps_the_session_where_we_set_it() -> None:
    for method in (BaseHandler.get_session_cookie, BaseHandler.set_session_cookie):
        assert '"_session_id"' in inspect.getsource(method)
    assert "get_current_user_cookie" in inspect.getsource(BaseHandler.get_current_user)
    for table in (APIToken, OAuthCode):
        assert {"session_id", "user_id"} <= set(table.__table__.columns.keys())
    given: list[str] = []
    handler = SimpleNamespace(set_session_cookie=lambda: given.append("cookie"))
    compat.begin_session(handler)
    first = handler._session_id
    compat.begin_session(handler)
    assert given == ["cookie", "cookie"]
    assert len(first) == 32
    assert handler._session_id != first


def test_tokens_of_one_session_are_revoked_and_no_others() -> None:
    engine = sa.create_engine("sqlite://")
    Base.metadata.create_all(engine)
    db = Session(engine)
    alice, bob = User_(name="alice"), User_(name="bob")
    db.add_all([alice, bob])
    db.commit()
    had = ((alice, "h1"), (alice, "h1"), (alice, "h2"), (bob, "h1"), (alice, None))
    for number, (user, session) in enumerate(had):
        db.add(APIToken(user_id=user.id, session_id=session, hashed=str(number)))
        db.add(OAuthCode(user_id=user.id, session_id=session, code="c"))
    db.commit()
    assert compat.end_tokens(db, "nobody", "h1") == 0
    assert compat.end_tokens(db, "alice", "h1") == 4
    for table in (APIToken, OAuthCode):
        left = sorted((one.user.name, one.session_id or "") for one in db.query(table))
        assert left == [("alice", ""), ("alice", "h2"), ("bob", "h1")]
    assert compat.end_tokens(db, "alice", "h1") == 0


def test_a_key_for_auth_state_is_used_where_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JUPYTERHUB_CRYPT_KEY", raising=False)
    CryptKeeper.clear_instance()
    try:
        compat.encrypt_auth_state_with(None, lambda: b"k" * 32)
        assert CryptKeeper.instance().keys == [b"k" * 32]
        CryptKeeper.instance().check_available()
        # The operator's own key stays.
        compat.encrypt_auth_state_with(None, lambda: b"x" * 32)
        assert CryptKeeper.instance().keys == [b"k" * 32]
    finally:
        CryptKeeper.clear_instance()


def test_what_is_to_answer_first_does() -> None:
    class Page(web.RequestHandler):
        pass

    application = web.Application([("/.*", Page)])
    compat.answer_first(
        SimpleNamespace(tornado_application=application), PathMatches("/first"), Page, {}
    )
    assert isinstance(application.default_router.rules[0].matcher, PathMatches)
    assert "self.tornado_application = " in inspect.getsource(JupyterHub.init_tornado_application)


def test_the_application_is_in_every_users_settings() -> None:
    assert "app=self" in inspect.getsource(JupyterHub.init_tornado_settings)
    assert "proxy=self.proxy" in inspect.getsource(JupyterHub.init_tornado_settings)

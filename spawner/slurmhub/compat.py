"""Every private attribute of JupyterHub that is touched, each with its reason.

Each has a test per supported version in tests/unit/test_compat.py.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

from jupyterhub import orm
from jupyterhub.apihandlers import default_handlers
from jupyterhub.app import JupyterHub
from jupyterhub.crypto import CryptKeeper
from jupyterhub.handlers.base import BaseHandler
from jupyterhub.utils import url_escape_path, url_path_join
from tornado.routing import Rule


def remove_inherited_handler() -> None:
    """Take batchspawner's port handler off the hub's routes.

    Importing batchspawner adds it to `default_handlers`; this hub's jobs
    announce themselves at the rendezvous only.
    """
    default_handlers[:] = [entry for entry in default_handlers if "batchspawner" not in entry[0]]


def add_api_handler(pattern: str, handler: type) -> None:
    """Serve `handler` below /hub/api, also in a hub that never called `configure`.

    A spawner has no public way to bring a handler of its own.
    """
    entry = (pattern, handler)
    if entry not in default_handlers:
        default_handlers.append(entry)


def replace_api_handler(old: type, new: type) -> None:
    """Serve `new`, a subclass of `old`, wherever the hub itself serves `old`.

    The hub's own handlers come before those that a configuration adds.
    """
    default_handlers[:] = [
        (entry[0], new, *entry[2:]) if entry[1] is old else entry for entry in default_handlers
    ]


def adopt_token(spawner: Any, token: str) -> None:
    """Make `token` the server's API token and OAuth secret, in place of the random one.

    JupyterHub does this by itself only when `start()` returns; the job uses its
    token before that, and a hub that restarts meanwhile never gets there.
    """
    user = spawner.user
    fresh = orm.APIToken.find(user.db, spawner.api_token)
    if orm.APIToken.find(user.db, token) is None:
        scopes = list(fresh.scopes) if fresh else None
        orm.APIToken.new(
            token=token,
            user=user.orm_user,
            scopes=scopes,
            roles=None if scopes else ["server"],
            note=f"Server at {spawner.server.base_url if spawner.server else user.url}",
            # The token is an HMAC of 256 bits: it needs no slow hash.
            generated=True,
        )
    if fresh is not None and spawner.api_token != token:
        user.db.delete(fresh)
    user.db.commit()
    spawner.api_token = token


async def refresh_oauth_client(spawner: Any) -> None:
    """Give the server's OAuth client its secret and its scopes.

    JupyterHub's own update for a re-used token leaves the client without the
    scopes it was allowed (`User.spawn`, after `start()` returned).
    """
    provider = spawner.user.settings.get("oauth_provider")
    if provider is None or not spawner.api_token:
        return
    provider.add_client(
        spawner.oauth_client_id,
        spawner.api_token,
        url_path_join(spawner.user.url, url_escape_path(spawner.name), "oauth_callback"),
        allowed_scopes=await spawner._get_oauth_client_allowed_scopes(),
        description=f"Server at {url_path_join(spawner.user.base_url, spawner.name, '/')}",
    )


@contextmanager
def interruptible(spawner: Any, waiting: asyncio.Future[Any]) -> Iterator[None]:
    """Let DELETE end a wait that is not a spawn: it cancels `_spawn_future`, whatever that is.

    Without one the hub answers 500 to the DELETE of a server that it is checking.
    """
    spawner._spawn_future = waiting
    try:
        yield
    finally:
        # The hub asks a finished future for its exception, which a cancelled one has not.
        spawner._spawn_future = None


def outlive_delete(spawner: Any) -> None:
    """Let a DELETE that interrupted the hub's check of this server come to its end.

    It sleeps a second, during which the check ends and stops the server, and then
    answers 500 when the spawner is gone from the user's. `User.stop` leaves a
    spawner there whose `_spawn_future` is not done.
    """
    loop = asyncio.get_running_loop()
    spawner._spawn_future = loop.create_future()
    loop.call_later(3, lambda: setattr(spawner, "_spawn_future", None))


@contextmanager
def held(spawner: Any, waiting: Any) -> Iterator[None]:
    """Make the hub treat a server as not ready: its job lost its place and waits again.

    `_check_pending` is what the hub itself sets while it does not know; there is
    no public way to say it.
    """
    spawner._check_pending = True
    try:
        with interruptible(spawner, waiting):
            yield
    finally:
        spawner._check_pending = False


def is_held(spawner: Any) -> bool:
    """True while the hub checks this server, after its restart or within `held`."""
    return bool(spawner._check_pending)


def is_starting(spawner: Any) -> bool:
    """True from the request for a server until it is ready."""
    return bool(spawner._spawn_pending)


def spawning(spawner: Any) -> Any:
    """The future of the spawn that is under way, or None."""
    return spawner._spawn_future


def proxy(spawner: Any) -> Any:
    """The hub's proxy, from the settings that every user object carries."""
    return spawner.user.settings["proxy"]


def hub_app(spawner: Any) -> Any:
    """The JupyterHub application, for its ports and folders; None outside a hub."""
    if spawner.user is not None:
        return spawner.user.settings.get("app")
    return JupyterHub.instance() if JupyterHub.initialized() else None


def ask_for_sessions() -> None:
    """Make the hub ask an authenticator that keeps sessions whether a browser's cookie is good.

    JupyterHub's cookie is the same in all browsers of a person and stays good after a sign-out;
    its only way to end it is to end it everywhere. An authenticator says with `session_of(handler)`
    which of its sessions, with `username` and `hub_session`, a request belongs to, or None.
    """
    inherited = BaseHandler.get_current_user_cookie
    if getattr(inherited, "asks_for_sessions", False):
        return

    @wraps(inherited)
    def get_current_user_cookie(self: Any) -> Any:
        session_of = getattr(self.authenticator, "session_of", None)
        if session_of is None:
            return inherited(self)
        session = session_of(self)
        if session is None:
            return None
        bind_session(self, session.hub_session)
        user = inherited(self)
        return user if user is not None and user.name == session.username else None

    vars(get_current_user_cookie)["asks_for_sessions"] = True
    BaseHandler.get_current_user_cookie = get_current_user_cookie


def hear_sign_ins(hear: Callable[..., Awaitable[None]]) -> None:
    """Have `hear(handler, user, data)` called when somebody has signed in, by whatever way.

    JupyterHub has a hook before a sign-in is accepted, when there may be no user and no groups yet,
    and none after. `data` is what `Authenticator.authenticate` was given.
    """
    inherited = BaseHandler.login_user
    if hasattr(inherited, "heard_by"):
        vars(inherited)["heard_by"] = hear
        return

    @wraps(inherited)
    async def login_user(self: Any, data: Any = None) -> Any:
        user = await inherited(self, data)
        if user is not None:
            await vars(login_user)["heard_by"](self, user, data)
        return user

    vars(login_user)["heard_by"] = hear
    BaseHandler.login_user = login_user


def check_named_servers(check: Callable[..., Awaitable[None]]) -> None:
    """Let `check(inherited, handler, user, server_name, display_name, check_limit)` decide.

    JupyterHub asks one method whether somebody may have a server of a name, from all its pages and
    its API, and has no setting that tells some names from others.
    """
    inherited = BaseHandler._check_named_server_request
    if hasattr(inherited, "decided_by"):
        vars(inherited)["decided_by"] = check
        return

    @wraps(inherited)
    async def decide(self: Any, *args: Any, **kwargs: Any) -> None:
        await vars(decide)["decided_by"](inherited, self, *args, **kwargs)

    vars(decide)["decided_by"] = check
    BaseHandler._check_named_server_request = decide


def bind_session(handler: Any, hub_session: str) -> None:
    """Let this request belong to this session of JupyterHub, whatever its cookie says.

    JupyterHub takes the id from a cookie that every server can read and any client can write; a
    token that a request gets under another id would outlive the session.
    """
    handler._session_id = hub_session


def begin_session(handler: Any) -> None:
    """Give this request a fresh session of JupyterHub, and its browser the cookie of it.

    `set_session_cookie` keeps the id that a request has, which whoever set the cookie knows.
    """
    handler._session_id = secrets.token_hex(16)
    handler.set_session_cookie()


def end_tokens(db: Any, username: str, hub_session: str) -> int:
    """Revoke what servers and services were given in one browser session; returns how many.

    Also codes that are not yet exchanged for a token. JupyterHub's own sign-out leaves these, and
    can only revoke tokens of the browser that asks.
    """
    user = orm.User.find(db, name=username)
    if user is None:
        return 0
    found = [
        one
        for kind in (orm.APIToken, orm.OAuthCode)
        for one in db.query(kind).filter_by(user_id=user.id, session_id=hub_session)
    ]
    for one in found:
        db.delete(one)
    db.commit()
    return len(found)


def encrypt_auth_state_with(app: Any, key: Callable[[], bytes]) -> None:
    """Give the hub a key for auth_state where the operator has set none.

    JupyterHub takes one from the environment or from `c.CryptKeeper.keys` only, and does not start
    without.
    """
    keeper = CryptKeeper.instance(parent=app)
    if not keeper.keys:
        keeper.keys = [key()]


def answer_first(app: Any, matcher: Any, handler: type, settings: dict[str, Any]) -> None:
    """Let `handler` answer what `matcher` matches, before and instead of every other handler.

    A hub's extra handlers come after its own; the router of its tornado application comes before.
    """
    rules = app.tornado_application.default_router.rules
    rules.insert(0, Rule(matcher, handler, settings))

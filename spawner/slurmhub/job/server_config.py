"""Makes a single-user server ask the hub soon, and again, whether a browser is still signed in.

The launcher gives it to the server as a file of its configuration (jupyter_server(1)), with HALF
before it: half of the seconds within which a sign-out must be noticed. JupyterHub's own server
believes an answer of the hub for five minutes, and never asks again for a websocket that is open.
Needs Python 3.8, and Jupyter Server 2 with JupyterHub 2.4 or later; it changes nothing elsewhere.
"""

import asyncio
import functools
from typing import Any

from tornado import websocket

HALF = float(globals().get("HALF", 7.5))
OVER = 1008  # RFC 6455, 7.4.1: a message (here, any) that violates the policy

# traitlets defines it where it reads a file of configuration.
config: Any = globals()["get_config"]()
config.HubOAuth.cache_max_age = max(1, int(HALF))

inherited: Any = websocket.WebSocketHandler.get


async def still_allowed(handler: Any) -> bool:
    """Whether the hub still knows the token that a websocket was opened with."""
    provider = handler.settings.get("identity_provider")
    auth = getattr(provider, "hub_auth", None)
    if auth is None:
        return True
    token = auth.get_token(handler)
    try:
        user = await auth.user_for_token(token, session_id=auth.get_session_id(handler), sync=False)
    except Exception:  # a hub that is away says nothing, and silence ends no work
        return True
    return bool(user) and bool(auth.check_scopes(auth.access_scopes, user))


async def watch(handler: Any) -> None:
    """Close this websocket when its browser is signed out."""
    while await still_allowed(handler):  # noqa: ASYNC110
        # There is nothing to wait for: only the hub knows.
        await asyncio.sleep(HALF)
    handler.close(OVER, "signed out")


@functools.wraps(inherited)
async def get(self: Any, *args: Any, **kwargs: Any) -> None:
    """Serve a websocket; tornado's own method returns when it is closed."""
    watching = asyncio.ensure_future(watch(self))
    try:
        await inherited(self, *args, **kwargs)
    finally:
        watching.cancel()


websocket.WebSocketHandler.get = get  # type: ignore[method-assign]

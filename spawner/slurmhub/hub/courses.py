"""A hub with courses: who signs in is told to them, and a course is a server beside all others."""

from __future__ import annotations

import asyncio
from typing import Any

from jupyterhub.slugs import is_valid_display_name, normalise_unicode
from jupyterhub.utils import maybe_future, url_path_join
from tornado import web

from slurmhub import compat
from slurmhub.auth.assertion import Assertion
from slurmhub.auth.people import Source
from slurmhub.courses.cards import shown
from slurmhub.courses.hub_settings import SITE_NAMES_SERVERS
from slurmhub.courses.roster.facts import PersonFacts
from slurmhub.courses.seen import SeenCourses
from slurmhub.hub.helping import keep
from slurmhub.runtime import current

# Seconds that a sign-in, or the request for a server, waits for the courses.
_PATIENCE = 2.0


def furnish(app: Any) -> None:
    """Let this hub have courses; what the site set of servers with names holds for all others."""
    # Tornado's application has a copy of its own.
    for settings in (app.tornado_settings, app.tornado_application.settings):
        settings[SITE_NAMES_SERVERS] = settings["allow_named_servers"]
        settings["allow_named_servers"] = True
        if not settings.get("default_url"):
            settings["default_url"] = landing
    for user in app.users.values():
        # Made before this, when the hub began.
        user.allow_named_servers = True
    compat.hear_sign_ins(signed_in)
    compat.check_named_servers(check_name)
    courses = _courses()
    if courses is not None:
        # A task that nobody holds may vanish.
        app.slurmhub_help = asyncio.get_running_loop().create_task(keep(app, courses, app.log))


def _courses() -> SeenCourses | None:
    hub = current()
    return None if hub is None else hub.courses


async def signed_in(handler: Any, user: Any, data: Any) -> None:
    """Bring somebody into the courses that wait for them; never keeps them from signing in."""
    courses = _courses()
    if courses is None:
        return
    # JupyterHub does not know yet whose request this is.
    handler.slurmhub_signed_in = user.name
    assertion = data.get("assertion") if isinstance(data, dict) else None
    await courses.came(facts_of(handler.authenticator, user, assertion), _PATIENCE)
    await courses.within(user.name, _PATIENCE)


def facts_of(authenticator: Any, user: Any, assertion: Assertion | None) -> PersonFacts:
    """What a sign-in tells of somebody.

    Accounts that the hub made have names of its own; others are called as their institution does.
    """
    made = getattr(authenticator, "account_source", None) == Source.MADE.value
    return PersonFacts(
        user.name,
        mail=assertion.mail if assertion else None,
        eppn=assertion.eppn if assertion else None,
        login=None if made else user.name,
        groups=frozenset(group.name for group in user.groups),
    )


def landing(handler: Any) -> str | None:
    """Home, for who has courses; None leaves it to JupyterHub, as in a hub without them."""
    courses = _courses()
    user = handler.current_user
    name = getattr(handler, "slurmhub_signed_in", None) or (user.name if user else None)
    if courses is None or name is None or not shown(courses.of(name) or ()):
        return None
    return str(url_path_join(handler.hub.base_url, "home"))


async def check_name(
    inherited: Any,
    handler: Any,
    user: Any,
    server_name: str,
    display_name: str,
    check_limit: bool = True,
) -> None:
    """Whether somebody may have a server of this name; raises web.HTTPError.

    Those of their courses they may; for all others the site's own rules hold, which do not count
    courses.
    """
    courses = _courses()
    if courses is None:
        await inherited(handler, user, server_name, display_name, check_limit)
        return
    mine = {one.stored.key for one in await courses.within(user.name, _PATIENCE) or ()}
    if server_name in mine:
        if not is_valid_display_name(normalise_unicode(display_name)):
            raise web.HTTPError(400, "A server cannot have this name. Use letters and digits.")
        return
    if not handler.settings[SITE_NAMES_SERVERS] and server_name not in user.orm_spawners:
        raise web.HTTPError(400, "Named servers are not enabled.")
    if check_limit and server_name not in user.orm_spawners:
        limit = handler.named_server_limit_per_user
        number = await maybe_future(limit(handler)) if callable(limit) else limit
        others = [name for name in user.orm_spawners if name and name not in mine]
        if 0 < number <= len(others):
            raise web.HTTPError(
                400,
                f"User {user.name} already has the maximum of {number} named servers."
                "  One must be deleted before a new server can be created",
            )
    await inherited(handler, user, server_name, display_name, False)

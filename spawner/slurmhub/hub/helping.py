"""Help at a student's server: the student allows it on Home, and the hub gives and takes access.

Access is a share of JupyterHub's (`orm.Share`) of one server for one person. JupyterHub's own
shares of that kind have no end; ours have one, by which they are told apart: what people share by
themselves is left alone. Whoever has a share enters the server as its owner would; the server asks
the hub again every few seconds (see `job.server_config`), so that what is taken away ends at once.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from datetime import datetime, timezone
from typing import Any

from jupyterhub import orm
from jupyterhub.handlers.base import BaseHandler
from jupyterhub.user import User
from jupyterhub.utils import url_path_join
from tornado import web

from slurmhub.courses.errors import CoursesAway
from slurmhub.courses.helping import Help, HelpUnknown
from slurmhub.courses.rights import Person
from slurmhub.courses.seen import SeenCourses
from slurmhub.language import told
from slurmhub.runtime import current

INTERVAL = 20.0
"""Seconds between two looks at who may be where; fewer where somebody's time is over sooner."""


class HelpHandler(BaseHandler):  # type: ignore[misc]
    """POST: a student lets somebody in, says no, or ends it."""

    @web.authenticated
    async def post(self) -> None:
        """Do what the button says, then show Home."""
        hub = current()
        if hub is None or hub.courses is None or not isinstance(self.current_user, User):
            raise web.HTTPError(404)
        action, number = self.get_body_argument("action", ""), self.get_body_argument("number", "")
        if action not in ("allow", "end") or not (number.isascii() and number.isdigit()):
            raise web.HTTPError(400, told("There is no such action."))
        person = Person(self.current_user.name)
        try:
            if action == "allow":
                await hub.courses.allow_help(person, int(number))
            else:
                await hub.courses.end_help(person, int(number))
            await keep_once(self.app, hub.courses)
        except HelpUnknown as error:
            raise web.HTTPError(404, f"{told(error.what)} {told(error.remedy)}") from error
        except CoursesAway as error:
            raise web.HTTPError(503, f"{told(error.what)} {told(error.remedy)}") from error
        self.redirect(url_path_join(self.hub.base_url, "home"))


async def keep(app: Any, courses: SeenCourses, log: logging.Logger) -> None:
    """Look again and again who may be where, until cancelled."""
    while True:
        pause = INTERVAL
        try:
            pause = await _look(app, courses)
        except Exception:
            log.exception("Who may help whom was not looked at; it is tried again.")
        await asyncio.sleep(pause)


async def _look(app: Any, courses: SeenCourses) -> float:
    """Look once; how many seconds there are until the next look."""
    try:
        await keep_once(app, courses)
    except CoursesAway:
        # What was allowed ends in its time, also when nobody can say whether it was ended.
        keep_shares(app, None)
    left = [float((share.expires_at - _now()).total_seconds()) for share in _ours(app)]
    return max(1.0, min([INTERVAL, *left]))


async def keep_once(app: Any, courses: SeenCourses) -> None:
    """Let the hub's shares be what is allowed now. Raises CoursesAway."""
    keep_shares(app, await courses.allowed_help())


def keep_shares(app: Any, allowed: Iterable[Help] | None) -> None:
    """Give and take access; with None, when nothing is known, only what is over is taken.

    A server that was never started has nothing to be shared yet: it is, at a later look.
    """
    now = _now()
    ours = _ours(app)
    if allowed is None:
        wanted = None
    else:
        wanted = {(one.student, one.course, one.helper): one for one in allowed}
    for share in ours:
        there = _who(share)
        if share.expires_at <= now or (wanted is not None and there not in wanted):
            app.log.info("Help is over: %s is let in at the server of %s no more.", *_said(share))
            orm.Share.revoke(app.db, share.spawner, share.user)
        elif wanted is not None:
            del wanted[there]
    for one in (wanted or {}).values():
        _give(app, one)


def _ours(app: Any) -> list[orm.Share]:
    ended = orm.Share.expires_at.is_not(None) & orm.Share.user_id.is_not(None)
    return list(app.db.query(orm.Share).filter(ended))


def _now() -> datetime:
    """The moment, as JupyterHub keeps moments."""
    return datetime.now(timezone.utc).replace(tzinfo=None)


def _give(app: Any, one: Help) -> None:
    student, helper = (orm.User.find(app.db, name) for name in (one.student, one.helper))
    server = None if student is None else student.orm_spawners.get(one.course)
    if helper is None or server is None:
        return
    if orm.Share.find(app.db, server, helper) is not None:
        # The student shares it with them already, and ends that themselves.
        return
    share = orm.Share.grant(app.db, server, helper)
    share.expires_at = datetime.fromtimestamp(one.until, timezone.utc).replace(tzinfo=None)
    app.db.commit()
    app.log.info("%s lets %s in at the server of %s to help.", one.student, one.helper, one.course)


def _who(share: orm.Share) -> tuple[str, str, str]:
    return share.owner.name, share.spawner.name, share.user.name


def _said(share: orm.Share) -> tuple[str, str]:
    owner, _, helper = _who(share)
    return helper, owner


HANDLERS = [("/slurmhub/help", HelpHandler)]

"""The service as a tornado application: its handlers, and what all of them need."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

from tornado import web

from slurmhub.courses.roster.codes import CodeKey
from slurmhub.courses.service.access import HANDLERS as ACCESS
from slurmhub.courses.service.access import note
from slurmhub.courses.service.api.handlers import HANDLERS as API
from slurmhub.courses.service.cluster import CourseCluster
from slurmhub.courses.service.course_folders import CourseFolders
from slurmhub.courses.service.identity import make_auth
from slurmhub.courses.service.page import NoPage, SignedInPage
from slurmhub.courses.service.pages import HANDLERS as PAGES
from slurmhub.courses.service.place import Place
from slurmhub.courses.service.templates import make_templates
from slurmhub.courses.store import Courses
from slurmhub.language import LearnLanguage

LARGEST_BODY = 10_000_000
"""Bytes of a request; rosters are the largest."""


def make_application(
    courses: Courses,
    place: Place,
    secret: bytes,
    cluster: CourseCluster | None = None,
    folders: CourseFolders | None = None,
) -> web.Application:
    """The application for these courses at this place; `secret` is of 32 bytes."""
    handlers: list[tuple[Any, ...]] = [*PAGES, *API, *ACCESS, ("oauth_callback", SignedInPage)]
    application = web.Application(
        [(f"{place.prefix}{path}", *rest) for path, *rest in handlers],
        default_handler_class=NoPage,
        courses=courses,
        place=place,
        hub_auth=make_auth(place),
        templates=make_templates(),
        cluster=cluster,
        folders=folders,
        code_key=CodeKey(secret),
        cookie_secret=hmac.digest(secret, b"slurmhub courses: cookies", hashlib.sha256),
        xsrf_cookies=True,
        log_function=note,
    )
    application.add_transform(LearnLanguage)
    return application

"""The service as a tornado application: its handlers, and what all of them need."""

from __future__ import annotations

from jupyterhub.log import log_request
from tornado import web

from slurmhub.courses.service.identity import make_auth
from slurmhub.courses.service.page import NoPage, SignedInPage
from slurmhub.courses.service.pages import HANDLERS as PAGES
from slurmhub.courses.service.place import Place
from slurmhub.courses.service.templates import make_templates
from slurmhub.courses.store import Courses
from slurmhub.language import LearnLanguage

LARGEST_BODY = 10_000_000
"""Bytes of a request; rosters are the largest."""


def make_application(courses: Courses, place: Place) -> web.Application:
    """The application for these courses at this place."""
    handlers = [*PAGES, ("oauth_callback", SignedInPage)]
    application = web.Application(
        [(f"{place.prefix}{path}", handler) for path, handler in handlers],
        default_handler_class=NoPage,
        courses=courses,
        place=place,
        hub_auth=make_auth(place),
        templates=make_templates(),
        cookie_secret=place.cookie_secret,
        xsrf_cookies=True,
        log_function=log_request,
    )
    application.add_transform(LearnLanguage)
    return application

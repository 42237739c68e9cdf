"""Who asks: the person behind a cookie or a token, as the hub knows them at this moment.

The hub is asked for the owner of each token (`GET /user`), which answers with name, groups and
whether they are an administrator, whatever little else the token may do. A token must have been
given access to this service: that of somebody's server has not, and so no program in a notebook
acts in courses unless its owner made a token for that.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jupyterhub.services.auth import HubOAuth

from slurmhub.courses.errors import CourseError, NotAllowed
from slurmhub.courses.kinds import is_username
from slurmhub.courses.rights import SYSTEM, Person
from slurmhub.courses.service.place import Place

CACHED = 20
"""Seconds for which what the hub says of a token is taken to hold."""


class HubAway(CourseError):
    """The hub did not say who somebody is."""

    def __init__(
        self, what: str = "The hub does not answer just now, so nobody can be signed in."
    ) -> None:
        super().__init__(what, remedy="Try again in a minute.")


def make_auth(place: Place) -> HubOAuth:
    """JupyterHub's own client for services, for this place."""
    return HubOAuth(
        api_url=place.api_url,
        api_token=place.token,
        base_url=place.prefix,
        hub_prefix=place.hub_url,
        hub_host=place.hub_host,
        oauth_client_id=place.client_id,
        oauth_redirect_uri=place.callback,
        access_scopes=set(place.access),
        keyfile=place.keyfile,
        certfile=place.certfile,
        client_ca=place.client_ca,
        cookie_options=dict(place.cookie_options),
        cache_max_age=CACHED,
        allow_token_in_url=False,
    )


def person_of(model: Mapping[str, Any]) -> Person:
    """The person in the hub's answer; raises NotAllowed for who is none."""
    username = str(model.get("name", ""))
    if model.get("kind") != "user" or not is_username(username) or username == SYSTEM.username:
        raise NotAllowed(
            "Only people have courses.", remedy="Use a token of somebody, not of a service."
        )
    return Person(
        username,
        frozenset(str(group) for group in model.get("groups", ())),
        administrator=model.get("admin") is True,
    )

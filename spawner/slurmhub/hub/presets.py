"""Keeping options under a name, deleting them, and making the link that carries them."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from jupyterhub.handlers.base import BaseHandler
from jupyterhub.scopes import needs_scope
from jupyterhub.utils import url_path_join
from tornado import web

from slurmhub.options.fields import READERS, NotReadable
from slurmhub.options.keeping import NOTE, PRESET, SHARE
from slurmhub.options.request import FIELDS
from slurmhub.options.sections import plain_options, section_values
from slurmhub.presets import PresetRefused, Presets
from slurmhub.runtime import runtime

# Whose server a page is about, as its address says it: alice, or alice/work, both escaped.
_PAGE = re.compile(r"(?!\.{1,2}(/|$))[^/?#\\\s]{1,512}(/(?!\.{1,2}$)[^/?#\\\s]{1,512})?")


class _KeepingHandler(BaseHandler):  # type: ignore[misc]
    """What all of them do: act for the person who is signed in, then show the form again."""

    @web.authenticated
    async def post(self) -> None:
        """Do it for whoever is signed in, and for nobody else."""
        await self._act(user_name=self.current_user.name)

    @needs_scope("servers")
    async def _act(self, user_name: str) -> None:
        # Services have no servers of their own, nor presets.
        if self.find_user(user_name) is not self.current_user:
            raise web.HTTPError(403, "Only people have presets.")
        self.back(**self.done(user_name))

    @abstractmethod
    def done(self, user_name: str) -> dict[str, str]:
        """Do what is asked; the query of the page that is shown then."""

    @property
    def presets(self) -> Presets:
        """Everybody's presets."""
        return runtime(self.current_user.spawner).presets

    def typed(self, name: str) -> str:
        """A value of the form, as it was typed."""
        return str(self.get_body_argument(name, "", strip=False))

    def form(self) -> dict[str, list[str]]:
        """All values of the form."""
        return {name: self.get_body_arguments(name) for name in self.request.body_arguments}

    def back(self, **query: str) -> None:
        """Lead to the form that this was asked from, with this query."""
        page = self.get_argument("page", "")
        # One's own form is that of everybody, so that its address can be handed on.
        own = page == self.current_user.escaped_name
        path = page if _PAGE.fullmatch(page) and not own else ""
        self.redirect(
            f"{self._spawn(path)}?{urlencode(query)}" if query else self._spawn(path), status=303
        )

    def _spawn(self, path: str) -> str:
        return str(url_path_join(self.hub.base_url, "spawn", path).rstrip("/"))


class ShareHandler(_KeepingHandler):
    """POST: the options of one section, as a link to the form that carries them."""

    def done(self, user_name: str) -> dict[str, str]:
        """Nothing but the page at its new address."""
        options = plain_options(section_values(self.form(), self.typed(SHARE)))
        return {**options, SHARE: "1"}


class KeepHandler(_KeepingHandler):
    """POST: keep options under a name."""

    def done(self, user_name: str) -> dict[str, str]:
        """Keep them, or say why not; the form has them filled in either way."""
        options, name = plain_options(self.form()), self.typed(PRESET)
        again = {**options, SHARE: "1", PRESET: name[:200]}
        if not options:
            return {**again, NOTE: "nothing"}
        if not _readable(options):
            # The form says what is wrong, beside each field.
            return again
        try:
            self.presets.keep(user_name, name, options)
        except PresetRefused as refused:
            return {**again, NOTE: refused.note}
        return {**options, NOTE: "kept"}


class DeleteHandler(_KeepingHandler):
    """POST: delete the preset of a name."""

    def done(self, user_name: str) -> dict[str, str]:
        """Delete it; one that is not there is deleted already."""
        try:
            self.presets.forget(user_name, self.typed(PRESET))
        except PresetRefused as refused:
            return {NOTE: refused.note}
        return {NOTE: "deleted"}


class PictureHandler(BaseHandler):  # type: ignore[misc]
    """GET: a picture that a profile names."""

    @web.authenticated
    async def get(self, name: str) -> None:
        """Answer with the picture, as it was read when the hub started."""
        picture = runtime(self.current_user.spawner).profiles.pictures.get(name)
        if picture is None:
            raise web.HTTPError(404, "There is no such picture.")
        # A drawing may hold a script, which must not run when it is opened by itself.
        self.set_header("Content-Security-Policy", _STILL)
        self.set_header("Content-Type", picture.content_type)
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Cache-Control", "private, max-age=3600")
        self.finish(picture.content)


_STILL = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox"


def _readable(options: Mapping[str, str]) -> bool:
    for name in FIELDS:
        if name in options:
            try:
                READERS[name](options[name])
            except NotReadable:
                return False
    return True


HANDLERS: list[tuple[str, Any]] = [
    (r"/slurmhub/share", ShareHandler),
    (r"/slurmhub/presets", KeepHandler),
    (r"/slurmhub/presets/delete", DeleteHandler),
    (r"/slurmhub/pictures/([^/]+)", PictureHandler),
]

"""The templates of the service's pages: the hub's own look, with nothing inline left to chance."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, PrefixLoader
from jinja2.ext import Extension
from jupyterhub._data import DATA_FILES_PATH

from slurmhub.announcing import Announcing
from slurmhub.language import TEMPLATES, Translating

_SCRIPT = re.compile(r"<script(?=[\s>])")


class Nonces(Extension):
    """Marks each script that stands in a template, so that a browser runs no other."""

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        """Add the nonce of the answer to every script."""
        return _SCRIPT.sub('<script nonce="{{ csp_nonce }}"', source)


def make_templates() -> Environment:
    """Ours before the hub's, which are also below `templates/`, as in the hub itself."""
    theirs = str(Path(DATA_FILES_PATH) / "templates")
    loader = ChoiceLoader(
        [
            PrefixLoader({"templates": FileSystemLoader([theirs])}, "/"),
            FileSystemLoader([str(TEMPLATES), theirs]),
        ]
    )
    extensions: list[Any] = [Translating, Announcing, Nonces]
    return Environment(loader=loader, autoescape=True, extensions=extensions)

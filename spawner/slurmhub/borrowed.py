"""JupyterHub's own words on the pages that we extend, made sentences of our catalogues.

Its templates are English without a way to translate them, and to copy them would be to miss what
they become. So the words are marked while Jinja reads a template: what a later JupyterHub writes
otherwise stays as it writes it, and tests/unit/test_borrowed.py says which words those are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import PurePath

_WORDS: Mapping[str, tuple[str, ...]] = {
    "page.html": (
        "Home",
        "Token",
        "Admin",
        "Services",
        "Toggle navigation",
        "Toggle dark mode",
        "Logout",
        "Login",
        "JupyterHub logo",
        "Close",
        "The error",
        "JupyterHub requires JavaScript.",
        "Please enable it to proceed.",
    ),
    "login.html": (
        "Warning: JupyterHub seems to be served over an unsecured HTTP connection. "
        "We strongly recommend enabling HTTPS for JupyterHub.",
        "Sign in",
        "Username:",
        "Password:",
        "Show password",
        "By logging into the platform you accept the",
        "terms and conditions",
    ),
    "logout.html": ("Successfully logged out.",),
    "home.html": (
        "JupyterHub home page",
        "Stop My Server",
        "Named Servers",
        "Server name",
        "server name",
        "URL",
        "Last activity",
        "Actions",
        "Add New Server",
        "name-your-server",
        "Never",
        "stop",
        "start",
        "delete",
    ),
    "spawn.html": ("Server Options", "Start"),
    "404.html": ("Jupyter has lots of moons, but this is not one...",),
    "stop_pending.html": (
        "Your server is stopping.",
        "You will be able to start it again once it has finished stopping.",
        "refresh",
    ),
    "not_running.html": ("Spawn failed", "Server not running"),
}
"""Whole texts of elements and attributes, by template; line ends and indents do not count."""

_LARGER: Mapping[str, Mapping[str, str]] = {
    "page.html": {
        '<html lang="en">': '<html lang="{{ language() }}">',
        "call modal('Error', btn_label='OK')": "call modal(_(\"Error\"), btn_label='OK')",
    },
    "login.html": {
        "Sign in with {{ login_service }}": '{{ _("Sign in with {service}", service=login_service) '
        "}}",
        "{{ login_error }}": "{{ told(login_error) }}",
        '"Hide password" : "Show password"': '{{ _("Hide password") | tojson }} : '
        '{{ _("Show password") | tojson }}',
    },
    "home.html": {
        "{% if not default_server.active %}Start{% endif %} My Server": "{{ "
        '_("My Server") if default_server.active else _("Start My Server") }}',
        "In addition to your default server, you may have additional "
        "{% if named_server_limit_per_user > 0 %}{{ named_server_limit_per_user }}{% endif %} "
        "server(s) with names. This allows you to have more than one server running at the same "
        "time.": '{{ _("In addition to your default server, you may have up to {number} servers '
        'with names.", number=named_server_limit_per_user) if named_server_limit_per_user > 0 '
        'else _("In addition to your default server, you may have servers with names.") }} '
        '{{ _("So more than one server can run at the same time.") }}',
    },
    "error.html": {
        "{{ status_code }} : {{ status_message }}": "{{ status_code }}"
        "{% if status_message %} : {{ told(status_message) }}{% endif %}",
        "<p>{{ message }}</p>": "<p>{{ told(message) }}</p>",
        "{{ extra_error_html | safe }}": "{{ told(extra_error_html) | safe }}",
    },
    "spawn.html": {
        "Error: {{ error_message }}": '{{ _("Error: {message}", message=error_message) }}',
        "Spawning server for {{ for_user.name }}": '{{ _("This server is for {name}.", '
        "name=for_user.name) }}",
    },
    "not_running.html": {
        "{% if failed %} Relaunch {% else %} Launch {% endif %} Server {{ server_name }}": "{{ "
        '_("Start again") if failed else _("Start the server {name}", name=server_name) '
        'if server_name else _("Start the server") }}',
        "Your server {{ server_name }} is not running.": '{{ _("This server is not running.") }}',
        "Would you like to start it?": '{{ _("Would you like to start it?") }}',
    },
}
"""Pieces of a template in which words and values mix, and what stands there instead."""

_ATTRIBUTES = "title|aria-label|alt|value|placeholder"


def marked(source: str, name: str) -> str:
    """The source of JupyterHub's template `name`, with its words in calls of `_`."""
    for before, after in _pieces(PurePath(name).name):
        source = before.sub(after, source)
    return source


def unknown(source: str, name: str) -> list[str]:
    """The words listed here that this source does not have."""
    return [
        before.pattern for before, _ in _pieces(PurePath(name).name) if not before.search(source)
    ]


@lru_cache(maxsize=64)
def _pieces(name: str) -> tuple[tuple[re.Pattern[str], str], ...]:
    pieces = []
    for before, after in _LARGER.get(name, {}).items():
        # A function would be taken for granted; a text has its backslashes doubled.
        pieces.append((re.compile(_spread(before)), after.replace("\\", r"\\")))
    for words in _WORDS.get(name, ()):
        call = f'{{{{ _("{words}") }}}}'
        text = rf'(?P<before>[>}}]\s*|(?:{_ATTRIBUTES})=["\'])'
        pattern = rf"{text}{_spread(words)}(?P<after>\s*[<{{]|[\"'])"
        pieces.append((re.compile(pattern), rf"\g<before>{call}\g<after>"))
    return tuple(pieces)


def _spread(text: str) -> str:
    """A pattern for these words, however they are broken into lines."""
    return r"\s+".join(re.escape(word) for word in text.split())

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
    "accept-share.html": (
        "Accept sharing invitation",
        "By accepting the invitation, you will be granted the following permissions, restricted "
        "to this particular server:",
        "Accept invitation",
        "After accepting the invitation, you will be redirected to",
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
        "JupyterHub 6 has",
        "new restrictions on servernames",
        ". Consider migrating named servers:",
    ),
    "oauth.html": (
        "Authorize access",
        "An application is requesting authorization to access data associated with your JupyterHub "
        "account",
        "It will not be able to take actions on your behalf.",
        "This will grant the application permission to:",
        "This authorization is required",
        "Authorize",
    ),
    "spawn.html": ("Server Options", "Start"),
    "404.html": ("Jupyter has lots of moons, but this is not one...",),
    "stop_pending.html": (
        "Your server is stopping.",
        "You will be able to start it again once it has finished stopping.",
        "refresh",
    ),
    "not_running.html": (
        "Spawn failed",
        "Server not running",
        "It will be restarted automatically. If you are not redirected in a few seconds, click "
        "below to launch your server.",
    ),
    "token.html": (
        "Manage JupyterHub Tokens",
        "Note",
        "note to identify your new token",
        "This note will help you keep track of what your tokens are for.",
        "Token expires in",
        "You can configure when your token will expire.",
        "Permissions",
        "list of scopes for the token to have, separated by space",
        "You can limit the permissions of the token so it can only do what you want it to. If none "
        "are specified, the token will have permission to do everything you can do. See the",
        "JupyterHub documentation for a list of available scopes",
        "Request new API token",
        "Your new API Token",
        "Copy this token. You won't be able to see it again, but you can always come back here to "
        "get a new one.",
        "API Tokens",
        "These are tokens with access to the JupyterHub API. Permissions for each token may be "
        "viewed via the JupyterHub tokens API. Revoking the API token for a running server will "
        "require restarting that server.",
        "Last used",
        "Created",
        "Expires",
        "scopes",
        "Never",
        "N/A",
        "revoke",
        "Authorized Applications",
        "These are applications that use OAuth with JupyterHub to identify users (mostly notebook "
        "servers). OAuth tokens can generally only be used to identify you, not take actions on "
        "your behalf.",
        "Application",
        "First authorized",
    ),
}
"""Whole texts of elements and attributes, by template; line ends and indents do not count."""

_SCOPES = {
    "{{ scope_info['description'] }}": "{{ told(scope_info['description']) }}",
    "Applies to {{ scope_info['filter'] }}.": '{{ _("Applies to {what}.", '
    "what=scope_info['filter']) }}",
}

_LARGER: Mapping[str, Mapping[str, str]] = {
    "accept-share.html": {
        "You ({{ user.name }}) have been invited to access {{ owner.name }}'s server "
        "{%- if spawner.name %}({{ spawner.name }}){%- endif %} at": "{{ "
        '_("You ({name}) are invited to the server “{server}” of {owner}:", name=user.name, '
        "server=spawner.name, owner=owner.name) if spawner.name else "
        '_("You ({name}) are invited to the server of {owner}:", name=user.name, '
        "owner=owner.name) }}",
        "The server at {{ spawner_url }} is not currently running. After accepting permission, you "
        "may need to ask {{ owner.name }} to start the server before you can access it.": "{{ "
        '_("This server is not running. You may have to ask {owner} to start it.", '
        "owner=owner.name) }}",
        **_SCOPES,
    },
    # Its words are in a program of JavaScript, in English only: so much a screen reader is told.
    "admin.html": {'<div id="react-admin-hook">': '<div id="react-admin-hook" lang="en">'},
    "page.html": {
        '<html lang="en">': '<html lang="{{ language() }}">',
        # Not where the dialog is called: its id is made of the title, and scripts look for it.
        'id="{{ key }}-label">{{ title }}</h2>': 'id="{{ key }}-label">{{ _(title) }}</h2>',
    },
    "login.html": {
        "Sign in with {{ login_service }}": '{{ _("Sign in with {service}", service=login_service) '
        "}}",
        "{{ login_error }}": "{{ told(login_error) }}",
        "{{ authenticator.otp_prompt }}": "{{ told(authenticator.otp_prompt) }}",
        '"Hide password" : "Show password"': '{{ _("Hide password") | tojson }} : '
        '{{ _("Show password") | tojson }}',
    },
    "home.html": {
        # JupyterHub's script writes "Never" into such a cell.
        '<td class="time-col"> {% if spawner.last_activity %}': '<td class="'
        "{{ 'time-col' if spawner.last_activity }}\">{% if spawner.last_activity %}",
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
        "{% if status_message %}&nbsp;: {{ told(status_message) }}{% endif %}",
        "<p>{{ message }}</p>": "<p>{{ told(message) }}</p>",
        "{{ extra_error_html | safe }}": "{{ told(extra_error_html) | safe }}",
    },
    "oauth.html": {
        "{{ oauth_client.description }} (oauth URL: {{ oauth_client.redirect_uri }}) would like "
        "permission to identify you.": '{{ _("{application} (OAuth URL: {address}) asks to know '
        'who you are.", application=told(oauth_client.description), '
        "address=oauth_client.redirect_uri) }}",
        **_SCOPES,
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
    "token.html": {
        "{{ token_expires_in_options_html | safe }}": "{{ "
        "told_html(token_expires_in_options_html) }}",
        # Notes are people's own words, or JupyterHub's.
        "{{ token.note }}": '{{ told(token.note) if " " in token.note else token.note }}',
        "{{ client['description'] }}": "{{ told(client['description']) }}",
    },
}
"""Pieces of a template in which words and values mix, and what stands there instead."""

MESSAGES = (
    "Invalid client_id parameter value.",
    "Mismatching redirect URI.",
    "'_xsrf' argument missing from {method}",
    "Action is not authorized with current scopes; requires any of [{scopes}]",
    "Active user limit exceeded. Try again in a few minutes.",
    "Cannot delete the default server",
    "Failed to reach your server.  Please try again later.  Contact admin if the issue persists.",
    "Failed to start your server on the last attempt.    Please contact admin if the issue "
    "persists.",
    "Invalid display_name: {name}",
    "Invalid server_name: {name}",
    "Invalid share code: {code}",
    "Login form invalid or expired. Try again.",
    "Missing or invalid credentials.",
    "Named servers are not enabled.",
    "No access to resources or resources not found",
    "No such server '{server}' for user {name}",
    "No such user {word}",
    "No such user: {word}",
    "Requested via token page",
    "Server at {word}",
    "Scope '{scope}' {entity} does not exist",
    "Share not found or expired",
    "Starting invalid server_name {name} is disabled, contact your administrator",
    "Too many users trying to log in right now. Try again in {delay}.",
    "Unhandled error starting server {name}",
    "User {name} already has the maximum of {number} named servers.  One must be deleted before a "
    "new server can be created",
    "XSRF cookie does not match {method} argument",
    "You can't share with yourself!",
    "{word} is active. Please stop it before modifying it.",
    "{word} is already running",
    "{word} is pending {word2}",
    "{word} has no such server {word2}",
    "{word}'s server is in the process of stopping, please wait.",
)
"""What JupyterHub's and oauthlib's code tells people on pages, with what they fill in."""

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

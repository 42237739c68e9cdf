"""From settings to the text of every file of the front.

Values reach a template by one of two doors, each for its grammar: in XML and HTML Jinja escapes
them, in Apache's configuration the filters below quote them or refuse.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import jinja2

from slurmhub_deploy.front.attributes import (
    ATTRIBUTES,
    SECRET_HEADER,
    SESSION_HEADERS,
    identity_shaped,
)
from slurmhub_deploy.front.errors import FrontError
from slurmhub_deploy.front.pages import FRONT_PAGES, SP_PAGES
from slurmhub_deploy.front.settings import FrontSettings

_TEMPLATES = Path(__file__).parent / "templates"
# eduPerson's eight: whatever else a provider sends as an affiliation is dropped.
_AFFILIATIONS = (
    *("faculty", "student", "staff", "alum", "member", "affiliate", "employee"),
    "library-walk-in",
)
_XML_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_APACHE_FILE = "apache/slurmhub.conf"
# The one file that takes the place of the distribution's; all others are beside it.
_XML_FILES = (
    "shibboleth/shibboleth2.xml",
    "shibboleth/slurmhub/attribute-map.xml",
    "shibboleth/slurmhub/attribute-policy.xml",
    "shibboleth/slurmhub/security-policy.xml",
)
_LOGGERS = ("shibboleth/slurmhub/shibd.logger", "shibboleth/slurmhub/native.logger")


def render(settings: FrontSettings) -> dict[str, str]:
    """Every file of the front: its path below the folder that `render` writes, and its text."""
    values = _values(settings)
    texts = {_APACHE_FILE: _apache().get_template(f"{_APACHE_FILE}.j2").render(values)}
    documents = _documents()
    for file in _XML_FILES:
        texts[file] = documents.get_template(f"{file}.j2").render(values)
    page = documents.get_template("page.html.j2")
    for name, said in SP_PAGES.items():
        texts[f"shibboleth/slurmhub/{name}.html"] = page.render(values, page=said)
    for name, said in FRONT_PAGES.items():
        texts[f"apache/pages/{name}.html"] = page.render(values, page=said)
    if settings.shibboleth_log_folder:
        for file in _LOGGERS:
            texts[file] = _apache().get_template(f"{file}.j2").render(values)
    return texts


def document(name: str, settings: FrontSettings, **more: object) -> str:
    """One XML or HTML template with these settings and whatever else it needs."""
    return _documents().get_template(name).render(_values(settings), **more)


def plain_text(name: str, settings: FrontSettings, **more: object) -> str:
    """One template for people, in which nothing is escaped."""
    return _apache().get_template(name).render(_values(settings), **more)


def apache_text(name: str, **values: object) -> str:
    """A template in Apache's grammar with these values alone."""
    return _apache().get_template(name).render(values)


def quoted(value: object) -> str:
    """A value as one argument of an Apache directive.

    Raises FrontError for what cannot be written there: Apache has no escape for `${`, and ends a
    directive at a line's end.
    """
    text = str(value)
    if not text.isprintable() or "${" in text or text.endswith("\\"):
        raise FrontError(
            f"{text!r} cannot stand in Apache's configuration.",
            remedy="Use a value without ${, line breaks and a backslash at its end.",
        )
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _plain(value: object) -> str:
    """A value that needs no quotes; raises FrontError where it would."""
    text = str(value)
    if not re.fullmatch(r"[A-Za-z0-9.:/_-]+", text):
        raise FrontError(
            f"{text!r} cannot stand unquoted in Apache's configuration.",
            remedy="Use letters, digits and .:/_-",
        )
    return text


def _regex(value: object) -> str:
    """A value inside a quoted regular expression of Apache's that matches it and nothing else."""
    return re.sub(r"[^A-Za-z0-9/_-]", lambda found: f"[{_in_class(found[0])}]", _printable(value))


def _in_class(character: str) -> str:
    if character in '^]\\"$':
        raise FrontError(
            f"{character!r} cannot stand in a path or name of the front.",
            remedy="Use letters, digits and ._~-",
        )
    return character


def _printable(value: object) -> str:
    return quoted(value)[1:-1]


def _values(settings: FrontSettings) -> dict[str, object]:
    address = settings.proxy
    return {
        "s": settings,
        "attributes": ATTRIBUTES,
        "affiliations": _AFFILIATIONS,
        "session_headers": SESSION_HEADERS,
        "secret_header": SECRET_HEADER,
        "headers": [
            SECRET_HEADER,
            *(header for header, _ in SESSION_HEADERS),
            *(attribute.header for attribute in ATTRIBUTES),
        ],
        "identity_shaped": identity_shaped(),
        "backend": f"{address}|http://localhost" if address.startswith("unix:") else address,
        "ours": f"{settings.shibboleth_folder}/slurmhub",
        "pages_path": f"{settings.base_url}slurmhub-front/",
    }


@cache
def _apache() -> jinja2.Environment:
    # Apache's grammar is not HTML's: the filters refuse or quote.
    environment = _environment(autoescape=False)
    environment.filters |= {
        "quoted": quoted,
        "plain": _plain,
        "regex": _regex,
        # A table's cell in Markdown ends at a bar.
        "cell": lambda value: str(value).replace("\\", "\\\\").replace("|", "\\|"),
        "strip_slashes": lambda value: str(value).strip("/"),
    }
    return environment


@cache
def _documents() -> jinja2.Environment:
    environment = _environment(autoescape=True)
    environment.finalize = _possible_in_xml
    return environment


def _possible_in_xml(value: Any) -> Any:
    if isinstance(value, str) and _XML_FORBIDDEN.search(value):
        raise FrontError(
            f"{value!r} holds a character that XML cannot.", remedy="Remove that character."
        )
    return value


def _environment(*, autoescape: bool) -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=autoescape,  # noqa: S701 - off for Apache's configuration, which is no HTML
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def write(texts: Mapping[str, str], folder: Path) -> list[Path]:
    """Write these texts below a folder, each whole or not at all; the paths that changed."""
    changed = []
    for name, text in texts.items():
        path = folder / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.exists() and path.read_text(encoding="utf-8") == text:
                continue
            partial = path.with_name(f".{path.name}.partial")
            partial.write_text(text, encoding="utf-8")
            partial.chmod(0o644)
            partial.replace(path)
        except OSError as error:
            raise FrontError(
                f"{path} cannot be written: {error.strerror}.",
                remedy="Give another folder with --to, or run this as its owner.",
            ) from error
        changed.append(path)
    return changed

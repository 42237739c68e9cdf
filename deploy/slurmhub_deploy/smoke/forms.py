"""The forms and links of a page, as a browser without scripts has them (HTML, section 4.10)."""

from __future__ import annotations

import html.parser
from dataclasses import dataclass, field
from urllib.parse import urljoin


@dataclass
class Form:
    """One form: where it goes, how, what it would send, and its buttons by name."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)
    buttons: list[tuple[str, str]] = field(default_factory=list)

    def of_kind(self, kind: str) -> list[str]:
        """The names of its fields of one type, such as password."""
        return [name for name, each in self.kinds.items() if each == kind]


@dataclass
class Page:
    """What a page has for somebody who wants to go on."""

    forms: list[Form] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    title: str = ""


class _Reader(html.parser.HTMLParser):
    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url
        self._open: Form | None = None
        self._in_title = False
        self.page = Page()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag == "form":
            action = urljoin(self._url, found.get("action") or self._url)
            self._open = Form(action, found.get("method", "get").lower())
            self.page.forms.append(self._open)
        elif tag == "a" and found.get("href"):
            self.page.links.append(urljoin(self._url, found["href"]))
        elif tag == "title":
            self._in_title = True
        elif tag in ("input", "button") and self._open is not None:
            _field(self._open, tag, found)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None
        elif tag == "title":
            self._in_title = False

    def handle_data(self, data: str) -> None:
        if self._in_title:
            self.page.title += data


def _field(form: Form, tag: str, found: dict[str, str]) -> None:
    name = found.get("name", "")
    kind = found.get("type", "submit" if tag == "button" else "text").lower()
    if kind in ("submit", "image"):
        if name:
            form.buttons.append((name, found.get("value", "")))
        return
    # A box that is not ticked is not sent; of several with one name the ticked one is.
    if not name or kind in ("button", "reset", "file"):
        return
    if kind in ("checkbox", "radio") and "checked" not in found:
        form.kinds.setdefault(name, kind)
        return
    form.kinds[name] = kind
    form.fields[name] = found.get("value", "on" if kind in ("checkbox", "radio") else "")


def read_page(url: str, text: str) -> Page:
    """The forms and links of this page, with whole addresses."""
    reader = _Reader(url)
    reader.feed(text)
    reader.page.title = " ".join(reader.page.title.split())
    return reader.page

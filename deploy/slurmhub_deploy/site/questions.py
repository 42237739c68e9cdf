"""What only the institution knows: what `slurmhub init` asks to make an example its own.

A question is about one place of the example. The rest of the example is what a careful site would
choose, and stays, comments and all.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from slurmhub.yaml_text import Document, read_document
from slurmhub_deploy.site.model import Path
from slurmhub_deploy.site.problems import written

Answers = Mapping[str, str]
_EXAMPLE = re.compile(r"\bexample\b", re.IGNORECASE)


@dataclass(frozen=True)
class Question:
    """One question: the path that its answer goes to, words, and what is there as an example.

    `likely` is what the answers before it make likely; what is answered with Enter.
    """

    path: Path
    words: str
    example: str
    likely: Callable[[Answers], str | None] | None = None

    def follows(self, answers: Answers) -> str | None:
        """What the answers that are there make likely."""
        return None if self.likely is None else self.likely(answers)

    @property
    def key(self) -> str:
        """The path as answers name it: hubs.main.domain."""
        return written(self.path)


def _entity(key: str, answers: Answers) -> str | None:
    domain = answers.get(f"{key.rpartition('.sign_in')[0]}.domain")
    return f"https://{domain}/shibboleth" if domain else None


def _title(key: str, answers: Answers) -> str | None:
    return answers.get("institution.name") if key.endswith(".en") else answers.get(f"{key[:-2]}en")


# In the order in which they are asked; '*' is any one name or number, HUB a hub or the defaults.
_ASKED: tuple[tuple[str, str, Callable[[str, Answers], str | None] | None], ...] = (
    ("institution.name", "Name of the institution", None),
    ("institution.timezone", "Time zone", None),
    ("institution.information_url", "Address of a page about the service", None),
    ("institution.privacy_url", "Address of the privacy notice", None),
    ("institution.support.name", "Whom people write to when they need help", None),
    ("institution.support.mail", "Their mail address", None),
    (
        "institution.technical.mail",
        "Mail address of whoever runs the hosts",
        lambda _, answers: answers.get("institution.support.mail"),
    ),
    ("ssh.jump", "Host through which ssh goes to the others", None),
    ("hosts.*.address", "Address of {1} (of the first one, if that is several)", None),
    ("hosts.*.public_address", "Address by which browsers reach {1}", None),
    ("directory.uris.*", "Address of a server of the directory (ldaps://)", None),
    ("directory.base", "Name below which the directory has its people", None),
    ("directory.bind_dn", "Whom the directory is read as", None),
    ("homes.*.server", "Name of the file server of the homes {1}", None),
    ("homes.*.export", "What it exports", None),
    ("homes.*.devices.*", "An empty device for the homes {1}", None),
    ("hubs.*.domain", "Domain of the hub {1}", None),
    ("hubs.*.title.en", "What the hub {1} is called, in English", _title),
    ("hubs.*.title.fr", "What the hub {1} is called, in French", _title),
    ("HUB.sign_in.provider", "Entity ID of the identity provider", None),
    (
        "HUB.sign_in.metadata.*.file",
        "File of its metadata, beside the site file; with its whole path, the hub host's own",
        None,
    ),
    ("HUB.sign_in.metadata.*.url", "Address of the federation's metadata", None),
    (
        "HUB.sign_in.metadata.*.signing_certificate",
        "File of the certificate that signs it, beside the site file; with its whole path,"
        " the hub host's own",
        None,
    ),
    ("HUB.accounts.rules.*.scopes.*", "Scope whose local parts are account names", None),
    ("HUB.sign_in.entity_id", "Name of the hub in the federation, for ever", _entity),
)
# A file server of the institution's own: a host of the site has a name already.
_ONLY_WITH = {"homes.*.server": "export"}


def questions(document: Document) -> Iterator[Question]:
    """The questions of an example, in their order."""
    for pattern, words, likely in _ASKED:
        for path, node in document.nodes.items():
            if not _is_text(document, path) or not _matches(path, pattern):
                continue
            needs = _ONLY_WITH.get(pattern)
            if needs and (*path[:-1], needs) not in document.nodes:
                continue
            yield Question(
                path,
                words.replace("{1}", str(path[1])),
                str(node.value),
                None if likely is None else partial(likely, written(path)),
            )


def _matches(path: Path, pattern: str) -> bool:
    if pattern.startswith("HUB."):
        rest = pattern.removeprefix("HUB.")
        return _matches(path, f"hubs.*.{rest}") or _matches(path, f"hub_defaults.{rest}")
    parts = pattern.split(".")
    return len(parts) == len(path) and all(
        part in ("*", own) for part, own in zip(parts, path, strict=True)
    )


def left_over(text: str) -> list[tuple[int, str, str]]:
    """Line, key and value of what is an example's own still, by the word in it."""
    document = read_document(text)
    return [
        (document.mark(path).line, written(path), str(node.value))
        for path, node in document.nodes.items()
        if isinstance(node.value, str) and _EXAMPLE.search(node.value)
    ]


def _is_text(document: Document, path: Path) -> bool:
    return isinstance(document.nodes[path].value, str)

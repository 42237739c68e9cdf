"""The README of each Ansible role: its arguments, as meta/argument_specs.yml has them.

What stands outside of the two marks is for people to write. A role without a README gets one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROLES = Path(__file__).parents[2] / "ansible/roles"
_BEGIN = "<!-- arguments: written by script/docs from meta/argument_specs.yml -->"
_END = "<!-- end of arguments -->"
_BLOCK = re.compile(f"{re.escape(_BEGIN)}\n.*?{re.escape(_END)}\n", re.DOTALL)
_HEAD = "| Argument | Type | Default | Meaning |\n| --- | --- | --- | --- |\n"
_TRIED = "Debian 12: tried in `tests/lab`. Ubuntu 24.04 and EL 9: written for, not tried."
# Ansible's own marks in documentation: C(code), V(value), O(option), I(italics), B(bold).
_MARKS = re.compile(r"\b([CVOIBM])\(([^()]*)\)")


def roles() -> list[Path]:
    """Every role, by name."""
    return sorted(path.parent.parent for path in ROLES.glob("*/meta/argument_specs.yml"))


def specs_of(role: Path) -> dict[str, Any]:
    """Its argument_specs: an entry for each way to call it."""
    found = yaml.safe_load((role / "meta/argument_specs.yml").read_text())
    specs: dict[str, Any] = found["argument_specs"]
    return specs


def readme_of(role: Path) -> str:
    """Its README as it should be now."""
    file = role / "README.md"
    written = file.read_text() if file.exists() else _new(role)
    block = f"{_BEGIN}\n{_arguments(role)}\n{_END}\n"
    if not _BLOCK.search(written):
        return f"{written.rstrip()}\n\n{block}"
    return _BLOCK.sub(lambda _: block, written)


def rewrite() -> list[str]:
    """Write the READMEs that are not as they should be; which."""
    changed = []
    for role in roles():
        file = role / "README.md"
        text = readme_of(role)
        if not file.exists() or file.read_text() != text:
            file.write_text(text)
            changed.append(str(file.relative_to(ROLES.parents[1])))
    return changed


def options_in(options: dict[str, Any], above: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Each option with its name, those within others with the names above them."""
    for name, option in options.items():
        path = f"{above}{name}"
        yield path, option
        element = "[]" if option.get("type") == "list" else ""
        yield from options_in(option.get("options", {}), f"{path}{element}.")


def _new(role: Path) -> str:
    main = specs_of(role).get("main", {})
    text = _words(main.get("description", []))
    return f"# {role.name}\n\n{main.get('short_description', '')}.\n\n{text}\n\n{_TRIED}\n"


def _arguments(role: Path) -> str:
    parts = []
    for entry, spec in specs_of(role).items():
        title = "Arguments" if entry == "main" else f"Arguments of `tasks_from: {entry}.yml`"
        rows = [
            f"| `{name}` | {_kind(option)} | {_default(option)} | {_meaning(option)} |\n"
            for name, option in options_in(spec.get("options", {}))
        ]
        head = "" if entry == "main" else f"{_words(spec.get('short_description', ''))}.\n\n"
        table = _HEAD + "".join(rows) if rows else "None."
        parts.append(f"## {title}\n\n{head}{table}\n")
    return "\n".join(part.rstrip() + "\n" for part in parts).rstrip()


def _kind(option: dict[str, Any]) -> str:
    kind = option.get("type", "str")
    if kind == "list":
        kind = f"list of {option.get('elements', 'str')}"
    if choices := option.get("choices"):
        kind += f": {', '.join(f'`{_plain(each)}`' for each in choices)}"
    return str(kind).replace("|", "\\|")


def _default(option: dict[str, Any]) -> str:
    if option.get("required"):
        return "**required**"
    if "default" not in option:
        return ""
    return f"`{_plain(option['default'])}`".replace("|", "\\|")


def _meaning(option: dict[str, Any]) -> str:
    return _words(option.get("description", ""))


def _plain(value: Any) -> str:
    if isinstance(value, str):
        return value or '""'
    text: str = yaml.safe_dump(value, default_flow_style=True, width=10_000)
    return text.split("\n")[0]


def _words(text: str | list[str]) -> str:
    joined = text if isinstance(text, str) else " ".join(text)
    return _MARKS.sub(r"`\2`", " ".join(joined.split())).replace("|", "\\|")

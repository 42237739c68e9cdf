"""The catalogues of sentences: what the code says, what they know, and gettext's compiled form.

python -m tests.rig.catalogue          adds to each catalogue what it lacks, and compiles it

Most sentences are made by code that knows no language, in f-strings and tables, and translated
only where they are read; so they are found by what they look like, not by a function around them.
Readers of catalogues elsewhere do not do that, and the rest of a catalogue is a few lines.
"""

from __future__ import annotations

import ast
import json
import struct
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, nodes
from jupyterhub._data import DATA_FILES_PATH
from jupyterhub.scopes import scope_definitions

from slurmhub.borrowed import MESSAGES, marked

PACKAGE = Path(__file__).parents[2] / "spawner" / "slurmhub"
LOCALE = PACKAGE / "locale"

SPOKEN = (
    "auth/account_refusals.py",
    "auth/assertion.py",
    "auth/discovery.py",
    "auth/refusals.py",
    "auth/terms_page.py",
    "auth/where.py",
    "courses/*.py",
    "courses/roster/*.py",
    "courses/service/*.py",
    "courses/service/api/*.py",
    "courses/service/pages/*.py",
    "courses/slurm/capacity.py",
    "files/*.py",
    "hub/*.py",
    "idle/*.py",
    "job/*.py",
    "notices.py",
    "options/*.py",
    "session/*.py",
    "slurm/advice.py",
    "slurm/limits.py",
    "slurm/reasons.py",
    "slurm/states.py",
    "spawner.py",
    "waiting/*.py",
)
"""The modules whose words people read, below the package."""

UNSPOKEN = frozenset(
    {
        "courses/known.py",
        "courses/linking.py",
        "courses/policy.py",
        "courses/roster/headings.py",
        "courses/rows.py",
        "courses/seen.py",
        "courses/service/__main__.py",
        "courses/service/access.py",
        "courses/service/api/models.py",
        "courses/service/api/openapi.py",
        "courses/service/application.py",
        "courses/service/cluster.py",
        "courses/service/headers.py",
        "courses/service/measures.py",
        "courses/service/on_cluster.py",
        "courses/service/place.py",
        "courses/service/registration.py",
        "courses/service/running.py",
        "courses/service/secret.py",
        "courses/service/settings.py",
        "courses/service/templates.py",
        "courses/tables.py",
        "courses/writing.py",
        "hub/configure.py",
        "idle/policy.py",
        "job/launcher.py",
        "job/meter.py",
        "job/policy.py",
        "job/script.py",
        "job/server_config.py",
        "job/tag.py",
        "options/limits.py",
        "options/profiles.py",
        "options/rules.py",
    }
)
"""Those of them that speak to operators in logs, or to programs."""

ERRORS = frozenset({"courses/course_file.py", "courses/kinds.py", "courses/model.py"})
"""Those of which people read what a ValueError says, since pydantic hands it on."""

TEMPLATES = "web/templates/*.html"

# What is in a call of one of these goes to a log, to a programmer or into a metric.
_NOT_FOR_PEOPLE = frozenset(
    [
        "debug",
        "info",
        "warning",
        "error",
        "exception",
        "critical",
        "Counter",
        "Gauge",
        "Histogram",
        "TraitError",
        "ValueError",
        "TypeError",
        "RuntimeError",
        "AssertionError",
        "compile",
        "add_argument",
        "Operation",
        "Column",
        "Option",
        "ForeignKey",
    ]
)
_NOT_SAID = frozenset({"for_operator", "help", "pattern", "media_type", "problem", "type"})
_TRANSLATORS = frozenset({"_", "told"})


@dataclass(frozen=True, order=True)
class Said:
    """A sentence and the file that says it, below the package."""

    text: str
    where: str


def said_by_templates(package: Path = PACKAGE) -> Iterator[Said]:
    """Every sentence that a template translates."""
    for path in [*sorted(package.glob(TEMPLATES)), *_theirs()]:
        tree = Environment(autoescape=True).parse(marked(path.read_text(), path.name))
        for call in tree.find_all(nodes.Call):
            if isinstance(call.node, nodes.Name) and call.node.name in _TRANSLATORS and call.args:
                for text in _constants(call.args[0]):
                    yield Said(text, path.name)


def _theirs() -> list[Path]:
    """JupyterHub's templates, whose words we mark."""
    return sorted((Path(DATA_FILES_PATH) / "templates").glob("*.html"))


def said_by_jupyterhub() -> Iterator[Said]:
    """What its code says, and what it says of each scope to who grants one."""
    yield from (Said(text, "jupyterhub") for text in MESSAGES)
    for scope in scope_definitions.values():
        yield Said(scope["description"], "jupyterhub/scopes.py")


def _constants(node: nodes.Node) -> Iterator[str]:
    if isinstance(node, nodes.Const) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, nodes.CondExpr):
        yield from _constants(node.expr1)
        if node.expr2 is not None:
            yield from _constants(node.expr2)
    elif isinstance(node, nodes.Or):
        yield from _constants(node.left)
        yield from _constants(node.right)


def said_by_code(package: Path = PACKAGE) -> Iterator[Said]:
    """Every string of the modules that speak to people which looks like words for them."""
    for pattern in SPOKEN:
        for path in sorted(package.glob(pattern)):
            where = str(path.relative_to(package))
            if where not in UNSPOKEN:
                tree = ast.parse(path.read_text())
                yield from (Said(text, where) for text in _Sentences(tree, where).found)


class _Sentences(ast.NodeVisitor):
    """The texts of one module, without docstrings, logs and annotations."""

    def __init__(self, tree: ast.Module, where: str = "") -> None:
        self.found: list[str] = []
        self._not_for_people = _NOT_FOR_PEOPLE - ({"ValueError"} if where in ERRORS else set())
        self.visit(tree)

    def visit_Expr(self, node: ast.Expr) -> None:
        if not isinstance(node.value, ast.Constant):
            self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        if _name(node.func) in self._not_for_people:
            return
        for child in (node.func, *node.args):
            # Advice has Slurm's words in a tuple, and ours after it.
            if not (isinstance(child, ast.Tuple) and _name(node.func) == "Rule"):
                self.visit(child)
        for keyword in node.keywords:
            if keyword.arg not in _NOT_SAID:
                self.visit(keyword.value)

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, str):
            self._keep(node.value)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        self._keep(_template(node))
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                self.visit(part.value)

    def visit_Dict(self, node: ast.Dict) -> None:
        """Keys are codes and Slurm's words; values may be ours."""
        for value in node.values:
            self.visit(value)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.visit(node.value)

    def visit_arg(self, node: ast.arg) -> None:
        """Annotations are no words."""

    def _keep(self, text: str) -> None:
        if _for_people(text):
            self.found.append(text.strip())


def _for_people(text: str) -> bool:
    """Two words of which one is followed by a space, and none of what only programs write."""
    words = [word for word in text.split() if word.strip(".,;:?!()“”").isalpha()]
    odd = any(sign in text for sign in ("://", "__", "=", "<", "#SBATCH", "%", "--", "\n#"))
    return len(words) > 1 and not odd


def _template(node: ast.JoinedStr) -> str:
    """An f-string with its expressions as named placeholders."""
    used: dict[str, int] = {}
    parts = []
    for part in node.values:
        if isinstance(part, ast.Constant):
            parts.append(str(part.value))
        elif isinstance(part, ast.FormattedValue):
            name = _name(part.value)
            used[name] = used.get(name, 0) + 1
            parts.append(f"{{{name}{used[name] if used[name] > 1 else ''}}}")
    return "".join(parts)


def _name(node: ast.AST) -> str:
    if isinstance(node, ast.Name):
        return node.id.strip("_")
    if isinstance(node, ast.Attribute):
        return node.attr.strip("_")
    if isinstance(node, ast.Call):
        return _name(node.func)
    if isinstance(node, ast.Subscript):
        return _name(node.value)
    return "value"


def read_catalogue(path: Path) -> dict[str, str]:
    """What a .po file says of each sentence; the empty one is its header."""
    found: dict[str, str] = {}
    key, field = "", ""
    for line in [*path.read_text(encoding="utf-8").splitlines(), "msgid"]:
        word, _, rest = line.partition(" ")
        if word == "msgid":
            key = ""
        if word in ("msgid", "msgstr"):
            field, line = word, rest
            if word == "msgstr":
                found[key] = ""
        if line.startswith('"'):
            text = ast.literal_eval(line)
            if field == "msgid":
                key += text
            else:
                found[key] += text
    return found


def write_catalogue(path: Path, sentences: dict[str, str]) -> None:
    """Write a .po file in order, below the comments that it begins with."""
    comments = [line for line in path.read_text(encoding="utf-8").splitlines() if line[:1] == "#"]
    lines = [*comments, 'msgid ""', 'msgstr ""']
    lines += [json.dumps(f"{line}\n") for line in sentences[""].splitlines()]
    for key, said in sorted(sentences.items()):
        if key:
            lines += ["", f"msgid {_quoted(key)}", f"msgstr {_quoted(said)}"]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def compiled(sentences: dict[str, str]) -> bytes:
    """GNU's .mo form: a header of seven numbers, two tables of lengths and places, the texts."""
    entries = sorted((key.encode(), said.encode()) for key, said in sentences.items() if said)
    count = len(entries)
    place = 28 + 16 * count
    tables: list[bytes] = []
    texts = b""
    for column in (0, 1):
        for entry in entries:
            tables.append(struct.pack("<II", len(entry[column]), place + len(texts)))
            texts += entry[column] + b"\0"
    header = struct.pack("<7I", 0x950412DE, 0, count, 28, 28 + 8 * count, 0, 28)
    return header + b"".join(tables) + texts


def catalogues() -> list[Path]:
    """Every .po file."""
    return sorted(LOCALE.glob("*/LC_MESSAGES/*.po"))


def lacking(sentences: dict[str, str]) -> list[Said]:
    """What is said without a translation."""
    said = {*said_by_templates(), *said_by_code(), *said_by_jupyterhub()}
    return sorted(one for one in said if not sentences.get(one.text))


def main() -> int:
    """Add what is lacking, for somebody to translate; compile; say what is lacking still."""
    failed = 0
    for path in catalogues():
        sentences = read_catalogue(path)
        for one in lacking(sentences):
            print(f"{path.relative_to(LOCALE)} lacks what {one.where} says: {one.text}")
            sentences[one.text] = ""
            failed = 1
        write_catalogue(path, sentences)
        path.with_suffix(".mo").write_bytes(compiled(sentences))
    return failed


if __name__ == "__main__":
    sys.exit(main())

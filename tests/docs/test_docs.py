"""The documentation is true: its links, settings, tables, messages and named tests exist."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jupyterhub.app import JupyterHub
from jupyterhub.auth import Authenticator
from jupyterhub.proxy import ConfigurableHTTPProxy
from jupyterhub.spawner import Spawner
from traitlets.config import Config

import slurmhub
from slurmhub.auth.authenticator import ShibbolethAuthenticator
from slurmhub.job.outcome import INVISIBLE
from slurmhub.options.request import FIELDS
from slurmhub.spawner import SlurmHubSpawner
from slurmhub_deploy.helper import sudoers_text
from tests.rig.docs import (
    PROJECT,
    WRITTEN_BY_RUNS,
    Block,
    Page,
    metrics_of_code,
    metrics_of_courses,
    pages,
    rewritten,
)
from tests.rig.site_metrics import site_metrics

PAGES = pages()
OPERATORS = next(page for page in PAGES if page.name == "docs/operators/spawner.md")
SECURITY = next(page for page in PAGES if page.name == "docs/security.md")
PYTHON = [block for page in PAGES for block in page.blocks("python")]
SETTABLE: dict[str, Any] = {
    "JupyterHub": JupyterHub,
    "Authenticator": Authenticator,
    "ConfigurableHTTPProxy": ConfigurableHTTPProxy,
    "Spawner": Spawner,
    "SlurmHubSpawner": SlurmHubSpawner,
    "ShibbolethAuthenticator": ShibbolethAuthenticator,
}
# Names that begin as metrics do and are none.
OTHER_NAMES = frozenset(
    {"slurmhub_auth_state_key", "slurmhub_deploy", "slurmhub_key", "slurmhub_terms_accepted"}
)


def where(value: object) -> str:
    """How a test of a page or a block is called."""
    if isinstance(value, Page):
        return value.name
    if isinstance(value, Block):
        return f"{value.page.name}:{value.line}"
    return str(value)


# Links and pictures


def paths(page: Page) -> list[str]:
    """The files that a page links to."""
    return [link.partition("#")[0] for link in page.links() if not link.startswith("#")]


@pytest.mark.parametrize("page", PAGES, ids=where)
def test_every_link_leads_somewhere(page: Page) -> None:
    for target in page.links():
        path, _, anchor = target.partition("#")
        linked = (page.path.parent / path).resolve() if path else page.path
        assert linked.is_relative_to(PROJECT), target
        assert linked.exists(), target
        if anchor:
            assert anchor in Page(linked, linked.read_text()).anchors(), target


def test_every_page_can_be_found() -> None:
    index = PROJECT / "docs" / "README.md"
    written = {page.path for page in PAGES} | {PROJECT / name for name in WRITTEN_BY_RUNS}
    found, new = set(), {index}
    while new:
        found |= new
        pages = [Page(path, path.read_text()) for path in new if path.suffix == ".md"]
        links = {(page.path.parent / link).resolve() for page in pages for link in paths(page)}
        new = (links & written) - found
    # Runbooks are found from the page on monitoring, all others from the index itself.
    assert found == written - {PROJECT / "README.md"}
    direct = {(index.parent / link).resolve() for link in paths(Page(index, index.read_text()))}
    assert {path for path in written - direct if path.parent.name != "runbooks"} == {
        index,
        PROJECT / "README.md",
    }


# Settings


@pytest.mark.parametrize("page", PAGES, ids=where)
def test_tables_are_as_the_code_has_them(page: Page) -> None:
    assert rewritten(page.text) == page.text, "Run script/docs and look at what it changed."


def test_every_setting_of_ours_is_in_a_table() -> None:
    ours = {
        name
        for name, trait in SlurmHubSpawner.class_traits(config=True).items()
        if trait.this_class.__module__.startswith("slurmhub.")
    }
    named = set(re.findall(r"^\| `(\w+)` \|", OPERATORS.text, re.MULTILINE))
    assert ours <= named
    assert all(SlurmHubSpawner.class_traits()[name].help for name in ours)


@pytest.mark.parametrize("page", PAGES, ids=where)
def test_every_setting_that_is_named_exists(page: Page) -> None:
    for section, name in re.findall(r"\bc\.([A-Z]\w+)\.(\w+)", page.text):
        if name != "NAME":
            assert name in SETTABLE[section].class_traits(config=True), f"c.{section}.{name}"


@pytest.mark.parametrize("block", PYTHON, ids=where)
def test_python_compiles_and_its_imports_exist(block: Block) -> None:
    tree = ast.parse(block.text, filename=where(block))
    tree.body = [node for node in tree.body if isinstance(node, (ast.Import, ast.ImportFrom))]
    exec(compile(tree, where(block), "exec"), {})  # noqa: S102 - our own page


@pytest.mark.parametrize("block", [b for b in PYTHON if "\nc." in f"\n{b.text}"], ids=where)
def test_configuration_is_accepted(block: Block) -> None:
    c = Config()
    exec(compile(block.text, where(block), "exec"), {"c": c})  # noqa: S102 - our own page
    spawner = SlurmHubSpawner(config=c)
    for name, value in c.SlurmHubSpawner.items():
        assert getattr(spawner, name) == value
    assert spawner.script_policy()
    assert spawner.site_limits()


def test_what_configure_sets_is_in_its_table() -> None:
    c = Config()
    slurmhub.configure(c)
    plain = {n: v for n, v in c.JupyterHub.items() if not isinstance(v, (list, str))}
    shown = dict(re.findall(r"^\| `(\w+) = (\w+)` \|", OPERATORS.text, re.MULTILINE))
    assert {name: ast.literal_eval(value) for name, value in shown.items()} == plain
    assert f'`c.JupyterHub.spawner_class = "{c.JupyterHub.spawner_class}"`' in OPERATORS.text


def test_the_fields_of_links_and_rest_are_those_of_the_form() -> None:
    (said,) = re.findall(r"`(\{\"partition\".*?\})`", OPERATORS.text)
    assert set(ast.literal_eval(said)) == set(FIELDS)


# What the pages quote


def test_the_sudoers_file_is_shown_as_it_is_written() -> None:
    (shown,) = OPERATORS.blocks("sudoers")
    assert shown.text == sudoers_text("jupyterhub", "students")


def test_the_command_for_slurms_rights_is_the_one_that_the_hub_names() -> None:
    said = INVISIBLE.remedy.partition("see them: ")[2]
    command = said.replace("<the hub's account>", "jupyterhub")
    assert command.startswith("sacctmgr modify user")
    assert f"{command}\n" in [block.text for block in OPERATORS.blocks("text")]


def _told_by_programs() -> set[str]:
    """Metrics that no hub tells, but a program beside it, by a file that node_exporter reads."""
    files = [PROJECT / "deploy/slurmhub_deploy/smoke/report.py", *PROJECT.glob("libexec/*")]
    for place in ("files", "templates", "tasks"):
        files += PROJECT.glob(f"ansible/roles/*/{place}/**/*")
    texts = [file.read_text() for file in files if file.is_file()]
    return {name for text in texts for name in re.findall(r"\bslurmhub_\w+", text)}


def test_every_metric_that_is_named_exists() -> None:
    exported = {name for name, *_ in metrics_of_code()}
    assert exported
    known = exported | _told_by_programs() | {name for name, *_ in site_metrics()}
    known |= {name for name, *_ in metrics_of_courses()}
    for page in PAGES:
        named = set(re.findall(r"\bslurmhub_\w+", page.text)) - OTHER_NAMES
        assert named <= known, page.name
    assert exported <= set(re.findall(r"\bslurmhub_\w+", OPERATORS.text))


@cache
def texts_of_the_code() -> str:
    """Every string in our programs, the fixed parts of those with values in them too."""
    files = [*PROJECT.glob("spawner/**/*.py"), *PROJECT.glob("deploy/**/*.py")]
    files.append(PROJECT / "libexec" / "slurmhub-as-user")
    found = []
    for file in files:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.JoinedStr):
                # What stands for a value becomes a placeholder, as in a message of the log.
                found.append(
                    "".join(
                        str(part.value) if isinstance(part, ast.Constant) else "%s"
                        for part in node.values
                    )
                )
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.append(node.value)
    return "\n".join(re.sub(r"%[sd]|%\(\w+\)s", "…", text) for text in found)


def messages() -> list[str]:
    """The messages in the operators' table, as they are written there."""
    section = OPERATORS.text.partition("## Messages, and what to do")[2]
    return re.findall(r"^\| `([^`]+)`", section, re.MULTILINE)


def test_the_table_of_messages_is_read() -> None:
    assert len(messages()) > 15


@pytest.mark.parametrize("message", messages())
def test_every_message_is_one_of_ours(message: str) -> None:
    # What a job's log begins each line with is put before the message elsewhere.
    text = message.removeprefix("slurmhub: ")
    pattern = ".{0,120}".join(re.escape(part) for part in text.split("…"))
    assert re.search(pattern, texts_of_the_code()), message


# Tests that the pages name


def named_tests(text: str) -> list[tuple[str, str]]:
    """Module and function of every test that a text names."""
    return re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", text)


@pytest.mark.parametrize("page", PAGES, ids=where)
def test_every_test_that_is_named_exists(page: Page) -> None:
    for module, name in named_tests(page.text):
        source = ast.parse((PROJECT / module).read_text())
        functions = (ast.FunctionDef, ast.AsyncFunctionDef)
        there = {node.name for node in source.body if isinstance(node, functions)}
        assert name in there, f"{module}::{name}"


def test_every_claim_of_security_names_a_test() -> None:
    protected = SECURITY.text.partition("## What is protected")[2].partition("## What is not")[0]
    sections = protected.split("\n### ")[1:]
    assert len(sections) >= 4
    for section in sections:
        claims = section.split("\n- ")[1:]
        assert claims, section
        assert [claim for claim in claims if not named_tests(claim)] == []


@pytest.mark.parametrize("page", PAGES, ids=where)
def test_every_file_that_is_named_exists(page: Page) -> None:
    folders = r"tests|script|spawner|libexec|requirements|\.ci"
    for name in re.findall(rf"`((?:{folders})/[^`\s]*)`", page.text):
        path = name.partition("::")[0].replace("000N_what", "0001_*")
        assert list(PROJECT.glob(path)), name


def test_no_page_names_a_path_of_the_machine_it_was_written_on() -> None:
    for page in PAGES:
        assert not re.search(r"/(root|work|opt/dev|tmp/scratch)\b", page.text), page.name


def pictures() -> list[Path]:
    """Every picture of the documentation."""
    return sorted((PROJECT / "docs" / "images").iterdir())


def test_the_readme_has_one_picture() -> None:
    readme = next(page for page in PAGES if page.name == "README.md")
    shown = [target for target in readme.links() if target.startswith("docs/images/")]
    assert len(shown) == 1
    assert PROJECT / shown[0] in pictures()


def test_every_picture_is_shown_and_small() -> None:
    shown = {
        (page.path.parent / target).resolve() for page in PAGES for target in paths(page) if target
    }
    for picture in pictures():
        assert picture in shown, picture.name
        assert picture.stat().st_size < 150_000, picture.name


def test_every_picture_of_courses_can_be_taken_again() -> None:
    text = (PROJECT / "tests/browser/pictures.py").read_text()
    taken = {f"course-{name}.png" for name in re.findall(r'take\(\w+, "([a-z-]+)"', text)}
    assert {one.name for one in pictures() if re.match(r"course-.*png", one.name)} <= taken

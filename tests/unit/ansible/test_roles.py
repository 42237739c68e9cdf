"""What holds for every role: arguments written down, phases with tags, no shell."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.rig.role_docs import ROLES, options_in, readme_of, roles, specs_of

ANSIBLE = ROLES.parent
PHASES = ("preflight", "install", "configure", "run")
ROLE = pytest.mark.parametrize("role", roles(), ids=lambda role: role.name)
_OF_THE_SITE = re.compile(r"\bslurmhub_(?:hubs|clusters|homes|directory|secrets|site)\b")
_NOT_TASKS = frozenset({"block", "rescue", "always"})
# What a task can have beside its module (playbooks_keywords of ansible-core).
_KEYWORDS = frozenset(
    {
        *("name", "when", "tags", "vars", "register", "loop", "loop_control", "notify", "no_log"),
        *("become", "become_user", "become_method", "check_mode", "changed_when", "failed_when"),
        *("delegate_to", "delegate_facts", "run_once", "until", "retries", "delay", "listen"),
        *("ignore_errors", "ignore_unreachable", "environment", "args", "async", "poll"),
        *("diff", "throttle", "any_errors_fatal", "module_defaults", "timeout", "connection"),
        *("action", "local_action", "collections", "debugger", "port", "remote_user"),
    }
)


def tasks_in(found: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Every task of a file, those in blocks too."""
    for task in found:
        inner = [part for part in _NOT_TASKS if part in task]
        for part in inner:
            yield from tasks_in(task[part])
        if not inner:
            yield task


def tasks_of(role: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    for file in sorted([*role.glob("tasks/**/*.yml"), *role.glob("handlers/*.yml")]):
        for task in tasks_in(yaml.safe_load(file.read_text()) or []):
            yield file, task


def module_of(task: dict[str, Any]) -> str:
    modules = [
        word for word in task if word not in _KEYWORDS and not word.startswith(("with_", "loop_"))
    ]
    assert len(modules) == 1, f"{task.get('name')}: which of {modules} is the module?"
    return modules[0]


def test_every_folder_is_a_role() -> None:
    folders = {path for path in ROLES.iterdir() if path.is_dir()}
    assert folders == set(roles()), "a role has meta/argument_specs.yml"


@ROLE
def test_its_readme_is_current(role: Path) -> None:
    file = role / "README.md"
    assert file.exists(), "script/docs writes it"
    assert file.read_text() == readme_of(role), "script/docs writes it again"


@ROLE
def test_its_defaults_are_its_arguments(role: Path) -> None:
    file = role / "defaults/main.yml"
    defaults = (yaml.safe_load(file.read_text()) or {}) if file.exists() else {}
    specs = specs_of(role)
    known = {name for entry in specs.values() for name in entry.get("options", {})}
    assert set(defaults) <= known, "a default that nobody can look up"
    for name, option in specs["main"]["options"].items():
        if option.get("required"):
            assert name not in defaults, f"{name} is required: it has no default"
        else:
            assert name in defaults, f"{name} is not required: it has a default"
        if "default" in option and "{{" not in str(option["default"]):
            assert defaults[name] == option["default"], f"{name} has two defaults"


@ROLE
def test_its_arguments_have_its_name_and_a_meaning(role: Path) -> None:
    for entry in specs_of(role).values():
        assert entry.get("short_description")
        for name in entry.get("options", {}):
            assert name.startswith(f"{role.name}_") or _open_port_of(role, name), name
        for path, option in options_in(entry.get("options", {})):
            assert option.get("description"), path
            assert option.get("type"), path


def _open_port_of(role: Path, name: str) -> bool:
    return role.name == "base" and name.startswith("base_")


@ROLE
def test_its_phases_have_tags(role: Path) -> None:
    found = yaml.safe_load((role / "tasks/main.yml").read_text())
    files = [task["ansible.builtin.import_tasks"] for task in found]
    assert files == [f"{phase}.yml" for phase in PHASES if (role / f"tasks/{phase}.yml").exists()]
    for task, file in zip(found, files, strict=True):
        assert set(task["tags"]) == {role.name, file.removesuffix(".yml")}


@ROLE
def test_it_runs_no_shell_and_no_collection(role: Path) -> None:
    ours = {file.stem for file in (ANSIBLE / "library").glob("*.py")}
    for file, task in tasks_of(role):
        module = module_of(task)
        where = f"{file.relative_to(ROLES)}: {task.get('name')}"
        assert module.startswith("ansible.builtin.") or module in ours, f"{where}: {module}"
        assert module not in ("ansible.builtin.shell", "ansible.builtin.raw"), where
        if module == "ansible.builtin.command":
            made = (task.get("args") or {}) | _dict(task[module])
            only_asks = task.get("changed_when") is False
            assert only_asks or made.keys() & {"creates", "removes"}, f"{where}: a module does it"


_ACTS = {"restarted": "restart_for", "reloaded": "reload_for", None: "reread_for"}


@ROLE
def test_what_a_killed_run_did_not_tell_is_made_up_for(role: Path) -> None:
    """A handler is lost with its run; the next run looks by itself whether it was told."""
    tasks = [(file, task) for file, task in tasks_of(role) if file.name != "remove.yml"]
    read = [task["slurmhub_current"] for _, task in tasks if "slurmhub_current" in task]
    stamped = [
        path
        for _, task in tasks
        if "stamp" in (tried := task.get("slurmhub_tested_files", {}))
        for path in tried.get("read_too", [])
    ]
    for file, task in tasks:
        if "stamp" in task.get("slurmhub_tested_files", {}):
            continue
        for handler in _handlers(tasks, task):
            told = _dict(handler.get("ansible.builtin.systemd_service"))
            if not told:
                continue
            kind = _ACTS[told.get("state")]
            lists = [each for each in read if kind == "reread_for" or _is_of(each, told["name"])]
            kinds = [kind] if kind != "reread_for" else list(_ACTS.values())
            covered = stamped + [
                path for each in lists for one in kinds for path in each.get(one, [])
            ]
            where = f"{file.relative_to(ROLES)}: {task['name']}"
            assert covered, f"{where}: {told.get('name')} in no slurmhub_current, {kind}"
            for written in _written(task):
                assert any(_means(path, written) for path in covered), (
                    f"{where}: {written} of {told.get('name')} in no slurmhub_current, {kind}"
                )


def _handlers(
    tasks: list[tuple[Path, dict[str, Any]]], task: dict[str, Any]
) -> Iterator[dict[str, Any]]:
    notified = _list(task.get("notify"))
    for file, handler in tasks:
        names = {handler.get("name"), *_list(handler.get("listen"))}
        if file.parent.name == "handlers" and names & set(notified):
            yield handler


def _is_of(read: dict[str, Any], unit: str) -> bool:
    return bool(read["name"].removesuffix(".service") == unit.removesuffix(".service"))


def _written(task: dict[str, Any]) -> Iterator[str]:
    """The paths that a task writes, with a star for what is an item's."""
    arguments = _dict(task[module_of(task)])
    for key in ("dest", "path", "certificate", "key"):
        if key in arguments:
            yield re.sub(r"\{\{[^}]*\bitem\b[^}]*\}\}", "*", arguments[key])


def _means(path: str, written: str) -> bool:
    return (
        written == path
        or fnmatch(written, path)
        or fnmatch(path, written)
        or written.startswith(f"{path.rstrip('/')}/")
        # An expression may give several paths.
        or (path.startswith("{{") and written.startswith("*"))
    )


def _list(words: object) -> list[str]:
    return [words] if isinstance(words, str) else list(words) if isinstance(words, list) else []


def _dict(arguments: object) -> dict[str, Any]:
    return arguments if isinstance(arguments, dict) else {}


@ROLE
def test_it_knows_nothing_of_the_site(role: Path) -> None:
    for file in sorted(path for path in role.rglob("*") if path.is_file()):
        if file.suffix in (".yml", ".j2"):
            known = set(_OF_THE_SITE.findall(_code(file)))
            assert not known, f"{file.relative_to(ROLES)}: the playbook hands over {known}"


def _code(file: Path) -> str:
    lines = file.read_text().splitlines()
    return "\n".join(line for line in lines if not line.lstrip().startswith("#"))


def test_the_site_imports_each_playbook_in_order() -> None:
    layers = ["base", "directory", "slurm", "homes", "jupyter", "hub", "front", "monitoring"]
    found = yaml.safe_load((ANSIBLE / "playbooks/site.yml").read_text())
    assert [play["ansible.builtin.import_playbook"] for play in found] == [
        f"{layer}.yml" for layer in layers
    ]
    for layer in layers:
        assert (ANSIBLE / f"playbooks/{layer}.yml").exists()


@pytest.mark.parametrize(
    "file", sorted((ANSIBLE / "library").glob("*.py")), ids=lambda file: file.stem
)
def test_a_module_says_what_it_is(file: Path) -> None:
    text = file.read_text()
    assert file.stem.startswith("slurmhub_")
    for part in ("DOCUMENTATION", "EXAMPLES", "RETURN", "supports_check_mode=True"):
        assert part in text, part
    imported = re.findall(r"^(?:from|import) (\S+)", text, re.MULTILINE)
    assert not [each for each in imported if each.startswith(("yaml", "slurmhub"))], (
        "only the standard library is on the hosts"
    )

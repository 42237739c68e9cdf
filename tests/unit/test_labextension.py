"""The extension of JupyterLab: the build that ships belongs to the source, and stays at home."""

from __future__ import annotations

import ast
import json
import re
import runpy
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, ClassVar

import pytest
from tornado.httputil import HTTPHeaders, HTTPServerRequest, RequestStartLine

from tests.rig.labextension import source_hash

FOLDER = Path(__file__).parents[2] / "labextension"
BUILT = FOLDER / "slurmhub_lab" / "labextension"


def test_the_build_belongs_to_the_source() -> None:
    said = json.loads((BUILT / "source.json").read_text())
    assert said == {"sha256": source_hash(FOLDER)}, "run script/labextension"


def test_the_hash_knows_each_change(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "index.js").write_text("one")
    first = source_hash(tmp_path)
    (tmp_path / "src" / "index.js").write_text("two")
    second = source_hash(tmp_path)
    (tmp_path / "src" / "index.js").rename(tmp_path / "src" / "other.js")
    assert len({first, second, source_hash(tmp_path)}) == 3


def test_jupyterlab_finds_what_was_built() -> None:
    build = json.loads((BUILT / "package.json").read_text())["jupyterlab"]["_build"]
    assert build["extension"] == "./extension"
    assert (BUILT / build["load"]).is_file()


@pytest.mark.parametrize("file", sorted(BUILT.rglob("*.js")), ids=lambda path: path.name[:20])
def test_nothing_is_loaded_from_other_hosts(file: Path) -> None:
    addresses = set(re.findall(r"https?://[^\s\"'`]+", file.read_text()))
    assert not addresses


def test_all_that_it_uses_is_jupyterlabs_own() -> None:
    used = set()
    for file in (FOLDER / "src").glob("*.js"):
        used |= set(re.findall(r'from "([^."][^"]*)"', file.read_text()))
    core = json.loads((FOLDER / "core" / "package.json").read_text())
    assert used <= set(core["jupyterlab"]["singletonPackages"])
    assert set(core["dependencies"]) == set(core["jupyterlab"]["singletonPackages"])


HUB = {
    "JUPYTERHUB_API_URL": "http://hub:8081/hub/api",
    "JUPYTERHUB_API_TOKEN": "x",
    "JUPYTERHUB_USER": "alice",
}


@pytest.mark.parametrize(
    ("environ", "url"),
    [
        (HUB, "http://hub:8081/hub/api/slurmhub/session/alice"),
        (
            {**HUB, "JUPYTERHUB_SERVER_NAME": "my lab/1"},
            "http://hub:8081/hub/api/slurmhub/session/alice/my%20lab%2F1",
        ),
        ({**HUB, "JUPYTERHUB_API_URL": ""}, None),
        ({"JUPYTERHUB_USER": "alice"}, None),
        ({}, None),
    ],
)
def test_only_a_server_of_a_hub_asks_and_only_for_itself(
    environ: dict[str, str], url: str | None
) -> None:
    hub_url = runpy.run_path(str(FOLDER / "slurmhub_lab" / "hub.py"))["hub_url"]
    assert hub_url(environ) == url


@pytest.mark.parametrize("file", sorted(FOLDER.glob("slurmhub_lab/*.py")), ids=lambda one: one.name)
def test_its_python_is_of_3_8(file: Path) -> None:
    ast.parse(file.read_text(), feature_version=(3, 8))


@pytest.mark.parametrize(
    ("method", "path", "asked", "polls"),
    [
        # What an idle tab of JupyterLab 4.6 was seen to send, every ten seconds and every minute.
        ("GET", "api/kernels", [], True),
        ("GET", "api/sessions", [], True),
        ("GET", "api/terminals", [], True),
        ("GET", "api/kernelspecs", [], True),
        ("GET", "api/me", [], True),
        ("GET", "api/contents", ["content", "hash"], True),
        ("GET", "api/contents/week 1", ["content", "hash"], True),
        ("GET", "lab/api/workspaces", [], True),
        ("PUT", "lab/api/workspaces/default", [], True),
        # What somebody does.
        ("GET", "api/contents/a.ipynb", ["content", "type"], False),
        ("PUT", "api/contents/a.ipynb", [], False),
        ("POST", "api/sessions", [], False),
        ("DELETE", "api/kernels/1", [], False),
        ("GET", "api/kernels/1/channels", [], False),
        ("GET", "lab", [], False),
        ("GET", "lab/api/translations/en", [], False),
        ("PUT", "lab/api/settings/a", [], False),
        ("GET", "", [], False),
    ],
)
def test_what_jupyterlab_asks_by_itself_is_known(
    method: str, path: str, asked: list[str], polls: bool
) -> None:
    known = runpy.run_path(str(FOLDER / "slurmhub_lab" / "activity.py"))
    assert known["by_itself"](method, path, asked) is polls


def test_a_busy_kernel_is_activity() -> None:
    known = runpy.run_path(str(FOLDER / "slurmhub_lab" / "activity.py"))
    states: dict[str, str] = {}
    kernels = SimpleNamespace(
        list_kernel_ids=lambda: ["one", "two"],
        get_kernel=lambda name: SimpleNamespace(execution_state=states.get(name)),
    )
    app = SimpleNamespace(settings={"kernel_manager": kernels})
    states["one"] = "idle"
    known["count_busy"](app)
    assert "slurmhub_last_activity" not in app.settings
    states["two"] = "busy"
    known["count_busy"](app)
    assert "slurmhub_last_activity" in app.settings


class Application:
    """What of tornado's application the extension touches."""

    settings: ClassVar = {"base_url": "/user/alice/"}

    def add_transform(self, transform: Any) -> None:
        self.transform = transform


@pytest.mark.parametrize(
    ("uri", "together", "marked"),
    [
        ("/user/alice/api/sessions?1", False, True),
        ("/user/alice/lab", False, False),
        ("/user/alicia/api/sessions", False, False),
        # Nothing else would tell that somebody types.
        ("/user/alice/api/sessions?1", True, False),
    ],
)
def test_polling_is_marked_as_no_use(
    uri: str, together: bool, marked: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if together:
        monkeypatch.setitem(sys.modules, "jupyter_server_ydoc", ModuleType("jupyter_server_ydoc"))
    app = Application()
    runpy.run_path(str(FOLDER / "slurmhub_lab" / "activity.py"))["leave_out_polling"](app)
    line = RequestStartLine("GET", uri, "HTTP/1.1")
    request = HTTPServerRequest(start_line=line, headers=HTTPHeaders({"Host": "hub"}))
    app.transform(request)
    assert ("no_track_activity" in request.arguments) is marked

"""slurmhub_environment: whole or not at all, beside what runs, and a way back."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.unit.ansible.modules import load

module = load("slurmhub_environment")
FIRST, SECOND, THIRD = ("1" * 16, "2" * 16, "3" * 16)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "lock").write_text("")
    return tmp_path


def wheel(folder: Path, version: str = "1") -> Path:
    """A wheel of one module, such as pip takes it."""
    file = folder / f"greeting-{version}-py3-none-any.whl"
    info = f"greeting-{version}.dist-info"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("greeting.py", f"said = {version!r}\n")
        archive.writestr(
            f"{info}/METADATA", f"Metadata-Version: 2.1\nName: greeting\nVersion: {version}\n"
        )
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{info}/RECORD", "")
    return file


def params(place: Path, named: str = FIRST, **more: Any) -> dict[str, Any]:
    usual = {
        "path": str(place / "opt/hub"),
        "digest": named,
        "lock": str(place / "lock"),
        "wheels": [str(wheel(place))],
        "find_links": str(place),
        "python": sys.executable,
        "imports": ["greeting"],
        "seconds": 300,
    }
    return usual | more


def make_quickly(folder: str, params: dict[str, Any]) -> None:
    """As `make`, without pip: a Python of its own, and the mark at the end."""
    os.makedirs(f"{folder}/bin")
    shutil.copy(os.path.realpath("/bin/sleep"), f"{folder}/bin/sleep")
    if "nothing_of_this_name" in params["imports"]:
        raise module.Wrong("nothing_of_this_name")
    Path(folder, module.WHOLE).write_text("")


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "make", make_quickly)


def said(place: Path) -> str:
    line = "import greeting; print(greeting.said)"
    done = subprocess.run(
        [place / "opt/hub/bin/python", "-c", line], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_it_is_made_once_and_anew_when_it_was_interrupted(place: Path) -> None:
    folder = Path(module.act(params(place), True)["folder"])
    (folder / "lib").mkdir(parents=True)
    (folder / "lib/rubbish").write_text("half")
    first = module.act(params(place), False)
    assert (first["changed"], first["before"]) == (True, "")
    assert said(place) == "1"
    assert not (folder / "lib/rubbish").exists()
    assert os.path.realpath(place / "opt/hub") == first["folder"]
    again = module.act(params(place), False)
    assert (again["changed"], again["folder"]) == (False, first["folder"])


def test_a_check_makes_nothing(place: Path) -> None:
    assert module.act(params(place), True)["changed"] is True
    assert not (place / "opt").exists()


def test_a_check_of_a_host_without_python(place: Path) -> None:
    found = module.act(params(place, python=str(place / "absent")), True)
    assert found["changed"] is True
    with pytest.raises(module.Wrong, match="not there"):
        module.act(params(place, python=str(place / "absent")), False)


def test_one_that_fails_is_not_led_to(place: Path, quick: None) -> None:
    before = module.act(params(place), False)["folder"]
    with pytest.raises(module.Wrong, match="nothing_of_this_name"):
        module.act(params(place, SECOND, imports=["nothing_of_this_name"]), False)
    assert os.path.realpath(place / "opt/hub") == before


def test_a_folder_of_somebody_else_stays(place: Path, quick: None) -> None:
    (place / "opt/hub").mkdir(parents=True)
    with pytest.raises(module.Wrong, match="somebody else's"):
        module.act(params(place), False)
    assert (place / "opt/hub").is_dir()


@pytest.fixture
def running(place: Path, quick: None) -> Iterator[subprocess.Popen[bytes]]:
    """A program that runs from the first environment."""
    module.act(params(place), False)
    program = os.path.realpath(place / "opt/hub") + "/bin/sleep"
    with subprocess.Popen([program, "600"]) as process:
        yield process
        process.kill()


def test_the_one_before_and_those_in_use_stay(
    place: Path, running: subprocess.Popen[bytes]
) -> None:
    first = os.path.realpath(place / "opt/hub")
    second = module.act(params(place, SECOND), False)["folder"]
    third = module.act(params(place, THIRD), False)
    assert third["removed"] == []
    running.kill()
    running.wait()
    fourth = module.act(params(place, "4" * 16), False)
    assert set(fourth["removed"]) == {first, second}
    assert os.path.isdir(third["folder"])
    # Back to the one before: nothing has to be made.
    back = module.act(params(place, THIRD), False)
    assert (back["changed"], back["folder"]) == (True, third["folder"])


@pytest.mark.parametrize("change", [{"path": "opt/hub"}, {"digest": "../x"}])
def test_words_that_are_not_taken(place: Path, change: dict[str, str]) -> None:
    with pytest.raises(module.Wrong):
        module.act(params(place, **change), False)

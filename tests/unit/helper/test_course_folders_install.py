"""`slurmhub helper course-folders`, below a folder of the test's own."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from slurmhub.assets import asset
from slurmhub_deploy import course_folders_install
from slurmhub_deploy.course_folders_install import (
    DEFAULT_SETTINGS,
    CourseFoldersPlan,
    course_folders_files,
    sudoers_text,
)
from slurmhub_deploy.errors import DeployError
from slurmhub_deploy.helper_command import helper
from tests.unit.helper.loaded import load_program

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files to root")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "root"
    folder.mkdir(mode=0o755)
    folder.chmod(0o755)
    return folder


@needs_root
def test_three_files_and_a_second_run_changes_nothing(root: Path) -> None:
    arguments = ["course-folders", "--folder", "/srv/courses", "--account", "daemon"]
    arguments += ["--settings", '{"keep_days": 30}', "--root", str(root)]
    done = CliRunner().invoke(helper, arguments)
    assert done.exit_code == 0, done.output
    settings = root / "etc/slurmhub/course-folders/main.json"
    found = json.loads(settings.read_text())
    assert (found["folder"], found["keep_days"], found["mount"]) == ("/srv/courses", 30, None)
    line = (root / "etc/sudoers.d/slurmhub-course-folders-main").read_text().splitlines()[-1]
    program = course_folders_install.PROGRAM
    assert line == f"daemon ALL=(root:root) NOPASSWD: NOSETENV: {program} main"
    # What the site wrote stays.
    settings.write_text(json.dumps({**found, "mount": "/srv"}))
    CliRunner().invoke(helper, arguments)
    assert json.loads(settings.read_text())["mount"] == "/srv"
    again = CliRunner().invoke(helper, arguments)
    assert "nothing was changed" in again.output


def test_program_and_installer_have_the_same_settings() -> None:
    assert load_program("slurmhub-course-folders").DEFAULTS == DEFAULT_SETTINGS


def test_the_program_is_of_the_standard_library_alone() -> None:
    tree = ast.parse(asset("libexec/slurmhub-course-folders").read_text())
    found = {
        name.partition(".")[0]
        for node in ast.walk(tree)
        for name in (
            [each.name for each in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert found <= set(sys.stdlib_module_names)


def test_on_another_host_than_the_service_there_is_no_sudoers_line(root: Path) -> None:
    files = course_folders_files(CourseFoldersPlan(Path("/srv/courses"), "physics"), root)
    assert [file.path.name for file in files] == ["slurmhub-course-folders", "physics.json"]


def test_the_sudoers_line_is_read_by_visudo() -> None:
    done = subprocess.run(
        ["/usr/sbin/visudo", "-c", "-s", "-f", "-"],
        input=sudoers_text("slurmhub-courses", "main").encode(),
        check=False,
        capture_output=True,
    )
    assert done.returncode == 0, done.stderr
    with pytest.raises(DeployError):
        sudoers_text("ALL", "main")


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        (CourseFoldersPlan(Path("/srv/courses"), "../x"), "cannot be at"),
        (CourseFoldersPlan(Path("srv"), "main"), "cannot be at"),
        (CourseFoldersPlan(Path("/srv"), settings={"uid": 1}), "no setting uid"),
    ],
)
def test_what_cannot_be_installed(plan: CourseFoldersPlan, words: str, root: Path) -> None:
    with pytest.raises(DeployError, match=words):
        course_folders_files(plan, root)

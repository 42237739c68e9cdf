"""What the launcher needs of the node it runs on."""

from __future__ import annotations

import ast
import subprocess
import sys

from slurmhub.job import launcher
from slurmhub.job.script import launcher_source

# Each costs a good part of the launcher's whole start; those that are needed come later, in the
# thread that talks to the hub, while the server starts already.
SLOW_TO_IMPORT = {"ssl", "http.client", "urllib.request", "random", "tempfile", "shutil", "asyncio"}


def test_is_syntax_of_python_3_8() -> None:
    ast.parse(launcher_source(), feature_version=(3, 8))


def test_needs_the_standard_library_only() -> None:
    names = set()
    for node in ast.walk(ast.parse(launcher_source())):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add((node.module or "").partition(".")[0])
    assert names <= set(sys.stdlib_module_names)


def test_starts_without_slow_imports() -> None:
    report = "import runpy, sys; before = set(sys.modules); "
    report += (
        "runpy.run_path(sys.argv[1], run_name='launcher'); print(*(set(sys.modules) - before))"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", report, launcher.__file__],
        capture_output=True,
        text=True,
        check=True,
    )
    imported = set(done.stdout.split())
    assert "subprocess" in imported
    assert not imported & SLOW_TO_IMPORT

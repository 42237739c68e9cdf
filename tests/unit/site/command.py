"""The `slurmhub` command in this process: a start of Python for each case would take minutes."""

from __future__ import annotations

import contextlib
import io
import subprocess
import sys
from collections.abc import Mapping
from unittest.mock import patch

from slurmhub_deploy.main import main


def slurmhub(
    *arguments: object, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run it with nothing to read; what it wrote, and its status."""
    out, err = io.StringIO(), io.StringIO()
    argv = ["slurmhub", *map(str, arguments)]
    status: object = 0
    with (
        patch.object(sys, "argv", argv),
        patch.object(sys, "stdin", io.StringIO()),
        patch.dict("os.environ", environment or {}),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            main()
        except SystemExit as end:
            status = end.code
    code = status if isinstance(status, int) else 0 if status is None else 1
    return subprocess.CompletedProcess(argv, code, out.getvalue(), err.getvalue())

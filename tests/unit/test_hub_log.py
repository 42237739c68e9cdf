"""What an operator reads in the hub's log of people who chose wrongly: one line, no traceback."""

from __future__ import annotations

import logging

import pytest

from slurmhub.hub.configure import _quiet_prefill
from slurmhub.options.door import Prefilled, ServerFailed


def record(error: Exception | None) -> logging.LogRecord:
    trace = (type(error), error, None) if error else None
    return logging.LogRecord("JupyterHub", logging.ERROR, "pages.py", 1, "Failed", None, trace)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (Prefilled(), False),
        (ServerFailed("cpus: too many", status=400, reason="Options refused"), False),
        (ServerFailed("Slurm's controller does not answer."), True),
        (ValueError("a fault of ours"), True),
        (None, True),
    ],
)
def test_tracebacks_are_of_faults_only(error: Exception | None, told: bool) -> None:
    assert _quiet_prefill(record(error)) is told

"""The as-user helper as a module: the program has no .py in its name."""

from __future__ import annotations

import importlib.util
from importlib.machinery import SourceFileLoader
from typing import Any

from slurmhub.assets import asset


def load_helper() -> Any:
    """A fresh copy of the program, not run."""
    loader = SourceFileLoader("slurmhub_as_user", str(asset("libexec/slurmhub-as-user")))
    spec = importlib.util.spec_from_loader(loader.name, loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module

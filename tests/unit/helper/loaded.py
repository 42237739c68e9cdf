"""The helpers as modules: the programs have no .py in their names."""

from __future__ import annotations

import importlib.util
from importlib.machinery import SourceFileLoader
from typing import Any

from slurmhub.assets import asset


def load_helper() -> Any:
    """A fresh copy of the as-user helper, not run."""
    return load_program("slurmhub-as-user")


def load_program(name: str) -> Any:
    """A fresh copy of a program of libexec, not run."""
    loader = SourceFileLoader(name.replace("-", "_"), str(asset(f"libexec/{name}")))
    spec = importlib.util.spec_from_loader(loader.name, loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module

"""The modules of ansible/library, loaded as Ansible does: by their files."""

from __future__ import annotations

import importlib.util
import sys
from types import ModuleType

from tests.rig.role_docs import ROLES


def load(name: str) -> ModuleType:
    """The module of this name."""
    spec = importlib.util.spec_from_file_location(name, ROLES.parent / f"library/{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # a dataclass looks itself up there
    spec.loader.exec_module(module)
    return module

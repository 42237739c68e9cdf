"""The probe: looks at one host and tells what it saw, as JSON. Read-only.

It is sent as text to `/usr/bin/python3 -I -` on a host that has nothing of ours: its modules are
standard library only, Python 3.8 on, and use each other alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_MODULES = ("basics", "host", "services", "looking")
_PROGRAM = """\
import json, sys, types
package = {package!r}
for name, text in json.loads({modules!r}):
    module = types.ModuleType(f"{{package}}.{{name}}")
    sys.modules[module.__name__] = module
    sys.modules.setdefault(package, types.ModuleType(package))
    setattr(sys.modules[package], name, module)
    exec(compile(text, name, "exec"), module.__dict__)
module.main({task!r})
"""


def program(task: Mapping[str, Any]) -> str:
    """The whole probe as one program that looks at what the task names."""
    here = Path(__file__).parent
    modules = [(name, (here / f"{name}.py").read_text()) for name in _MODULES]
    return _PROGRAM.format(
        package=__name__, modules=json.dumps(modules), task=json.dumps(dict(task))
    )

"""Whether ansible-core is there, which only the verbs that set up hosts need."""

from __future__ import annotations

import importlib.util
from importlib.metadata import PackageNotFoundError, version

from slurmhub_deploy.operate.errors import OperateError

OLDEST = (2, 19)
_REMEDY = "Install it beside slurmhub, in slurmhub's checkout: pip install '.[operate]'"


def need_ansible() -> None:
    """Raise OperateError unless an ansible-core that is new enough is in this environment."""
    # Modules of another `ansible` would be found as well: it is the distribution that counts.
    try:
        found = version("ansible-core")
    except PackageNotFoundError:
        found = ""
    if not found or importlib.util.find_spec("ansible") is None:
        raise OperateError("ansible-core is not installed in this environment.", remedy=_REMEDY)
    if tuple(int(part) for part in found.split(".")[:2]) < OLDEST:
        raise OperateError(
            f"ansible-core {found} is too old: {'.'.join(map(str, OLDEST))} or later is needed.",
            remedy=_REMEDY,
        )

"""slurmhub: JupyterHub on Slurm, each person's server their own Slurm job."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from slurmhub.hub.configure import configure
    from slurmhub.spawner import SlurmHubSpawner

__all__ = ["SlurmHubSpawner", "configure"]


def __getattr__(name: str) -> Any:
    # Programs that need only our types must not wait for JupyterHub to be imported.
    if name == "SlurmHubSpawner":
        from slurmhub.spawner import SlurmHubSpawner

        return SlurmHubSpawner
    if name == "configure":
        from slurmhub.hub.configure import configure

        return configure
    raise AttributeError(f"module 'slurmhub' has no attribute {name!r}")

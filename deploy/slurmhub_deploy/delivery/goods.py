"""All that the roles `hub` and `jupyter_environment` bring to hosts, as files on this machine."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from slurmhub.assets import asset
from slurmhub_deploy.delivery.wheels import digest_of, lab_wheel, project_wheel


@dataclass(frozen=True)
class Environment:
    """A Python environment: the lock of what it has, our own wheels, and a name for both."""

    lock: str
    wheels: list[str]
    digest: str


@dataclass(frozen=True)
class Goods:
    """Where everything is; `proxy` is the folder of package.json and its lock."""

    hub: Environment
    jupyter: Environment
    proxy: str
    proxy_digest: str

    def as_data(self) -> dict[str, object]:
        """For Ansible."""
        return asdict(self)


def goods(cache: Path) -> Goods:
    """Build the wheels, and find the rest. Raises DeployError and AssetMissing."""
    packages = asset("package-lock.json")
    return Goods(
        hub=_environment("requirements/hub.lock", project_wheel(cache)),
        jupyter=_environment("requirements/jupyter.lock", lab_wheel(cache)),
        proxy=str(packages.parent),
        proxy_digest=digest_of(asset("package.json"), packages),
    )


def _environment(lock: str, wheel: Path) -> Environment:
    file = asset(lock)
    return Environment(str(file), [str(wheel)], digest_of(file, wheel))

"""All that the roles `hub` and `jupyter_environment` bring to hosts, as files on this machine."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from slurmhub.assets import asset
from slurmhub_deploy.delivery.manifest import other_locks, verify_bundle
from slurmhub_deploy.delivery.proxy import ARCHIVE, proxy_archive, proxy_digest
from slurmhub_deploy.delivery.wheels import digest_of, lab_wheel, project_wheel
from slurmhub_deploy.errors import DeployError


@dataclass(frozen=True)
class Environment:
    """A Python environment: the lock of what it has, our own wheels, and a name for both."""

    lock: str
    wheels: list[str]
    digest: str


@dataclass(frozen=True)
class Goods:
    """Where everything is; `proxy` is the archive of the proxy, empty where none was asked for."""

    hub: Environment
    jupyter: Environment
    proxy: str
    proxy_digest: str

    def as_data(self) -> dict[str, object]:
        """For Ansible."""
        return asdict(self)


def goods(cache: Path, *, bundle: Path | None = None, proxy: bool = True) -> Goods:
    """Build the wheels and the proxy, which a bundle has, and find the rest.

    Raises DeployError and AssetMissing.
    """
    archive = ""
    if proxy:
        archive = str(_of_bundle(bundle) if bundle else proxy_archive(cache))
    return Goods(
        hub=_environment("requirements/hub.lock", project_wheel(cache)),
        jupyter=_environment("requirements/jupyter.lock", lab_wheel(cache)),
        proxy=archive,
        proxy_digest=proxy_digest(),
    )


def _of_bundle(bundle: Path) -> Path:
    others = other_locks(bundle)
    if others:
        raise DeployError(
            f"{bundle} was made by another {' and '.join(others)} than this slurmhub has.",
            remedy="Make a bundle with this slurmhub, or take the slurmhub that made it.",
        )
    if verify_bundle(bundle, [ARCHIVE]):
        raise DeployError(
            f"{ARCHIVE} in {bundle} is not what its manifest says.",
            remedy="Copy the bundle again, or make it again.",
        )
    return bundle / ARCHIVE


def _environment(lock: str, wheel: Path) -> Environment:
    file = asset(lock)
    return Environment(str(file), [str(wheel)], digest_of(file, wheel))

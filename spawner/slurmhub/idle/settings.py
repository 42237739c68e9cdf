"""What a site may set of idle servers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from traitlets import Dict, HasTraits

from slurmhub.idle.policy import IdlePolicy, read_policies

if TYPE_CHECKING:
    from slurmhub.job.job import Job


class IdleTraits(HasTraits):
    """The idle policies, by profile. Mixed into the spawner."""

    if TYPE_CHECKING:
        job: Job | None

    idle_policies: Any = Dict(
        help='Profile name to {"server": "2:00:00", "gpu": "0:30:00", "warning": "0:10:00"}: the '
        "time without use after which a server is ended, the time its GPUs may do nothing, and "
        'how long before the end people are warned. "" is for all other servers; empty is off.'
    ).tag(config=True)

    def idle_warning(self) -> dict[str, object] | None:
        """What is said on pages of this server while it is about to be ended for being idle."""
        job = self.job
        return job.idle.as_json() if job and job.idle and job.listening else None

    def read_idle_policies(self) -> dict[str, IdlePolicy]:
        """The trait, checked. Raises IdlePolicyWrong."""
        named = [str(profile.get("name", "")) for profile in _profiles(self)]
        return read_policies(self.idle_policies, named)


def _profiles(settings: Any) -> list[Any]:
    profiles = getattr(settings, "profiles", [])
    return [one for one in profiles if isinstance(one, dict)] if profiles else []

"""What an institution lets instructors do at a hub, and what of it Slurm must be told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import Field

from slurmhub.courses.policy import Policy
from slurmhub_deploy.site.base import SiteModel
from slurmhub_deploy.site.texts import TermName


class Courses(SiteModel, Policy):
    """Courses that instructors make by themselves; see [courses](courses.md)."""

    not_here: ClassVar[Mapping[str, str]] = {
        "database": "Courses are kept as `hubs.NAME.database` says.",
        "limits": "They are called `bounds`; above `free` somebody approves.",
        "instructors": "They are called `makers`: groups of the hub.",
    }

    slurm_qos: TermName | None = Field(
        default=None,
        description="On a cluster that exists: the QOS of courses' servers, with the flag"
        " DenyOnLimit, so that Slurm refuses at once what is too large. Absent: their account's"
        " usual one. A cluster of this site has one by itself.",
    )
    uid: Annotated[int, Field(ge=1, le=2**31 - 2)] | None = Field(
        default=None,
        description="Number of the system account that the service of courses runs as, on every"
        " host; between 60800 and 61183, from the hub's name, if absent.",
    )

    @property
    def policy(self) -> Policy:
        """What it says of courses alone."""
        return Policy.model_validate({name: getattr(self, name) for name in Policy.model_fields})

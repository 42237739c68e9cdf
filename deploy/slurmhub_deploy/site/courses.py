"""What an institution lets instructors do at a hub, and what of it Slurm must be told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from slurmhub.courses.mail_settings import ADDRESS
from slurmhub.courses.policy import Policy
from slurmhub_deploy.site.base import SiteModel
from slurmhub_deploy.site.texts import OwnName, TermName


class CourseMail(SiteModel):
    """A mail server by which staff are reminded that a course ends, beside their pages."""

    not_here: ClassVar[Mapping[str, str]] = {
        "server": "It is called `relay`.",
        "host": "It is called `relay`.",
        "port": "It stands in `relay`: mail.example.ca:587.",
        "from": "It is called `sender`.",
        "password": "The server has to take mail of the hub's host without one.",
        "username": "The server has to take mail of the hub's host without one.",
    }

    relay: Annotated[str, Field(pattern=r"^[A-Za-z0-9.-]+(:[0-9]{1,5})?$")] = Field(
        description="The mail server, `host` or `host:port`. It must take mail of the hub's host"
        " without a password.",
        examples=["mail.example.ca"],
    )
    sender: Annotated[str, Field(pattern=ADDRESS, max_length=254)] | None = Field(
        default=None,
        description="The address that mail comes from, which people answer to;"
        " `institution.support` if absent.",
    )
    tls: bool = Field(
        default=True,
        description="Whether mail is sent only if that server offers STARTTLS, with a certificate"
        " that holds.",
    )


class Courses(SiteModel, Policy):
    """Courses that instructors make by themselves; see [courses](courses.md)."""

    not_here: ClassVar[Mapping[str, str]] = {
        "database": "Courses are kept as `hubs.NAME.database` says.",
        "limits": "They are called `bounds`; above `free` somebody approves.",
        "instructors": "They are called `makers`: groups of the hub.",
    }

    folders: OwnName | Literal[False] | None = Field(
        default=None,
        description="Name of the homes beside which the folders of courses lie, on the same disk;"
        " `false` for none. Absent: the hub's own `homes`, and none where those are another's file"
        " server.",
        examples=["courses"],
    )
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

    mail: CourseMail | None = Field(
        default=None,
        description="Reminders by mail as well, to the addresses that sign-in tells of staff.",
    )

    @property
    def policy(self) -> Policy:
        """What it says of courses alone."""
        return Policy.model_validate({name: getattr(self, name) for name in Policy.model_fields})

"""A hub: where it is, who signs in, on which cluster, and what people may start."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from slurmhub.options.request import FIELDS
from slurmhub_deploy.front.settings import AbsolutePath, BaseUrl, Domain, TwoLanguages
from slurmhub_deploy.site.base import SiteModel
from slurmhub_deploy.site.courses import Courses
from slurmhub_deploy.site.limits import Limits
from slurmhub_deploy.site.pages import ClassTrait, Idle, Pages, Terms
from slurmhub_deploy.site.probe import Probe
from slurmhub_deploy.site.sign_in import Accounts, ShibbolethSignIn
from slurmhub_deploy.site.texts import ClusterName, HostName, OwnName, PersonName
from slurmhub_deploy.site.tls import Tls

_GROUP = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$"
_Text = Annotated[str, Field(min_length=1, max_length=1000)]
LocalText = _Text | TwoLanguages
FieldName = Literal[
    "partition", "account", "qos", "reservation", "features",
    "cpus", "memory", "gpus", "gpu_type", "hours",
]  # fmt: skip


class Profile(SiteModel):
    """What people start with one press; see [pages](pages.md)."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")] = Field(
        description="Its name in links.", examples=["small"]
    )
    title: LocalText = Field(
        description="What it is called: a text, or one in `en` and `fr`.", examples=["Small"]
    )
    words: LocalText | None = Field(default=None, description="What it is for, likewise.")
    picture: Literal["course", "cpu", "gpu", "memory", "notebook"] | None = Field(
        default=None, description="A picture that comes with slurmhub."
    )
    groups: tuple[Annotated[str, Field(pattern=_GROUP)], ...] = Field(
        default=(), description="Groups of the hub that have it; everybody if absent."
    )
    fields: dict[FieldName, Any] = Field(
        description=f"What it gives of {', '.join(FIELDS)}: a value, `{{min, max, default}}`,"
        " `{choices, default}` or `free`.",
        examples=[{"cpus": 2, "memory": "4G"}],
    )

    idle: Idle | None = Field(
        default=None, description="When its idle servers are ended, instead of the hub's `idle`."
    )

    def as_data(self) -> dict[str, Any]:
        """As `c.SlurmHubSpawner.profiles` has it."""
        return self.model_dump(
            mode="json", exclude_none=True, exclude_defaults=True, exclude={"idle"}
        )


def account_of(name: str) -> str:
    """The system account that the hub of this name runs as; a name that no person is given."""
    return f"slurmhub-{name}"


# Neither people nor system accounts that are counted up from 100 or down from 999 have these; see
# https://systemd.io/UIDS-GIDS/.
_LOWEST, _HOW_MANY = 60800, 384


def number_of(name: str, hub: Hub) -> int:
    """The number (uid, gid) of that account, the same on all hosts; of the name unless it is set.

    Slurm's daemons find out by the number who asks, on hosts of their own.
    """
    return hub.uid or _LOWEST + zlib.crc32(name.encode()) % _HOW_MANY


def courses_account_of(name: str) -> str:
    """The system account that the service of a hub's courses runs as; 32 characters at most."""
    return f"slurmhub-course-{name}"


def courses_number_of(name: str, courses: Courses) -> int:
    """The number of that account, likewise."""
    return courses.uid or _LOWEST + zlib.crc32(courses_account_of(name).encode()) % _HOW_MANY


def people_of(name: str, hub: Hub) -> str:
    """The Unix group of its people."""
    return hub.accounts.group or f"slurmhub-people-{name}"


class Hub(SiteModel):
    """One hub."""

    not_here: ClassVar[Mapping[str, str]] = {
        "name": "The name is what stands before the colon; what people see is `title`.",
        "federation": "It is called `sign_in`.",
        "certificate": "It is in `tls`, of the hub or of the site.",
    }

    domain: Domain = Field(description="The name that browsers know.", examples=["hub.example.ca"])
    host: HostName = Field(
        description="The host that it runs on, with its front.", examples=["hub"]
    )
    title: TwoLanguages = Field(
        description="What it is called, in `en` and `fr`.",
        examples=[{"en": "Example hub", "fr": "Le hub d'exemple"}],
    )
    description: TwoLanguages = Field(
        default=TwoLanguages(
            en="Jupyter notebooks on a cluster.",
            fr="Des carnets Jupyter sur une grappe de calcul.",
        ),
        description="A sentence on it, which federations and discovery services show.",
    )
    base_url: BaseUrl = Field(default="/", description="JupyterHub's `base_url`.")
    cluster: ClusterName = Field(
        description="The cluster that its servers run on.", examples=["main"]
    )
    homes: OwnName = Field(description="Its people's homes.", examples=["main"])
    sign_in: ShibbolethSignIn = Field(
        description="How people sign in.",
        examples=[
            {
                "entity_id": "https://hub.example.ca/shibboleth",
                "provider": "https://idp.example.ca/idp/shibboleth",
                "metadata": [{"kind": "file", "file": "/etc/slurmhub/idp-metadata.xml"}],
            }
        ],
    )
    accounts: Accounts = Field(
        default=Accounts(), description="Which account somebody has who signs in."
    )
    admins: tuple[PersonName, ...] = Field(
        default=(),
        description="Accounts of its administrators; of accounts that are made, only after their"
        " first sign-in.",
    )
    profiles: tuple[Profile, ...] = Field(
        default=(), description="What people start with one press."
    )
    everything: bool | tuple[Annotated[str, Field(pattern=_GROUP)], ...] = Field(
        default=True,
        description="Who may choose everything instead of a profile: `true`, `false`, or groups.",
    )
    hidden_fields: tuple[FieldName, ...] = Field(
        default=(), description="Fields that are not asked for where everything is chosen."
    )
    limits: Limits = Field(default=Limits(), description="Bounds and defaults of one server.")
    idle: Idle = Field(
        default=Idle(), description="When servers that nobody uses are ended; never if absent."
    )
    terms: Terms | None = Field(
        default=None, description="Terms of use that each person accepts once; none if absent."
    )
    pages: Pages = Field(default=Pages(), description="What people see of the hub's pages.")
    courses: Courses | None = Field(
        default=None,
        description="Courses that instructors make by themselves; none if absent.",
        examples=[{"makers": ["instructors"]}],
    )
    end_servers_at_sign_out: bool = Field(
        default=False, description="Whether servers of a person who signs out are ended."
    )
    settings: dict[ClassTrait, Any] = Field(
        default={},
        description="More settings of JupyterHub, by `Class.trait`; not those that follow from this"
        " file.",
        examples=[{"JupyterHub.active_server_limit": 200}],
    )
    uid: Annotated[int, Field(ge=1, le=2**31 - 2)] | None = Field(
        default=None,
        description="Number of the system account that the hub runs as, on every host; between"
        " 60800 and 61183, from its name, if absent.",
    )
    database: Literal["sqlite", "postgresql"] = Field(
        default="sqlite", description="The hub's database, on its own host."
    )
    jupyter: AbsolutePath = Field(
        default="/opt/slurmhub/jupyter",
        validate_default=True,
        description="Where the Jupyter environment for jobs is, on every node.",
    )
    tls: Tls | None = Field(default=None, description="Instead of the site's `tls`.")
    probe: Probe | None = Field(
        default=None,
        description="A test account by which the hub is tried, after each `slurmhub up` and again"
        " and again; nobody tries it if absent.",
    )

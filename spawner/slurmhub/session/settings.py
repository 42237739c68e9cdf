"""What a site may set of running servers: how often they tell of their use, and extensions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from traitlets import Bool, Float, HasTraits, TraitError, Unicode, validate

from slurmhub.errors import SlurmhubError
from slurmhub.session.card import Card, card_of, not_started
from slurmhub.session.extend import ExtensionPolicy
from slurmhub.slurm.times import TimeLimit

if TYPE_CHECKING:
    from slurmhub.runtime import Runtime

LEAST_USAGE_INTERVAL = 15.0


class SessionTraits(HasTraits):
    """Settings of running servers. Mixed into the spawner, whose attributes it uses."""

    usage_interval = Float(
        300.0, help="Seconds between two messages of a job on what it uses; at least 15."
    ).tag(config=True)
    extend_by = Unicode(
        "1:00:00", help="How much time one extension gives, in Slurm's grammar."
    ).tag(config=True)
    max_extension = Unicode(
        "4:00:00",
        help="How much longer than it asked for a server may run, by extensions; empty for none. "
        "They are offered only where the hub's account is an Operator in Slurm.",
    ).tag(config=True)
    show_logs = Bool(True, help="Whether people may read the log of their own job.").tag(
        config=True
    )

    if TYPE_CHECKING:
        user: Any

        @property
        def runtime(self) -> Runtime: ...

        def site_limits(self) -> Any: ...

        def course_servers(self) -> frozenset[str]: ...

    @validate("usage_interval")
    def _check_usage_interval(self, proposal: Any) -> float:
        if proposal["value"] < LEAST_USAGE_INTERVAL:
            raise TraitError(
                f"c.SlurmHubSpawner.usage_interval is {proposal['value']}. Give at least "
                f"{LEAST_USAGE_INTERVAL:g} seconds: a thousand servers are as many messages."
            )
        return float(proposal["value"])

    @validate("extend_by", "max_extension")
    def _check_extension(self, proposal: Any) -> str:
        name, value = proposal["trait"].name, str(proposal["value"])
        if not value and name == "max_extension":
            return value
        try:
            minutes = TimeLimit.parse(value).minutes
        except SlurmhubError as error:
            raise TraitError(f"c.SlurmHubSpawner.{name}: {error}") from error
        if not minutes:
            raise TraitError(
                f"c.SlurmHubSpawner.{name} is {value!r}. Give a time of at least a minute."
            )
        return value

    def extension_policy(self) -> ExtensionPolicy:
        """These traits as the value that extensions are bounded by."""
        whole = TimeLimit.parse(self.max_extension).minutes if self.max_extension else 0
        return ExtensionPolicy(
            step=TimeLimit.parse(self.extend_by).minutes or 0,
            most=whole or 0,
            max_time=self.site_limits().max_time,
        )

    def session_cards(self) -> list[Card]:
        """Every server of this person, also those that never ran, for the home page.

        Those of courses are on it as courses.
        """
        named = self.user.orm_user.orm_spawners if self.user.allow_named_servers else {}
        names = ["", *sorted(name for name in named if name and name not in self.course_servers())]
        return [card_of(self, name) or not_started(self, name) for name in names]

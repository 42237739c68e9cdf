"""What a course used, and what that cost: by week and by person, as Slurm remembers it."""

from __future__ import annotations

import logging
from typing import Any

from slurmhub.courses.bars import Bars, bars_of
from slurmhub.courses.rights import Action
from slurmhub.courses.service.pages.base import CoursePage
from slurmhub.courses.use import Use, by_week
from slurmhub.errors import SlurmhubError

_log = logging.getLogger(__name__)


class UsePage(CoursePage):
    """GET: hours of servers, CPUs and GPUs, and their cost.

    Names of people are for who sees the class; who decides on the course sees sums alone.
    """

    HERE = "use"

    async def get(self, key: str) -> None:
        """Show it, or why it cannot be known just now."""
        stored, _, may = await self.rights(key, Action.SEE_USE)
        values: dict[str, Any] = {"use": None}
        error: SlurmhubError | None = None
        if self.cluster is not None:
            try:
                use = await self.cluster.used(stored, self.courses.policy.rates)
                values = {
                    "use": use,
                    "plots": _plots(use),
                    "people": use.people if Action.SEE_CLASS in may else (),
                }
            except SlurmhubError as why:
                _log.warning("What %s used is not known. %s", key, why)
                error = why
        await self.show_course("course_use.html", key, Action.SEE_USE, error=error, **values)


def _plots(use: Use) -> dict[str, Bars]:
    """The plots, by what they are of; none of GPUs or cost where there are none."""
    weeks = [(day.isoformat(), used) for day, used in by_week(use)]
    plots = {"servers": bars_of([(name, used.server_hours) for name, used in weeks])}
    plots["cpus"] = bars_of([(name, used.cpu_hours) for name, used in weeks])
    if use.total.gpu_hours:
        plots["gpus"] = bars_of([(name, used.gpu_hours) for name, used in weeks])
    if use.total.cost:
        plots["cost"] = bars_of([(name, used.cost) for name, used in weeks])
    return plots


HANDLERS = [(r"course/([^/]+)/use", UsePage)]

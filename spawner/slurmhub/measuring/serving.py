"""The moment in which JupyterHub first serves a server, counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from slurmhub.job.job import Job
    from slurmhub.runtime import Runtime


class ServingMeasured:
    """Mixed into the spawner."""

    if TYPE_CHECKING:
        job: Job | None

        @property
        def runtime(self) -> Runtime: ...

    def start_polling(self) -> None:
        """Called when the hub holds the server for running: at its start, and by the next hub."""
        super().start_polling()  # type: ignore[misc]
        if self.job is not None and self.job.listening:
            self.runtime.jobs.measuring.ready(self.job.intent)

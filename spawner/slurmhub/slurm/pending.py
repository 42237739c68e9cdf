"""The queue of a whole cluster: who comes before whom, among tens of thousands of jobs."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

PENDING_FIELDS: tuple[str, ...] = ("JobID", "Partition", "PriorityLong", "Reason")

# Jobs that wait for these may be the next to start. The others wait for something else than
# their turn: for another job, for a limit of their account, until they are released.
_WAIT_FOR_THEIR_TURN = frozenset(
    {"", "None", "Priority", "Resources", "Licenses", "SchedDefer", "WaitingForScheduling"}
    | {"ReqNodeNotAvail", "Nodes", "Nodes_required_for_job_are_DOWN"}
)
# slurmctld keeps ids and priorities in 32 bits.
_BITS = 32
_MOST = 2**_BITS - 1


@dataclass(frozen=True)
class PendingJobs:
    """The pending jobs of each partition in the order in which they are looked at.

    A job is one whole number here, its rank: a higher priority comes first, then a lower id.
    """

    ranks: Mapping[str, Sequence[int]]
    of_job: Mapping[int, int]

    def before(self, job_id: int, partition: str) -> int | None:
        """How many jobs are before this one in its partition; None when it is not in line."""
        rank, line = self.of_job.get(job_id), self.ranks.get(partition, ())
        if rank is None:
            return None
        place = bisect_left(line, rank)
        return place if place < len(line) and line[place] == rank else None


def read_pending(rows: Iterable[Sequence[str]]) -> PendingJobs:
    """The queue from rows that have the columns of `PENDING_FIELDS`.

    An array counts once, as squeue shows it. A row with an id or a priority that is no number is
    left out.
    """
    ranks: dict[str, list[int]] = {}
    of_job: dict[int, int] = {}
    for job_id, partitions, priority, reason in rows:
        if not (job_id.isdecimal() and priority.isdecimal()):
            continue
        # A priority of 0 is Slurm's way to hold a job.
        if priority == "0" or reason.partition(",")[0].partition(" ")[0] not in (
            _WAIT_FOR_THEIR_TURN
        ):
            continue
        rank = (_MOST - min(int(priority), _MOST)) << _BITS | int(job_id)
        of_job[int(job_id)] = rank
        for partition in partitions.split(","):
            ranks.setdefault(partition, []).append(rank)
    for line in ranks.values():
        line.sort()
    return PendingJobs(ranks, of_job)

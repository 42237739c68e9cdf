"""What differs between the releases of Slurm, from 22.05 to 26.05, in one place.

The fields below were printed by real 22.05.8, 24.11.5 and 26.05.5. Where a text has changed
its form, both forms are told apart by their shape, so that nothing depends on knowing the
release of the controller, which may be another one than that of the commands.

Differences in the grammar of a single value are read where that value is: `gres:gpu:2` became
`gres/gpu:2` (gres), and an unknown type is `gpu:(null):0` or absent (gres).
"""

from __future__ import annotations

from collections.abc import Mapping

# For squeue. The texts that people choose themselves come last; see `answers`.
JOB_FIELDS: tuple[str, ...] = (
    "JobID",
    "UserID",
    "UserName",
    "State",
    "Reason",
    "Partition",
    "BatchHost",
    "NodeList",
    "NumCPUs",
    "tres-alloc",
    "tres-per-node",
    "tres-per-job",
    "tres-per-task",
    "tres-per-socket",
    "TimeLimit",
    "TimeLeft",
    "SubmitTime",
    "StartTime",
    "EndTime",
    "RestartCnt",
    "exit_code",
    "PriorityLong",
    "QOS",
    "Reservation",
    "Account",
    "Name",
    "Comment",
)

# For sinfo -N, which prints a node once for each of its partitions.
NODE_FIELDS: tuple[str, ...] = (
    "NodeList",
    "NodeAddr",
    "StateComplete",
    "CPUs",
    "CPUsState",
    "Memory",
    "AllocMem",
    "Gres",
    "GresUsed",
    "Features",
    "PartitionName",
)


def exit_status(text: str) -> tuple[int, int]:
    """The exit code and the signal of squeue's `exit_code`.

    22.05 prints the status of wait(2) as one number; later releases print `code:signal`.
    Raises ValueError for anything else.
    """
    code, colon, signal = text.partition(":")
    if colon:
        return int(code), int(signal)
    status = int(code)
    return status >> 8 & 0xFF, status & 0x7F


def takes_whole_nodes(partition: Mapping[str, str]) -> bool:
    """Whether jobs of a partition get whole nodes, from the words of `scontrol show partition`.

    26.05 says `Exclusive=NODE` for what was `OverSubscribe=EXCLUSIVE`.
    """
    return partition.get("OverSubscribe") == "EXCLUSIVE" or partition.get("Exclusive") == "NODE"

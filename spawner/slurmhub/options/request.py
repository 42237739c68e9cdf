"""What a person asks for: the one type behind form, link and REST."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from typing_extensions import Self

from slurmhub.options.words import SHARD, hours_typed, memory_typed
from slurmhub.slurm.gres import Gres
from slurmhub.slurm.memory import Memory
from slurmhub.slurm.times import TimeLimit

FIELDS = (
    *("partition", "account", "qos", "reservation", "features"),
    *("cpus", "memory", "gpus", "gpu_type", "hours"),
)
"""The names of the fields on the form, in a link, in REST and in stored options."""

NO_GPU_TYPE = frozenset({"", "none"})
"""What stands for "no type named" where a GPU type is asked for."""

MOST_COUNTED = 10**6
"""No count of CPUs or GPUs on one node is larger than this."""

# Names go into lines of a batch script and into lists parted by commas.
PARTITION_NAME = r"^[A-Za-z0-9_][A-Za-z0-9_.+@-]{0,127}$"

# Accounts, QOS and reservations; a leading sign would mean something else to Slurm.
TERM_NAME = PARTITION_NAME
# Nothing that joins features in a constraint: & | , ! * ( ) [ ].
FEATURE_NAME = r"^[A-Za-z0-9_][A-Za-z0-9_.:=/+@-]{0,127}$"
MOST_FEATURES = 16
_FEATURE = re.compile(FEATURE_NAME)

PartitionName = Annotated[str, Field(pattern=PARTITION_NAME)]
TermName = Annotated[str, Field(pattern=TERM_NAME)]
FeatureName = Annotated[str, Field(pattern=FEATURE_NAME)]
Count = Annotated[int, Field(ge=0, le=MOST_COUNTED)]


class JobRequest(BaseModel):
    """The resources of one job on one node; every value is checked and safe in a script.

    `memory` is for the whole job, `time` is finite and in whole minutes, `gpu_type` is None for
    GPUs of any type and when there are none, and `SHARD` for parts of GPUs. `account`, `qos` and
    `reservation` are None where Slurm's own choice is meant; all `features` are needed. Raises
    pydantic's ValidationError for anything else; what people send is read by `read_request`,
    which refuses in plain words.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    partition: PartitionName
    account: TermName | None = None
    qos: TermName | None = None
    reservation: TermName | None = None
    features: Annotated[tuple[FeatureName, ...], Field(max_length=MOST_FEATURES)] = ()
    cpus: Annotated[Count, Field(ge=1)]
    memory: Memory
    gpu_type: str | None = None
    gpus: Count = 0
    time: TimeLimit

    @field_validator("memory")
    @classmethod
    def _some_memory(cls, memory: Memory) -> Memory:
        # Slurm reads --mem=0 as "all the memory of the node".
        if memory.mebibytes < 1:
            raise ValueError("a job needs at least one MB of memory")
        return memory

    @field_validator("time")
    @classmethod
    def _finite_minutes(cls, time: TimeLimit) -> TimeLimit:
        # Slurm reads --time=0 as "no limit".
        if time.seconds is None or time.seconds < 60 or time.seconds % 60:
            raise ValueError("a job needs a finite time of whole minutes")
        return time

    @model_validator(mode="after")
    def _gpus_agree(self) -> Self:
        if self.gpu_type is not None:
            if self.gpus == 0:
                raise ValueError("a type of GPU without any GPU")
            if not usable_gpu_type(self.gpu_type):
                raise ValueError("not the name of a type of GPU")
        return self

    @property
    def gres(self) -> Gres | None:
        """The GPUs, or parts of one, as Slurm's generic resource, or None without GPUs."""
        if not self.gpus:
            return None
        if self.gpu_type == SHARD:
            return Gres(SHARD, None, self.gpus)
        return Gres("gpu", self.gpu_type, self.gpus)

    def _terms(self) -> dict[str, str]:
        """Account, QOS, reservation and features as texts, empty where none is named."""
        return {
            "account": self.account or "",
            "qos": self.qos or "",
            "reservation": self.reservation or "",
            "features": ",".join(self.features),
        }

    def stored(self) -> dict[str, str | int]:
        """Plain values to keep as the last accepted options; reading them gives this request.

        Account, QOS, reservation and features are there only where they are named.
        """
        return {
            "partition": self.partition,
            **{name: text for name, text in self._terms().items() if text},
            "cpus": self.cpus,
            "memory": str(self.memory),
            "gpu_type": self.gpu_type or "",
            "gpus": self.gpus,
            "hours": str(self.time),
        }

    def as_typed(self) -> dict[str, str]:
        """The values as a person types them on the form: GB, and hours where they are round."""
        return {
            "partition": self.partition,
            **self._terms(),
            "cpus": str(self.cpus),
            "memory": memory_typed(self.memory),
            "gpu_type": self.gpu_type or "",
            "gpus": str(self.gpus),
            "hours": hours_typed(self.time),
        }


def usable_feature(name: str) -> bool:
    """Whether a feature of nodes can be asked for by this name."""
    return _FEATURE.fullmatch(name) is not None


def usable_gpu_type(name: str) -> bool:
    """Whether a type of GPU can be asked for by this name."""
    if name.lower() in NO_GPU_TYPE or len(name) > 64:
        return False
    try:
        Gres("gpu", name, 1)
    except ValueError:
        return False
    return True

"""Reading one field: from whatever a form, a link or a REST call sent, to a typed value.

Only the grammar is judged here; whether the cluster has as much is judged in `reading`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction

from slurmhub.options.request import (
    MOST_COUNTED,
    MOST_FEATURES,
    NO_GPU_TYPE,
    PARTITION_NAME,
    TERM_NAME,
    usable_feature,
    usable_gpu_type,
)
from slurmhub.slurm.errors import SlurmTextError
from slurmhub.slurm.memory import Memory
from slurmhub.slurm.times import TimeLimit

_LONGEST = 128
_WHOLE = re.compile(r"[0-9]{1,9}")
_DECIMAL = re.compile(r"[0-9]{1,9}(\.[0-9]{1,6})?")
_AMOUNT = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,6})?) ?([KMGTkmgt])(?:i?[Bb])?")
# As French writes 1,5; with three digits it may be a thousand, which nobody shall guess.
_COMMA = re.compile(r"(?<=[0-9]),(?=[0-9]{1,2}(?![0-9]))")
_PARTITION = re.compile(PARTITION_NAME)
_TERM = re.compile(TERM_NAME)

_SAY_MEMORY = "Write a number of GB, such as 4 or 4.5, or an amount with its unit, such as 4000M."
_SAY_HOURS = (
    "Write a number of hours, such as 2 or 1.5, or a time as Slurm has it: 30:00 is thirty "
    "minutes, 1-12 is a day and twelve hours."
)


class NotReadable(Exception):
    """A value does not follow its field's grammar; the text says, to people, what would."""


def read_partition(value: object) -> str:
    """The name of a partition."""
    text = _text(value, "Choose a partition.")
    if not _PARTITION.fullmatch(text):
        raise NotReadable("This is not the name of a partition.")
    return text


def read_account(value: object) -> str | None:
    """The name of an account; None, as an empty field, for Slurm's own choice."""
    return _term(value, "Choose an account.", "This is not the name of an account.")


def read_qos(value: object) -> str | None:
    """The name of a QOS; None, as an empty field, for Slurm's own choice."""
    return _term(value, "Choose a QOS.", "This is not the name of a QOS.")


def read_reservation(value: object) -> str | None:
    """The name of a reservation; None, as an empty field, for none."""
    return _term(value, "Choose a reservation.", "This is not the name of a reservation.")


def read_features(value: object) -> tuple[str, ...]:
    """Names of features of nodes: in a list, or in one text with commas between them."""
    given = value if isinstance(value, (list, tuple)) else [value]
    names: list[str] = []
    for one in given:
        if not isinstance(one, str):
            raise NotReadable("Choose features of nodes by their names.")
        names += [name.strip(" ") for name in one[: _LONGEST * MOST_FEATURES].split(",")]
    found = tuple(dict.fromkeys(name for name in names if name))
    if len(found) > MOST_FEATURES:
        raise NotReadable(f"Choose at most {MOST_FEATURES} features.")
    if not all(usable_feature(name) for name in found):
        raise NotReadable("This is not the name of a feature of nodes.")
    return found


def _term(value: object, otherwise: str, wrong: str) -> str | None:
    if not isinstance(value, str):
        raise NotReadable(otherwise)
    text = value.strip(" ")
    if not text:
        return None
    if not _TERM.fullmatch(text):
        raise NotReadable(wrong)
    return text


def read_cpus(value: object) -> int:
    """How many CPUs: a whole number, at least 1."""
    number = _whole(value, "Write a whole number of CPUs, such as 2.")
    if number < 1:
        raise NotReadable("Ask for at least 1 CPU.")
    return number


def read_gpus(value: object) -> int:
    """How many GPUs: a whole number, 0 for none; an empty field is none as well."""
    if value == "":
        return 0
    return _whole(value, "Write a whole number of GPUs, 0 for none.")


def read_gpu_type(value: object) -> str | None:
    """The type of the GPUs; None for "none" and for an empty field."""
    if not isinstance(value, str):
        raise NotReadable("Choose a type of GPU.")
    text = value.strip(" ")
    if text.lower() in NO_GPU_TYPE:
        return None
    if not usable_gpu_type(text):
        raise NotReadable("This is not the name of a type of GPU.")
    return text


def read_memory(value: object) -> Memory:
    """Memory: a number is GB (of 1024 MB each), with a unit it is Slurm's; rounded up to MB."""
    text = _number_text(value, _SAY_MEMORY)
    if _DECIMAL.fullmatch(text):
        text = f"{text}G"
    match = _AMOUNT.fullmatch(text)
    if match is None:
        raise NotReadable(_SAY_MEMORY)
    try:
        memory = Memory.parse(f"{match[1]}{match[2].upper()}")
    except SlurmTextError as error:
        raise NotReadable("This is more memory than any computer has.") from error
    if memory.mebibytes < 1:
        raise NotReadable("Ask for more than no memory.")
    return memory


def read_hours(value: object) -> TimeLimit:
    """A time: a number is hours, with ":" or "-" it is Slurm's; rounded up to whole minutes."""
    text = _number_text(value, _SAY_HOURS)
    try:
        if _DECIMAL.fullmatch(text):
            time = TimeLimit.of_minutes(-(-Fraction(text) * 60 // 1))
        # Slurm reads -1 and words as "unlimited", which nobody may ask for here.
        elif text[:1].isdigit() and (":" in text or "-" in text):
            time = TimeLimit.of_minutes(TimeLimit.parse(text).minutes or 0)
        else:
            raise NotReadable(_SAY_HOURS)
    except SlurmTextError as error:
        raise NotReadable(_SAY_HOURS) from error
    if not time.minutes:
        raise NotReadable("Ask for at least one minute.")
    return time


READERS: dict[str, Callable[[object], object]] = {
    "partition": read_partition,
    "account": read_account,
    "qos": read_qos,
    "reservation": read_reservation,
    "features": read_features,
    "cpus": read_cpus,
    "memory": read_memory,
    "gpu_type": read_gpu_type,
    "gpus": read_gpus,
    "hours": read_hours,
}


MANY = frozenset({"features"})
"""The fields that may have several values."""


def read_field(name: str, value: object) -> object:
    """The value of a field, as a form, a link or a REST call gives it. Raises NotReadable."""
    return READERS[name](value if name in MANY else single(value))


def single(value: object) -> object:
    """The one value of a field; a form and a link give each in a list."""
    if not isinstance(value, (list, tuple)):
        return value
    if len(value) != 1:
        raise NotReadable("Give this once.")
    return value[0]


def _text(value: object, otherwise: str) -> str:
    if not isinstance(value, str):
        raise NotReadable(otherwise)
    if len(value) > _LONGEST:
        raise NotReadable(f"This is too long. {otherwise}")
    text = value.strip(" ")
    if not text:
        raise NotReadable(f"This is empty. {otherwise}")
    return text


def _number_text(value: object, otherwise: str) -> str:
    """A text, or a JSON number as text, short and in plain decimals."""
    # A bool is an int to Python, but nobody means a number by it.
    if isinstance(value, bool):
        raise NotReadable(otherwise)
    if isinstance(value, (int, float)):
        # Also false for what is not a number.
        if not 0 <= value <= MOST_COUNTED**2:
            raise NotReadable(otherwise)
        return f"{value:.6f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
    return _COMMA.sub(".", _text(value, otherwise), count=1)


def _whole(value: object, otherwise: str) -> int:
    text = _number_text(value, otherwise)
    if not _WHOLE.fullmatch(text):
        raise NotReadable(otherwise)
    number = int(text)
    if number > MOST_COUNTED:
        raise NotReadable(f"No node has as many. {otherwise}")
    return number

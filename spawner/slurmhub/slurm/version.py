"""Which Slurm this is."""

from __future__ import annotations

import re
from dataclasses import dataclass

from slurmhub.slurm.errors import SlurmTextError

_FORM = re.compile(r"(?:slurm(?:-wlm)? )?([0-9]{1,4})\.([0-9]{1,2})(?:\.([0-9]{1,4}))?(?![0-9])")


@dataclass(frozen=True, order=True)
class SlurmVersion:
    """A release of Slurm: year, month, and the number of its update."""

    major: int
    minor: int
    micro: int

    @classmethod
    def parse(cls, text: str) -> SlurmVersion:
        """Read what `--version` prints, as in `slurm-wlm 22.05.8` or `slurm 24.11.5-1`.

        Raises SlurmTextError for anything else.
        """
        match = _FORM.match(text.strip())
        if match is None:
            raise SlurmTextError(
                f"{text[:80]!r} is not a version of Slurm.",
                remedy="Run `squeue --version` by hand and see what it prints.",
            )
        return cls(int(match[1]), int(match[2]), int(match[3] or 0))

    @property
    def release(self) -> tuple[int, int]:
        """Year and month, which is what decides on features."""
        return self.major, self.minor

    def __str__(self) -> str:
        return f"{self.major}.{self.minor:02}.{self.micro}"


OLDEST = (22, 5)
NEWEST = (26, 5)


def support_warning(version: SlurmVersion) -> str | None:
    """A sentence for the log when this release was never tried, else None."""
    if OLDEST <= version.release <= NEWEST:
        return None
    return (
        f"Slurm {version} is outside the releases this was tried with "
        f"({OLDEST[0]}.{OLDEST[1]:02} to {NEWEST[0]}.{NEWEST[1]:02}); it may work all the same."
    )

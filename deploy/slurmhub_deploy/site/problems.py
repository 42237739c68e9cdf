"""What is wrong with a site file: where, why, and what to do."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

Level = Literal["error", "warning"]


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong.

    `line` and `column` count from 1; `path` is as people write it, hubs.main.domain, and empty for
    the whole file; `rule` names the check and does not change. An error keeps the file from being
    used, a warning does not.
    """

    level: Level
    rule: str
    file: str
    line: int
    column: int
    path: str
    reason: str
    remedy: str

    def as_data(self) -> dict[str, Any]:
        """For programs."""
        return asdict(self)

    def as_text(self) -> str:
        """For people; it begins as what compilers say does, so that editors find the place."""
        about = f"{self.path}: " if self.path else ""
        return (
            f"{self.file}:{self.line}:{self.column}: {self.level}: {about}{self.reason}\n"
            f"    {self.remedy}"
        )


def written(path: tuple[str | int, ...]) -> str:
    """A path as people write it: hubs.main.profiles[0].name."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{part}" if text else part
    return text

"""The full log of each run, beside the site file."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import IO


@contextlib.contextmanager
def new_log(state: Path, verb: str) -> Iterator[tuple[Path, IO[str]]]:
    """A new file in `log`, named for the moment and the verb, which only this account can read."""
    folder = state / "log"
    folder.mkdir(mode=0o700, exist_ok=True)
    now = datetime.now().astimezone()
    path = folder / f"{now:%Y-%m-%dT%H-%M-%S}-{verb}-{os.getpid()}.log"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "w", encoding="utf-8") as file:
        file.write(f"slurmhub {verb}, {now.isoformat(timespec='seconds')}\n")
        file.flush()
        yield path, file

"""A run as a person follows it: the layer, what is done now, what was changed, what failed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import TracebackType

from rich.console import Console
from rich.markup import escape
from rich.status import Status

from slurmhub_deploy.operate.running.events import Event, PlayStarted, TaskEnded, TaskStarted
from slurmhub_deploy.operate.running.failures import failure

_STILL = 60.0
"""Seconds after which, without a terminal, a task that goes on is named again."""


class Progress:
    """Shows events; with a terminal the last line says what is done now."""

    def __init__(
        self,
        console: Console,
        layers: list[str],
        *,
        conditional: bool = False,
        clock: Callable[[], float] = time.monotonic,
        still: float = _STILL,
    ) -> None:
        self._console = console
        self._layers = layers
        self._verb = "would change" if conditional else "changed"
        self._clock = clock
        self._began = clock()
        self._layer = ""
        self._status: Status | None = None
        self._still = still
        self._task = ""
        self._over = threading.Event()

    def __enter__(self) -> Progress:
        if self._console.is_terminal:
            self._status = self._console.status("Starting", spinner="dots")
            self._status.start()
        else:
            threading.Thread(target=self._remind, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        if self._status is not None:
            self._status.stop()
            self._status = None

    def show(self, event: Event) -> None:
        """One event, as it comes."""
        if isinstance(event, PlayStarted):
            self._play(event)
        elif isinstance(event, TaskStarted):
            self._now(event)
        elif isinstance(event, TaskEnded):
            self._ended(event)

    def _play(self, play: PlayStarted) -> None:
        if play.layer == self._layer:
            return
        self._layer = play.layer
        if play.layer in self._layers:
            place = f" ({self._layers.index(play.layer) + 1} of {len(self._layers)})"
        else:
            place = ""
        seconds = int(self._clock() - self._began)
        self._say(f"[bold]{escape(play.layer)}{place}[/]  after {seconds // 60}:{seconds % 60:02}")

    def _now(self, task: TaskStarted) -> None:
        self._task = f"{task.role}: {task.name}" if task.role else task.name
        if self._status is not None:
            self._status.update(f"{escape(self._layer)}  {escape(self._task)}")

    def _remind(self) -> None:
        """A download may take minutes: say that it goes on."""
        before = self._task
        while not self._over.wait(self._still):
            if self._task and self._task == before:
                self._say(f"  still at {escape(self._task)}")
            before = self._task

    def _ended(self, ended: TaskEnded) -> None:
        if ended.bad:
            self._say(f"[red]{escape(failure(ended).as_text())}[/]")
        elif ended.status == "changed":
            role = f"{ended.role}: " if ended.role else ""
            words = escape(f"  {ended.host}  {role}{ended.name}")
            self._say(f"{words}  [yellow]{self._verb}[/]")

    def _say(self, text: str) -> None:
        self._console.print(text, highlight=False, soft_wrap=True)

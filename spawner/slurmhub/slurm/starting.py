"""Starting a program wholly or not at all, whatever is cancelled meanwhile.

asyncio starts a program first and joins its pipes afterwards, in a task of its own. JupyterHub
cancels every task that it finds when it ends, and then waits for all of them. A task that is
cancelled before its first step never runs, so whoever waited for the pipes waits for ever, and so
does the hub. Both tasks take milliseconds; they are not shown to whoever looks for tasks.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

Started = TypeVar("Started")
_JOINS_PIPES = "BaseSubprocessTransport._connect_pipes"


async def start_wholly(
    starting: Coroutine[Any, Any, Started], end: Callable[[Started], Awaitable[None]]
) -> Started:
    """Await asyncio's start of a program; if cancelled meanwhile, `end` it and raise that."""
    loop = asyncio.get_running_loop()
    task = loop.create_task(starting)
    asyncio._unregister_task(task)
    # Runs after the first step of the task, which makes the inner one, and before the inner one's.
    loop.call_soon(_hide_joining)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await end(await task)
        raise


def _hide_joining() -> None:
    for task in asyncio.all_tasks():
        if getattr(task.get_coro(), "__qualname__", "") == _JOINS_PIPES:
            asyncio._unregister_task(task)

"""Waiting for something, at most so long.

Not asyncio.wait_for: before Python 3.12 it can lose a cancellation to what comes at the same
moment, and a hub that ends would then wait for its tasks for ever.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

Result = TypeVar("Result")


async def wait_at_most(event: asyncio.Event, seconds: float | None) -> None:
    """Return when the event is set or the time is over; None is no limit."""
    waiter = asyncio.ensure_future(event.wait())
    try:
        await asyncio.wait({waiter}, timeout=seconds)
    finally:
        waiter.cancel()


async def result_within(seconds: float, coroutine: Coroutine[Any, Any, Result]) -> Result:
    """What a coroutine returns or raises; TimeoutError, and it is cancelled, when time is over."""
    task = asyncio.ensure_future(coroutine)
    try:
        done, _ = await asyncio.wait({task}, timeout=seconds)
        if not done:
            raise asyncio.TimeoutError
        return task.result()
    finally:
        task.cancel()

"""Waiting for an event, at most so long."""

from __future__ import annotations

import asyncio


async def wait_at_most(event: asyncio.Event, seconds: float | None) -> None:
    """Return when the event is set or the time is over; None is no limit.

    Not asyncio.wait_for: before Python 3.12 it can lose a cancellation to an event that comes at
    the same moment, and a hub that ends would then wait for its tasks for ever.
    """
    waiter = asyncio.ensure_future(event.wait())
    try:
        await asyncio.wait({waiter}, timeout=seconds)
    finally:
        waiter.cancel()

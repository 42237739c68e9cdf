"""Waiting for an event: for its time, and never against a cancellation."""

from __future__ import annotations

import asyncio
import time

import pytest

from slurmhub.events import result_within, wait_at_most


async def test_returns_when_the_event_is_set_or_the_time_is_over() -> None:
    event = asyncio.Event()
    began = time.monotonic()
    await wait_at_most(event, 0.05)
    assert time.monotonic() - began >= 0.05
    event.set()
    await asyncio.wait_for(wait_at_most(event, None), 5)


async def test_a_cancellation_at_the_moment_of_the_event_is_not_lost() -> None:
    event = asyncio.Event()

    async def for_ever() -> None:
        while True:
            await wait_at_most(event, 10)
            event.clear()

    task = asyncio.create_task(for_ever())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    event.set()
    # The waiter has its event, and the task has not yet heard of it.
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, 1)


async def test_a_result_comes_in_time_or_not_at_all() -> None:
    assert await result_within(5, asyncio.sleep(0, "there")) == "there"
    ended = asyncio.Event()

    async def late() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()

    with pytest.raises(asyncio.TimeoutError):
        await result_within(0.05, late())
    await asyncio.wait_for(ended.wait(), 5)


async def test_what_it_raises_is_raised() -> None:
    async def fails() -> None:
        raise LookupError("not there")

    with pytest.raises(LookupError, match="not there"):
        await result_within(5, fails())

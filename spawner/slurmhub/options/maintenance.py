"""How long nodes can be had from a moment on: until a maintenance, or a reservation's end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from slurmhub.options.partitions import NodeShape, Window
from slurmhub.slurm.reservations import ReservationRecord
from slurmhub.slurm.times import UNLIMITED, TimeLimit

LONGEST = TimeLimit.of_minutes(365 * 24 * 60)
"""The longest time that may be asked for where neither the cluster nor the site has a limit."""

# What submitting and starting a job may take; a job must still end before the maintenance.
_MARGIN = timedelta(minutes=2)
_MINUTE = timedelta(minutes=1)


def open_at(
    shapes: Sequence[NodeShape], now: datetime
) -> tuple[tuple[NodeShape, ...], datetime | None]:
    """The shapes with the time for which a job of now can have them.

    Those in maintenance are left out; if all are, they are given as they will be, with the
    moment at which the first come back.
    """
    able: list[NodeShape] = []
    backs: list[datetime] = []
    for shape in shapes:
        window = _next(shape.closed, now)
        if window is None:
            able.append(shape)
            continue
        start, end = window
        minutes = (start - now - _MARGIN) // _MINUTE
        if minutes < 1:
            backs.append(end)
        else:
            able.append(_until(shape, minutes, start))
    if able or not backs:
        return tuple(able), None
    return tuple(shapes), min(backs)


def held_at(
    reservation: ReservationRecord, shapes: Sequence[NodeShape], now: datetime
) -> tuple[NodeShape, ...]:
    """The shapes as a job in this reservation has them; none when it can no longer be used.

    A reservation ends its jobs, and one that is still to come lets them wait.
    """
    begin = now if reservation.start is None else max(now, reservation.start)
    able, back = open_at(shapes, begin)
    if back is not None or reservation.end is None or reservation.flexible:
        return () if back is not None else able
    minutes = (reservation.end - begin) // _MINUTE
    if minutes < 1:
        return ()
    return tuple(
        _until(shape, minutes, None) if TimeLimit.of_minutes(minutes) < shape.time else shape
        for shape in able
    )


def _next(closed: Sequence[Window], now: datetime) -> Window | None:
    """The first maintenance that is not over."""
    return next(((start, end) for start, end in closed if end > now), None)


def _until(shape: NodeShape, minutes: int, end: datetime | None) -> NodeShape:
    # What is announced for longer ahead than any job may last bounds none.
    if minutes > (LONGEST.minutes or minutes):
        return replace(shape, time=UNLIMITED, until=None)
    return replace(shape, time=TimeLimit.of_minutes(minutes), until=end)

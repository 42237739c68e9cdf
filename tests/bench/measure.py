"""One start of a server, from the request to the first answer, and series of them in turn."""

from __future__ import annotations

import http.client
import random
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from slurmhub_deploy.cluster.embedded import EmbeddedCluster
from tests.bench.arms import PROXY_TOKEN, Arm, BenchHub, Series
from tests.rig.hub import HubUnderTest, Visitor, until
from tests.rig.queue import clear, jobs

# Between two looks for the server, in seconds.
TICK = 0.01
# A start that takes longer has failed, in seconds.
LIMIT = 120.0


class StartFailed(Exception):
    """A server did not answer in time; the text has the hub's own words."""


@dataclass(frozen=True)
class Times:
    """The times of a series in seconds: one list for each arm, in the same order of rounds.

    `floor` is what Slurm alone took in the same rounds, from sbatch to the script's first line.
    """

    series: Series
    seconds: tuple[tuple[float, ...], ...]
    floor: tuple[float, ...]


def run_series(
    series: Series,
    cluster: EmbeddedCluster,
    ground: Path,
    proxy_command: Sequence[str],
    account: str,
    say: Callable[[str], None],
) -> Times:
    """Run every arm once unmeasured, then `rounds` times, one arm after the other.

    All hubs of the series run all the time, each with a proxy of its own; one server at a time.
    """
    taken: list[list[float]] = [[] for _ in series.arms]
    floor: list[float] = []
    chance = random.Random(0)  # noqa: S311 - not for secrets
    with ExitStack() as stack:
        visitors = [
            stack.enter_context(_hub(ground, arm, proxy_command)).visitor(account)
            for arm in series.arms
        ]
        for number in range(series.rounds + 1):
            for arm, visitor, seconds in zip(series.arms, visitors, taken, strict=True):
                # Slurm's controller has clocks of its own: none of the arms may fall into step.
                time.sleep(chance.random())
                took = start_and_stop(visitor, cluster)
                if number:
                    seconds.append(took)
                    say(f"{series.title} {number}/{series.rounds}: {took:6.3f} s  {arm.title}")
            if number:
                time.sleep(chance.random())
                floor.append(bare_start(cluster, ground / "begun"))
    return Times(series, tuple(tuple(seconds) for seconds in taken), tuple(floor))


def bare_start(cluster: EmbeddedCluster, mark: Path) -> float:
    """Seconds from a bare sbatch to the first line of its script, which makes the file `mark`.

    Raises StartFailed.
    """
    began = time.monotonic()
    cluster.run("sbatch", "--output=/dev/null", "--chdir=/", f"--wrap=exec touch {mark}")
    while not mark.exists():
        if time.monotonic() - began > LIMIT:
            clear(cluster)
            raise StartFailed(f"A bare job was not running after {LIMIT} s.")
        time.sleep(TICK)
    took = time.monotonic() - began
    mark.unlink()
    until(lambda: not jobs(cluster), what="the end of the bare job")
    return took


def start_and_stop(visitor: Visitor, cluster: EmbeddedCluster) -> float:
    """The time of one start, in seconds; returns when server and job are gone again.

    Raises StartFailed.
    """
    try:
        took = request_to_ready(visitor)
    except BaseException:
        clear(cluster)
        raise
    visitor.stop()
    until(lambda: not jobs(cluster), what="the end of the job")
    until(lambda: not _has_server(visitor), what="the end of the server")
    return took


def request_to_ready(visitor: Visitor) -> float:
    """Seconds from the POST that asks for the server to its first 200 through the proxy.

    Until there is a route, the proxy's own list is asked every 10 ms: asking for the server itself
    would be answered by the hub, and slow it down.
    """
    hub, path = visitor.hub, f"/user/{visitor.name}"
    assert isinstance(hub, HubUnderTest)
    with (
        closing(http.client.HTTPConnection("127.0.0.1", hub.proxy_port, timeout=30)) as routes,
        closing(http.client.HTTPConnection("127.0.0.1", hub.port, timeout=30)) as front,
    ):
        _status(routes, f"/api/routes{path}")
        began = time.monotonic()
        answer = visitor.start()
        if answer.status_code not in (201, 202):
            raise StartFailed(f"The hub answered {answer.status_code}: {answer.text[:500]}")
        while _status(routes, f"/api/routes{path}") != 200 or _status(front, f"{path}/api") != 200:
            if time.monotonic() - began > LIMIT:
                raise StartFailed(f"The server was not ready after {LIMIT} s.\n{hub.news}")
            time.sleep(TICK)
        return time.monotonic() - began


def _status(connection: http.client.HTTPConnection, path: str) -> int:
    connection.request("GET", path, headers={"Authorization": f"token {PROXY_TOKEN}"})
    response = connection.getresponse()
    response.read()
    return response.status


def _has_server(visitor: Visitor) -> bool:
    model = visitor.api("GET", f"/users/{visitor.name}").json()
    return bool(model["servers"] or model["pending"])


@contextmanager
def _hub(ground: Path, arm: Arm, proxy_command: Sequence[str]) -> Iterator[HubUnderTest]:
    folder = Path(tempfile.mkdtemp(prefix="h", dir=ground))
    hub = BenchHub(folder, arm.settings, proxy_command, code=arm.code)
    try:
        hub.start()
        yield hub
    finally:
        hub.stop()
        shutil.rmtree(folder, ignore_errors=True)

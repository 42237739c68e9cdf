"""What is handed to Slurm for hostile names and environments: thousands of them, without Slurm."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
from types import SimpleNamespace
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from slurmhub.errors import SlurmhubError
from slurmhub.job.crossing import Person
from slurmhub.job.payload import Submission, prepare
from slurmhub.job.policy import ScriptPolicy
from slurmhub.job.tag import JobTag
from slurmhub.options.request import JobRequest
from slurmhub.slurm.command import Account
from slurmhub.slurm.memory import Memory
from slurmhub.slurm.times import TimeLimit
from tests.attack.hostile import VALUES
from tests.unit.job.sbatch_grammar import directives

NONCE = "00112233445566778899aabbccddeeff"
TOKEN = "f" * 64
OWNER = Person(Account("alice", 1001, 1001, ()), "/home/alice")
REQUEST = JobRequest(partition="cpu", cpus=1, memory=Memory(300), time=TimeLimit.of_minutes(60))
HUB = {"JUPYTERHUB_API_URL": "http://hub:8081/hub/api", "JUPYTERHUB_API_TOKEN": TOKEN}
# execve(2): the longest text that one argument or variable may be, with its name and a NUL.
LONGEST_VARIABLE = 131072

# Every character there is, also those that are none by themselves.
anything = st.text(st.characters(exclude_categories=[]), max_size=40) | st.sampled_from(VALUES)
environments = st.dictionaries(anything, anything | st.integers() | st.booleans(), max_size=6)
many = settings(max_examples=1200, deadline=None, suppress_health_check=list(HealthCheck))
some = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


def submission(
    user: str = "alice",
    server: str = "",
    environment: dict[str, Any] | None = None,
    arguments: list[str] | None = None,
    hub: str = "jupyterhub",
) -> Submission | SlurmhubError:
    """What the spawner would hand over; anything but a refusal in words is the failure."""
    spawner = SimpleNamespace(
        script_policy=ScriptPolicy,
        hub_name=hub,
        user=SimpleNamespace(name=user),
        name=server,
        cmd=["jupyterhub-singleuser"],
        get_args=lambda: arguments or [],
        get_env=lambda: {**(environment or {}), **HUB},
        api_token=TOKEN,
        internal_ssl=False,
        ip="0.0.0.0",  # noqa: S104
        port_range=(20000, 29999),
        launch_timeout=60,
        usage_interval=60,
        hub_app=None,
        is_courses_server=lambda: False,
        course_files=dict,
    )
    try:
        return asyncio.run(prepare(spawner, REQUEST, NONCE, OWNER, token=TOKEN))
    except SlurmhubError as refusal:
        return refusal


def assert_in_words(refusal: SlurmhubError) -> None:
    """Short enough for a page, and nothing that a log should not hold."""
    assert len(str(refusal)) < 1000
    assert str(refusal).replace("\n", "").isprintable()


def usual() -> Submission:
    """What is handed over when nothing is hostile."""
    made = submission()
    assert isinstance(made, Submission)
    return made


USUAL = usual()
OPTIONS = [option.partition("=")[0] for option in directives(USUAL.script)]


def test_the_case_that_must_work() -> None:
    assert "jupyterhub-singleuser" in USUAL.script
    assert TOKEN not in USUAL.script
    assert json.loads(USUAL.payload)["hub"]["token"] == TOKEN


@many
@given(hub=anything, user=anything, server=anything)
@example(hub="a:b", user="c\n#SBATCH --uid=0", server="\x00")
def test_a_name_is_in_the_comment_and_nowhere_else(hub: str, user: str, server: str) -> None:
    made = submission(user, server, hub=hub)
    assert isinstance(made, Submission)
    options = directives(made.script)
    assert [option.partition("=")[0] for option in options] == OPTIONS
    comment = JobTag(hub, user, server, NONCE).comment()
    assert made.script.replace(comment, "") == USUAL.script.replace(
        JobTag("jupyterhub", "alice", "", NONCE).comment(), ""
    )
    found = JobTag.from_comment(comment)
    assert found is not None
    assert found.nonce == NONCE
    for name, back in ((hub, found.hub), (user, found.user), (server, found.server)):
        readable = name.encode(errors="replace") == name.encode("utf-8", "surrogatepass")
        if readable and len(name) < 25:
            assert back == name


@many
@given(environment=environments)
@example(environment={"A": "\x00"})
@example(environment={"": "x"})
@example(environment={"A=B": "x"})
@example(environment={"A": "\ud800"})
@example(environment={"A": "x" * 200_000})
@example(environment={"x" * 100_000: "\x00"})
def test_an_environment_is_in_the_order_and_nowhere_else(environment: dict[str, Any]) -> None:
    made = submission(environment=environment)
    if isinstance(made, SlurmhubError):
        assert_in_words(made)
        return
    assert made.script == USUAL.script
    assert made.directories == USUAL.directories
    assert made.payload.isascii()
    assert "\0" not in made.payload
    assert len(f"SLURMHUB_JOB={made.payload}") < LONGEST_VARIABLE
    ordered = json.loads(made.payload)["environment"]
    assert ordered == {name: str(value) for name, value in environment.items()} | HUB
    for name, value in ordered.items():
        # A program can be started with it.
        assert b"\0" not in os.fsencode(name) + os.fsencode(value)


@some
@given(environment=environments, user=anything, arguments=st.lists(anything, max_size=4))
def test_shells_and_programs_take_what_is_handed_over(
    environment: dict[str, Any], user: str, arguments: list[str]
) -> None:
    made = submission(user, environment=environment, arguments=arguments)
    if isinstance(made, SlurmhubError):
        assert_in_words(made)
        return
    assert [option.partition("=")[0] for option in directives(made.script)] == OPTIONS
    checked = subprocess.run(
        ["/bin/bash", "-n"], input=made.script.encode(), capture_output=True, check=False
    )
    assert (checked.returncode, checked.stderr) == (0, b"")
    ordered = json.loads(made.payload)["environment"]
    told = subprocess.run(["/usr/bin/env", "-0"], env=ordered, capture_output=True, check=True)
    seen = dict(line.split(b"=", 1) for line in told.stdout.split(b"\0") if line)
    assert seen == {os.fsencode(name): os.fsencode(value) for name, value in ordered.items()}

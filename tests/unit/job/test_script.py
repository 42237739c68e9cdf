"""The text of the batch script: what sbatch and the shell make of hostile values."""

from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slurmhub.job.policy import ScriptPolicy
from slurmhub.job.script import BadScript, batch_script, directive, launcher_source
from slurmhub.job.tag import JobTag
from slurmhub.options.request import JobRequest
from slurmhub.slurm.memory import Memory
from slurmhub.slurm.times import TimeLimit
from tests.unit.job.sbatch_grammar import directives

NONCE = "00112233445566778899aabbccddeeff"
TAG = JobTag("jupyterhub", "alice", "", NONCE)
HOME = "/home/alice"
REQUEST = JobRequest(
    partition="gpu",
    cpus=4,
    memory=Memory.parse("8G"),
    gpu_type="h100",
    gpus=2,
    time=TimeLimit.parse("2:00:00"),
)
HOSTILE = [
    "",
    " ",
    "'",
    '"',
    "`id`",
    "$(id)",
    "${HOME}",
    "a\nb",
    "\n#SBATCH --uid=0\n",
    "#SBATCH --partition=other",
    "a\r\nb\r",
    "\r",
    "{{ cookiecutter }}{%raw%}%(x)s{0}{x}",
    "SLURMHUB_LAUNCHER_ENDS_HERE",
    "\nSLURMHUB_LAUNCHER_ENDS_HERE\n}\nid\n",
    "@COMMAND@",
    "-c",
    "--",
    "\\",
    "\\'",
    "!!",
    "~",
    "*",
    "é\u202e\u2028\U0001f600",
    '"$slurmhub_cr"',
    "hetjob",
    "x" * 100_000,
]
# What execve(2) takes: anything but NUL that is UTF-8.
ARGUMENT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=40)


def _script(
    command: list[str] | None = None,
    *,
    tag: JobTag = TAG,
    policy: ScriptPolicy | None = None,
    home: str = HOME,
    request: JobRequest = REQUEST,
) -> str:
    return batch_script(request, tag, policy or ScriptPolicy(), command or ["lab"], home)


def test_directives_of_a_plain_request() -> None:
    script = _script()
    assert script.startswith("#!/bin/bash -l\n#SBATCH ")
    assert directives(script) == [
        "--job-name=jupyter",
        f"--comment=slurmhub:v1:jupyterhub:alice::{NONCE}",
        "--partition=gpu",
        "--nodes=1",
        "--ntasks=1",
        "--cpus-per-task=4",
        "--mem=8192M",
        "--gres=gpu:h100:2",
        "--time=02:00:00",
        "--signal=B:USR1@300",
        "--output=/home/alice/.local/share/slurmhub/logs/jupyter-%j.log",
        "--open-mode=append",
        "--chdir=/home/alice",
        "--export=ALL",
        "--propagate=NONE",
        "--requeue",
    ]


def test_directives_of_the_sites_policy() -> None:
    policy = ScriptPolicy(  # noqa: S604
        shell=("/bin/sh",),
        account="chem 101",
        qos="long",
        reservation="class's",
        constraint="intel&ib|amd",
        job_name="our jupyter",
        warning_seconds=0,
        working_directory="/scratch/work",
        log_file="/var/log/jobs/%u-%j.log",
        extra_directives=("--exclusive=user", '--nice="100"'),
    )
    request = REQUEST.model_copy(update={"gpu_type": None, "gpus": 0})
    found = directives(_script(policy=policy, request=request))
    for expected in (
        "--account=chem 101",
        "--qos=long",
        "--reservation=class's",
        "--constraint=intel&ib|amd",
        "--job-name=our jupyter",
        "--chdir=/scratch/work",
        "--output=/var/log/jobs/%u-%j.log",
        "--exclusive=user",
        "--nice=100",
    ):
        assert expected in found
    assert not [one for one in found if one.startswith(("--signal", "--gres"))]


def test_untyped_gpus() -> None:
    request = REQUEST.model_copy(update={"gpu_type": None})
    assert "--gres=gpu:2" in directives(_script(request=request))


def test_a_percent_in_the_home_is_no_pattern_in_the_logs_name() -> None:
    found = directives(_script(home="/home/50%j"))
    assert "--output=/home/50%%j/.local/share/slurmhub/logs/jupyter-%j.log" in found
    assert "--chdir=/home/50%j" in found


@pytest.mark.parametrize(
    "home", ["", "relative", "/a\nb", "/a\0b", "/a\\b", "/a\x1bb", "/\u2028", "/" + "x" * 2000]
)
def test_a_home_that_no_directive_can_carry_is_refused(home: str) -> None:
    with pytest.raises(BadScript, match="home folder"):
        _script(home=home)


@given(st.text(max_size=60))
def test_a_directive_is_one_argument_or_refused(value: str) -> None:
    try:
        line = directive("output", value)
    except BadScript:
        return
    assert "\n" not in line
    assert directives(line) == [f"--output={value}"]


@given(
    st.lists(st.text(st.sampled_from("hetjobpackHETJOBPACK #\"' %$`;"), max_size=16)).map("".join)
)
def test_words_that_sbatch_eats_survive(value: str) -> None:
    if value.strip():
        assert directives(directive("chdir", value)) == [f"--chdir={value}"]


@settings(max_examples=300)
@given(st.text(max_size=30), st.text(max_size=30), st.text(max_size=30), st.lists(ARGUMENT))
def test_no_value_adds_a_directive(hub: str, user: str, server: str, command: list[str]) -> None:
    script = _script(["lab", *command], tag=JobTag(hub, user, server, NONCE))
    found = directives(script)
    assert [one.partition("=")[0] for one in found] == [
        one.partition("=")[0] for one in directives(_script())
    ]
    assert found[1] == f"--comment={JobTag(hub, user, server, NONCE).comment()}"


def _arrived(script: str, shell: str) -> list[str]:
    """The arguments that the launcher's Python was given, when `shell` runs the script."""
    with tempfile.TemporaryDirectory() as folder:
        path, seen = Path(folder) / "script", Path(folder) / "seen"
        path.write_bytes(script.encode())
        subprocess.run([shell, "-n", str(path)], check=True, capture_output=True)
        done = subprocess.run(
            [shell, str(path)],
            env={"PATH": os.environ["PATH"], "SEEN": str(seen), "SLURMHUB_JOB": "order"},
            capture_output=True,
            check=False,
            timeout=20,
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
        return seen.read_bytes().decode().split("\0")[:-1]


@pytest.fixture(scope="module")
def recorder(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Stands where Python is, and writes down its arguments."""
    path = tmp_path_factory.mktemp("recorder") / "it's python"
    path.write_text('#!/bin/sh\nprintf "%s\\0" "$@" >"$SEEN"\ncat >/dev/null\n')
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize("shell", ["/bin/bash", "/bin/sh"])
def test_hostile_arguments_arrive_as_they_are(recorder: str, shell: str) -> None:
    policy = ScriptPolicy(shell=(shell,), python=recorder)  # noqa: S604
    found = _arrived(_script(HOSTILE, policy=policy), shell)
    assert found == ["-I", "-S", "-", "--", *HOSTILE]


@settings(max_examples=60)
@given(command=st.lists(ARGUMENT, min_size=1, max_size=6))
def test_any_arguments_arrive_as_they_are(recorder: str, command: list[str]) -> None:
    policy = ScriptPolicy(shell=("/bin/bash",), python=recorder)  # noqa: S604
    assert _arrived(_script(command, policy=policy), "/bin/bash")[4:] == command


@pytest.mark.parametrize("argument", ["a\0b", "x" * 131072, "\ud800"])
def test_an_argument_that_no_program_can_be_given_is_refused(argument: str) -> None:
    with pytest.raises(BadScript, match="argument"):
        _script(["lab", argument])
    assert "x" * 131071 in _script(["lab", "x" * 131071])


def test_a_script_needs_a_command() -> None:
    with pytest.raises(BadScript, match="empty"):
        batch_script(REQUEST, TAG, ScriptPolicy(), [], HOME)


def test_carries_the_launcher_whole() -> None:
    source = launcher_source()
    assert "SLURMHUB_LAUNCHER_ENDS_HERE" not in source
    assert "\r" not in source
    assert source in _script()
    # Slurm keeps it in the state of every job.
    assert len(source.encode()) < 20 * 1024


def test_sbatch_takes_no_script_with_dos_line_ends() -> None:
    assert "\r" not in _script(["lab", "a\r\nb"])


def test_shellcheck_has_nothing_to_say(tmp_path: Path) -> None:
    path = tmp_path / "script"
    path.write_text(_script(["lab", "a b"], policy=ScriptPolicy(modules=("gcc/12",))))
    found = subprocess.run(
        ["shellcheck", "--shell=bash", "--severity=warning", str(path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (found.returncode, found.stdout) == (0, "")


def test_the_persons_eye_finds_the_command() -> None:
    script = _script(["jupyterhub-singleuser", "--debug"])
    assert f"    {shlex.join(['jupyterhub-singleuser', '--debug'])}\n" in script


def test_terms_that_are_asked_for_stand_in_the_script() -> None:
    request = REQUEST.model_copy(
        update={
            "account": "physics",
            "qos": "long",
            "reservation": "class",
            "features": ("avx512", "ib"),
        }
    )
    asked = directives(batch_script(request, TAG, ScriptPolicy(), ["x"], HOME))
    assert {
        *("--account=physics", "--qos=long", "--reservation=class"),
        "--constraint=avx512&ib",
    } < set(asked)
    fixed = ScriptPolicy(account="site", qos="short", reservation="own", constraint="ib&ssd")
    asked = directives(batch_script(request, TAG, fixed, ["x"], HOME))
    assert {
        *("--account=site", "--qos=short", "--reservation=own"),
        "--constraint=ib&ssd&avx512",
    } < set(asked)


def test_shards_are_a_resource_of_their_own() -> None:
    request = REQUEST.model_copy(update={"gpu_type": "shard", "gpus": 3})
    script = batch_script(request, TAG, ScriptPolicy(), ["x"], HOME)
    assert "--gres=shard:3" in directives(script)

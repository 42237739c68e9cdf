"""The batch script of one server.

Values are data. What stands in an #SBATCH line comes from a validated type and is quoted for
sbatch; the command is quoted for the shell. The hub's order, with its token, is no part of the
script: it comes by the environment, and only the launcher gets it.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from slurmhub.errors import SlurmhubError
from slurmhub.job.policy import ScriptPolicy, is_one_line
from slurmhub.job.tag import JobTag

if TYPE_CHECKING:
    from slurmhub.options.request import JobRequest

_PLAIN = re.compile(r"[A-Za-z0-9_./:=,@%+~-]+")
# sbatch takes these words out of any #SBATCH line, wherever they stand.
_EATEN_BY_SBATCH = re.compile("hetjob|packjob", re.IGNORECASE)
# execve(2): MAX_ARG_STRLEN, with the final NUL.
_LONGEST_ARGUMENT = 131071
_CR = '"$slurmhub_cr"'
_LAUNCHER_ENDS = "SLURMHUB_LAUNCHER_ENDS_HERE"


class BadScript(SlurmhubError):
    """A value that no batch script can carry."""


def batch_script(
    request: JobRequest, tag: JobTag, policy: ScriptPolicy, command: Sequence[str], home: str
) -> str:
    """The script that runs `command`, an argv, under the launcher; nothing in it is secret.

    `home` is the person's home folder, absolute. The exit status of the script is the
    launcher's. Raises BadScript.
    """
    if not home.startswith("/") or not is_one_line(home):
        raise BadScript(
            f"The home folder {home[:80]!r} cannot stand in a job script.",
            remedy="Ask the operator for a home folder without control characters or backslash.",
        )
    python, arguments = shlex.quote(policy.python), _argv(command)
    launch = f"{_LAUNCH} {python} -I -S - -- \\\n    {arguments}"
    if _CR in arguments:
        launch = f"slurmhub_cr=$(printf '\\r')\n{launch}"
    parts = [
        "#!" + " ".join(policy.shell),
        *_directives(request, tag, policy, home),
        _BEGIN,
        _function("slurmhub_launch", launch),
        _function("slurmhub_epilogue", policy.epilogue),
        _function("slurmhub_source", _heredoc(launcher_source())),
        _function("slurmhub_meter", _heredoc(meter_source())),
        _TRAPS,
        *(_load(module) for module in policy.modules),
        policy.prologue.strip("\n"),
        _RUN,
    ]
    return "\n".join(parts)


def trial_script(request: JobRequest, policy: ScriptPolicy) -> str:
    """A script that asks for the same as the real one, for `sbatch --test-only`; it runs nothing.

    Raises BadScript.
    """
    nobody = JobTag(hub="", user="", server="", nonce="0" * 32)
    return "\n".join(["#!/bin/sh", *_directives(request, nobody, policy, "/"), ""])


@cache
def launcher_source() -> str:
    """The text of launcher.py, as every script carries it."""
    return Path(__file__).with_name("launcher.py").read_text(encoding="utf-8")


@cache
def meter_source() -> str:
    """The text of meter.py, which the launcher is given beside its own."""
    return Path(__file__).with_name("meter.py").read_text(encoding="utf-8")


@cache
def server_config_source() -> str:
    """The text of server_config.py, which comes with the hub's order where the site wants it."""
    return Path(__file__).with_name("server_config.py").read_text(encoding="utf-8")


def _directives(request: JobRequest, tag: JobTag, policy: ScriptPolicy, home: str) -> list[str]:
    gres = request.gres
    options: list[tuple[str, str | None]] = [
        ("job-name", policy.job_name),
        ("comment", tag.comment()),
        ("partition", request.partition),
        ("account", policy.account or request.account),
        ("qos", policy.qos or request.qos),
        ("reservation", policy.reservation or request.reservation),
        ("constraint", policy.constraint_with(request.features)),
        ("nodes", "1"),
        ("ntasks", "1"),
        ("cpus-per-task", str(request.cpus)),
        ("mem", str(request.memory)),
        ("gres", gres.directive() if gres else None),
        ("time", str(request.time)),
        # To the batch shell only: the server must not be signalled by a mere warning.
        ("signal", f"B:USR1@{policy.warning_seconds}" if policy.warning_seconds else None),
        ("output", policy.log_path(home)),
        ("open-mode", "append"),  # a requeued job goes on in the same log
        ("chdir", policy.start_directory(home)),
        ("export", "ALL"),  # all of what the helper gives sbatch, which is little
        ("propagate", "NONE"),  # the limits of the hub's own process are not the job's
    ]
    lines = [directive(name, value) for name, value in options if value is not None]
    lines.append("#SBATCH --requeue")
    return [*lines, *(f"#SBATCH {extra}" for extra in policy.extra_directives)]


def directive(name: str, value: str) -> str:
    """One #SBATCH line, quoted as sbatch unquotes it. Raises BadScript."""
    if not is_one_line(value):
        raise BadScript(
            f"{value[:80]!r} cannot be given to sbatch as --{name}.",
            remedy="It must be one line of at most 1000 printable characters without backslash.",
        )
    if not _PLAIN.fullmatch(value):
        value = '"' + value.replace('"', '\\"') + '"'
    value = _EATEN_BY_SBATCH.sub(lambda found: found[0][0] + "\\" + found[0][1:], value)
    return f"#SBATCH --{name}={value}"


def _argv(command: Sequence[str]) -> str:
    if not command:
        raise BadScript("The server's command is empty.", remedy="Set c.Spawner.cmd.")
    return " ".join(_argument(argument) for argument in command)


def _argument(argument: str) -> str:
    try:
        size = len(argument.encode())
    except UnicodeEncodeError:
        size = _LONGEST_ARGUMENT + 1
    if "\0" in argument or size > _LONGEST_ARGUMENT:
        raise BadScript(
            f"The server's command has an argument that no program can be given: "
            f"{argument[:80]!r}.",
            remedy="Arguments are text without NUL, of at most 128 KiB.",
        )
    # sbatch takes a script with CR LF anywhere for one from another system and refuses it.
    return _CR.join(shlex.quote(piece) for piece in argument.split("\r"))


def _load(module: str) -> str:
    trouble = f"the module {module} could not be loaded"
    return f"module load {shlex.quote(module)} || SLURMHUB_TROUBLE={shlex.quote(trouble)}"


def _function(name: str, body: str) -> str:
    return f"{name}() {{\n:\n{body.strip(chr(10))}\n}}\n"


def _heredoc(text: str) -> str:
    return f"cat <<'{_LAUNCHER_ENDS}'\n{text}{_LAUNCHER_ENDS}"


_BEGIN = """
# Runs your Jupyter server. The hub's order holds a token, so only the launcher gets to see it.
slurmhub_order=$SLURMHUB_JOB
unset SLURMHUB_JOB SLURMHUB_TROUBLE
# The path of the hub's host need not exist on this node, which then knows its own.
[ -r "${SLURM_CONF:-/}" ] || unset SLURM_CONF
slurmhub_launcher='' slurmhub_ready='' slurmhub_term=''
"""

# The launcher comes by a pipe: there is no file to make on a full disk, and none to leave behind.
_LAUNCH = """\
export SLURMHUB_JOB="$slurmhub_order" SLURMHUB_TROUBLE
SLURMHUB_METER=$(slurmhub_meter)
export SLURMHUB_METER
exec"""

_TRAPS = """\
slurmhub_forward() {
    slurmhub_interrupted=yes
    [ "$1" != TERM ] || slurmhub_term=yes
    [ -z "$slurmhub_launcher" ] || kill -s "$1" "$slurmhub_launcher" 2>/dev/null
}

slurmhub_start() {
    trap '' USR1 # it would end a launcher that is still starting
    slurmhub_source | slurmhub_launch &
    slurmhub_launcher=$!
    trap 'slurmhub_forward USR1' USR1
    [ -z "$slurmhub_term" ] || kill -s TERM "$slurmhub_launcher" 2>/dev/null
    # A trapped signal interrupts wait and leaves its mark; then wait again.
    slurmhub_interrupted=yes
    while [ -n "$slurmhub_interrupted" ]; do
        slurmhub_interrupted=''
        wait "$slurmhub_launcher"
        slurmhub_status=$?
        # In a storm of signals bash may lose that mark, or the child: the launcher's end decides.
        case $slurmhub_status in
            138 | 255)
                if kill -0 "$slurmhub_launcher" 2>/dev/null; then
                    slurmhub_interrupted=yes
                    sleep 0.1
                fi
                ;;
        esac
    done
    return "$slurmhub_status"
}

slurmhub_end() {
    slurmhub_exit=$?
    set +eu
    if [ -z "$slurmhub_ready$slurmhub_term" ]; then
        SLURMHUB_TROUBLE="the site's prologue ended the job with status $slurmhub_exit"
        slurmhub_start
    fi
    trap : TERM USR1
    (slurmhub_epilogue)
    exit "$slurmhub_exit"
}

trap 'slurmhub_forward TERM' TERM
trap : USR1
trap slurmhub_end EXIT
"""

_RUN = """
set +eu
[ -z "$slurmhub_term" ] || exit 143
slurmhub_ready=yes
slurmhub_start
exit $?
"""

"""The command line of script/demo, and the part of a detached start that stays in front."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from slurmhub.errors import SlurmhubError
from slurmhub_deploy.demo.interrupts import Interrupted, Interrupts
from slurmhub_deploy.demo.places import Places, own_places
from slurmhub_deploy.demo.run import Demo, locked, remove_remains, running
from slurmhub_deploy.errors import DeployError

# The line by which the process in the background says that the one in front may go.
_READY = "\x06"
_STOP_SECONDS = 60

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def demo(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port of the hub.")] = 8000,
    shibboleth: Annotated[
        bool,
        typer.Option("--shibboleth", help="Sign in at a test identity provider, by Shibboleth."),
    ] = False,
    detach: Annotated[bool, typer.Option("--detach", help="Return once the hub answers.")] = False,
    stop: Annotated[bool, typer.Option("--stop", help="End the demo that runs.")] = False,
    status: Annotated[bool, typer.Option("--status", help="Say whether one runs.")] = False,
    clean: Annotated[
        bool, typer.Option("--clean", help="Remove the environments kept for the next start.")
    ] = False,
    python: Annotated[Path, typer.Option(hidden=True)] = Path("/usr/bin/python3"),
    behind: Annotated[bool, typer.Option("--behind", hidden=True)] = False,
) -> None:
    """Start a Slurm cluster and a JupyterHub on this machine; Ctrl-C ends both.

    Signed in as student, instructor or operator, each server is a job of the cluster.
    """
    places = own_places()
    if stop:
        _stop(places)
    elif status:
        _status(places)
    elif clean:
        _clean(places)
    elif detach:
        _in_background(port, python, shibboleth=shibboleth)
    else:
        _run(places, python, port, behind=behind, shibboleth=shibboleth)


def main() -> None:
    """Run the command; an error is what happened and what to do, and status 1."""
    try:
        app(prog_name="script/demo")
    except SlurmhubError as error:
        print(f"script/demo: {error.what}\nWhat to do: {error.remedy}", file=sys.stderr)
        sys.exit(1)
    except Interrupted:
        sys.exit(130)


def _run(places: Places, python: Path, port: int, *, behind: bool, shibboleth: bool) -> None:
    interrupts = Interrupts()

    def ready() -> None:
        if behind:
            print(_READY, flush=True)
            _let_go(places.log)
        else:
            print("\nCtrl-C stops everything.", flush=True)

    try:
        Demo(places, python, port, interrupts, _say, shibboleth=shibboleth).run(ready)
    except Interrupted:
        if behind:
            raise
        # Asked for at a terminal, this is how the demo ends well.


def _say(words: str) -> None:
    try:
        print(words, flush=True)
    except BrokenPipeError:
        # Whoever read this is gone; what is being done matters more.
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115 - for the rest of this process


def _in_background(port: int, python: Path, *, shibboleth: bool) -> None:
    """Start the demo in a session of its own and pass its words on until it is ready."""
    interrupts = Interrupts()
    module = [sys.executable, "-m", "slurmhub_deploy.demo", "--behind"]
    chosen = ["--shibboleth"] if shibboleth else []
    process = subprocess.Popen(
        [*module, *chosen, "--port", str(port), "--python", str(python)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stdout is not None  # noqa: S101 - for the type checker: a pipe was asked for
    try:
        ready = interrupts.relay(process.stdout.fileno(), sys.stdout, until=_READY.encode())
    except Interrupted:
        process.terminate()
        process.wait()
        raise
    if not ready:
        sys.exit(process.wait())
    print("\nscript/demo --stop ends it.")
    process.returncode = 0  # it goes on without us


def _let_go(log: Path) -> None:
    """From now on this process's words go to its log, and the one in front may end."""
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for standard in (1, 2):
        os.dup2(descriptor, standard)
    os.close(descriptor)


def _stop(places: Places) -> None:
    found = running(places)
    if found is not None:
        _say(f"Stopping the demo at {found.url}/ …")
        found.supervisor.send(signal.SIGTERM)
        if not found.supervisor.wait(_STOP_SECONDS):
            raise DeployError(
                f"The demo's process {found.supervisor.pid} does not end.",
                remedy=f"End it with kill -9 {found.supervisor.pid}, then: script/demo --stop",
            )
    if not places.state.exists():
        _say("No demo was running." if found is None else "Stopped.")
        return
    with locked(places):
        remove_remains(places)
    _say("Stopped; what a killed demo had left is removed.")


def _status(places: Places) -> None:
    found = running(places)
    if found is None:
        _say("No demo is running.")
    else:
        _say(f"A demo is running at {found.url}/")


def _clean(places: Places) -> None:
    with locked(places):
        remove_remains(places)
    _say(f"Removing {places.cache}.")
    shutil.rmtree(places.cache, ignore_errors=True)

"""The environments the demo needs, made once and kept: single-user, proxy, this project itself."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from slurmhub.assets import asset
from slurmhub_deploy.demo import singleuser
from slurmhub_deploy.demo.places import SHARED_CACHE, own_places
from slurmhub_deploy.errors import DeployError

_PIP_REMEDY = "Does pip reach its package index? Its configuration is used as it is."
_SINGLEUSER = "slurmhub-singleuser"
# A demo in the background may well use an environment for days.
_UNUSED_SECONDS = 14 * 86400


class Runner(Protocol):
    """Runs a program to its end and raises DeployError when it fails."""

    def __call__(
        self, argv: list[str], *, what: str, remedy: str, cwd: Path | None = None
    ) -> None: ...


@dataclass(frozen=True)
class Workshop:
    """Where environments are made, with which Python, and how the person hears of it."""

    cache: Path
    python: Path
    run: Runner
    say: Callable[[str], None]


@dataclass(frozen=True)
class JupyterEnvironment:
    """A folder with JupyterLab and a kernel; `command` starts the server of one person."""

    folder: Path

    @property
    def command(self) -> tuple[str, ...]:
        return (str(self.folder / "bin" / _SINGLEUSER),)

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"


def plain_workshop(cache: Path | None = None, python: Path = Path("/usr/bin/python3")) -> Workshop:
    """For tests and benchmarks, which have their own ways with signals."""
    return Workshop(cache or own_places().cache, python, _run_plainly, lambda _words: None)


def jupyter_environment(workshop: Workshop) -> JupyterEnvironment:
    """The single-user environment of requirements/jupyter.lock, with our JupyterLab extension.

    It holds nothing of the hub.
    """
    lock, extension = asset("requirements/jupyter.lock"), asset("labextension")
    starter = Path(singleuser.__file__)

    def make(folder: Path) -> None:
        _virtual_environment(workshop, folder, lock)
        _install_from_source(workshop, extension, folder)
        _configure_jupyter(folder / "etc" / "jupyter")
        program = folder / "bin" / _SINGLEUSER
        program.write_text(f"#!{folder}/bin/python\n{starter.read_text()}")
        program.chmod(0o755)

    settings = repr(_JUPYTER_CONFIGURATION).encode()
    parts = [_interpreter(workshop.python), lock.read_bytes(), starter.read_bytes(), settings]
    parts += [b"with bytecode", *_contents(extension, sorted(extension.rglob("*")))]
    return JupyterEnvironment(_made_once(workshop, "jupyter", parts, make))


def locked_environment(workshop: Workshop, name: str, lock: Path) -> Path:
    """The folder of an environment with exactly what this lock holds."""
    parts = [_interpreter(workshop.python), lock.read_bytes()]
    return _made_once(
        workshop, name, parts, lambda folder: _virtual_environment(workshop, folder, lock)
    )


def proxy_command(workshop: Workshop) -> tuple[str, ...]:
    """The command of configurable-http-proxy, installed from package-lock.json."""
    proxy = node_modules(workshop) / "configurable-http-proxy"
    return (_node(), str(proxy / "bin" / "configurable-http-proxy"))


def _node() -> str:
    """Node.js itself: what is called so on PATH may be a wrapper, which would be ended alone."""
    found = shutil.which("node")
    if found is None:
        raise DeployError(
            "Node.js, which runs the proxy in front of the hub, is not on this machine.",
            remedy="Install it (Debian's package nodejs), with the program node on PATH.",
        )
    asked = [found, "--print", "process.execPath"]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise DeployError(f"{found} does not run: {done.stderr}", remedy="Install Node.js anew.")
    return done.stdout.strip()


def node_modules(workshop: Workshop, *, development: bool = False) -> Path:
    """The folder of npm packages of package-lock.json, with those for development or without."""
    which = [] if development else ["--omit=dev"]
    files = [asset("package.json"), asset("package-lock.json")]

    def make(folder: Path) -> None:
        for file in files:
            shutil.copy(file, folder)
        workshop.run(
            ["npm", "ci", *which, "--ignore-scripts", "--no-audit", "--no-fund"],
            what="The packages of npm could not be installed",
            remedy="Does npm reach its registry? Its configuration is used as it is.",
            cwd=folder,
        )

    parts = [file.read_bytes() for file in files]
    name = "checks" if development else "proxy"
    return _made_once(workshop, name, parts, make) / "node_modules"


def hub_python(workshop: Workshop) -> Path:
    """An interpreter that has this project installed, from a wheel, and what the hub needs.

    The packages of the hub are those of the environment that runs this process; only the project
    itself is installed here, so that a change of its source costs two seconds.
    """
    project = asset("pyproject.toml").parent
    parts = [sys.prefix.encode(), *_source_of(project)]

    def make(folder: Path) -> None:
        _venv(workshop, folder)
        site = next((folder / "lib").glob("python3*")) / "site-packages"
        own = [path for path in sys.path if path.endswith("site-packages")]
        (site / "hub-packages.pth").write_text("\n".join(own) + "\n")
        _install_from_source(workshop, project, folder)

    return _made_once(workshop, "slurmhub", parts, make) / "bin" / "python"


def _run_plainly(argv: list[str], *, what: str, remedy: str, cwd: Path | None = None) -> None:
    # Jobs look for bytecode beside the source: without it each of their starts compiles anew.
    own = {name: value for name, value in os.environ.items() if name != "PYTHONPYCACHEPREFIX"}
    done = subprocess.run(argv, cwd=cwd, capture_output=True, text=True, check=False, env=own)
    if done.returncode != 0:
        raise DeployError(f"{what}: {done.stdout}{done.stderr}", remedy=remedy)


def _made_once(
    workshop: Workshop, name: str, parts: list[bytes], make: Callable[[Path], None]
) -> Path:
    """The folder for these parts: found complete, or made by `make`; half-made ones are removed.

    What root has made serves every account.
    """
    digest = hashlib.sha256()
    for part in parts:
        digest.update(hashlib.sha256(part).digest())
    full_name = f"{name}-{digest.hexdigest()[:16]}"
    shared = SHARED_CACHE / full_name
    if (shared / "complete").exists() and shared.stat().st_uid == 0:
        return shared
    folder = workshop.cache / full_name
    old_umask = os.umask(0o022)
    try:
        workshop.cache.mkdir(parents=True, exist_ok=True)
        with _locked(workshop.cache / f"{name}.lock"):
            if not (folder / "complete").exists():
                workshop.say(f"Making {folder} (once) …")
                _make(folder, make)
            (folder / "complete").touch()
            _remove_unused(workshop.cache, name)
    finally:
        os.umask(old_umask)
    return folder


def _remove_unused(cache: Path, name: str) -> None:
    """Remove environments of earlier locks and sources which nobody has used for a while."""
    for folder in cache.glob(f"{name}-*"):
        used = folder / "complete"
        if used.exists() and time.time() - used.stat().st_mtime > _UNUSED_SECONDS:
            shutil.rmtree(folder, ignore_errors=True)


def _make(folder: Path, make: Callable[[Path], None]) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    try:
        folder.mkdir()
        make(folder)
        (folder / "complete").touch()
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _venv(workshop: Workshop, folder: Path, *options: str) -> None:
    workshop.run(
        [str(workshop.python), "-m", "venv", *options, "--without-pip", str(folder)],
        what="A Python environment could not be made",
        remedy="Install what makes them: apt-get install python3-venv",
    )


def _virtual_environment(workshop: Workshop, folder: Path, lock: Path) -> None:
    """A virtual environment with exactly what the lock holds, compiled to bytecode."""
    _venv(workshop, folder)
    pip = [sys.executable, "-m", "pip", "-qq", "--disable-pip-version-check"]
    target = ["--python", str(folder / "bin" / "python")]
    workshop.run(
        [*pip, *target, "install", "--no-deps", "--require-hashes", "--compile", "-r", str(lock)],
        what=f"The packages of {lock.name} could not be installed",
        remedy=_PIP_REMEDY,
    )


def _install_from_source(workshop: Workshop, project: Path, folder: Path) -> None:
    """Build a wheel of one of our own projects and install it into an environment."""
    wheels = folder / "wheel"
    pip = [sys.executable, "-m", "pip", "-qq", "--disable-pip-version-check"]
    workshop.run(
        [*pip, "wheel", "--no-deps", "--no-build-isolation", "-w", str(wheels), str(project)],
        what="This project could not be built",
        remedy="Is the checkout complete? git status says.",
    )
    wheel = next(wheels.glob("*.whl"))
    target = ["--python", str(folder / "bin" / "python")]
    workshop.run(
        [*pip, *target, "install", "--no-deps", str(wheel)],
        what="This project could not be installed",
        remedy=_PIP_REMEDY,
    )


def _configure_jupyter(folder: Path) -> None:
    """Switch off what costs time at each start, or speaks to the world, and serves nobody here."""
    for name, text in _JUPYTER_CONFIGURATION.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


# autodetect runs node to look for language servers, of which there are none; the news and the
# update check ask hosts on the internet; extensions cannot be installed into a shared environment.
_JUPYTER_CONFIGURATION = {
    "jupyter_server_config.json": """\
{
  "LabApp": {
    "check_for_updates_class": "jupyterlab.NeverCheckForUpdate",
    "extension_manager": "readonly",
    "news_url": null
  },
  "LanguageServerManager": {"autodetect": false}
}
""",
    "labconfig/page_config.json": """\
{"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": true}}
""",
}


def _interpreter(python: Path) -> bytes:
    """What an environment depends on: the interpreter's place and build."""
    real = python.resolve()
    try:
        found = real.stat()
    except FileNotFoundError as error:
        raise DeployError(
            f"There is no {python}.", remedy="Install it: apt-get install python3"
        ) from error
    return f"{real} {found.st_size} {found.st_mtime_ns}".encode()


def _source_of(project: Path) -> list[bytes]:
    """The content of every file that goes into the wheel, with its name."""
    files = [project / "pyproject.toml", project / "README.md", project / "LICENSE"]
    for folder in ("spawner", "deploy", "libexec", "requirements", "labextension"):
        files += sorted((project / folder).rglob("*"))
    return _contents(project, files)


def _contents(project: Path, files: list[Path]) -> list[bytes]:
    """The name of each of these files and what is in it."""
    return [
        part
        for file in files
        if file.is_file() and "__pycache__" not in file.parts
        for part in (str(file.relative_to(project)).encode(), file.read_bytes())
    ]

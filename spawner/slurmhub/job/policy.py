"""What the site, not the person, decides about every batch script: policy as data."""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from slurmhub.errors import SlurmhubError

_SHELLS = frozenset({"bash", "dash", "sh"})
_MODULE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+/:=-]*")
_FEATURE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:=/+@-]*")
_OPTION = re.compile(r"--([a-z][a-z0-9-]*)(=.*)?", re.DOTALL)
# sbatch also takes any unambiguous beginning of an option's name.
_OURS = frozenset(
    """
    account array chdir comment constraint cpus-per-task error export export-file get-user-env gid
    gpus gpus-per-node gpus-per-task gres input job-name mem mem-per-cpu mem-per-gpu nodes ntasks
    ntasks-per-node open-mode output parsable partition qos requeue reservation signal test-only
    time uid wait wrap
    """.split()  # noqa: SIM905
)


class BadPolicy(SlurmhubError):
    """A setting of the site that no job script can be made from."""

    def __init__(self, setting: str, value: object, need: str) -> None:
        super().__init__(
            f"The script policy's {setting} is {value!r}.", remedy=f"It must be {need}."
        )
        self.setting = setting


@dataclass(frozen=True)
class ScriptPolicy:
    """Shell, lines around the server, and sbatch options of every job.

    `prologue` and `epilogue` are shell text of the site and go into the script as they are;
    the epilogue runs in a subshell, however the server ended. `~` in `log_file` and
    `working_directory` is the person's home; None for the latter means the home itself.
    `warning_seconds` is how long before its time limit the job is warned, 0 for never.
    Raises BadPolicy.
    """

    shell: tuple[str, ...] = ("/bin/bash", "-l")
    prologue: str = ""
    epilogue: str = ""
    modules: tuple[str, ...] = ()
    working_directory: str | None = None
    log_file: str = "~/.local/share/slurmhub/logs/jupyter-%j.log"
    python: str = "python3"
    warning_seconds: int = 300
    account: str | None = None
    qos: str | None = None
    reservation: str | None = None
    constraint: str | None = None
    job_name: str = "jupyter"
    extra_directives: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self._check_shell()
        for text in ("prologue", "epilogue"):
            lines = getattr(self, text)
            if "\0" in lines or "\r" in lines or not _encodable(lines):
                raise BadPolicy(text, lines[:80], "shell text without NUL and carriage return")
        for module in self.modules:
            if not _MODULE.fullmatch(module):
                raise BadPolicy("modules", module, "names such as 'gcc/12.2', without spaces")
        for path in ("working_directory", "log_file"):
            value = getattr(self, path)
            if value is not None and not _is_path(value):
                raise BadPolicy(path, value, "an absolute path, or one that begins with ~/")
        for name in ("account", "qos", "reservation", "constraint", "job_name", "python"):
            value = getattr(self, name)
            if value is not None and not is_one_line(value):
                raise BadPolicy(name, value, "printable text of one line, without backslash")
        # sbatch(1): between 0 and 65535; 0 would be "now".
        if not 0 <= self.warning_seconds <= 65535:
            raise BadPolicy("warning_seconds", self.warning_seconds, "from 0 to 65535")
        for directive in self.extra_directives:
            _check_directive(directive)

    def _check_shell(self) -> None:
        # The kernel passes everything after the program as one argument, see execve(2).
        usable = (
            1 <= len(self.shell) <= 2
            and all(is_one_line(part) and " " not in part for part in self.shell)
            and self.shell[0].startswith("/")
            and posixpath.basename(self.shell[0]) in _SHELLS
        )
        if not usable:
            raise BadPolicy("shell", self.shell, "the full path of bash or sh and one argument")

    def log_path(self, home: str) -> str:
        """The log's name pattern for sbatch's --output; `%` in the home stands for itself."""
        return _expanded(self.log_file, home.replace("%", "%%"))

    def start_directory(self, home: str) -> str:
        """Where the script, and so the server, starts."""
        return home if self.working_directory is None else _expanded(self.working_directory, home)

    @property
    def features(self) -> tuple[str, ...] | None:
        """The features that every job needs; None where the constraint says more than that."""
        if self.constraint is None:
            return ()
        names = tuple(self.constraint.split("&"))
        return names if all(_FEATURE.fullmatch(name) for name in names) else None

    def constraint_with(self, features: Sequence[str]) -> str | None:
        """The constraint of a job that needs these features as well, if it may need others."""
        own = self.features
        if own is None:
            return self.constraint
        return "&".join(dict.fromkeys((*own, *features))) or None

    def directories(self, home: str) -> tuple[str, ...]:
        """Folders below the home that must exist before the job starts; others are the site's."""
        wanted = (posixpath.dirname(_expanded(self.log_file, home)), self.start_directory(home))
        inside = [path for path in wanted if path.startswith(f"{home.rstrip('/')}/")]
        return tuple(dict.fromkeys(path for path in inside if "%" not in path[len(home) :]))


def is_one_line(text: str) -> bool:
    """Whether a text can stand in a directive: one printable, non-empty line, no backslash.

    sbatch drops or reads backslashes as marks of its own, in file names twice.
    """
    return text.isprintable() and bool(text.strip()) and "\\" not in text and len(text) <= 1000


def _is_path(text: str) -> bool:
    parts = text.split("/")
    return is_one_line(text) and parts[0] in ("", "~") and len(parts) > 1 and ".." not in parts


def _expanded(path: str, home: str) -> str:
    return home.rstrip("/") + path[1:] if path.startswith("~/") else path


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _check_directive(directive: str) -> None:
    match = _OPTION.fullmatch(directive)
    try:
        words = shlex.split(directive)
    except ValueError:
        words = []
    if match is None or not is_one_line(directive) or len(words) != 1 or "#" in directive:
        raise BadPolicy("extra directive", directive, "one sbatch option, such as '--nice=100'")
    ours = sorted(option for option in _OURS if option.startswith(match[1]))
    if ours:
        raise BadPolicy(
            "extra directive", directive, f"another option: --{ours[0]} is written by the hub"
        )

"""A task that failed, said so that an operator can act: which host, what it said, what to do."""

from __future__ import annotations

import re
from dataclasses import dataclass

from slurmhub_deploy.operate.running.events import TaskEnded

_LINES = 12


@dataclass(frozen=True)
class Failure:
    """One task that failed on one host."""

    host: str
    task: str
    said: str
    remedy: str
    # Whether nothing at all could be done there, since ssh did not reach it.
    unreached: bool = False

    def as_text(self) -> str:
        """For people."""
        said = "\n".join(f"    {line}" for line in self.said.splitlines())
        return f"{self.host}: {self.task}\n{said}\n    What to do: {self.remedy}"


@dataclass(frozen=True)
class _Known:
    pattern: str
    remedy: str


_UNREACHABLE = (
    _Known(
        r"host key verification failed|no \S+ host key is known",
        "This machine does not know the key of {host}, or another one than before. Compare it"
        " with the host's own (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub, at its console),"
        " accept it once with 'slurmhub ssh {host}', and run this again.",
    ),
    _Known(
        r"permission denied|too many authentication failures",
        "The account on {host} does not take your key. Put your public key into its"
        " ~/.ssh/authorized_keys, load it with ssh-add, or set `ssh.user` and `ssh.config`.",
    ),
    _Known(
        r"could not resolve hostname|name or service not known",
        "There is no such name. Correct the address of {host}, or `ssh.jump`, in the site file.",
    ),
    _Known(
        r"connection refused",
        "Nothing answers on that port. Is sshd running on {host}, and is `ssh.port` right?",
    ),
    _Known(
        r"timed out|no route to host|network is unreachable",
        "Is {host} on, and is its address right? If it is behind a gate, set `ssh.jump`.",
    ),
)
_FAILED = (
    _Known(
        r"missing sudo password|a password is required|incorrect sudo password"
        r"|is not in the sudoers|sudo: .*not found|become.*timed? ?out",
        "Let the account on {host} use sudo without a password (in /etc/sudoers.d, with visudo),"
        " or set `ssh.user` to root.",
    ),
    _Known(
        r"python3?: (command )?not found|no python interpreters? found"
        r"|interpreter .*was not found|/usr/bin/python3?: No such file",
        "Install python3 on {host}; nothing else is needed there beforehand.",
    ),
    _Known(
        r"could not get lock|dpkg frontend lock|unable to acquire the dpkg",
        "Another installation is at work on {host}. Wait until it has ended, and run this again.",
    ),
    _Known(
        r"no space left on device|disk quota exceeded",
        "The disk of {host} is full. Make room there, and run this again.",
    ),
    _Known(
        r"failed to update apt cache|unable to fetch|could not resolve '|failed to fetch"
        r"|temporary failure (in name resolution|resolving)|cannot download|could not find a"
        r" version that satisfies|max retries exceeded|EAI_AGAIN|ENOTFOUND",
        "{host} does not reach the packages it needs. Check its DNS, proxy and package mirror; a"
        " site without internet takes them from a bundle: slurmhub bundle.",
    ),
    _Known(
        r"target is busy|device or resource busy",
        "Programs on {host} still use it: wait for their jobs, or end them with scancel, and run"
        " this again.",
    ),
    _Known(
        r"dpkg was interrupted|you have held broken packages|unmet dependencies",
        "The packages of {host} are half installed. Run 'dpkg --configure -a' and"
        " 'apt-get -f install' there, and run this again.",
    ),
    _Known(
        r"is undefined|has no attribute|templat(e|ing)|argument_errors|argument spec|"
        r"unsupported parameters|couldn't resolve module",
        "This is a fault of slurmhub, unless you changed its playbooks. Report it with the log.",
    ),
)
_USUAL = "Correct that on {host}, and run this again; what is done already stays."


def failure(ended: TaskEnded) -> Failure:
    """What this task's end means, and what to do; `ended` is one that failed."""
    said = ended.message or "It does not say why; the log may."
    known = _UNREACHABLE if ended.status == "unreachable" else _FAILED
    remedy = next(
        (each.remedy for each in known if re.search(each.pattern, said, re.IGNORECASE)), _USUAL
    )
    remedy = remedy.replace("{host}", ended.host)
    if ended.would_destroy:
        remedy = "Nothing is made over what exists. Give it other devices or another name."
    if ended.action in ("assert", "fail"):
        # Our own checks before a change say themselves what to do.
        said, remedy = _own_words(said)
    task = f"{ended.role}: {ended.name}" if ended.role else ended.name
    return Failure(ended.host, task, _shortened(said), remedy, ended.status == "unreachable")


def _own_words(said: str) -> tuple[str, str]:
    what, mark, remedy = said.partition("What to do:")
    if mark:
        return what.strip(), remedy.strip()
    first, _, rest = said.strip().partition(". ")
    return (f"{first}.", rest) if rest else (said, _USUAL)


def _shortened(said: str) -> str:
    lines = [line for line in said.splitlines() if line.strip()]
    if len(lines) <= _LINES:
        return "\n".join(lines)
    # Programs say what is wrong first or last.
    return "\n".join([*lines[: _LINES // 2], "(more in the log)", *lines[-_LINES // 2 :]])

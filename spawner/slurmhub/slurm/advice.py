"""What to do when Slurm refuses a job or does not answer, in plain words.

The texts are those of the commands of 22.05, 24.11 and 26.05. A text that is not known is
given as Slurm wrote it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from slurmhub.slurm.limits import limit_named

# Enough for every message of Slurm, little enough for a page.
_MAX_VERBATIM = 1000
_NAME = re.compile(r"[A-Z][A-Za-z]+")
_ASK_SUPPORT = "Ask your support; show them this page."
_SAYS = "Slurm says: "
# What sbatch adds when a job_submit plugin said no: it knows no more.
_UNSPECIFIED = "unspecified error"


@dataclass(frozen=True)
class Advice:
    """What Slurm's complaint is about, what it means, and what to do next.

    `kind` is a short word for logs and metrics; `unknown` means that `plain` holds Slurm's
    own words.
    """

    kind: str
    plain: str
    remedy: str


@dataclass(frozen=True)
class _Rule:
    kind: str
    texts: tuple[str, ...]
    plain: str
    remedy: str


# In this order: the first rule with a text that occurs wins, the more telling ones come first.
_RULES: tuple[_Rule, ...] = (
    _Rule(
        "munge",
        ("munge", "authentication credential", "protocol authentication error"),
        "Slurm could not check who is asking (its munge service does not answer).",
        "Try again in a few minutes. For the operator: see that munged runs on the hub's host "
        "and has the cluster's key and clock.",
    ),
    _Rule(
        "rate",
        ("rate limit exceeded",),
        "Slurm is answering too many questions at the moment.",
        "Try again in a minute.",
    ),
    _Rule(
        "unreachable",
        (
            "unable to contact slurm controller",
            "socket timed out",
            "zero bytes were transmitted",
            "slurm backup controller in standby",
            "controller is in standby",
            "connection refused",
            "unable to connect to database",
            "communication connection failure",
        ),
        "Slurm's controller does not answer.",
        "Try again in a few minutes; running servers are not affected.",
    ),
    _Rule(
        "configuration",
        (
            "could not establish a configuration source",
            "unable to process configuration file",
            "incompatible versions of client and server",
        ),
        "Slurm's commands on the hub's host are not set up for this cluster.",
        "Show this page to your support. For the operator: give the hub the right slurm.conf and "
        "commands of a fitting release.",
    ),
    _Rule(
        "disabled",
        ("system submissions disabled", "requested operation is presently disabled"),
        "The cluster accepts no new jobs at the moment.",
        "Try again later; look for an announcement of maintenance.",
    ),
    _Rule(
        "partition",
        ("invalid partition name", "invalid partition specified", "no partition specified"),
        "The partition does not exist, or is not open to you.",
        "Choose another partition.",
    ),
    _Rule(
        "partition-group",
        ("user's group not permitted",),
        "You are not in a group that may use this partition.",
        "Choose another partition, or ask your support for access.",
    ),
    _Rule(
        "partition-down",
        (
            "partition in down state",
            "required partition not available",
            "requested partition configuration not available",
        ),
        "The partition is closed, or cannot take such a job at the moment.",
        "Choose another partition, or try again later.",
    ),
    _Rule(
        "qos",
        ("invalid qos", "qos usage threshold"),
        "The QOS is not valid for you or this partition.",
        "Choose another account or partition, or ask your support.",
    ),
    _Rule(
        "account",
        (
            "invalid account",
            "invalid or unknown association",
            "user's account not permitted",
            "multiple partition job request not supported when a partition is set",
        ),
        "Your account may not submit jobs there, or you have no account in Slurm yet.",
        "Choose another account or partition, or ask your support for an account in Slurm.",
    ),
    _Rule(
        "reservation",
        ("reservation",),
        "The reservation does not exist, is over, has not begun, or is not open to you.",
        "Start without the reservation, or ask who made it.",
    ),
    _Rule(
        "time",
        (
            "requested time limit is invalid",
            "time limit specification required",
            "invalid --time",
            "invalid time-min",
        ),
        "The time asked for is missing, or longer than the partition allows.",
        "Ask for fewer hours.",
    ),
    _Rule(
        "gres",
        ("generic resource", "(gres)", "gres ", "trackable resource", "tres specification"),
        "No node of the partition has the GPUs asked for.",
        "Choose another type or number of GPUs, or another partition.",
    ),
    _Rule(
        "memory",
        ("memory specification can not be satisfied", "memory required by task", "invalid --mem"),
        "No node of the partition has, or may give, as much memory as was asked for.",
        "Ask for less memory, or choose another partition.",
    ),
    _Rule(
        "cpus",
        (
            "cpu count per node can not be satisfied",
            "cpu count specification invalid",
            "more processors requested than permitted",
            "requested more tasks than available",
        ),
        "No node of the partition has, or may give, as many CPUs as were asked for.",
        "Ask for fewer CPUs, or choose another partition.",
    ),
    _Rule(
        "nodes",
        (
            "requested node configuration is not available",
            "node count specification invalid",
            "requested nodes are busy",
            "required node not available",
            "requested topology configuration",
            "requested nodes not in this partition",
            "invalid node name",
            "job size specification needs",
        ),
        "No node of the partition has everything that was asked for together.",
        "Ask for less, or choose another partition.",
    ),
    _Rule(
        "feature",
        ("invalid feature specification", "invalid preferred feature", "--constraint"),
        "No computer of the cluster has the features that this server asks for.",
        "Choose another partition. For the operator: check the constraint in the hub's settings.",
    ),
    _Rule(
        "licences",
        ("license",),
        "The licences asked for do not exist or are not free.",
        "Ask your support. For the operator: check the licences in the hub's settings.",
    ),
    _Rule(
        "limit",
        ("job violates accounting/qos policy",),
        "A limit of your account or QOS is reached: the number of your jobs, their size, or "
        "their time.",
        "Stop one of your other jobs, or ask for less.",
    ),
    _Rule(
        "array",
        ("invalid job array specification",),
        "The cluster does not accept an array of that size.",
        "For the operator: remove --array from the hub's settings.",
    ),
    _Rule(
        "full",
        ("maxjobcount limit reached", "unable to create job record"),
        "The cluster's queue is full.",
        "Try again in a few minutes.",
    ),
    _Rule(
        "denied",
        ("access/permission denied", "invalid user id", "invalid group id", "invalid uid"),
        "Slurm does not let you submit jobs, or does not know you on this cluster.",
        "Ask your support whether you have access to the cluster.",
    ),
    _Rule(
        "held",
        ("immediate execution impossible", "job can not start immediately"),
        "The job could not start at once.",
        "Try again later.",
    ),
    _Rule(
        "script",
        (
            "does not look like a batch script",
            "batch script is empty",
            "job script not specified",
            "dos line breaks",
            "pathname of a file, directory",
            "i/o error writing script",
            "unrecognized option",
            "invalid --",
            "batch script contains",
        ),
        "Slurm did not accept the hub's job script or one of its options.",
        "Show this page to your support. For the operator: check the script, prologue and extra "
        "directives in the hub's settings.",
    ),
)


def advice(sbatch_stderr: str) -> Advice:
    """What the complaint of one of Slurm's commands means and what to do about it."""
    for word in _NAME.findall(sbatch_stderr):
        limit = limit_named(word)
        if limit is not None:
            return Advice("limit", limit.plain, limit.remedy)
    text = sbatch_stderr.lower()
    for rule in _RULES:
        if any(known in text for known in rule.texts):
            return Advice(rule.kind, rule.plain, rule.remedy)
    if _UNSPECIFIED in text:
        return _of_the_site(sbatch_stderr)
    return Advice("unknown", _verbatim(sbatch_stderr), _ASK_SUPPORT)


def _of_the_site(complaint: str) -> Advice:
    """A refusal of the site's job_submit plugin; Slurm's own line after its words says nothing."""
    words = "\n".join(line for line in complaint.splitlines() if _UNSPECIFIED not in line.lower())
    if not words.strip():
        return Advice("site", "The cluster's own rules do not allow this job.", _ASK_SUPPORT)
    said = _verbatim(words).removeprefix(_SAYS)
    plain = f"The cluster's own rules do not allow this job. They say: {said}"
    return Advice("site", plain, "Ask for something else, or ask your support.")


def _verbatim(text: str) -> str:
    """Slurm's words on one line, without the program's name before each of them."""
    lines = (line.strip() for line in text.splitlines())
    words = [re.sub(r"^s[a-z]+: (error: |fatal: )?", "", line) for line in lines if line]
    shown = " ".join(words)[:_MAX_VERBATIM]
    return f"{_SAYS}{shown}" if shown else "Slurm refused the job and gave no reason."

"""What a course's server is: what it asks Slurm for, where it runs, and what it opens.

All of it follows from the course; nothing that anybody sends changes it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from urllib.parse import quote, urlencode

from slurmhub.courses.linking import link_lines
from slurmhub.courses.model import Course, Role, State
from slurmhub.courses.nbgrader import nbgrader_files
from slurmhub.courses.policy import Environment, Policy
from slurmhub.courses.rights import Action, Person, may
from slurmhub.courses.slurm.desired import account_of
from slurmhub.courses.stored import Enrolment
from slurmhub.job.policy import ScriptPolicy
from slurmhub.options.offer import Offer
from slurmhub.options.reading import read_request
from slurmhub.options.refusal import GENERAL, Problem, Refusal
from slurmhub.options.request import JobRequest
from slurmhub.slurm.times import TimeLimit

COURSE_VARIABLE = "SLURMHUB_COURSE"
"""In the environment of a course's server: the course's key."""


class CourseServerRefused(Refusal):
    """A course's server that does not start; `status` is that of the answer (RFC 9110)."""

    def __init__(
        self,
        why: str,
        *,
        remedy: str = "Please tell your instructor.",
        status: int = 400,
        what: str = "The server of this course cannot be started.",
    ) -> None:
        super().__init__([Problem(GENERAL, "", why)], what=what, remedy=remedy)
        self.status = status

    def message(self) -> str:
        """Nothing was given that could be named."""
        return " ".join(problem.message for problem in self.problems)


@dataclass(frozen=True)
class CourseServer:
    """The server of one course for one person; `qos` is None for the account's usual one."""

    course: Course
    role: Role
    qos: str | None = None
    environment: Environment | None = None

    @property
    def account(self) -> str:
        """The Slurm account that is charged."""
        return account_of(self.course.key)

    def request(self, offer: Offer | None) -> JobRequest:
        """What Slurm is asked for; raises Refusal where the cluster cannot give it now.

        `offer` is what the cluster has for anybody. The time is lowered to what a maintenance
        leaves. That this person may charge the account is Slurm's to say.
        """
        profile = self.course.profile
        asked = {
            "partition": profile.partition,
            "cpus": profile.cpus,
            "memory": profile.memory,
            "gpus": profile.gpus,
            "gpu_type": profile.gpu_type or "",
        }
        minutes = max(1, round(profile.hours * 60))
        try:
            request = read_request(
                asked, offer, previous={"hours": str(TimeLimit.of_minutes(minutes))}
            )
        except Refusal as refusal:
            if offer is None:
                raise
            why = " ".join(problem.message for problem in refusal.problems)
            raise CourseServerRefused(why) from refusal
        return request.model_copy(update={"account": self.account, "qos": self.qos})

    @property
    def folder(self) -> str:
        """Where the person's home has the course's folders."""
        return f"courses/{self.course.key}"

    def script(self, site: ScriptPolicy, folders: str = "") -> ScriptPolicy:
        """The site's policy with what is the course's in it.

        The modules of an environment take the place of the site's; its lines follow the site's.
        `folders` is where the nodes have those of all courses.
        """
        environment = self.environment
        parts = (
            site.prologue,
            link_lines(f"{folders.rstrip('/')}/{self.course.key}", self.folder) if folders else "",
            environment.prologue if environment is not None else "",
        )
        return replace(
            site,
            account=None,
            qos=None,
            reservation=None,
            modules=site.modules if environment is None else environment.modules,
            prologue="\n".join(part for part in parts if part),
        )

    def files(self, folders: str = "") -> Mapping[str, str]:
        """Jupyter's configuration in its job, by names; `folders` as for the script."""
        if not folders or not self.course.storage.exchange:
            return {}
        return nbgrader_files(self.course.key, folders, self.role)

    def landing(self) -> str:
        """What opens first, below the server's address; empty for what is usual.

        Source for the address of a repository: nbgitpuller's documentation, "Reference: link
        generator".
        """
        materials = self.course.materials
        repository = materials.repository
        if repository is not None:
            where = repository.folder or self.course.key
            opens = f"{where}/{materials.open}" if materials.open else where
            query = {
                "repo": repository.url,
                "branch": repository.branch,
                "targetpath": where,
                "urlpath": _in_lab(opens),
            }
            # The page of our extension of JupyterLab, which leads on to nbgitpuller.
            return f"/slurmhub/materials?{urlencode(query, quote_via=quote)}"
        if materials.open is not None and self.course.storage.shared:
            return f"/{_in_lab(f'{self.folder}/shared/{materials.open}')}"
        return ""


def server_of(
    enrolments: Collection[Enrolment] | None,
    name: str,
    *,
    policy: Policy,
    qos: str = "",
    belonged: bool = False,
) -> CourseServer | None:
    """The course whose server has this name, for somebody in it; None: no course's server.

    `enrolments` is None where nothing is known of this person's courses; `belonged` says that
    their server of this name was the course's when it was last asked for. Raises Refusal when the
    course has no servers now, or when the server was the course's and they are not in it now.
    """
    if not name:
        return None
    mine = next((one for one in enrolments or () if one.stored.key == name), None)
    if mine is None:
        if belonged and enrolments is None:
            why = "The hub cannot look at its courses at the moment."
            raise CourseServerRefused(why, remedy="Try again in a few minutes.", status=503)
        if belonged:
            why = f"You are not in the course {name}."
            raise CourseServerRefused(why, remedy="If you should be, ask your instructor.")
        return None
    state, course = mine.stored.state, mine.stored.course
    if not may(Person(mine.member.username or ""), Action.START, mine.role, state, policy):
        raise CourseServerRefused(WHY_CLOSED[state], remedy="")
    wanted = course.profile.environment
    environment = policy.environments.get(wanted) if wanted else None
    if wanted and environment is None:
        raise CourseServerRefused(f"Its environment {wanted} is not there any more.")
    return CourseServer(course, mine.role, qos or None, environment)


WHY_CLOSED = {
    State.WAITING: "This course waits for approval.",
    State.REFUSED: "This course was not approved.",
    State.OPEN: "You are in this course, and have no servers in it.",
    State.FROZEN: "This course is over: its files can be read, and no server starts.",
    State.ENDED: "This course has ended.",
}
"""Why no server of a course starts, by what the course is at."""


def _in_lab(path: str) -> str:
    return f"lab/tree/{quote(path)}"

"""Who may do what to which course: the only place that answers, for page, command and REST alike.

Pure functions of the person, their role in this one course, what the course is at, and what the
institution says. Nobody has anything of a course by their role in another.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from slurmhub.courses.errors import CourseError, CourseUnknown, NotAllowed, NotNow
from slurmhub.courses.model import Role, State
from slurmhub.courses.policy import Policy


@dataclass(frozen=True)
class Person:
    """Somebody who asks, as the hub knows them: their groups are those of the hub."""

    username: str
    groups: frozenset[str] = frozenset()
    administrator: bool = False


SYSTEM = Person("slurmhub", administrator=True)
"""Who does what nobody asks for: retention, sign-in. No account of people may have this name."""


class Action(Enum):
    """Something that is done to one course; `MAKE` alone needs none.

    The value says it after "You may not".
    """

    SEE = "see this course"
    """Its title, hours, materials: what a student sees."""
    START = "start a server in this course"
    LEAVE = "leave this course"
    SEE_CLASS = "see the people and the servers of this course"
    HELP = "help students of this course"
    """At their server, with their consent; and messages to all of them."""
    STEER = "extend or stop the servers of this course"
    SEE_RECORD = "see who did what in this course"
    SEE_USE = "see what this course uses"
    SEE_DESCRIPTION = "see how this course is set up"
    """All of its document, what is asked for and what was decided."""
    CHANGE = "change this course"
    CHANGE_ROSTER = "change who is a student of this course"
    CHANGE_STAFF = "change the staff of this course"
    CHANGE_OWNER = "give this course to somebody else"
    COPY = "copy this course"
    EXPORT = "export the files of this course"
    FREEZE = "freeze or open this course"
    END = "end this course"
    APPROVE = "decide on this course"


_STUDENT = frozenset({Action.SEE, Action.START, Action.LEAVE})
_ASSISTANT = (_STUDENT) | {
    Action.SEE_CLASS,
    Action.HELP,
    Action.STEER,
    Action.SEE_DESCRIPTION,
}
_INSTRUCTOR = _ASSISTANT | {
    Action.SEE_RECORD,
    Action.SEE_USE,
    Action.CHANGE,
    Action.CHANGE_ROSTER,
    Action.CHANGE_STAFF,
    Action.COPY,
    Action.EXPORT,
    Action.FREEZE,
}
# The owner hands the course over before leaving it, so that it is never nobody's.
_OWNER = (_INSTRUCTOR | {Action.CHANGE_OWNER, Action.END}) - {Action.LEAVE}
BY_ROLE = {
    Role.STUDENT: _STUDENT,
    Role.ASSISTANT: frozenset(_ASSISTANT),
    Role.INSTRUCTOR: frozenset(_INSTRUCTOR),
    Role.OWNER: frozenset(_OWNER),
}
"""What each role may do to its own course."""

# Neither a server in somebody's course nor a student's server comes with being an administrator.
_ADMINISTRATOR = frozenset(Action) - {Action.START, Action.LEAVE, Action.HELP}
# Whether it may be made, and nothing of the people in it.
_APPROVER = frozenset({Action.SEE, Action.SEE_DESCRIPTION, Action.SEE_USE, Action.APPROVE})

_LOOKING = frozenset(
    {
        Action.SEE,
        Action.SEE_CLASS,
        Action.SEE_RECORD,
        Action.SEE_USE,
        Action.SEE_DESCRIPTION,
        Action.COPY,
    }
)
_MAKING = frozenset(
    {Action.CHANGE, Action.CHANGE_ROSTER, Action.CHANGE_STAFF, Action.CHANGE_OWNER, Action.END}
)
IN_STATE = {
    State.WAITING: _LOOKING | _MAKING | {Action.APPROVE},
    State.REFUSED: _LOOKING | _MAKING,
    State.OPEN: frozenset(Action),
    State.FROZEN: _LOOKING
    | {
        Action.LEAVE,
        Action.CHANGE,
        Action.CHANGE_STAFF,
        Action.CHANGE_OWNER,
        Action.EXPORT,
        Action.FREEZE,
        Action.END,
        Action.APPROVE,
    },
    State.ENDED: _LOOKING,
}
"""What may be done at all while a course is at this."""

_NOT_IN_STATE = {
    State.WAITING: "This course waits for approval.",
    State.REFUSED: "This course was not approved.",
    State.OPEN: "This course is open.",
    State.FROZEN: "This course is frozen: it can be read, and nothing starts.",
    State.ENDED: "This course has ended.",
}


def is_maker(person: Person, policy: Policy) -> bool:
    """Whether this person makes courses."""
    return person.administrator or not person.groups.isdisjoint(policy.makers)


def is_approver(person: Person, policy: Policy) -> bool:
    """Whether this person decides on what is above what makers have freely."""
    return person.administrator or not person.groups.isdisjoint(policy.approvers)


def allowed(person: Person, role: Role | None, policy: Policy) -> frozenset[Action]:
    """All that this person may do to a course in which they have this role, while it is open.

    Nobody decides on a course of which they are staff, but an administrator, who could change what
    needs a decision as well.
    """
    found: frozenset[Action] = frozenset() if role is None else BY_ROLE[role]
    if person.administrator:
        return found | _ADMINISTRATOR
    if is_approver(person, policy) and not (role is not None and role.staff):
        found |= _APPROVER
    return found


def may(person: Person, action: Action, role: Role | None, state: State, policy: Policy) -> bool:
    """Whether this person may do this now."""
    return refusal(person, action, role, state, policy, key="") is None


def check(
    person: Person, action: Action, role: Role | None, state: State, policy: Policy, *, key: str
) -> None:
    """Raises CourseUnknown, NotAllowed or NotNow unless this person may do this now."""
    error = refusal(person, action, role, state, policy, key=key)
    if error is not None:
        raise error


def refusal(
    person: Person, action: Action, role: Role | None, state: State, policy: Policy, *, key: str
) -> CourseError | None:
    """Why this person may not do this to the course `key`, None if they may."""
    mine = allowed(person, role, policy)
    # A course that waits or was refused is no student's business yet.
    unseen = role is Role.STUDENT and state in (State.WAITING, State.REFUSED)
    if Action.SEE not in mine or (unseen and mine == BY_ROLE[Role.STUDENT]):
        return CourseUnknown(key)
    if action not in mine:
        return NotAllowed(
            f"You may not {action.value}.", remedy="Ask somebody who is in charge of it."
        )
    if action not in IN_STATE[state]:
        return NotNow(_NOT_IN_STATE[state], remedy="This cannot be done now.")
    return None


def check_making(person: Person, policy: Policy) -> None:
    """Raises NotAllowed unless this person makes courses."""
    if not is_maker(person, policy):
        raise NotAllowed(
            "You may not make courses at this hub.",
            remedy="Ask the operators of the hub whom to turn to.",
        )


def check_role_change(
    person: Person, mine: Role | None, before: Role | None, after: Role | None
) -> None:
    """Raises NotAllowed if this person may not make somebody who is `before` into `after`.

    None is nobody in the course. The owner is changed by handing over alone; instructors do not
    change each other, so that two of them cannot lock each other out.
    """
    if Role.OWNER in (before, after):
        raise NotAllowed(
            "Each course has one owner.", remedy="Give the course to somebody else instead."
        )
    if person.administrator or mine is Role.OWNER:
        return
    if before is Role.INSTRUCTOR and after is not Role.INSTRUCTOR:
        raise NotAllowed(
            "Only the owner of a course takes its instructors away.", remedy="Ask its owner."
        )

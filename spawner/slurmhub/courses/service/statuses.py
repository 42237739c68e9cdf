"""What each error of courses is in HTTP."""

from __future__ import annotations

from slurmhub.courses.errors import (
    CourseFull,
    CourseRefused,
    CoursesAway,
    CourseUnknown,
    KeyTaken,
    MemberUnknown,
    NotAllowed,
    NotNow,
    RequestUnknown,
)
from slurmhub.courses.folders.program import FoldersRefused, FoldersUnusable
from slurmhub.courses.helping import HelpRefused, HelpUnknown
from slurmhub.courses.messages import MessageRefused
from slurmhub.courses.roster.applying import DropsUnconfirmed, PreviewChanged
from slurmhub.courses.roster.codes import CodeRefused
from slurmhub.courses.roster.matching import ChoiceUnknown
from slurmhub.courses.roster.remarks import RosterUnreadable
from slurmhub.courses.service.hub import HubRefused
from slurmhub.courses.service.identity import HubAway
from slurmhub.courses.stored import CourseChanged
from slurmhub.errors import SlurmhubError
from slurmhub.options.refusal import Refusal
from slurmhub.slurm.errors import SlurmError

_STATUSES: tuple[tuple[type[SlurmhubError], int], ...] = (
    (CourseUnknown, 404),
    (RequestUnknown, 404),
    (MemberUnknown, 404),
    (HelpUnknown, 404),
    (NotAllowed, 403),
    (NotNow, 409),
    (KeyTaken, 409),
    (CourseFull, 409),
    (CourseChanged, 409),
    (PreviewChanged, 409),
    (DropsUnconfirmed, 409),
    (HubRefused, 409),
    (RosterUnreadable, 422),
    (MessageRefused, 422),
    (HelpRefused, 422),
    (ChoiceUnknown, 422),
    (CourseRefused, 422),
    (Refusal, 422),
    (FoldersRefused, 503),
    (FoldersUnusable, 503),
    (CoursesAway, 503),
    (HubAway, 503),
    (SlurmError, 503),
)

_OF_CODES = {"no-code": 400, "unknown": 404, "too-many": 429}


def status_of(error: SlurmhubError) -> int:
    """The status with which this is answered; 400 for what is no error of courses."""
    if isinstance(error, CodeRefused):
        return _OF_CODES.get(error.why, 409)
    return next((status for kind, status in _STATUSES if isinstance(error, kind)), 400)

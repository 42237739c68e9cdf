"""The pages of the courses service; `HANDLERS` of each module are its addresses."""

from __future__ import annotations

from slurmhub.courses.service.pages.approvals import HANDLERS as APPROVALS
from slurmhub.courses.service.pages.board import HANDLERS as BOARD
from slurmhub.courses.service.pages.codes import HANDLERS as CODES
from slurmhub.courses.service.pages.course import HANDLERS as COURSE
from slurmhub.courses.service.pages.courses import HANDLERS as COURSES
from slurmhub.courses.service.pages.language import HANDLERS as LANGUAGE
from slurmhub.courses.service.pages.making import HANDLERS as MAKING
from slurmhub.courses.service.pages.people import HANDLERS as PEOPLE
from slurmhub.courses.service.pages.record import HANDLERS as RECORD
from slurmhub.courses.service.pages.roster import HANDLERS as ROSTER
from slurmhub.courses.service.pages.stages import HANDLERS as STAGES
from slurmhub.courses.service.pages.talking import HANDLERS as TALKING
from slurmhub.courses.service.pages.use import HANDLERS as USE

HANDLERS = [
    *COURSES,
    *MAKING,
    *COURSE,
    *BOARD,
    *TALKING,
    *PEOPLE,
    *ROSTER,
    *CODES,
    *RECORD,
    *USE,
    *STAGES,
    *APPROVALS,
    *LANGUAGE,
]
"""Every page: its address below the service's own, as a pattern, and its handler."""

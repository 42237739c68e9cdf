"""The pages of the courses service; `HANDLERS` of each module are its addresses."""

from __future__ import annotations

from slurmhub.courses.service.pages.courses import HANDLERS as COURSES
from slurmhub.courses.service.pages.language import HANDLERS as LANGUAGE

HANDLERS = [*COURSES, *LANGUAGE]
"""Every page: its address below the service's own, as a pattern, and its handler."""

"""All operations of the REST API."""

from __future__ import annotations

from slurmhub.courses.service.api.courses import OPERATIONS as COURSES
from slurmhub.courses.service.api.deciding import OPERATIONS as DECIDING
from slurmhub.courses.service.api.files import OPERATIONS as FILES
from slurmhub.courses.service.api.people import OPERATIONS as PEOPLE
from slurmhub.courses.service.api.roster import OPERATIONS as ROSTER
from slurmhub.courses.service.api.teaching import OPERATIONS as TEACHING

OPERATIONS = (*COURSES, *PEOPLE, *ROSTER, *DECIDING, *FILES, *TEACHING)
"""Each row: what is asked, what it takes, what it answers."""

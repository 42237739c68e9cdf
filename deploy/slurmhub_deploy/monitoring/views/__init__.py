"""The dashboards: what students meet, the cluster, the courses, the hub."""

from __future__ import annotations

from slurmhub_deploy.monitoring.views.cluster import CLUSTER
from slurmhub_deploy.monitoring.views.courses import COURSES
from slurmhub_deploy.monitoring.views.hub import HUB
from slurmhub_deploy.monitoring.views.students import STUDENTS

ALL = (STUDENTS, CLUSTER, COURSES, HUB)

"""A sign-in with a test account, a job, a kernel that computes, a file that persists."""

from __future__ import annotations

from slurmhub_deploy.smoke.asking import smoke
from slurmhub_deploy.smoke.report import Report

__all__ = ["Report", "smoke"]

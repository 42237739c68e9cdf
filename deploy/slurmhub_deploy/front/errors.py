"""Errors of the front."""

from __future__ import annotations

from slurmhub_deploy.errors import DeployError


class FrontError(DeployError):
    """The front cannot be described, made or checked as asked."""

"""Errors about site files."""

from __future__ import annotations

from slurmhub_deploy.errors import DeployError


class SiteError(DeployError):
    """A site file cannot be read, written or used as asked."""

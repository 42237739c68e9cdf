"""Errors of the `slurmhub` command and of what it starts."""

from __future__ import annotations

from slurmhub.errors import SlurmhubError


class DeployError(SlurmhubError):
    """Something the toolkit was asked for cannot be done; the remedy says what to do next."""

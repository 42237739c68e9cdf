"""What a step of the smoke test can come to, other than well."""

from __future__ import annotations

from slurmhub_deploy.errors import DeployError


class StepFailed(DeployError):
    """A step did not do what a person would see it do: what was seen, and what to look at."""

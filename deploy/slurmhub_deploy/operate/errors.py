"""Errors of the verbs that reach the site's hosts, and the exit statuses they end with."""

from __future__ import annotations

from slurmhub_deploy.errors import DeployError

DONE = 0
FAILED = 1
UNUSABLE = 2
"""The command is wrong, or the site file cannot be read or used."""
REFUSED = 3
"""Something would be lost that was not named."""
SMOKE_FAILED = 4
"""The hosts are as the file says, but a sign-in with the test account did not work."""
INTERRUPTED = 130


class OperateError(DeployError):
    """A verb cannot do what it was asked for; `status` is what the command ends with."""

    def __init__(self, what: str, *, remedy: str, status: int = FAILED) -> None:
        super().__init__(what, remedy=remedy)
        self.status = status

"""What the service is told of its hub, its cluster and its institution: a file of JSON.

It holds no secret but, perhaps, the password of a database: who else may read it is looked at.
"""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Annotated, Any, Literal

import sqlalchemy as sa
from pydantic import Field, StringConstraints, ValidationError

from slurmhub.courses.mail_settings import MailSettings
from slurmhub.courses.mistakes import mistakes
from slurmhub.courses.model import CourseModel
from slurmhub.courses.policy import Policy
from slurmhub.courses.service.place import ServiceUnusable
from slurmhub.courses.slurm.desired import ClusterSite


class ClusterSettings(CourseModel):
    """The cluster on which courses are; see `ClusterSite` for `own_qos` and `shared_qos`.

    `bin_dir` and `conf` are as the spawner's slurm_bin_dir and slurm_conf, empty: Slurm's own
    places. `account_prefix` and the name at the hub are somebody's Unix account.
    """

    bin_dir: Path | None = None
    conf: Path | None = None
    own_qos: bool = False
    shared_qos: str = ""
    account_prefix: Annotated[str, StringConstraints(pattern=r"^[a-z0-9_-]{0,32}$")] = ""

    def site(self, hub: str, policy: Policy) -> ClusterSite:
        """What the reconciler is told."""
        return ClusterSite(
            hub=hub,
            parent=policy.slurm_parent,
            own_qos=self.own_qos,
            shared_qos=self.shared_qos,
            early=policy.early,
        )


class FolderSettings(CourseModel):
    """How the program of root's is run that keeps the folders of courses, all its words.

    /usr/bin/sudo -n -- /usr/local/libexec/slurmhub/slurmhub-course-folders NAME, or by ssh.
    """

    command: Annotated[tuple[Annotated[str, Field(min_length=1)], ...], Field(min_length=1)]


class ServiceSettings(CourseModel):
    """Everything; without a cluster, courses are kept and nothing is made of them in Slurm."""

    version: Literal[1] = 1
    hub: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$")]
    """The hub's name, with which accounts and reservations are marked as its own."""
    database: Annotated[str, Field(min_length=1, max_length=1000)]
    """An SQLAlchemy URL: sqlite:////var/lib/slurmhub/courses.sqlite."""
    policy: Policy = Policy()
    cluster: ClusterSettings | None = None
    folders: FolderSettings | None = None
    """None: courses have no folders."""
    mail: MailSettings | None = None
    """None: reminders are on pages only."""
    language: Literal["en", "fr"] = "en"
    """Of the pages for who asks for none that there is."""
    secret_file: Path | None = None
    """Made at the first start; without, it is beside the database, which must be a file then."""
    token_file: Path | None = None
    """The service's token at the hub; without, it is in the environment as JupyterHub sets it."""


def read_settings(file: Path) -> ServiceSettings:
    """The settings in this file; raises ServiceUnusable, which names the file and the field."""
    try:
        with file.open() as opened:
            mode = stat.S_IMODE(file.stat().st_mode)
            data: Any = json.load(opened)
    except (OSError, ValueError) as error:
        raise ServiceUnusable(
            f"The settings in {file} cannot be read: {error}.",
            remedy="Name the file with the settings of the service, which is JSON.",
        ) from error
    try:
        settings = ServiceSettings.model_validate(data)
    except ValidationError as error:
        lines = "; ".join(one.line() for _, one in mistakes(error, ServiceSettings))
        raise ServiceUnusable(
            f"{file} has settings that cannot be: {lines}", remedy="Correct what is named here."
        ) from error
    try:
        password = sa.make_url(settings.database).password
    except sa.exc.ArgumentError as error:
        raise ServiceUnusable(
            f"{file}: database is no SQLAlchemy URL.",
            remedy="Write one such as sqlite:////var/lib/slurmhub/courses.sqlite.",
        ) from error
    if password and mode & 0o007:
        raise ServiceUnusable(
            f"{file} has the password of a database, and every account can read it.",
            remedy=f"Run 'chmod o= {file}', and set a new password.",
        )
    return settings

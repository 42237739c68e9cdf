"""Where a secret comes from: never the site file itself."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from slurmhub_deploy.site.base import SiteModel
from slurmhub_deploy.site.texts import Word


class SecretSource(SiteModel):
    """A command that prints the secret, or its name in the vault; one of the two."""

    from_command: tuple[Annotated[str, Field(min_length=1)], ...] = Field(
        default=(),
        description="A program and its arguments, run without a shell on the machine of whoever"
        " runs `slurmhub`, in the folder of the site file; its output, without a line end, is the"
        " secret.",
        examples=[["pass", "show", "hub/key"]],
    )
    vault: Word | None = Field(
        default=None, description="The secret's name in the vault.", examples=["ldap-bind"]
    )

    @model_validator(mode="after")
    def _one(self) -> SecretSource:
        if bool(self.from_command) == (self.vault is not None):
            raise ValueError("must have one of `from_command` and `vault`")
        return self

"""Checks of what the machine needs that sets the hosts up."""

from __future__ import annotations

import os
from collections.abc import Iterator

from slurmhub_deploy.site.checks.finding import Around, Said


def ssh_config_is_there(around: Around) -> Iterator[Said]:
    """Without it ssh would reach nothing, or by other ways than the file says."""
    config = around.site.ssh.config
    if config is not None and not os.access(around.folder / config, os.R_OK):
        yield Said(
            ("ssh", "config"),
            f"{config} is not there, or cannot be read",
            "Put the file beside the site file, in the form of ssh_config(5).",
        )


def vault_opens_from_outside(around: Around) -> Iterator[Said]:
    """The password of the vault cannot be in it."""
    password = around.site.vault.password
    if password is not None and password.vault is not None:
        yield Said(
            ("vault", "password"),
            "the vault's password cannot be in the vault",
            "Give it as `from_command`, or leave it out: then it is asked for.",
        )

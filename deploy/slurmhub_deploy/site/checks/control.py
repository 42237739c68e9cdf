"""Checks of what the machine needs that sets the hosts up."""

from __future__ import annotations

import os
from collections.abc import Iterator

from slurmhub_deploy.delivery.manifest import NoBundle, missing_files, other_locks
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


def bundle_is_there(around: Around) -> Iterator[Said]:
    """What is in its files, the run itself compares: that takes longer than a check may."""
    if around.site.bundle is None:
        return
    name = around.site.bundle
    folder = around.folder / name
    again = "Make one with this slurmhub on a machine with internet: slurmhub bundle."
    try:
        missing, others = missing_files(folder), other_locks(folder)
    except NoBundle as error:
        yield Said(("bundle",), f"no bundle is in {name}: {error.why}", again)
        return
    if missing:
        why = f"{name} lacks {' and '.join(missing)}"
        yield Said(("bundle",), why, "Copy the whole bundle again.")
    if others:
        why = f"{name} was made by another {' and '.join(others)} than this slurmhub has"
        yield Said(("bundle",), why, again)


def vault_opens_from_outside(around: Around) -> Iterator[Said]:
    """The password of the vault cannot be in it."""
    password = around.site.vault.password
    if password is not None and password.vault is not None:
        yield Said(
            ("vault", "password"),
            "the vault's password cannot be in the vault",
            "Give it as `from_command`, or leave it out: then it is asked for.",
        )

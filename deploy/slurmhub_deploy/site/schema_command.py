"""`slurmhub schema`: the JSON schema of site files."""

from __future__ import annotations

import typer

from slurmhub_deploy.site.schema import schema_text


def schema() -> None:
    """Print the JSON schema of site files, with which editors complete and check them.

    Save it beside the site file, and begin that with
    '# yaml-language-server: $schema=site.schema.json'.
    """
    typer.echo(schema_text(), nl=False)

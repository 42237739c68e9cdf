"""What verbs of courses have in common: their arguments, and how they write."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Annotated

import typer
from pydantic import BaseModel

from slurmhub_deploy.operate.errors import UNUSABLE, OperateError

Key = Annotated[str, typer.Argument(help="The course's key, such as phys101.")]
AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not show and ask first.")]


def show(found: BaseModel, lines: Iterable[str], *, as_json: bool) -> None:
    """The answer for programs, or its lines for people."""
    write([found.model_dump_json(indent=2)] if as_json else lines)


def write(lines: Iterable[str]) -> None:
    """Lines as they are, as far as this terminal can show them."""
    encoding = sys.stdout.encoding or "utf-8"
    for line in lines:
        typer.echo(line.encode(encoding, "backslashreplace").decode(encoding))


def agreed(question: str, otherwise: str) -> bool:
    """Whether whoever sits here says yes; raises OperateError where nobody can be asked."""
    if not sys.stdin.isatty():
        raise OperateError(
            "There is no terminal to ask whether this is to be done.",
            remedy=f"Run '{otherwise}' if you are sure.",
            status=UNUSABLE,
        )
    return typer.confirm(question)

"""`slurmhub init`: an example becomes the institution's own site file."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from slurmhub.yaml_text import NotReadable, read_document
from slurmhub_deploy.site.check_command import as_text
from slurmhub_deploy.site.errors import SiteError
from slurmhub_deploy.site.filling import filled, quoted
from slurmhub_deploy.site.load import read_site
from slurmhub_deploy.site.questions import Question, left_over, questions

EXAMPLES = Path(__file__).parent / "examples"
_USUAL = "teaching"

_NewFile = Annotated[
    Path, typer.Option("--site", envvar="SLURMHUB_SITE", help="The file to write.")
]
_Start = Annotated[
    str,
    typer.Option("--from", help="What to begin with: teaching, department, campus, federation."),
]
_AnswersFile = Annotated[
    Path | None,
    typer.Option(
        "--answers", help="YAML file of answers, a line each: 'institution.name: My University'."
    ),
]
_Set = Annotated[
    list[str] | None,
    typer.Option("--set", help="One answer: --set hubs.main.domain=hub.example.ca."),
]
_List = Annotated[
    bool, typer.Option("--questions", help="Print the questions as a file of answers; no more.")
]


def example_names() -> list[str]:
    """The examples that come with slurmhub."""
    return sorted(path.stem for path in EXAMPLES.glob("*.yml"))


def init(
    site: _NewFile = Path("site.yml"),
    start: _Start = _USUAL,
    answers: _AnswersFile = None,
    set_: _Set = None,
    list_questions: _List = False,
) -> None:
    """Write a commented site file: an example, and what only your institution knows.

    Asks for it, unless it is given by --answers or --set. What exists is never overwritten.
    """
    text = _example(start)
    asked = list(questions(read_document(text)))
    if list_questions:
        typer.echo(_as_answers(asked, start), nl=False)
        return
    if site.exists() or site.is_symlink():
        raise _exists(site)
    given = _given(answers, set_ or [])
    missing = [question for question in asked if question.key not in given]
    if missing and not sys.stdin.isatty():
        given |= _without_a_terminal(missing, given, start)
    else:
        _dialogue(missing, given, text, start)
    text = filled(text, given)
    loaded = read_site(text, str(site), folder=site.parent)
    _write(site, text)
    typer.echo(f"{site}: written")
    typer.echo(as_text(loaded, site))
    own = left_over(text)
    if own:
        typer.echo("These values are the example's own still:")
    for line, key, value in own:
        typer.echo(f"  {site}:{line}: {key}: {value}")
    typer.echo(
        "Read it through: hardware, limits and profiles are those of the example. Then run"
        f" 'slurmhub check --site {site}'."
    )
    raise typer.Exit(1 if loaded.errors else 0)


def _example(name: str) -> str:
    if name not in example_names():
        raise SiteError(
            f"There is no example {name!r}.",
            remedy=f"Give one of {', '.join(example_names())} after --from.",
        )
    return (EXAMPLES / f"{name}.yml").read_text(encoding="utf-8")


def _given(file: Path | None, options: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    if file is not None:
        try:
            data = read_document(file.read_text(encoding="utf-8")).data
        except (OSError, UnicodeDecodeError) as error:
            raise SiteError(
                f"The answers {file} cannot be read: {error}.", remedy="Name a file in UTF-8."
            ) from error
        except NotReadable as error:
            raise SiteError(
                f"{file}:{error.mark.line}: {error.reason}", remedy=error.remedy
            ) from error
        if not isinstance(data, dict) or any(isinstance(v, (dict, list)) for v in data.values()):
            raise SiteError(
                f"{file} is not a list of answers.",
                remedy="Write a line for each: the path of a value, a colon, and the value."
                " 'slurmhub init --questions' prints them.",
            )
        found = {str(key): _as_text(value) for key, value in data.items()}
    for option in options:
        key, equals, value = option.partition("=")
        if not equals:
            raise SiteError(
                f"--set {option} has no =.", remedy="Write it as --set institution.name='My name'."
            )
        found[key.strip()] = value.strip()
    return found


def _as_text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _without_a_terminal(
    missing: list[Question], given: dict[str, str], start: str
) -> dict[str, str]:
    """What follows from the answers that were given; raises SiteError if something does not."""
    derived = dict(given)
    for question in missing:
        likely = question.follows(derived)
        if likely is not None:
            derived[question.key] = likely
    lacking = [question for question in missing if question.key not in derived]
    if lacking:
        listed = "\n".join(f"  {each.key}: {each.words}" for each in lacking)
        raise SiteError(
            f"There is no terminal to ask on, and these answers are missing:\n{listed}",
            remedy=f"Give them with --answers or --set; 'slurmhub init --from {start} --questions'"
            " prints a file to fill in.",
        )
    return derived


def _dialogue(missing: list[Question], given: dict[str, str], text: str, start: str) -> None:
    """Ask, one after the other; what cannot be right is said at once and asked again."""
    if missing:
        typer.echo(
            f"The example '{start}' becomes your own. In brackets is what Enter answers; what is"
            " 'such as' is only an example. Ctrl-C ends this, and nothing is written.\n"
        )
    for question in missing:
        given[question.key] = _ask(question, given, _judge(question, given, text))


def _ask(question: Question, given: dict[str, str], wrong: Callable[[str], str | None]) -> str:
    likely = question.follows(given)
    hint = f"[{likely}]" if likely else f"such as {question.example}"
    while True:
        answer = str(typer.prompt(f"{question.words}, {hint}", default=likely or "",
                                  show_default=False)).strip()  # fmt: skip
        if not answer:
            continue
        reason = wrong(answer)
        if reason is None:
            return answer
        typer.echo(f"  {reason}")


def _judge(question: Question, given: dict[str, str], text: str) -> Callable[[str], str | None]:
    """What is wrong with an answer in its place, with the answers before it; None if nothing is."""

    def wrong(answer: str) -> str | None:
        try:
            tried = filled(text, {**given, question.key: answer})
        except SiteError as error:
            return f"{error.what} {error.remedy}"
        found = read_site(tried, "site.yml", folder=Path())
        here = [each for each in found.errors if each.path == question.key]
        return f"That {here[0].reason}. {here[0].remedy}" if here else None

    return wrong


def _as_answers(asked: list[Question], start: str) -> str:
    lines = [
        f"# Answers for 'slurmhub init --from {start} --answers FILE'. The values are examples."
    ]
    for question in asked:
        more = "" if question.likely is None else " It follows from others if you leave it out."
        lines += [f"# {question.words}.{more}", f"{question.key}: {quoted(question.example)}"]
    return "\n".join(lines) + "\n"


def _write(site: Path, text: str) -> None:
    try:
        # "x": what came there meanwhile stays as well.
        with site.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise _exists(site) from error
    except OSError as error:
        raise SiteError(
            f"{site} cannot be written: {error.strerror}.", remedy="Name another file with --site."
        ) from error


def _exists(site: Path) -> SiteError:
    return SiteError(
        f"{site} is there already, and stays as it is.",
        remedy="Name another file with --site, or move that one away.",
    )

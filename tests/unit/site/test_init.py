"""`slurmhub init`: in a terminal, without one, and where a file is already."""

from __future__ import annotations

import errno
import os
import pty
import select
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from slurmhub.yaml_text import read_document
from slurmhub_deploy.site.filling import filled, quoted
from slurmhub_deploy.site.init_command import EXAMPLES, example_names
from slurmhub_deploy.site.load import load_site
from slurmhub_deploy.site.questions import questions
from tests.unit.site.command import slurmhub

ANSWERS = {
    "institution.name": "Université de l'Île: nord",
    "institution.timezone": "America/Toronto",
    "institution.information_url": "https://hub.ile.ca/",
    "institution.privacy_url": "https://ile.ca/privacy",
    "institution.support.name": "Aide",
    "institution.support.mail": "aide@ile.ca",
    "hosts.hub.address": "198.51.100.7",
    "homes.main.devices[0]": "/dev/sdb",
    "hubs.main.domain": "hub.ile.ca",
    "hubs.main.sign_in.provider": "https://idp.ile.ca/idp",
    "hubs.main.sign_in.metadata[0].file": "/etc/slurmhub/idp.xml",
}


def answers_in(folder: Path, without: str = "") -> Path:
    path = folder / "answers.yml"
    lines = [f"{key}: {quoted(value)}" for key, value in ANSWERS.items() if key != without]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def init(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """The command with nothing to ask on."""
    return slurmhub("init", *arguments)


def test_a_file_of_answers_is_enough(tmp_path: Path) -> None:
    site = tmp_path / "site.yml"
    shown = init("--site", site, "--answers", answers_in(tmp_path))
    assert shown.returncode == 0, shown.stderr
    loaded = load_site(site)
    assert loaded.site is not None, loaded.problems
    assert loaded.site.institution.name == ANSWERS["institution.name"]
    hub = loaded.site.hubs["main"]
    assert hub.domain == "hub.ile.ca"
    # These follow from the others.
    assert hub.sign_in.entity_id == "https://hub.ile.ca/shibboleth"
    assert hub.title.en == hub.title.fr == ANSWERS["institution.name"]
    # Comments, and everything that was not asked, are the example's.
    example = (EXAMPLES / "teaching.yml").read_text().splitlines()
    written = site.read_text().splitlines()
    assert len(written) == len(example)
    different = [new for old, new in zip(example, written, strict=True) if old != new]
    assert len(different) == len(ANSWERS) + 3
    assert "example" not in shown.stdout.partition("written")[2].partition("Read it")[0]


def test_what_is_the_example_s_still_is_listed(tmp_path: Path) -> None:
    site = tmp_path / "site.yml"
    shown = init(
        "--site", site, "--answers", answers_in(tmp_path), "--set",
        "institution.privacy_url=https://www.example.ca/privacy",
    )  # fmt: skip
    assert "institution.privacy_url: https://www.example.ca/privacy" in shown.stdout


def test_without_a_terminal_what_is_missing_is_named_and_nothing_written(tmp_path: Path) -> None:
    site = tmp_path / "site.yml"
    given = answers_in(tmp_path, without="hubs.main.domain")
    shown = init("--site", site, "--answers", given)
    assert shown.returncode == 1
    assert "  hubs.main.domain: Domain of the hub main" in shown.stderr
    # It follows from the domain.
    assert "entity_id" in shown.stderr
    assert "institution.name" not in shown.stderr
    assert not site.exists()
    assert (
        init("--site", site, "--answers", given, "--set", "hubs.main.domain=h.ile.ca").returncode
        == 0
    )


def test_what_exists_stays(tmp_path: Path) -> None:
    site = tmp_path / "site.yml"
    link = tmp_path / "link.yml"
    site.write_text("mine\n")
    link.symlink_to(tmp_path / "nowhere")
    for path in (site, link):
        shown = init("--site", path, "--answers", answers_in(tmp_path))
        assert shown.returncode == 1
        assert "stays as it is" in shown.stderr
    assert site.read_text() == "mine\n"
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--from", "moon"], "There is no example 'moon'."),
        (["--set", "institution.name"], "has no ="),
        (["--set", "hubs.main.domian=x.ca"], "Did you mean hubs.main.domain?"),
        (["--set", "institution=x"], "has no value at institution"),
        (["--answers", "/nowhere.yml"], "cannot be read"),
        (["--set", "institution.name=a\nversion: 2"], "cannot be printed"),
        (["--set", "institution.name="], "is empty"),
    ],
)
def test_what_cannot_be_is_told(tmp_path: Path, arguments: list[str], words: str) -> None:
    site = tmp_path / "site.yml"
    more: list[str | Path] = [] if "--answers" in arguments else ["--answers", answers_in(tmp_path)]
    shown = init("--site", site, *arguments, *more)
    assert shown.returncode == 1
    assert words in shown.stderr
    assert "Traceback" not in shown.stderr
    assert not site.exists()


@pytest.mark.parametrize("text", ["- a\n", "a: {b: c}\n", "a: [\n", "institution:\n  name: x\n"])
def test_a_file_that_is_no_list_of_answers(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.yml").write_text(text)
    shown = init("--site", tmp_path / "site.yml", "--answers", tmp_path / "a.yml")
    assert shown.returncode == 1
    assert "What to do:" in shown.stderr
    assert "Traceback" not in shown.stderr


def test_an_answer_that_is_wrong_is_written_and_told(tmp_path: Path) -> None:
    """A program may correct the file; it is not lost."""
    site = tmp_path / "site.yml"
    given = answers_in(tmp_path)
    shown = init("--site", site, "--answers", given, "--set", "hosts.hub.address=here")
    assert shown.returncode == 1
    assert "hosts.hub.address: must be an IP address" in shown.stdout
    assert site.exists()


@pytest.mark.parametrize("name", example_names())
def test_its_questions_are_a_file_of_answers(tmp_path: Path, name: str) -> None:
    shown = slurmhub("init", "--from", name, "--questions")
    (tmp_path / "a.yml").write_text(shown.stdout, encoding="utf-8")
    site = tmp_path / "site.yml"
    done = init("--from", name, "--site", site, "--answers", tmp_path / "a.yml")
    assert done.returncode == 0, done.stderr
    assert (
        read_document(site.read_text()).data
        == read_document((EXAMPLES / f"{name}.yml").read_text()).data
    )


@pytest.mark.parametrize(
    "value",
    ["plain", "two words", "a: b", "a #b", "it's", '"', "\\", "- a", "{", "no", "12", "true",
     "null", "~", "é", "*a", "!x", "%x", "@x", "`x`", "a,b", "[a]", "8:00:00", "<<", "---", "...",
     "|", " a"],
)  # fmt: skip
def test_any_text_comes_back_as_it_was(value: str) -> None:
    assert read_document(
        f"a: {quoted(value)}\nb: [{quoted(value)}, {{c: {quoted(value)}}}]\n"
    ).data == {
        "a": value,
        "b": [value, {"c": value}],
    }
    example = (EXAMPLES / "campus.yml").read_text()
    text = filled(example, {"institution.name": value, "directory.uris[1]": value})
    data = read_document(text).data
    assert data["institution"]["name"] == data["directory"]["uris"][1] == value


def test_a_number_stays_a_number() -> None:
    example = (EXAMPLES / "department.yml").read_text()
    text = filled(example, {"clusters.main.nodes[0].cpus": "64"})
    assert read_document(text).data["clusters"]["main"]["nodes"][0]["cpus"] == 64


class Terminal:
    """The command in a terminal of its own, and somebody who reads and types there."""

    def __init__(self, *arguments: str) -> None:
        self._master, slave = pty.openpty()
        code = "from slurmhub_deploy.main import main; main()"
        self.process = subprocess.Popen(
            [sys.executable, "-c", code, "init", *arguments],
            stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
            env={**os.environ, "TERM": "dumb", "COLUMNS": "400"},
        )  # fmt: skip
        os.close(slave)
        self.seen = ""

    def until(self, words: str, seconds: float = 60) -> None:
        """Read until these words come after what was answered last."""
        limit = time.monotonic() + seconds
        while words not in self.seen:
            assert time.monotonic() < limit, f"no {words!r} in {self.seen!r}"
            if select.select([self._master], [], [], 0.5)[0]:
                self.seen += self._read()

    def answer(self, question: str, text: str) -> None:
        """Wait for the question and type."""
        self.until(question)
        self.seen = ""
        os.write(self._master, text.encode() + b"\n")

    def ends(self) -> int:
        """Its status, after all that it said."""
        while self.process.poll() is None or select.select([self._master], [], [], 0)[0]:
            more = self._read()
            if not more:
                break
            self.seen += more
        return self.process.wait(30)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._master)

    def _read(self) -> str:
        try:
            return os.read(self._master, 65536).decode(errors="replace")
        except OSError as error:
            # What Linux says when the other side is closed.
            if error.errno != errno.EIO:
                raise
            return ""


def test_a_dialogue_asks_says_what_is_wrong_and_asks_again(tmp_path: Path) -> None:
    site = tmp_path / "site.yml"
    terminal = Terminal("--site", str(site))
    try:
        text = (EXAMPLES / "teaching.yml").read_text()
        for question in questions(read_document(text)):
            if question.key == "hubs.main.domain":
                terminal.answer(question.words, "Hub.Ile.ca")
                terminal.until("must be a host name in lower case")
            if question.key == "institution.timezone":
                terminal.answer(question.words, "")
            # What follows from other answers is taken with Enter.
            terminal.answer(question.words, ANSWERS.get(question.key, ""))
        assert terminal.ends() == 0, terminal.seen
    finally:
        terminal.close()
    loaded = load_site(site)
    assert loaded.site is not None, loaded.problems
    assert loaded.site.hubs["main"].domain == "hub.ile.ca"
    assert loaded.site.hubs["main"].sign_in.entity_id == "https://hub.ile.ca/shibboleth"
    assert stat.S_IMODE(site.stat().st_mode) & stat.S_IWOTH == 0


def test_a_dialogue_that_is_broken_off_writes_nothing(tmp_path: Path) -> None:
    site = tmp_path / "site.yml"
    terminal = Terminal("--site", str(site))
    try:
        terminal.answer("Name of the institution", "Ile")
        terminal.until("Time zone")
        os.write(terminal._master, b"\x04")
        assert terminal.ends() == 1
    finally:
        terminal.close()
    assert "Traceback" not in terminal.seen
    assert list(tmp_path.iterdir()) == []

"""Names of files in addresses, forms and headers, and the bounds of what is done with files."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slurmhub.files import names
from slurmhub.files.folder import EACH, PIECE, Files, FilesUnreachable
from slurmhub.files.names import NameInvalid, disposition, name_of, path_of, shown, written
from slurmhub.files.sending import NotOpened, pieces, sending
from slurmhub.hub.files import size_plain
from slurmhub.job.crossing import SubmissionRefused
from slurmhub.slurm.command import Account

ALICE = Account("alice", 1000, 1000, (1000,))
PART = st.binary(min_size=1, max_size=40).filter(
    lambda part: part not in (b".", b"..") and b"/" not in part and b"\0" not in part
)


@given(st.lists(PART, max_size=5))
def test_every_path_comes_back_from_a_form(parts: list[bytes]) -> None:
    path = b"/".join(parts)
    assert written(path).isascii()
    assert path_of(written(path)) == path


@pytest.mark.parametrize(
    "text", ["..", "a/../b", "/etc", "a//b", "a/", ".", "%2e%2e", "%2Fetc", "a%00b", "x" * 256]
)
def test_paths_that_lead_elsewhere_are_refused(text: str) -> None:
    with pytest.raises(NameInvalid):
        path_of(text)


@given(st.binary(max_size=60))
def test_a_header_stays_one_header(name: bytes) -> None:
    header = disposition(name)
    assert header.isascii()
    assert header.isprintable()
    quoted = header.partition('filename="')[2].rpartition('"; filename*=')[0]
    assert '"' not in quoted
    assert "\\" not in quoted


@given(st.binary(max_size=60))
def test_a_name_is_shown_on_one_line(name: bytes) -> None:
    assert shown(name).isprintable()


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("a.txt", b"a.txt"),
        ("C:\\x\\b.txt", b"b.txt"),
        ("/etc/passwd", b"passwd"),
        ("é", b"\xc3\xa9"),
    ],
)
def test_names_of_uploads(sent: str, kept: bytes) -> None:
    assert name_of(sent) == kept


@pytest.mark.parametrize("sent", ["", "..", "a/", "a\nb", "é" * 200, "\ud800" * 300])
def test_names_that_cannot_be_taken_in(sent: str) -> None:
    with pytest.raises(NameInvalid):
        name_of(sent)
    assert names.LONGEST_NAME == 255


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1000, "1 kB"),
        (2_549_999, "2.5 MB"),
        (10**16, "10000 TB"),
    ],
)
def test_sizes(size: int, words: str) -> None:
    assert size_plain(size) == words


class FakeCrossing:
    """Stands where the helper is run."""

    def __init__(self, program: Path | None = None, *, kind: str = "") -> None:
        self.asked: list[dict[str, Any]] = []
        self._program = program
        self._kind = kind

    async def about_files(self, account: Account, request: dict[str, Any]) -> dict[str, Any]:
        self.asked.append(request)
        if self._kind:
            raise SubmissionRefused(self._kind, "Something else")
        return {"ok": True}

    def command(self, account: Account) -> tuple[list[str], None]:
        return ["/bin/sh", str(self._program)], None


def program(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "helper"
    path.write_text(f"cat >/dev/null\n{text}")
    return path


async def test_an_upload_goes_piece_by_piece() -> None:
    crossing = FakeCrossing()
    await Files(crossing).write(ALICE, b"x", b"1" * (2 * PIECE + 1))  # type: ignore[arg-type]
    assert [request["offset"] for request in crossing.asked] == [0, PIECE, 2 * PIECE]
    await Files(crossing).write(ALICE, b"empty", b"")  # type: ignore[arg-type]
    assert crossing.asked[-1]["data"] == ""


async def test_trouble_has_words_and_a_remedy() -> None:
    for kind in ("full", "denied", "no-file", "something-new"):
        files = Files(FakeCrossing(kind=kind))  # type: ignore[arg-type]
        with pytest.raises(FilesUnreachable) as trouble:
            await files.delete(ALICE, b"x")
        assert trouble.value.kind == kind
        assert trouble.value.remedy


async def test_one_person_has_a_few_places_and_gets_them_back(tmp_path: Path) -> None:
    helper = program(tmp_path, """echo '{"ok": true, "size": 3}'; printf abc; exec sleep 60""")
    files = Files(FakeCrossing(helper))  # type: ignore[arg-type]
    async with files.read(ALICE, b"a", 9) as (size, first), files.read(ALICE, b"b", 9):
        assert EACH == 2
        with pytest.raises(FilesUnreachable) as busy:
            await files.delete(ALICE, b"x")
        assert busy.value.kind == "busy"
        assert (size, [piece async for piece in first]) == (3, [b"abc"])
    assert files._under_way == {}


async def test_a_helper_that_says_nonsense_is_no_file(tmp_path: Path) -> None:
    for text in ("echo nonsense", "true", "echo '[]'", "head -c 200000 /dev/zero"):
        argv = ["/bin/sh", str(program(tmp_path, text))]
        with pytest.raises(NotOpened):
            async with sending(argv, {}, None):
                pass
    with pytest.raises(NotOpened):
        async with sending(["/nowhere"], {}, None):
            pass


async def test_a_file_that_became_shorter_ends_early(tmp_path: Path) -> None:
    argv = ["/bin/sh", str(program(tmp_path, """echo '{"ok": true, "size": 9}'; printf abc"""))]
    async with sending(argv, {}, None) as (answer, reader):
        found: AsyncIterator[bytes] = pieces(reader, answer["size"])
        assert b"".join([piece async for piece in found]) == b"abc"

"""What is said of a file, of a student and of a code is said in the reader's language."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from slurmhub.courses.roster.codes import REFUSALS, CodeRefused
from slurmhub.courses.roster.facts import Identifiers, PersonFacts
from slurmhub.courses.roster.matching import match
from slurmhub.courses.roster.preview import OnRoster, preview
from slurmhub.courses.roster.reading import Row, read_roster
from slurmhub.courses.roster.remarks import RosterUnreadable
from slurmhub.language import spoken, told
from tests.rig.registrar import FRENCH, registrars_file
from tests.unit.courses.roster.test_roster_matching import Hub


def of_reading() -> Iterator[str]:
    for encoding in ("cp1252", "utf-16"):
        found = read_roster(registrars_file(FRENCH, ";", encoding).data)
        yield from (remark.message for remark in found.remarks)


def of_matching() -> Iterator[str]:
    hub = Hub(
        PersonFacts("alice", "a@x.ca", login="alice", number="00111111"),
        PersonFacts("bob", "a@x.ca", login="bob"),
        PersonFacts("carol", login="carol"),
        left=["carol"],
    )
    for sent in (
        {"login": "alice", "number": "222222"},
        {"mail": "a@x.ca"},
        {"login": "carol"},
        {"number": "111111"},
        {"login": "dave"},
    ):
        rows = [Row(2, "A b", Identifiers(**sent)), Row(3, "A b", Identifiers(mail="z@x.ca"))]
        members = [
            OnRoster("m1", "Student 1", Identifiers(login="s1"), "s1"),
            OnRoster("m2", "Student 2", Identifiers(mail="z@x.ca")),
        ]
        found = match(rows, hub)
        for one in found:
            yield from filter(None, (one.reason, *one.notes))
        seen = preview("c", members, found, grace_hours=24, running=["s1"], unread=1)
        yield from seen.warnings
        yield from (words for line in seen.lines for words in line.words)


def of_refusals() -> Iterator[str]:
    for why in REFUSALS:
        refused = CodeRefused(why)
        yield from (refused.what, refused.remedy)
    for data in (b"", b"PK\x03\x04", b"Name,Shoe size\nA b,3\n", b"Email\n", b"\n" * 30_000 + b"a"):
        with pytest.raises(RosterUnreadable) as unreadable:
            read_roster(data)
        yield from (unreadable.value.what, unreadable.value.remedy)


def test_every_sentence_is_said_in_french() -> None:
    sentences = {*of_reading(), *of_matching(), *of_refusals()}
    assert len(sentences) > 40
    with spoken("fr"):
        english = [one for one in sorted(sentences) if told(one) == one]
        assert english == []
        said = {told(one) for one in sentences}
    assert not [one for one in said if " line" in one or "student" in one.replace("étudiant", "")]


def test_names_and_amounts_stand_in_the_sentence() -> None:
    with spoken("fr"):
        assert (
            told("Has a server that runs: it keeps running for at most 24 hours more.")
            == "A un serveur en marche\u00a0: il reste en marche encore 24\u00a0heures au plus."
        )
        assert told("alice has this mail address, and another student number.") == (
            "Ceci est à alice\u00a0: adresse de courriel. Mais ceci diffère\u00a0: numéro "
            "d\u2019étudiant."
        )
        assert told(
            "Another student, in line 3, has the same mail address; it tells neither of "
            "them, and is not used."
        ).startswith("À la ligne 3, une autre personne")

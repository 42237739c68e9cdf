"""The courses service beside a real hub: who comes in, as whom, and who does not."""

from __future__ import annotations

import requests

from slurmhub.courses.rights import Person
from tests.rig.courses_service import PREFIX, ServiceUnderTest
from tests.unit.courses.world import course

ALICE = Person("alice", frozenset({"instructors"}))


def test_somebody_signs_in_and_sees_their_courses(service: ServiceUnderTest) -> None:
    service.courses().create(ALICE, course("phys101", title="Waves & optics"))
    alice = service.visitor("alice")
    answer = alice.page()
    assert answer.status_code == 200
    assert [each.status_code for each in answer.history] == [302, 302, 302]
    assert "Waves &amp; optics" in answer.text
    assert f'action="{PREFIX}language"' in answer.text
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    again = alice.page()
    assert not again.history
    bob = service.visitor("bob")
    assert "Waves" not in bob.page().text


def test_pages_are_in_the_readers_language(service: ServiceUnderTest) -> None:
    alice = service.visitor("alice")
    assert '<html lang="fr"' in alice.page(headers={"Accept-Language": "fr"}).text
    chosen = alice.send("language", {"language": "fr"})
    assert chosen.status_code == 200
    assert '<html lang="fr"' in alice.page().text
    assert '<html lang="fr"' in alice.get("/hub/home").text
    assert alice.send("language", {"language": "xx"}).status_code == 400


def test_a_form_from_another_site_does_nothing(service: ServiceUnderTest) -> None:
    alice = service.visitor("alice")
    alice.page()
    for data in ({}, {"_xsrf": "made-up"}, {"_xsrf": alice.xsrf}):
        answer = alice.session.post(
            f"{service.url}/language", data={"language": "fr", **data}, timeout=30
        )
        assert answer.status_code == 403, data
        assert "Nothing was done" in answer.text
    assert '<html lang="fr"' not in alice.page().text


def test_there_is_a_page_for_what_is_not_there(service: ServiceUnderTest) -> None:
    answer = requests.get(f"{service.url}/nothing/here", timeout=30)
    assert answer.status_code == 404
    assert "There is no such page." in answer.text


def test_who_signs_out_at_the_hub_is_out_here(service: ServiceUnderTest) -> None:
    bob = service.visitor("bob")
    assert bob.page().status_code == 200
    bob.get("/hub/logout")
    assert "/hub/login" in bob.page().url

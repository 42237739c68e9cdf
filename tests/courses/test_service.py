"""The courses service beside a real hub: who comes in, as whom, and who does not."""

from __future__ import annotations

import requests

from slurmhub.courses.rights import Person
from tests.rig.courses_service import PREFIX, PROMETHEUS, ServiceUnderTest
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


def test_prometheus_sees_no_names(service: ServiceUnderTest) -> None:
    url = f"{service.url}/metrics"
    service.courses().create(ALICE, course("secret-key"))
    alice = service.visitor("alice")
    alice.page()
    alice.page("api/courses/secret-key")
    for token, status in (
        ("", 401),
        ("made-up", 401),
        (alice.token("access:services!service=courses"), 403),
        (PROMETHEUS, 200),
    ):
        answer = requests.get(url, headers={"Authorization": f"Bearer {token}"}, timeout=30)
        assert answer.status_code == status, answer.text
    assert 'slurmhub_courses_requests_total{status="200",what="getCourse"}' in answer.text
    assert "slurmhub_courses_loop_last_success_timestamp_seconds" in answer.text
    for name in ("alice", "secret-key"):
        assert name not in answer.text
    # The token of Prometheus is for that alone.
    me = requests.get(
        f"{service.url}/api/me", headers={"Authorization": f"Bearer {PROMETHEUS}"}, timeout=30
    )
    assert me.status_code == 403


def test_what_a_health_check_is_told(service: ServiceUnderTest) -> None:
    assert requests.get(f"{service.url}/health", timeout=30).status_code == 200

"""A second hub beside the first, on a host of its own, and how it is taken away again."""

from __future__ import annotations

from tests.lab.whole.institution import HUB, SECOND, Institution
from tests.lab.whole.operator import Operator
from tests.lab.whole.student import Enter, Student

HOST = "hub2"
UNITS = ("slurmhub-main.service", "slurmhub-main-proxy.service", "shibd.service", "apache2.service")


def test_a_second_hub_does_not_touch_the_first(
    enter: Enter, up: Operator, whole: Institution
) -> None:
    alice = enter("alice")
    alice.start("Notebook")
    number = alice.computes("import os; thought = 'first'; print(os.getuid())")
    page, before = _offer(alice), [whole.started("hub", unit) for unit in UNITS]
    address = whole.add(HOST)
    whole.tell_names({SECOND: HOST})
    site = up.changed_site(_with_second(up, address))
    try:
        said = up.run("up", "--yes", "--no-smoke", site=site)
        assert [whole.started("hub", unit) for unit in UNITS] == before, said
        assert whole.register() == 2
        up.run("smoke", site=site)
        there = enter("alice", SECOND)
        there.start("Notebook")
        # Of another institution, for all that the second hub knows: an account of its own.
        assert there.computes("import os; print(os.getuid())") != number
        assert _offer(alice) == page
        assert alice.computes("print(thought)") == "first"

        there.stop()
        up.run("down", "--yes", "--hub", "second", site=site)
        assert [whole.started("hub", unit) for unit in UNITS] == before
        assert _offer(alice) == page
    finally:
        whole.remove(HOST)


def _offer(student: Student) -> str:
    """What the hub offers somebody, as they read it in another tab."""
    tab = student.another_tab().page
    tab.goto("/hub/spawn")
    text = tab.locator("body").inner_text()
    tab.close()
    return text


def _with_second(up: Operator, address: str) -> dict[str, str]:
    """The first hub's lines once more, for another name and host."""
    text = up.site_text()
    block = text[
        text.index("hubs:\n  main:\n") + len("hubs:\n  main:\n") : text.index("\nmonitoring:")
    ]
    block = block.replace(HUB, SECOND).replace("host: hub\n", f"host: {HOST}\n")
    return {
        "  monitor: {address:": f"  {HOST}: {{address: {address}}}\n  monitor: {{address:",
        "\nmonitoring:": f"  second:\n{block}\nmonitoring:",
    }

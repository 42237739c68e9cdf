"""Every way a server fails to start or dies that we know how to cause: its page, in a browser.

Each way is caused on a real cluster with accounting, and its page must say what happened and what
to do, in words for a student.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.axe import Axe
from tests.browser.conftest import GuestMaker
from tests.browser.guest import Guest
from tests.browser.test_looks import LOOKS, fits, put_on
from tests.rig import queue
from tests.rig.accounts import account
from tests.rig.endings_site import Site, running_site
from tests.rig.hub import HubUnderTest, Visitor, until

Cause = Callable[[Site, Visitor], None]

# No page for a student has these words, except where it quotes a log or Slurm.
JARGON = re.compile(
    r"\bNone\b|\bnull\b|undefined|Traceback|Exception|HTTP|\b[45]\d\d\b|[{}<>]|\(\)"
)


@dataclass(frozen=True)
class Way:
    """One way to end: `settings` of its server, a `cause`, and what the page must say.

    `says` is in what happened, `do` in what to do, `shown` in the end of the log or Slurm's words.
    `hint` is the button that asks for more: its words, the field it fills in, and with what.
    `early` is done before all tests, for what takes Slurm half a minute to notice.
    """

    name: str
    says: str
    do: str
    heading: str = "Your server did not start"
    settings: tuple[tuple[str, Any], ...] = ()
    cause: Cause | None = None
    shown: str = ""
    hint: tuple[str, str, str] | None = None
    early: Cause | None = None


def way(name: str, says: str, do: str, heading: str = "", **more: Any) -> Way:
    known = {name: more.pop(name) for name in ("cause", "shown", "hint", "early") if name in more}
    heading = f"Your server {heading or 'did not start'}"
    return Way(name, says, do, heading, tuple(more.items()), **known)


def shell(line: str) -> list[str]:
    return ["/bin/sh", "-c", line]


def python(line: str) -> list[str]:
    return ["/usr/bin/python3", "-c", line]


# Causes


def begin(who: Visitor, server: str = "", **options: Any) -> None:
    options = {"partition": "cpu", "cpus": 1, "memory": "1", "hours": 1} | options
    answer = who.start(server, **options)
    assert answer.status_code in (201, 202, 424), answer.text


def ready(who: Visitor, **options: Any) -> int:
    begin(who, **options)
    return int(who.wait_ready()["job_id"])


def queued(who: Visitor, **options: Any) -> int:
    begin(who, **options)
    until(lambda: who.status().get("job_id"), what="a job")
    return int(who.status()["job_id"])


def start(site: Site, who: Visitor) -> None:
    begin(who)


def in_closed_partition(site: Site, who: Visitor) -> None:
    site.cluster.run("scontrol", "update", "PartitionName=closing", "State=DRAIN")
    begin(who, partition="closing")


def without_sbatch(site: Site, who: Visitor) -> None:
    link = site.programs / "sbatch"
    target = link.readlink()
    link.unlink()
    try:
        begin(who)
        who.wait_for("ended")
    finally:
        link.symlink_to(target)


def without_munge(site: Site, who: Visitor) -> None:
    site.cluster.munge_stop()
    try:
        begin(who)
        who.wait_for("ended")
    finally:
        site.cluster.munge_start()


def cancelled_in_queue_by_admin(site: Site, who: Visitor) -> None:
    queued(who)
    admin = site.hub.visitor("admin")
    admin.post(f"/hub/slurmhub/cancel/{who.name}", {})


def scancelled_in_queue(site: Site, who: Visitor) -> None:
    site.cluster.run("scancel", str(queued(who)))
    until(lambda: "administrators" in who.status()["message"], what="the accounting's word")


def scancelled_by_oneself(site: Site, who: Visitor) -> None:
    job = ready(who)
    as_alice(site, "scancel", str(job))
    until(lambda: "yourself" in who.status()["message"], what="the accounting's word")


def altered(site: Site, who: Visitor) -> None:
    job = queued(who)
    as_alice(site, "scontrol", "update", f"JobId={job}", "NumCPUs=6")
    site.cluster.run("scontrol", "release", str(job))


def runs_out(site: Site, who: Visitor) -> None:
    site.cluster.run("scontrol", "update", f"JobId={ready(who)}", "EndTime=now")


def has_deadline(site: Site, who: Visitor) -> None:
    # Its only node takes no jobs, and the minute it asks for does not fit before the deadline soon.
    site.cluster.run("scontrol", "update", "NodeName=g1", "State=DRAIN", "Reason=cleaning")
    queued(who, partition="gpu", hours="1:00")


def wait(site: Site, who: Visitor) -> None:
    who.wait_for("ended")


def node_dies(site: Site, who: Visitor) -> None:
    ready(who)
    node = str(who.status()["node"])
    site.cluster.run("scontrol", "update", f"NodeName={node}", "State=DOWN", "Reason=burnt")
    try:
        who.wait_for("ended")
    finally:
        resume = ("scontrol", "update", f"NodeName={node}", "State=RESUME")
        site.cluster.run(*resume, check=False)
        until(lambda: site.cluster.node_states()[node] in ("idle", "mix"), what="the node")


def preempted(site: Site, who: Visitor) -> None:
    ready(who)
    as_alice(
        site,
        *("sbatch", "--partition=urgent", "--exclusive", "--nodes=2", "--time=5"),
        *("--output=/dev/null", "--chdir=/", "--wrap=sleep 60"),
    )
    who.wait_for("ended")
    queue.clear(site.cluster)


def dies_later(site: Site, who: Visitor) -> None:
    ready(who)
    who.wait_for("ended")


def stopped_by_oneself(site: Site, who: Visitor) -> None:
    ready(who)
    who.stop()


def stopped_by_admin(site: Site, who: Visitor) -> None:
    ready(who)
    site.hub.visitor("admin").api("DELETE", f"/users/{who.name}/server")


def as_alice(site: Site, *argv: str) -> None:
    subprocess.run(
        [str(site.cluster.bin_dir / argv[0]), *argv[1:]],
        env=site.cluster.env(),
        user=account("alice"),
        group=account("alice"),
        extra_groups=[],
        check=True,
        cwd="/",
        capture_output=True,
    )


EAT = "x = []\nwhile True: x.append(bytearray(50_000_000)); import time; time.sleep(.1)"
WAYS = [
    # Slurm, the hub or the home say no
    way("feature", "No computer of the cluster", "another partition", constraint="no-feature"),
    way("account", "Your account may not submit jobs", "support", slurm_account="nobody"),
    way("qos", "The QOS is not valid for you", "support", qos="nonsense"),
    way("reservation", "The reservation does not exist, is over", "without the reservation",
        reservation="nowhere"),
    way("full-qos", "have as many jobs", "Wait until other jobs", qos="closed"),
    way("wall", "more time than the QOS allows", "fewer hours", qos="short"),
    way("closing", "The partition is closed", "another partition", cause=in_closed_partition),
    way("lua", "own rules do not allow", "support", job_name="unwanted", shown="says the dean"),
    way("option", "job script", "support", directives=["--nonsense=1"]),
    way("licence", "licences", "support", directives=["--licenses=matlab:1"]),
    way("sbatch", "cannot run Slurm's commands", "support", cause=without_sbatch),
    way("munge", "munge", "again in a few minutes", cause=without_munge),
    way("homeless", "home folder does not exist", "support"),
    way("locked", "home folder is closed", "support"),
    way("inodes", "no room left in your home folder", "Delete"),
    way("system", "may not start servers for your account", "support"),
    way("nobody", "There is no account", "support"),
    # It dies before it is ready
    way("dies", "(exit code 3)", "log", cmd=shell("echo no licence; exit 3"), shown="no licence"),
    way("crash", "crashed (signal SIGSEGV)", "support", cmd=shell("kill -SEGV $$")),
    way("killed", "was killed", "with more", cmd=shell("kill -KILL $$")),
    way("done", "before it was ready", "support", cmd=shell("exit 0")),
    way("missing", "/no/such/server, is not on", "support", cmd=["/no/such/server"]),
    way("data", "/etc/passwd, may not be run", "support", cmd=["/etc/passwd"]),
    way("prologue", "preparations", "support", prologue="exit 7"),
    way("interpreter", "before its server", "support", shell=["/no/such/bash"]),  # noqa: S604
    way("python", "program that starts this server", "support", launcher_python="no-python"),
    way("module", "software module matlab/2030", "support", modules=["matlab/2030"]),
    way("deaf", "not ready in time", "support", cmd=shell("sleep 60"), launch_timeout=3),
    way("unreachable", "did not answer the hub", "once more",
        environment={"STUB_BEHAVIOUR": "elsewhere"}, http_timeout=2),
    way("crowded", "no room left", "Delete", cmd=python("open('big','w').write('x'*9**6)")),
    way("quota", "used up", "Delete",
        cmd=python("raise OSError(122, 'Disk quota exceeded', '/home/alice/notes')")),
    way("package", "did not find the package numpie", "pip", cmd=python("import numpie")),
    way("right", "may not use /root/x", "right", cmd=python("open('/root/x', 'w')")),
    way("eats", "using more memory than it had", "more memory", cmd=python(EAT),
        hint=("Start with 2 GB of memory", "memory", "2")),
    # In the queue
    way("admin-cancels", "admin, who looks after this hub, stopped", "Ask admin", "was stopped",
        directives=["--hold"], cause=cancelled_in_queue_by_admin),
    way("scancel", "administrators of the cluster", "ask your support", directives=["--hold"],
        cause=scancelled_in_queue),
    way("patience", "waited in the queue for longer", "Ask for less", directives=["--hold"],
        queue_timeout=2),
    way("altered", "changed after the hub asked", "choose what you need", directives=["--hold"],
        cause=altered),
    # While it is used
    way("deadline", "before its deadline", "fewer hours", directives=["--deadline=now+65"],
        early=has_deadline, cause=wait),
    way("time", "reached its time limit", "more hours", "has ended", early=runs_out, cause=wait,
        hint=("Start with 2 hours", "hours", "2")),
    way("node", "failed", "not your doing", "has ended", cause=node_dies,
        directives=["--no-requeue"]),
    way("preempted", "more urgent", "start it again", "has ended", cause=preempted,
        directives=["--no-requeue"]),
    way("later", "(exit code 5)", "log", "has ended", cause=dies_later,
        environment={"STUB_DIES_AFTER": "4"}, shown="the stub has had enough"),
    way("scancel-self", "cancelled this job yourself", "start it again", "has ended",
        cause=scancelled_by_oneself),
    way("stops", "You stopped this server", "start it again", "was stopped",
        cause=stopped_by_oneself),
    way("admin-stops", "admin, who looks after this hub, stopped", "Ask admin", "was stopped",
        cause=stopped_by_admin),
]  # fmt: skip


@pytest.fixture(scope="module")
def site(
    ground: Path, accounts: dict[str, str], stub: Path, code: Path, proxy_command: list[str]
) -> Iterator[Site]:
    """The cluster and the hub on which all of this happens."""
    kinds = {each.name: dict(each.settings) for each in WAYS}
    kinds["held"] = {"directives": ["--hold"]}
    with running_site(ground, stub, code, proxy_command, kinds) as running:
        for each in WAYS:
            if each.early is not None:
                each.early(running, running.hub.visitor(f"alice-{each.name}"))
        yield running


@pytest.fixture
def hub(site: Site) -> HubUnderTest:
    """The hub of that site, for the guests."""
    return site.hub


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
def test_the_page_of_an_end(
    way: Way, site: Site, guest: GuestMaker, axe: Axe, album: Path | None
) -> None:
    # Without motion colours change at once, and the checker sees none that is half-way.
    alice = guest(f"alice-{way.name}", reduced_motion="reduce")
    (way.cause or start)(site, site.hub.visitor(alice.name))
    alice.visit(alice.path("spawn-pending"))
    expect(alice.start_again).to_be_visible(timeout=30_000)
    keep_text(album, way.name, alice)
    expect(alice.page.get_by_role("heading", level=1)).to_have_text(way.heading)
    expect(alice.news).to_contain_text(way.says)
    # In one shape, with a job and without.
    expect(alice.page.get_by_role("heading", name="What you can do")).to_be_visible()
    advice = alice.page.locator("#slurmhub-remedy")
    expect(advice).to_contain_text(way.do)
    if way.shown:
        expect(alice.page.locator("#slurmhub-log")).to_contain_text(way.shown)
    words = " ".join([alice.news.inner_text(), advice.inner_text()])
    assert not JARGON.search(words), words
    if way.hint:
        for look in LOOKS:
            put_on(alice, look)
            assert not axe.grave(alice.page), look.name
            assert fits(alice), look.name
        alice.picture(f"phone-ended-{way.name}")
        button, field, value = way.hint
        alice.page.get_by_role("button", name=button).click()
        alice.expect_form()
        expect(alice.field(field)).to_have_value(value)
    elif way.name == "inodes":
        expect(alice.page.get_by_role("button", name="Look through my files")).to_be_visible()
    else:
        expect(alice.start_again).to_have_attribute("href", re.compile("^/hub/spawn/"))


def test_an_end_is_told_after_the_hub_itself_has_been_away(site: Site, guest: GuestMaker) -> None:
    alice = guest("alice-later")
    who = site.hub.visitor(alice.name)
    for server in ("", "lab"):
        begin(who, server)
        who.wait_ready(server)
        who.wait_for("ended", server)
    site.hub.restart()
    for server, heading in (("", "Your server has ended"), ("lab/", "Your server “lab” has ended")):
        alice.visit(f"/user/{alice.name}/{server}tree/notes.ipynb")
        expect(alice.page.get_by_role("heading", level=1)).to_have_text(heading)
        expect(alice.news).to_contain_text("(exit code 5)")
        expect(alice.page.locator("#slurmhub-when")).to_contain_text("after it had run for")
    # It is kept until the next start, and one click leads there.
    alice.start_again.click()
    alice.expect_form()
    last = who.status("lab")["job_id"]
    alice.press_start()
    until(lambda: who.status("lab")["job_id"] not in (None, last), what="a new job")


@pytest.mark.parametrize(
    ("name", "change", "says"),
    [
        ("held", ("hold",), "held until"),
        ("requeuehold", ("requeuehold",), "held"),
        ("special", ("requeuehold", "State=SpecialExit"), "held"),
    ],
)
def test_the_page_of_a_job_that_only_waits(
    site: Site, guest: GuestMaker, album: Path | None, name: str, change: tuple[str, ...], says: str
) -> None:
    alice = guest(f"alice-{name}")
    who = site.hub.visitor(alice.name)
    job = queued(who) if name == "held" else ready(who)
    site.cluster.run("scontrol", *change, str(job))
    who.wait_for("queued")
    alice.visit(alice.path("spawn-pending"))
    expect(alice.news).to_contain_text(says, timeout=30_000)
    keep_text(album, name, alice)
    expect(alice.news).to_contain_text("support")
    alice.press_cancel()
    alice.until_ended("You stopped this server.")


def keep_text(album: Path | None, name: str, alice: Guest) -> None:
    """Keep what a page says, where pictures are kept: every page is to be read and judged."""
    if album is not None:
        (album / f"ending-{name}.txt").write_text(alice.page.locator("main").inner_text())

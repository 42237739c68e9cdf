"""A home that is full, and a file that was deleted: how people of the site help themselves."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.lab.whole.institution import Institution
from tests.lab.whole.student import Enter

# Of 512 MiB; more than fits, so that the last write is refused.
_FILL = """
import errno, os
said = "there was room"
try:
    with open("results.dat", "wb") as file:
        for _ in range(600): file.write(os.urandom(1 << 20)); file.flush(); os.fsync(file.fileno())
except OSError as error:
    said = errno.errorcode[error.errno]
print(said)
"""


def in_one_line(code: str) -> str:
    """As a cell can be given, in which the editor would indent lines once more."""
    return f"exec({code!r})"


def test_somebody_over_quota_gets_in_and_frees_space(enter: Enter) -> None:
    bob = enter("bob")
    bob.start("Notebook")
    assert bob.computes(in_one_line(_FILL)) == "EDQUOT"
    bob.stop()

    # A job has to write in the home before it can answer: the page says why, and where to go.
    bob.asks_for("Notebook")
    expect(bob.page.get_by_role("heading", level=1)).to_have_text("Your server did not start")
    expect(bob.page.get_by_text("You have used up the space").first).to_be_visible()
    bob.page.get_by_role("button", name="Look through my files").click()
    bob.page.get_by_role("link", name="Delete results.dat").click()
    bob.page.get_by_role("button", name="Delete").click()
    expect(bob.page.locator("#slurmhub-files")).not_to_contain_text("results.dat")
    bob.start("Notebook")
    assert bob.computes("print(open('notes.txt', 'w').write('x' * 1_000_000))") == "1000000"


def test_a_deleted_file_comes_back_from_a_snapshot(enter: Enter, whole: Institution) -> None:
    alice = enter("alice")
    alice.start("Notebook")
    assert alice.computes("print(open('thesis.txt', 'w').write('forty-two'))") == "9"
    alice.computes("import os; os.sync(); print('done')")
    whole.fleet.run("controller", "systemctl", "start", "slurmhub-homes-main-hourly.service")
    assert alice.computes("os.remove('thesis.txt'); print(os.path.exists('thesis.txt'))") == "False"
    said = alice.computes(
        "import glob, shutil; found = sorted(glob.glob("
        "'/home/people/.snapshots/alice/*_hourly/thesis.txt')); "
        "shutil.copy(found[-1], '.'); print(open('thesis.txt').read())"
    )
    assert said == "forty-two"

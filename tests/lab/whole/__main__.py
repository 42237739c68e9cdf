"""`script/lab`: the lab for somebody at a terminal."""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path

from tests.lab.fleet.client import HeldFleet, NoFleet
from tests.lab.fleet.fleet import names
from tests.lab.idp import DOMAIN as PROVIDER
from tests.lab.idp import NAMES, PASSWORD
from tests.lab.whole.institution import HUB, Institution
from tests.rig.checkout import PROJECT

_NEXT = """
The hosts are empty. In another terminal, or here:

    cd {folder}
    export PATH={programs}:$PATH
    slurmhub check
    slurmhub plan
    slurmhub up --no-smoke

Then tell the institution's sign-in of the new hub, and try it with the test account. This is from
within the lab's network, with the names that an institution's DNS would have:

    {lab} register {folder}
    {within} slurmhub smoke --resolve {hub_at} --resolve {provider_at}

A browser reaches the hub through its host: leave this running, and set the browser's SOCKS 5 proxy
to localhost:1080 with names looked up there, too (Firefox: "Proxy DNS when using SOCKS v5"):

    ssh -F {folder}/ssh_config -N -D 1080 hub

The hub is https://{hub}/ and its certificate is self-made. People: {people}.
Their password: {password}

Look around with `ssh -F {folder}/ssh_config controller`. End all of it: {lab} down
"""


def main(argv: list[str]) -> int:
    """Do what was asked; the exit status."""
    parser = argparse.ArgumentParser(prog="script/lab")
    verbs = parser.add_subparsers(dest="verb", required=True)
    for verb in ("up", "register"):
        verbs.add_parser(verb).add_argument("folder", type=Path)
    verbs.add_parser("down")
    asked = parser.parse_args(argv)
    try:
        if asked.verb == "up":
            return _up(asked.folder.resolve())
        if asked.verb == "register":
            folder = asked.folder.resolve()
            if not Institution(folder, HeldFleet("lab")).register():
                print(f"There is no hub in {folder} yet: run slurmhub up.", file=sys.stderr)
                return 1
            print("The institution's sign-in knows the hub now.")
        else:
            HeldFleet("lab").down()
            print("The lab is gone.")
    except NoFleet:
        print("No lab is up: script/lab up FOLDER", file=sys.stderr)
        return 1
    return 0


def _up(folder: Path) -> int:
    if "lab" in names():
        print("A lab is up already; script/lab down ends it.", file=sys.stderr)
        return 1
    if folder.exists() and any(folder.iterdir()):
        print(f"{folder} is not empty: name a new folder.", file=sys.stderr)
        return 1
    print("Starting six hosts and setting up the institution's sign-in: two or three minutes.")
    fleet = HeldFleet.start("lab")
    try:
        Institution(folder, fleet).prepare()
    except BaseException:
        fleet.down()
        raise
    words = {
        "folder": folder,
        "lab": PROJECT / "script/lab",
        "programs": Path(sys.executable).parent,
        "within": shlex.join(fleet.within),
        "hub": HUB,
        "hub_at": f"{HUB}={fleet.address('hub')}",
        "provider_at": f"{PROVIDER}={fleet.address('idp')}",
        "people": ", ".join(NAMES),
        "password": PASSWORD,
    }
    print(_NEXT.format(**words))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""`python -m tests.lab.fleet`: fleets for somebody at a terminal; see the package's own words."""

from __future__ import annotations

import argparse
import subprocess
import sys

import tests.lab.fleet
from tests.lab.fleet.client import HeldFleet, NoFleet
from tests.lab.fleet.fleet import names
from tests.lab.fleet.holder import hold


def main(argv: list[str]) -> int:
    """Do what was asked; the exit status."""
    asked = _parser().parse_args(argv)
    try:
        return _do(asked)
    except NoFleet as error:
        print(error, file=sys.stderr)
        return 2


def _do(asked: argparse.Namespace) -> int:
    if asked.verb == "list":
        for name, folder in names().items():
            print(f"{name}  {folder}")
        return 0
    if asked.verb == "hold":
        hold(asked.name, asked.tell)
        return 0
    fleet = HeldFleet(asked.name)
    if asked.verb == "run":
        words = asked.argv[1:] if asked.argv[:1] == ["--"] else asked.argv
        return subprocess.run(fleet.command(asked.host, *words), check=False).returncode
    if asked.verb == "up":
        _up(asked)
    elif asked.verb == "show":
        print(fleet.ask("show"))
    elif asked.verb == "down":
        fleet.down()
        print(f"{asked.name} is down.")
    else:
        print(fleet.ask(asked.verb, host=asked.host))
    return 0


def _up(asked: argparse.Namespace) -> None:
    there = asked.name in names()
    fleet = HeldFleet(asked.name) if there else HeldFleet.start(asked.name)
    disks: dict[str, list[str]] = {}
    for number, line in enumerate(asked.disk, start=1):
        hosts, _, size = line.partition(":")
        for host in hosts.split(","):
            disks.setdefault(host, []).append(f"{hosts.replace(',', '-')}-{number}:{size}")
    fleet.add([host for host in asked.hosts.split(",") if host], disks, online=not asked.offline)
    print(fleet.ask("show"))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.lab.fleet",
        description=tests.lab.fleet.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("list", help="the fleets that are up")
    for verb, words in _VERBS.items():
        one = verbs.add_parser(verb, help=words)
        one.add_argument("--name", required=True, help="the fleet's name, such as yours")
        if verb in ("run", "reboot", "off", "on", "remove"):
            one.add_argument("host")
        if verb == "run":
            one.add_argument("argv", nargs=argparse.REMAINDER, help="a program and its arguments")
        if verb == "up":
            one.add_argument("--hosts", default="", help="names, with commas")
            one.add_argument(
                *("--disk", "--devices"),
                action="append",
                default=[],
                metavar="HOST[,HOST...][:GIBIBYTES]",
                help="an empty disk for new hosts, one and the same for all that are named",
            )
            one.add_argument("--offline", action="store_true", help="these reach no mirror")
        if verb == "hold":
            one.add_argument("--tell", type=int, required=True, help="the descriptor of a pipe")
    return parser


_VERBS = {
    "up": "start hosts, in the background",
    "show": "addresses and how to reach them",
    "run": "run a program on a host, as root",
    "reboot": "end and start a host in its order",
    "off": "pull a host's plug",
    "on": "start it again",
    "remove": "end a host for good",
    "down": "end all and remove it",
    "hold": "(what `up` starts)",
}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

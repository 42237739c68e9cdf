"""`slurmhub announce`: a text on every page of a hub, and whether servers start meanwhile."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timezone
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from slurmhub_deploy.operate.asking_hub import ask_hub
from slurmhub_deploy.operate.errors import UNUSABLE, OperateError
from slurmhub_deploy.operate.site_file import USUAL, OpenSite, SiteFile, open_site
from slurmhub_deploy.site.hub_config import OPERATORS

_PATH = "slurmhub/notices"


def announce(
    text: Annotated[str | None, typer.Argument(help="What is said, in English.")] = None,
    french: Annotated[str | None, typer.Option("--fr", help="The same in French.")] = None,
    hub: Annotated[str | None, typer.Option(help="One hub; all of the site if absent.")] = None,
    partition: Annotated[
        str | None, typer.Option(help="Only for those whom this partition concerns.")
    ] = None,
    since: Annotated[
        str | None, typer.Option(help="From when, such as 2031-05-30T18:00; now if absent.")
    ] = None,
    until: Annotated[
        str | None, typer.Option(help="Until when, likewise; until --clear if absent.")
    ] = None,
    no_new_servers: Annotated[
        bool, typer.Option("--no-new-servers", help="Also start no new servers meanwhile.")
    ] = False,
    clear: Annotated[
        bool, typer.Option("--clear", help="Take away what this command announced before.")
    ] = False,
    site: SiteFile = USUAL,
) -> None:
    """Announce something on every page of a hub, take it away again, or list what is announced.

    Times are those of the institution. Servers that run go on, whatever is announced.
    """
    opened = open_site(site)
    hubs = _hubs(opened, hub)
    if clear and text is not None:
        raise OperateError(
            "There is a text, and --clear.", remedy="Give one of them.", status=UNUSABLE
        )
    for name in hubs:
        if clear:
            taken = clear_notices(opened, name)
            print(f"{name}: {taken} announcement{'' if taken == 1 else 's'} taken away")
        elif text is not None:
            zone = ZoneInfo(opened.site.institution.timezone)
            notice = notice_of(
                text, french, partition, since, until, no_new_servers=no_new_servers, zone=zone
            )
            ask_hub(opened, name, "POST", _PATH, notice)
            print(f"{name}: announced")
        else:
            for line in _listed(ask_hub(opened, name, "GET", _PATH).data):
                print(f"{name}: {line}")


def notice_of(
    text: str,
    french: str | None,
    partition: str | None,
    since: str | None,
    until: str | None,
    *,
    no_new_servers: bool,
    zone: ZoneInfo,
) -> dict[str, Any]:
    """A notice as the hub's REST interface takes it. Raises OperateError for what is no time."""
    texts = {"en": text} | ({"fr": french} if french else {})
    notice: dict[str, Any] = {"texts": texts, "drains": no_new_servers}
    if partition is not None:
        notice["partition"] = partition
    for name, said in (("since", since), ("until", until)):
        if said is not None:
            notice[name] = _seconds(said, zone)
    return notice


def clear_notices(opened: OpenSite, name: str) -> int:
    """Take away the notices of this command, and none that somebody wrote on the hub's page."""
    ours = [
        notice
        for notice in ask_hub(opened, name, "GET", _PATH).data
        if notice["author"] == OPERATORS
    ]
    for notice in ours:
        ask_hub(opened, name, "DELETE", f"{_PATH}/{notice['id']}")
    return len(ours)


def _hubs(opened: OpenSite, hub: str | None) -> list[str]:
    known = list(opened.site.hubs)
    if hub is None:
        return known
    if hub not in known:
        raise OperateError(
            f"{opened.file} has no hub {hub}.",
            remedy=f"Name one of: {', '.join(known)}.",
            status=UNUSABLE,
        )
    return [hub]


def _seconds(said: str, zone: ZoneInfo) -> float:
    try:
        time = datetime.fromisoformat(said)
    except ValueError as error:
        raise OperateError(
            f"{said!r} is not a time.", remedy="Write it as 2031-05-30T18:00.", status=UNUSABLE
        ) from error
    return (time if time.tzinfo is not None else time.replace(tzinfo=zone)).timestamp()


def _listed(notices: Iterable[Mapping[str, Any]]) -> Iterable[str]:
    for notice in notices:
        text = next(iter(notice["texts"].values()))
        about = [f"by {notice['author']}"]
        if notice["partition"]:
            about.append(f"partition {notice['partition']}")
        if notice["drains"]:
            about.append("no new servers")
        for name in ("since", "until"):
            if notice[name] is not None:
                time = datetime.fromtimestamp(notice[name], tz=timezone.utc)
                about.append(f"{name} {time:%Y-%m-%d %H:%M} UTC")
        yield f"{text} ({', '.join(about)})"

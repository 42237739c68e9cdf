"""`python -m slurmhub.courses.service SETTINGS.json`: the courses service, until it is ended."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from pathlib import Path
from ssl import Purpose

from jupyterhub.utils import make_ssl_context
from tornado.httpserver import HTTPServer

from slurmhub.courses.folders.accounts import Accounts
from slurmhub.courses.folders.program import FoldersProgram
from slurmhub.courses.service.application import LARGEST_BODY, make_application
from slurmhub.courses.service.cluster import CourseCluster
from slurmhub.courses.service.course_folders import CourseFolders
from slurmhub.courses.service.mailing import Mailer
from slurmhub.courses.service.place import Place, find_place
from slurmhub.courses.service.running import Loops, Side
from slurmhub.courses.service.secret import load_secret
from slurmhub.courses.service.settings import ServiceSettings, read_settings
from slurmhub.courses.store import Courses, open_courses
from slurmhub.errors import SlurmhubError
from slurmhub.language import use

_log = logging.getLogger("slurmhub.courses")


async def serve(settings: ServiceSettings, place: Place) -> None:
    """Serve until SIGTERM or SIGINT. Raises SlurmhubError, OSError."""
    use(settings.language)
    courses = await asyncio.to_thread(open_courses, settings.database, settings.policy)
    secret = load_secret(settings.secret_file, settings.database)
    cluster = None
    if settings.cluster is not None:
        cluster = CourseCluster.of(settings.cluster, settings, courses.snapshot)
    folders = _folders(settings, courses)
    sides: dict[str, Side] = {}
    if cluster is not None:
        sides["slurm"] = cluster
    if folders is not None:
        sides["folders"] = folders
    mailer = None
    if settings.mail is not None:
        mailer = Mailer(courses, settings.mail, settings.hub, settings.language)
    loops = Loops(courses, sides, mailer)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    server = HTTPServer(
        make_application(courses, place, secret, cluster, folders),
        ssl_options=make_ssl_context(
            place.keyfile, place.certfile, cafile=place.client_ca, purpose=Purpose.CLIENT_AUTH
        ),
        # The proxy is the only one who comes here: what it says of addresses is true.
        xheaders=True,
        max_body_size=LARGEST_BODY,
        max_buffer_size=2 * LARGEST_BODY,
    )
    address, port = place.address
    server.listen(port, address=address)
    _log.info("Courses of %s are served at %s%s", settings.hub, place.listen, place.prefix)
    loops.start()
    try:
        await stop.wait()
    finally:
        server.stop()
        await loops.stop()
        await server.close_all_connections()
        courses.close()


def _folders(settings: ServiceSettings, courses: Courses) -> CourseFolders | None:
    if settings.folders is None:
        return None
    prefix = settings.cluster.account_prefix if settings.cluster is not None else ""
    return CourseFolders(
        FoldersProgram(settings.folders.command),
        courses.snapshot,
        lambda: courses.policy,
        Accounts(prefix),
    )


def main(arguments: list[str]) -> int:
    """Run the service; the exit code says whether it could."""
    if len(arguments) != 1:
        print("Usage: python -m slurmhub.courses.service SETTINGS.json", file=sys.stderr)
        return 2
    _log_to_stderr()
    try:
        settings = read_settings(Path(arguments[0]))
        place = find_place(os.environ, settings.token_file)
        asyncio.run(serve(settings, place))
    except SlurmhubError as error:
        _log.critical("%s", error)
        return 1
    except OSError as error:
        _log.critical("The service cannot listen: %s", error)
        return 1
    return 0


def _log_to_stderr() -> None:
    handler = logging.StreamHandler()
    form = "[%(levelname)1.1s %(asctime)s.%(msecs).03d %(name)s] %(message)s"
    handler.setFormatter(logging.Formatter(form, datefmt="%Y-%m-%d %H:%M:%S"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

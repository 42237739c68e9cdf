"""`slurmhub.configure(c)`: what a spawner cannot set of its hub."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from jupyterhub.app import JupyterHub
from traitlets import TraitError

from slurmhub.announcing import Announcing
from slurmhub.auth.guard import guard
from slurmhub.auth.settings import SignInTraits
from slurmhub.errors import SlurmhubError
from slurmhub.hub.activity import hear_reports
from slurmhub.hub.classes import HANDLERS as CLASSES
from slurmhub.hub.courses import furnish as furnish_courses
from slurmhub.hub.files import HANDLERS as FILES
from slurmhub.hub.helping import HANDLERS as HELPING
from slurmhub.hub.keeping import HANDLERS as KEEPING
from slurmhub.hub.language import HANDLERS as LANGUAGE
from slurmhub.hub.naming import HANDLERS as NAMING
from slurmhub.hub.no_answer import HANDLERS as NO_ANSWER
from slurmhub.hub.notices import HANDLERS as NOTICES
from slurmhub.hub.pages import HANDLERS
from slurmhub.hub.presets import HANDLERS as PRESETS
from slurmhub.hub.session import HANDLERS as SESSION
from slurmhub.hub.stopping import remember_who_stops
from slurmhub.hub.waiting import HANDLERS as WAITING
from slurmhub.language import SOURCE, LearnLanguage, Translating, use
from slurmhub.options.door import Prefilled, ServerFailed
from slurmhub.runtime import TEMPLATES, runtime

# Traits of batchspawner that have no effect here, and what to set instead.
_REPLACED = {
    "batch_script": "prologue, epilogue, modules and directives",
    "exec_prefix": "helper (see 'slurmhub helper install')",
    "batch_submit_cmd": "slurm_bin_dir",
    "batch_query_cmd": "slurm_bin_dir",
    "batch_cancel_cmd": "slurm_bin_dir",
    "batchspawner_singleuser_cmd": "launcher_python",
    "req_host": "slurm_conf",
    "req_queue": "default_partition and partitions",
    "req_cluster": "slurm_conf",
    "startup_poll_interval": "watch_interval",
    "req_prologue": "prologue",
    "req_epilogue": "epilogue",
    "req_partition": "default_partition and partitions",
    "req_runtime": "default_time and max_time",
    "req_memory": "default_memory and max_memory",
    "req_nprocs": "default_cpus and max_cpus",
    "req_ngpus": "max_gpus",
    "req_gres": "max_gpus",
    "req_account": "slurm_account",
    "req_qos": "qos",
    "req_reservation": "reservation",
    "req_options": "directives",
    "req_srun": "nothing: the launcher runs in the batch step",
    "req_keepvars": "c.Spawner.environment",
    "req_keepvars_extra": "c.Spawner.environment",
}


def configure(c: Any) -> None:
    """Set up a JupyterHub for slurmhub, from its jupyterhub_config.py.

    Adds our pages and handlers, keeps servers and proxy across a restart of the
    hub, and lifts the limit on concurrent spawns, which counts people who wait
    in the queue. A site sets its own values after this call.
    """
    c.JupyterHub.spawner_class = "slurmhub"
    remember_who_stops()
    hear_reports()
    c.JupyterHub.cleanup_servers = False
    c.JupyterHub.cleanup_proxy = False
    # It counts queued people: with JupyterHub's 100, the 101st of a class would get an error.
    c.JupyterHub.concurrent_spawn_limit = 0
    # One pending job would otherwise keep the whole hub from answering after its restart.
    c.JupyterHub.init_spawners_timeout = 1
    c.JupyterHub.extra_handlers = [
        *_listed(c, "extra_handlers"),
        *HANDLERS,
        *CLASSES,
        *SESSION,
        *PRESETS,
        *LANGUAGE,
        *NOTICES,
        *FILES,
        *WAITING,
        *KEEPING,
        *HELPING,
        *NAMING,
        *NO_ANSWER,
    ]
    c.JupyterHub.template_paths = [*_listed(c, "template_paths"), str(TEMPLATES)]
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        # Read outside a hub, by a check of the configuration.
        return
    loop.call_soon(_begin)


def _listed(c: Any, name: str) -> list[Any]:
    # An option that was never set is a LazyConfigValue, which is no list.
    value = c.JupyterHub.get(name, [])
    return list(value) if isinstance(value, (list, tuple)) else []


def _begin() -> None:
    """Once the configuration is read: take up jobs and repeat unconfirmed cancels at once."""
    asyncio.get_running_loop().create_task(_begin_when_ready())


async def _begin_when_ready() -> None:
    app = JupyterHub.instance()
    # JupyterHub has no hook for this moment, and it comes within a second or two.
    while "app" not in app.tornado_settings:  # noqa: ASYNC110
        await asyncio.sleep(0.05)
    _furnish(app)
    app.log.addFilter(_quiet_prefill)
    for handler in app.log.handlers:
        handler.addFilter(_harmless)
    warn_of_ignored(app.config, app.log)
    try:
        settings = app.spawner_class(config=app.config)
        use(getattr(settings, "default_language", SOURCE))
        if runtime(settings).courses is not None:
            furnish_courses(app)
    except (SlurmhubError, TraitError) as error:
        app.log.critical("This hub cannot start. %s", error)
        raise SystemExit(1) from error


def _furnish(app: Any) -> None:
    """Give every template our words, every request its language, and the sign-in its guard."""
    app.tornado_application.add_transform(LearnLanguage)
    if isinstance(app.authenticator, SignInTraits):
        guard(app)
    # Not by jinja_environment_options: a site that sets its own would leave our pages without.
    for name in ("jinja2_env", "jinja2_env_sync"):
        for extension in (Translating, Announcing):
            app.tornado_settings[name].add_extension(extension)


def _quiet_prefill(record: logging.LogRecord) -> bool:
    """Leave out tracebacks of what is no fault of the hub.

    JupyterHub logs one for a link that only prefilled the form, and two for options that were
    refused, beside the line that says why.
    """
    raised = record.exc_info[1] if record.exc_info else None
    refused = isinstance(raised, ServerFailed) and raised.status_code == 400
    return not (refused or isinstance(raised, Prefilled))


def _harmless(record: logging.LogRecord) -> bool:
    """Write control characters of a message as escapes.

    JupyterHub logs names of people and servers as they came in an address, where they may hold
    whatever a terminal obeys. Line ends stay: the formatter indents what follows them.
    """
    try:
        text = record.getMessage()
    except (TypeError, ValueError):
        # A message that does not fit its arguments: the formatter says so, and raises nothing.
        return True
    if not text.isprintable():
        record.msg = "".join(c if c.isprintable() or c in "\n\t" else ascii(c)[1:-1] for c in text)
        record.args = None
    return True


def warn_of_ignored(config: Any, log: logging.Logger) -> None:
    """Say which settings of batchspawner have no effect, and what has."""
    for section in ("Spawner", "BatchSpawnerBase", "SlurmSpawner", "SlurmHubSpawner"):
        for name in config.get(section, {}):
            if name in _REPLACED:
                log.warning(
                    "c.%s.%s has no effect on SlurmHubSpawner. Set: %s.",
                    section,
                    name,
                    _REPLACED[name],
                )
        if "start_timeout" in config.get(section, {}):
            log.warning(
                "c.%s.start_timeout also counts the time in the queue. Set queue_timeout and "
                "launch_timeout instead.",
                section,
            )

"""What we touch of JupyterHub's private side is there, in the version that is installed."""

from __future__ import annotations

import inspect

import batchspawner
from jupyterhub.apihandlers import default_handlers
from jupyterhub.apihandlers.users import UserServerAPIHandler
from jupyterhub.app import JupyterHub
from jupyterhub.oauth.provider import JupyterHubOAuthServer
from jupyterhub.orm import APIToken
from jupyterhub.spawner import Spawner
from jupyterhub.user import User

from slurmhub import SlurmHubSpawner, compat
from slurmhub.hub.rendezvous_handler import PATTERN
from slurmhub.hub.stopping import StoppingHandler, remember_who_stops


def test_batchspawners_handler_is_gone_and_ours_is_there_once() -> None:
    assert SlurmHubSpawner.__mro__
    patterns = [entry[0] for entry in default_handlers]
    assert not [pattern for pattern in patterns if "batchspawner" in pattern]
    assert patterns.count(PATTERN) == 1
    # The inherited module still has it: only the hub's routes must not.
    assert batchspawner.api.BatchSpawnerAPIHandler


def test_who_stops_a_server_is_remembered_wherever_the_hub_stops_one() -> None:
    before = list(default_handlers)
    # Another test of this process may have replaced it already.
    patterns = [entry[0] for entry in before if issubclass(entry[1], UserServerAPIHandler)]
    assert patterns
    try:
        remember_who_stops()
        ours = [entry[0] for entry in default_handlers if entry[1] is StoppingHandler]
        assert ours == patterns
        assert not [entry for entry in default_handlers if entry[1] is UserServerAPIHandler]
    finally:
        default_handlers[:] = before


def test_the_spawners_private_flags_are_where_we_set_them() -> None:
    for name in ("_check_pending", "_spawn_pending", "_spawn_future"):
        assert hasattr(Spawner, name), name
    assert "_check_pending" in inspect.getsource(Spawner.pending.fget)
    assert "_spawn_future" in inspect.getsource(UserServerAPIHandler.delete)
    assert "_spawn_future" in inspect.getsource(User.stop)


def test_tokens_and_clients_are_made_as_we_make_them() -> None:
    assert {"token", "user", "scopes", "note", "generated"} <= set(
        inspect.signature(APIToken.new).parameters
    )
    assert {"allowed_scopes", "description"} <= set(
        inspect.signature(JupyterHubOAuthServer.add_client).parameters
    )
    assert inspect.iscoroutinefunction(Spawner._get_oauth_client_allowed_scopes)


def test_a_wait_can_be_interrupted_and_leaves_nothing() -> None:
    spawner = Spawner.__new__(Spawner)
    with compat.held(spawner, None):
        assert compat.is_held(spawner)
        assert spawner.pending == "check"
    assert not compat.is_held(spawner)
    assert compat.spawning(spawner) is None


def test_the_application_is_in_every_users_settings() -> None:
    assert "app=self" in inspect.getsource(JupyterHub.init_tornado_settings)
    assert "proxy=self.proxy" in inspect.getsource(JupyterHub.init_tornado_settings)

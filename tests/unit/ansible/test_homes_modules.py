"""What the homes' roles compute: units' names, pools in zpool's words, the programs run."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
from typing import Any

import pytest
from ansible.errors import AnsibleFilterError

from tests.rig.role_docs import ROLES
from tests.unit.ansible.modules import load

volume = load("slurmhub_volume")
ELSEWHERE = """
   pool: tank
     id: 6681230744285851631
  state: ONLINE
 status: The pool was last accessed by another system.
 action: The pool can be imported using its name or numeric identifier and
    the '-f' flag.
   see: https://openzfs.github.io/openzfs-docs/msg/ZFS-8000-EY
 config:

    tank        ONLINE
      mirror-0  ONLINE
        sdb     ONLINE
        sdc     ONLINE

   pool: other
     id: 42
  state: UNAVAIL
 action: The pool cannot be imported due to damaged devices or data.
 config:

    other       UNAVAIL  insufficient replicas
      sdd       UNAVAIL
"""


def mount_unit(path: str) -> str:
    spec = importlib.util.spec_from_file_location(
        "units", ROLES.parent / "filter_plugins/slurmhub_units.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return str(module.slurmhub_mount_unit(path))


@pytest.mark.parametrize(
    "path", ["/home", "/srv/slurmhub/homes/main", "/a-b/c", "/.x/.y", "/data/übung", "//a//b/"]
)
def test_units_are_named_as_systemd_does(path: str) -> None:
    escape = shutil.which("systemd-escape")
    assert escape is not None, "of the package systemd"
    argv = [escape, "--path", "--suffix=mount", path]
    done = subprocess.run(argv, check=True, capture_output=True, text=True)
    assert mount_unit(path) == done.stdout.strip()


@pytest.mark.parametrize("path", ["/", "", "home", "/a/../b"])
def test_paths_that_cannot_be_mounted(path: str) -> None:
    with pytest.raises(AnsibleFilterError):
        mount_unit(path)


def test_pools_in_the_words_of_zpool() -> None:
    tank, other = volume.read_pools(ELSEWHERE, ("-d", "/dev"))
    assert (tank.name, tank.number, tank.foreign) == ("tank", "6681230744285851631", True)
    assert (other.state, other.foreign, other.devices) == ("UNAVAIL", False, ("sdd",))
    with pytest.raises(volume.Refused, match="another system used it last"):
        volume.check_importable(tank, [])
    with pytest.raises(volume.Refused, match="UNAVAIL"):
        volume.check_importable(other, [])


def test_nothing_forces() -> None:
    base: dict[str, Any] = {"name": "homes", "devices": ["/dev/a", "/dev/b"], "layout": "mirror"}
    made = {backend: volume.make_argv({**base, "backend": backend}) for backend in volume.KIND}
    assert made["zfs"] == ["zpool", "create", "-m", "none", "homes", "mirror", "/dev/a", "/dev/b"]
    for argv in made.values():
        assert not {"-f", "-F", "--force"} & set(argv)

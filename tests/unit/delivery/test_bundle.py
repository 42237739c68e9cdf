"""What goes into a bundle, its index and its manifest."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from slurmhub_deploy.delivery.apt_index import sha256_of, write_index
from slurmhub_deploy.delivery.bundle import FILES, make_bundle, verify_bundle, wanted_packages
from slurmhub_deploy.delivery.role_packages import packages_of_roles
from slurmhub_deploy.errors import DeployError


def package(folder: Path, name: str) -> Path:
    """A package of Debian with nothing in it."""
    tree = folder / f"tree-{name}"
    (tree / "DEBIAN").mkdir(parents=True)
    (tree / "DEBIAN/control").write_text(
        f"Package: {name}\nVersion: 1\nArchitecture: all\nMaintainer: x <x@example.ca>\n"
        "Description: nothing\n more of nothing\n"
    )
    file = folder / f"{name}_1_all.deb"
    subprocess.run(
        ["dpkg-deb", "--root-owner-group", "--build", str(tree), str(file)],
        check=True,
        capture_output=True,
    )
    return file


def test_apt_reads_the_index(tmp_path: Path) -> None:
    repository = tmp_path / "repository"
    repository.mkdir()
    for name in ("one", "two"):
        package(repository, name)
    assert write_index(repository) == 2
    entries = (repository / "Packages").read_text().split("\n\n")
    assert [entry.splitlines()[0] for entry in entries] == ["Package: one", "Package: two"]
    assert f"SHA256: {sha256_of(repository / 'one_1_all.deb')}" in entries[0]


def test_a_package_that_was_cut_off(tmp_path: Path) -> None:
    file = package(tmp_path, "one")
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(DeployError, match="no whole package"):
        write_index(tmp_path)


def test_the_roles_say_which_packages(tmp_path: Path) -> None:
    role = tmp_path / "some/vars"
    role.mkdir(parents=True)
    (role / "Debian.yml").write_text(
        "some_packages: [b, a]\nsome_more_packages: {x: [c], y: [a]}\nsome_package: d\n"
        "some_service: e\nsome_other_packages: ['{{ f }}']\n"
    )
    assert packages_of_roles(roles=tmp_path) == {"some": ["a", "b", "c", "d"]}
    found = wanted_packages()
    assert {"nodejs", "python3-venv"} <= set(found["hub"])
    assert "npm" not in found["hub"]
    assert "slurmctld" in found["slurm_controller"]


def test_a_bundle_that_is_whole_and_one_that_is_not(tmp_path: Path) -> None:
    for name in FILES:
        (tmp_path / name).write_text(name)
    files = {name: sha256_of(tmp_path / name) for name in FILES}
    (tmp_path / "manifest.json").write_text(json.dumps({"files": files}))
    assert verify_bundle(tmp_path) == []
    (tmp_path / "wheels.tar").write_text("changed")
    (tmp_path / "proxy.tar.gz").unlink()
    assert verify_bundle(tmp_path) == ["wheels.tar", "proxy.tar.gz"]
    with pytest.raises(DeployError, match="is not a bundle"):
        verify_bundle(tmp_path / "absent")


def test_it_is_not_mixed_with_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("")
    with pytest.raises(DeployError, match="not empty"):
        make_bundle(tmp_path, "bookworm", say=print)
    with pytest.raises(DeployError, match="bookworm"):
        make_bundle(tmp_path / "y", "sarge", say=print)

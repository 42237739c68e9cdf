"""What goes into a bundle, its index and its manifest."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from slurmhub_deploy.delivery.apt_index import sha256_of, write_index
from slurmhub_deploy.delivery.bundle import make_bundle, wanted_packages
from slurmhub_deploy.delivery.goods import goods
from slurmhub_deploy.delivery.manifest import (
    FILES,
    NoBundle,
    missing_files,
    other_locks,
    verify_bundle,
    write_manifest,
)
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
    # Of all systems alike, and not on hosts at all.
    assert "dehydrated" in found["tls"]
    assert "npm" not in found["hub"]
    assert "slurmctld" in found["slurm_controller"]


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    """A bundle with nothing in its files."""
    folder = tmp_path / "bundle"
    folder.mkdir()
    for name in FILES:
        (folder / name).write_text(name)
    write_manifest(folder, "Debian", "12")
    return folder


def test_a_bundle_that_is_whole_and_one_that_is_not(whole: Path) -> None:
    assert verify_bundle(whole) == missing_files(whole) == other_locks(whole) == []
    (whole / "wheels.tar").write_text("changed")
    (whole / "proxy.tar.gz").unlink()
    assert verify_bundle(whole) == ["wheels.tar", "proxy.tar.gz"]
    assert verify_bundle(whole, ["wheels.tar"]) == ["wheels.tar"]
    assert missing_files(whole) == ["proxy.tar.gz"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (None, "No such file"),
        ("{", "cannot be read"),
        ("[1]", "cannot be read"),
        ('{"files": {}}', "'locks'"),
    ],
)
def test_a_folder_that_is_no_bundle(tmp_path: Path, text: str | None, why: str) -> None:
    if text is not None:
        (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(NoBundle, match=why):
        verify_bundle(tmp_path)


def test_the_proxy_comes_from_the_bundle_that_this_slurmhub_made(
    whole: Path, tmp_path: Path
) -> None:
    assert goods(tmp_path, bundle=whole).proxy == str(whole / "proxy.tar.gz")
    (whole / "proxy.tar.gz").write_text("changed")
    with pytest.raises(DeployError, match=r"proxy\.tar\.gz in .* is not what"):
        goods(tmp_path, bundle=whole)
    manifest = json.loads((whole / "manifest.json").read_text())
    manifest["locks"]["hub.lock"] = "another"
    (whole / "manifest.json").write_text(json.dumps(manifest))
    assert other_locks(whole) == ["hub.lock"]
    with pytest.raises(DeployError, match=r"made by another hub\.lock"):
        goods(tmp_path, bundle=whole)


def test_it_is_not_mixed_with_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("")
    with pytest.raises(DeployError, match="not empty"):
        make_bundle(tmp_path, "bookworm", say=print)
    with pytest.raises(DeployError, match="bookworm"):
        make_bundle(tmp_path / "y", "sarge", say=print)

"""`slurmhub helper install`, below a folder of the test's own."""

from __future__ import annotations

import dataclasses
import json
import os
import stat
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from slurmhub.assets import asset
from slurmhub_deploy import helper as installing
from slurmhub_deploy.errors import DeployError
from slurmhub_deploy.helper import HelperPlan, State, install, sudoers_text
from slurmhub_deploy.helper_command import helper

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files to root")
PROGRAM = "usr/local/libexec/slurmhub/slurmhub-as-user"
SETTINGS = "etc/slurmhub/as-user.json"
SUDOERS = "etc/sudoers.d/slurmhub"


@pytest.fixture
def bin_dir(tmp_path: Path) -> Path:
    """A folder with programs of Slurm's names."""
    folder = tmp_path / "slurm-bin"
    folder.mkdir()
    for name in installing.SLURM_PROGRAMS:
        (folder / name).write_text("#!/bin/sh\n")
        (folder / name).chmod(0o755)
    return folder


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "root"
    folder.mkdir(mode=0o755)
    return folder


@pytest.fixture
def plan(root: Path, bin_dir: Path) -> HelperPlan:
    return HelperPlan("daemon", "users", bin_dir=bin_dir, root=root)


def _states(plan: HelperPlan, *, dry_run: bool = False) -> list[State]:
    return [outcome.state for outcome in install(plan, dry_run=dry_run)]


def _changed(plan: HelperPlan, **changes: object) -> HelperPlan:
    return dataclasses.replace(plan, **changes)  # type: ignore[arg-type]


@needs_root
def test_writes_three_files_of_root(plan: HelperPlan, root: Path, bin_dir: Path) -> None:
    os.umask(before := os.umask(0o077))
    os.umask(0o077)
    try:
        assert _states(plan) == [State.WRITTEN] * 3
    finally:
        os.umask(before)
    for name, mode in ((PROGRAM, 0o755), (SETTINGS, 0o644), (SUDOERS, 0o440)):
        found = (root / name).stat()
        assert (stat.S_IMODE(found.st_mode), found.st_uid, found.st_gid) == (mode, 0, 0)
        assert stat.S_IMODE((root / name).parent.stat().st_mode) == 0o755
        assert [path.name for path in (root / name).parent.iterdir()] == [Path(name).name]
    assert (root / PROGRAM).read_bytes() == asset("libexec/slurmhub-as-user").read_bytes()
    assert json.loads((root / SETTINGS).read_text()) == {
        "bin_dir": str(bin_dir),
        "slurm_conf": None,
        "min_uid": 1000,
    }
    assert (root / SUDOERS).read_text() == sudoers_text("daemon", "users")


@needs_root
def test_a_second_run_changes_nothing(plan: HelperPlan, root: Path) -> None:
    install(plan)
    before = {name: _written(root / name) for name in (PROGRAM, SETTINGS, SUDOERS)}
    assert _states(plan) == [State.UNCHANGED] * 3
    assert _states(_changed(plan, bin_dir=None)) == [State.UNCHANGED] * 3
    for name, found in before.items():
        assert _written(root / name) == found


def _written(path: Path) -> tuple[int, ...]:
    """Which file it is, and all of its times but the last reading."""
    found = path.stat()
    return (found.st_ino, found.st_mode, found.st_uid, found.st_mtime_ns, found.st_ctime_ns)


@needs_root
@pytest.mark.parametrize("spoilt", [PROGRAM, SETTINGS, SUDOERS])
def test_puts_right_what_was_changed(plan: HelperPlan, root: Path, spoilt: str) -> None:
    install(plan)
    good = (root / spoilt).read_bytes()
    (root / spoilt).chmod(0o666)
    assert sorted(state.name for state in _states(plan)).count("WRITTEN") == 1
    os.chown(root / spoilt, 1, 0)
    assert sorted(state.name for state in _states(plan)).count("WRITTEN") == 1
    (root / spoilt).unlink()
    (root / spoilt).symlink_to(root / "elsewhere")
    (root / "elsewhere").write_bytes(good)
    assert sorted(state.name for state in _states(plan)).count("WRITTEN") == 1
    assert not (root / spoilt).is_symlink()
    assert (root / spoilt).read_bytes() == good
    assert _states(plan) == [State.UNCHANGED] * 3


@needs_root
def test_keeps_settings_that_the_site_made(plan: HelperPlan, root: Path) -> None:
    install(plan)
    conf = root / "slurm.conf"
    conf.write_text("")
    settings = json.loads((root / SETTINGS).read_text()) | {"min_uid": 500}
    (root / SETTINGS).write_text(json.dumps(settings))
    install(_changed(plan, bin_dir=None, slurm_conf=conf))
    settings["slurm_conf"] = str(conf)
    assert json.loads((root / SETTINGS).read_text()) == settings
    assert _states(_changed(plan, bin_dir=None)) == [State.UNCHANGED] * 3


@needs_root
def test_a_hub_that_is_root_needs_no_sudoers_line(plan: HelperPlan, root: Path) -> None:
    outcomes = install(_changed(plan, hub_account=None, users_group=None))
    assert [outcome.path for outcome in outcomes] == [root / PROGRAM, root / SETTINGS]
    assert not (root / SUDOERS).exists()


def test_a_dry_run_writes_nothing_and_shows_all(plan: HelperPlan, root: Path) -> None:
    outcomes = install(plan, dry_run=True)
    assert [outcome.state for outcome in outcomes] == [State.WOULD_BE_WRITTEN] * 3
    assert outcomes[2].text == sudoers_text("daemon", "users")
    assert list(root.iterdir()) == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"hub_account": "no-such-account"}, "no account"),
        ({"hub_account": "root"}, "is root"),
        ({"hub_account": "a\0b"}, "no account"),
        ({"hub_account": None}, "needs both"),
        ({"users_group": None}, "needs both"),
        ({"users_group": "no-such-group"}, "no group"),
        ({"users_group": "root"}, "is root's"),
        ({"bin_dir": Path("/nowhere")}, "sbatch is not in /nowhere"),
        ({"bin_dir": Path("bin")}, "sbatch is not in bin"),
        ({"slurm_conf": Path("/nowhere/slurm.conf")}, "no Slurm configuration"),
        ({"slurm_conf": Path("slurm.conf")}, "no Slurm configuration"),
    ],
)
def test_what_cannot_be_installed(
    plan: HelperPlan, root: Path, changes: dict[str, object], words: str
) -> None:
    with pytest.raises(DeployError, match=words) as refused:
        install(_changed(plan, **changes), dry_run=True)
    assert refused.value.remedy
    assert list(root.iterdir()) == []


def test_settings_that_cannot_be_read(plan: HelperPlan, root: Path) -> None:
    (root / SETTINGS).parent.mkdir(parents=True)
    for text in ("{", "[1]", "3"):
        (root / SETTINGS).write_text(text)
        with pytest.raises(DeployError, match="earlier installation"):
            install(plan, dry_run=True)


@needs_root
def test_a_folder_that_others_may_write_to_is_refused(plan: HelperPlan, root: Path) -> None:
    folder = root / "usr" / "local"
    folder.mkdir(parents=True)
    for mode, owner in ((0o775, 0), (0o755, 1)):
        folder.chmod(mode)
        os.chown(folder, owner, 0)
        with pytest.raises(DeployError, match="by others than root") as refused:
            install(plan)
        assert str(folder) in refused.value.remedy
        assert not (root / SETTINGS).exists()
    os.chown(folder, 0, 0)
    install(plan)


def test_only_root_installs(plan: HelperPlan, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(DeployError, match="only be installed by root") as refused:
        install(plan)
    assert "sudo" in refused.value.remedy


@needs_root
def test_nothing_is_written_when_visudo_refuses(
    plan: HelperPlan, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installing, "sudoers_text", lambda *_: "hub ALL=(%x NOPASSWD /bin/x\n")
    with pytest.raises(DeployError, match="visudo refuses"):
        install(plan)
    assert list(root.iterdir()) == []


def test_without_visudo(plan: HelperPlan, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("slurmhub_deploy.installing._VISUDO", ("/nowhere/visudo",))
    with pytest.raises(DeployError, match="not installed") as refused:
        install(plan, dry_run=True)
    assert "Install sudo" in refused.value.remedy


def _as_sudo_reads_it(text: str) -> str:
    """The rules in cvtsudoers(1)'s words."""
    return subprocess.run(
        ["/usr/bin/cvtsudoers", "-f", "json", "-"],
        input=text,
        capture_output=True,
        text=True,
        check=True,
    ).stdout


@pytest.mark.parametrize("name", ["hub", "svc-hub_1", "domain users", "a@b.org", "a%b", "1a"])
def test_names_mean_themselves_in_the_sudoers_line(name: str) -> None:
    found = json.loads(_as_sudo_reads_it(sudoers_text(name, name)))
    (spec,) = found["User_Specs"]
    (command,) = spec["Cmnd_Specs"]
    assert spec["User_List"] == [{"username": name}]
    assert command["runasusers"] == [{"usergroup": name}, {"userid": 0, "negated": True}]
    assert "runasgroups" not in command
    assert command["Commands"] == [{"command": f'/{PROGRAM} ""'}]
    assert {"authenticate": False} in command["Options"]
    assert {"setenv": False} in command["Options"]


def test_a_name_that_sudoers_cannot_hold() -> None:
    for name in ("", "a\nb", "a\x1bb", "#1", "%x", "+net", "!x", "ALL", "HUB"):
        with pytest.raises(DeployError, match="sudoers"):
            sudoers_text(name, "users")


@needs_root
def test_the_command(root: Path, bin_dir: Path) -> None:
    arguments = ["install", "--hub-account", "daemon", "--users-group", "users"]
    arguments += ["--bin-dir", str(bin_dir), "--root", str(root)]
    dry = CliRunner().invoke(helper, [*arguments, "--dry-run"])
    assert dry.exit_code == 0
    assert "would be written" in dry.output
    assert "NOPASSWD" in dry.output
    assert list(root.iterdir()) == []
    first = CliRunner().invoke(helper, arguments)
    assert (first.exit_code, first.output.count(": written")) == (0, 3)
    second = CliRunner().invoke(helper, arguments)
    assert "nothing was changed" in second.output
    assert CliRunner().invoke(helper, ["install", "--users-group", "users"]).exit_code != 0

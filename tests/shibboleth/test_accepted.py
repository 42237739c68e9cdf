"""The real programs read what is written for a site, and say what is wrong with the rest."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from slurmhub_deploy.front.check import check_with_programs
from slurmhub_deploy.front.embedded import EmbeddedFront
from slurmhub_deploy.front.errors import FrontError
from slurmhub_deploy.front.keys import make_key_pair
from slurmhub_deploy.front.render import render
from slurmhub_deploy.front.settings import FrontSettings, check_settings
from tests.unit.front.examples import FEDERATION, ONE


def local(example: dict[str, Any], front: EmbeddedFront) -> dict[str, Any]:
    """The example with metadata that lies on this host."""
    first = front.root / "metadata" / f"{front.providers[0].name}.xml"
    return {**example, "metadata": [{"kind": "file", "file": str(first)}]}


@pytest.mark.parametrize("example", [ONE, FEDERATION], ids=["one", "federation"])
def test_apache_and_shibd_accept_it(front: EmbeddedFront, example: dict[str, Any]) -> None:
    """Without a warning."""
    assert check_with_programs(check_settings(local(example, front), "the example")) == []


def test_every_kind_of_metadata_is_read(front: EmbeddedFront, tmp_path: Path) -> None:
    """With all filters: shibd complains of an address that does not answer, and of nothing else."""
    _, certificate = make_key_pair(tmp_path, "operator", "https://federation.example")
    signed = {"signing_certificate": str(certificate)}
    sources = [
        {"kind": "url", "url": "http://127.0.0.1:9/all.xml", "exclude": ["urn:a:b"], **signed},
        {"kind": "mdq", "base_url": "http://127.0.0.1:9/", "include": ["urn:a:b"], **signed},
    ]
    for source in sources:
        warnings = check_with_programs(check_settings({**ONE, "metadata": [source]}, "it"))
        assert not any("building MetadataProvider" in line for line in warnings), warnings


def test_metadata_that_is_not_there_is_warned_of(front: EmbeddedFront) -> None:
    """shibd would start all the same, and nobody could sign in."""
    missing = {**ONE, "metadata": [{"kind": "file", "file": "/nonexistent/idp.xml"}]}
    warnings = check_with_programs(check_settings(missing, "the example"))
    assert any("/nonexistent/idp.xml" in line for line in warnings)


def test_what_shibd_refuses_is_said(front: EmbeddedFront, monkeypatch: pytest.MonkeyPatch) -> None:
    """The program's own words, and nothing is written."""

    def broken(settings: FrontSettings) -> dict[str, str]:
        texts = render(settings)
        name = "shibboleth/shibboleth2.xml"
        return {**texts, name: texts[name].replace("<Sessions", "<Sesions", 1)}

    monkeypatch.setattr("slurmhub_deploy.front.check.render", broken)
    with pytest.raises(FrontError, match="shibd does not accept"):
        check_with_programs(check_settings(local(ONE, front), "the example"))


def slurmhub(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command."""
    program = "from slurmhub_deploy.main import main; main()"
    return subprocess.run(
        [sys.executable, "-c", program, *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_the_command_does_all_of_it(front: EmbeddedFront, tmp_path: Path) -> None:
    """keys, render with its check, registration; a second run changes nothing."""
    described = {
        **local(ONE, front),
        "key_folder": str(tmp_path / "keys"),
        "secret_file": str(tmp_path / "front-secret"),
        "apache_folder": str(tmp_path / "apache"),
    }
    file = tmp_path / "front.yaml"
    file.write_text(yaml.safe_dump(described))
    chosen = ("--settings", str(file))
    made = slurmhub("front", "keys", *chosen)
    assert made.returncode == 0, made.stderr
    assert "Back up" in made.stdout
    key = tmp_path / "keys" / "sp-signing-key.pem"
    assert key.owner() == "_shibd"
    first = key.read_bytes()
    render = ("front", "render", *chosen, "--to", str(tmp_path / "out"), "--check")
    assert "accept this configuration" in slurmhub(*render).stdout
    assert "nothing was changed" in slurmhub(*render).stdout
    assert "stays" in slurmhub("front", "keys", *chosen).stdout
    assert key.read_bytes() == first
    pack = slurmhub("front", "registration", *chosen, "--to", str(tmp_path / "pack"))
    assert pack.returncode == 0, pack.stderr
    assert "https://hub.example.ca/shibboleth" in (tmp_path / "pack" / "README.md").read_text()
    secret = (tmp_path / "front-secret").read_text().strip()
    shown = made.stdout + "".join(path.read_text() for path in (tmp_path / "out").rglob("*.*"))
    assert secret not in shown


def test_wrong_settings_end_the_command_in_words(tmp_path: Path) -> None:
    """Status 1, the setting, and what to do."""
    file = tmp_path / "front.yaml"
    file.write_text(yaml.safe_dump({**ONE, "proxy": "http://0.0.0.0:8000"}))
    done = slurmhub("front", "render", "--settings", str(file), "--to", str(tmp_path / "out"))
    assert done.returncode == 1
    assert "go round the front" in done.stderr
    assert "What to do:" in done.stderr
    assert not (tmp_path / "out").exists()

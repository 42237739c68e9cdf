"""Secrets in use: made once and kept first, fetched, never silently made anew."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import pytest

from slurmhub_deploy.operate.errors import OperateError
from slurmhub_deploy.operate.secrets import password as passwords
from slurmhub_deploy.operate.secrets.keeping import Keeping
from slurmhub_deploy.operate.secrets.password import vault_password
from slurmhub_deploy.operate.secrets.sources import from_command
from slurmhub_deploy.operate.secrets.vault import Vault
from slurmhub_deploy.site.secret_source import SecretSource
from tests.unit.operate.fixtures import PASSWORD, SmallSite, small_site
from tests.unit.site.fixtures import RIGHT

GIVEN = RIGHT.replace(
    "tls: {kind: acme}", "tls: {kind: acme, challenge: dns-01, dns_hook: /opt/hook, SOURCE}"
)


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SmallSite:
    made = small_site(tmp_path)
    for name, value in made.environment.items():
        monkeypatch.setenv(name, value)
    return made


def with_source(small: SmallSite, source: str) -> Keeping:
    small.file.write_text(GIVEN.replace("SOURCE", f"dns_credential: {source}"))
    return Keeping(small.opened())


def test_they_are_made_once(small: SmallSite) -> None:
    first = Keeping(small.opened()).in_use()
    assert Keeping(small.opened()).in_use() == first
    assert Vault(small.folder / "vault.yml", PASSWORD).read() == first


def test_foreseeing_keeps_nothing(small: SmallSite) -> None:
    found = Keeping(small.opened()).foreseen()
    assert "munge.main" in found
    assert not (small.folder / "vault.yml").exists()
    assert not (small.folder / ".slurmhub").exists()


def test_two_at_once_have_the_same(small: SmallSite) -> None:
    found: list[dict[str, str]] = []
    keepings = [Keeping(small.opened()) for _ in range(3)]
    threads = [threading.Thread(target=lambda k=k: found.append(k.in_use())) for k in keepings]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 3
    assert found[0] == found[1] == found[2]


def test_one_that_was_lost_is_not_made_anew(small: SmallSite) -> None:
    Keeping(small.opened()).in_use()
    vault = Vault(small.folder / "vault.yml", PASSWORD)
    values = vault.read()
    del values["munge.main"]
    vault.write(values)
    for ask in (Keeping(small.opened()).in_use, Keeping(small.opened()).foreseen):
        with pytest.raises(OperateError, match=r"lacks munge\.main") as raised:
            ask()
        assert "secret forget munge.main" in raised.value.remedy
    Keeping(small.opened()).forget("munge.main")
    assert Keeping(small.opened()).in_use()["munge.main"]


def test_half_a_pair_is_an_error(small: SmallSite) -> None:
    Keeping(small.opened()).in_use()
    vault = Vault(small.folder / "vault.yml", PASSWORD)
    values = vault.read()
    del values["sp_signing_key.main"]
    vault.write(values)
    (small.folder / ".slurmhub/secrets.json").unlink()
    with pytest.raises(OperateError, match=r"sp_signing_key\.main is not in the vault"):
        Keeping(small.opened()).in_use()


def test_one_from_a_command(small: SmallSite) -> None:
    keeping = with_source(small, "{from_command: [printf, 'abc\\ndef\\n']}")
    assert keeping.in_use()["dns_credential.main"] == "abc\ndef"
    assert "dns_credential.main" not in keeping.values()


def test_one_that_you_put_there(small: SmallSite) -> None:
    keeping = with_source(small, "{vault: dns}")
    with pytest.raises(OperateError, match=r"dns .* is not in the vault") as raised:
        keeping.in_use()
    assert raised.value.remedy == "Put it there: slurmhub secret set dns"
    assert keeping.put("dns", "abc") is True
    assert keeping.in_use()["dns_credential.main"] == "abc"
    assert keeping.put("dns", "def") is False


@pytest.mark.parametrize(
    ("argv", "what"),
    [
        (["no-such-program"], "there is no program"),
        (["/"], "cannot be run"),
        (["false"], "ended with status 1"),
        (["true"], "printed nothing"),
        ([sys.executable, "-c", "import os; os.write(1, b'\\xff')"], "is not UTF-8"),
        (["sleep", "20"], "did not end within 1 second"),
    ],
)
def test_commands_that_give_none(argv: list[str], what: str) -> None:
    source = SecretSource(from_command=tuple(argv))
    with pytest.raises(OperateError, match=what) as raised:
        from_command(source, "The secret x", Path("/"), timeout=1)
    assert raised.value.what.startswith("The secret x: ")


def test_no_shell_reads_a_command() -> None:
    source = SecretSource(from_command=("echo", "$HOME;id"))
    assert from_command(source, "x", Path("/")) == "$HOME;id"


def test_it_runs_in_the_folder_of_the_site_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("a key\n")
    assert from_command(SecretSource(from_command=("cat", "key")), "x", tmp_path) == "a key"


def test_the_password_comes_from_where_the_file_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(passwords.VARIABLE, "/nowhere")
    vault = tmp_path / "vault.yml"
    assert vault_password(SecretSource(from_command=("echo", "abc")), vault, tmp_path) == "abc"
    with pytest.raises(OperateError, match="cannot be in the vault"):
        vault_password(SecretSource(vault="abc"), vault, tmp_path)
    with pytest.raises(OperateError, match="/nowhere"):
        vault_password(None, vault, tmp_path)
    (tmp_path / "empty").touch()
    monkeypatch.setenv(passwords.VARIABLE, str(tmp_path / "empty"))
    with pytest.raises(OperateError, match="is empty"):
        vault_password(None, vault, tmp_path)


def test_a_new_password_is_asked_for_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(passwords.VARIABLE, raising=False)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    asked = iter(["abc", "abc", "abc", "other", "known"])
    monkeypatch.setattr("getpass.getpass", lambda prompt: next(asked))
    assert vault_password(None, tmp_path / "vault.yml", tmp_path) == "abc"
    with pytest.raises(OperateError, match="not alike"):
        vault_password(None, tmp_path / "vault.yml", tmp_path)
    (tmp_path / "vault.yml").touch()
    assert vault_password(None, tmp_path / "vault.yml", tmp_path) == "known"


def test_the_command_lists_sets_and_shows(small: SmallSite) -> None:
    with_source(small, "{vault: dns}")
    listed = small.run("secret", "list", "--json").stdout
    assert '"name": "dns_credential.main"' in listed
    assert '"state": "lacks"' in listed
    refused = small.run("secret", "set", "other")
    assert refused.returncode == 2
    assert "Name one of:" in refused.stderr
    Keeping(small.opened()).put("dns", "a value")
    assert small.run("secret", "show", "dns").stdout == "a value\n"
    assert "a value" not in small.run("secret", "list").stdout
    assert small.run("secret", "forget", "dns", "--yes").returncode == 0
    assert small.run("secret", "show", "dns").returncode == 1

"""Whether the real programs accept what these settings become.

Apache and shibd read the files in a folder made for this, with keys and a certificate made for
this: neither is started, and what serves on this host is not touched.
"""

from __future__ import annotations

import os
import pwd
import re
import subprocess
import tempfile
from pathlib import Path

from slurmhub_deploy.front.apache import PrivateApache
from slurmhub_deploy.front.errors import FrontError
from slurmhub_deploy.front.keys import make_keys
from slurmhub_deploy.front.render import render, write
from slurmhub_deploy.front.settings import FrontSettings
from slurmhub_deploy.front.tls import make_certificate

_SHIBD = Path("/usr/sbin/shibd")
_BAD = re.compile(r" (WARN|ERROR|FATAL|CRIT) ")
_SECONDS = 120


def check_with_programs(settings: FrontSettings) -> list[str]:
    """Have `apache2 -t` and `shibd -t` read the files; what shibd warns of, a line each.

    Metadata is read where the settings say, also over the network. Raises FrontError with what a
    program says when it refuses.
    """
    with tempfile.TemporaryDirectory(prefix="slurmhub-front-") as name:
        folder = Path(name)
        copy = _apart(settings, folder)
        make_keys(copy)
        write(render(copy), folder)
        _apache(copy, folder)
        return _shibd(folder / "shibboleth" / "shibboleth2.xml")


def _apart(settings: FrontSettings, folder: Path) -> FrontSettings:
    """The same settings with every file of this host's in a folder apart."""
    for name in ("tls", "acme", "log", "cache"):
        (folder / name).mkdir()
    certificate, key = make_certificate(folder / "tls", [settings.domain])
    me = pwd.getpwuid(os.geteuid()).pw_name
    return settings.model_copy(
        update={
            "tls_certificate": certificate,
            "tls_key": key,
            "acme_folder": folder / "acme" if settings.acme_folder else None,
            "key_folder": folder / "keys",
            "second_key_folder": folder / "keys-2" if settings.second_key_folder else None,
            "key_account": me,
            "hub_account": me,
            "secret_file": folder / "front-secret",
            "apache_folder": folder / "apache",
            "apache_log_folder": folder / "log",
            "shibboleth_folder": folder / "shibboleth",
            "shibboleth_cache": folder / "cache",
            "shibboleth_socket": folder / "shibd.sock",
            # What is wrong is then said here, not in a log.
            "shibboleth_log_folder": None,
        }
    )


def _apache(settings: FrontSettings, folder: Path) -> None:
    ports = (settings.https_port, settings.http_port)
    apache = PrivateApache(folder / "server", tuple(str(port) for port in ports if port))
    apache.write((folder / "apache" / "slurmhub.conf").read_text())
    apache.check()


def _shibd(config: Path) -> list[str]:
    try:
        done = subprocess.run(
            [str(_SHIBD), "-t", "-c", str(config)],
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=_SECONDS,
            start_new_session=True,
        )
    except FileNotFoundError as error:
        raise FrontError(
            f"There is no {_SHIBD}.", remedy="Install the package shibboleth-sp-utils."
        ) from error
    except subprocess.TimeoutExpired as error:
        raise FrontError(
            f"shibd has read the configuration for {_SECONDS} s without an end.",
            remedy="Does this host reach the address of the metadata?",
        ) from error
    said = [line.partition(" ")[2] for line in done.stdout.splitlines() if _BAD.search(line)]
    if done.returncode != 0:
        words = "\n".join(f"  {line}" for line in said) or done.stdout.strip()
        raise FrontError(
            f"shibd does not accept the configuration:\n{words}",
            remedy="Correct the setting that it names.",
        )
    return said

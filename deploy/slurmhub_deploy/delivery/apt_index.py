"""The index of a folder of Debian packages, as apt reads it (Debian's "Repository Format")."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

from slurmhub_deploy.errors import DeployError


def write_index(folder: Path) -> int:
    """Write `Packages` for the .deb files of a folder; how many there are. Raises DeployError."""
    files = sorted(folder.glob("*.deb"))
    entries = [_entry(file) for file in files]
    (folder / "Packages").write_text("\n".join(entries))
    return len(files)


def _entry(file: Path) -> str:
    control = subprocess.run(
        ["/usr/bin/dpkg-deb", "--field", str(file)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    if control.returncode != 0:
        raise DeployError(
            f"{file} is no whole package: {control.stderr.strip()}",
            remedy="Make the bundle again.",
        )
    more = f"Filename: ./{file.name}\nSize: {file.stat().st_size}\nSHA256: {sha256_of(file)}\n"
    return control.stdout.rstrip("\n") + "\n" + more


def sha256_of(file: Path) -> str:
    """The SHA-256 of a file, which may be large, in hexadecimal."""
    digest = hashlib.sha256()
    with file.open("rb") as content:
        while part := content.read(1 << 20):
            digest.update(part)
    return digest.hexdigest()

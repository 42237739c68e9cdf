"""What the extension of JupyterLab is built from, as one hash.

python -m tests.rig.labextension FOLDER      the text of source.json
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path


def source_hash(folder: Path) -> str:
    """One hash of every file that the build reads, with its name."""
    files = [folder / "package.json", folder / "package-lock.json"]
    files += sorted(path for part in ("src", "core") for path in (folder / part).rglob("*"))
    digest = hashlib.sha256()
    for file in files:
        if file.is_file():
            digest.update(str(file.relative_to(folder)).encode() + b"\0")
            digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


if __name__ == "__main__":
    print(json.dumps({"sha256": source_hash(Path(sys.argv[1]))}))

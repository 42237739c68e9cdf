"""Write the dashboards again, as script/docs does: python -m slurmhub_deploy.monitoring."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from slurmhub_deploy.monitoring import DASHBOARDS
from slurmhub_deploy.monitoring.views import ALL


def files() -> dict[Path, str]:
    """Every dashboard's file, and what belongs into it."""
    return {DASHBOARDS / f"{one.uid}.json": json.dumps(one.json(), indent=2) + "\n" for one in ALL}


def main() -> int:
    """Write what has changed, and say so."""
    for path, text in files().items():
        if not path.exists() or path.read_text() != text:
            path.write_text(text)
            sys.stdout.write(f"{path.name}: written\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

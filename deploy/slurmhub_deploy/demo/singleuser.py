"""Start jupyterhub-singleuser a quarter of a second sooner.

JupyterLab, while it is imported, runs node to ask yarn for a registry that only building
extensions needs. It does not when it finds no node, so it finds none until it is imported; the
server and everything started from it have the PATH they should have.
"""

import importlib
import os
import sys


def main() -> None:
    """Import JupyterLab, then be jupyterhub-singleuser."""
    path = os.environ.get("PATH", os.defpath)
    os.environ["PATH"] = "/nonexistent"
    try:
        importlib.import_module("jupyterlab.labapp")
    finally:
        os.environ["PATH"] = path
    from jupyterhub.singleuser import main as singleuser

    sys.exit(singleuser())


if __name__ == "__main__":
    main()

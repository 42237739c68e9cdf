"""JupyterLab in a Slurm job: the time that is left, what is used, more time, a course's materials.

For the environment that single-user servers run in: a prebuilt extension of JupyterLab, and one
of its server that asks the hub. Without a hub it does nothing.
"""

from __future__ import annotations

from typing import Any

__version__ = "0.1.0"


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    return [{"src": "labextension", "dest": "slurmhub-lab"}]


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "slurmhub_lab"}]


def _load_jupyter_server_extension(server_app: Any) -> None:
    from slurmhub_lab.activity import count_computing, leave_out_polling
    from slurmhub_lab.handler import add_handler
    from slurmhub_lab.materials_page import add_handler as add_materials

    add_handler(server_app.web_app)
    add_materials(server_app.web_app)
    leave_out_polling(server_app.web_app)
    count_computing(server_app.web_app)

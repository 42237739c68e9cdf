"""What nbgrader is told in a job of a course that has an exchange.

Files for a folder on JUPYTER_CONFIG_PATH (jupyter(1), "Configuration"), where nbgrader's commands
and its parts of JupyterLab read them; the job has that folder and takes it away. Source of the
names: nbgrader 0.9, "Configuration options". Where nbgrader is not installed nobody reads them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from slurmhub.courses.model import Role

# Of JupyterLab's own parts of nbgrader, those that only staff have a use for.
_OF_STAFF = ("course-list", "create-assignment", "formgrader")


def nbgrader_files(key: str, folders: str, role: Role) -> Mapping[str, str]:
    """The files by their names below that folder; `folders` has those of all courses.

    Times stay in UTC, as nbgrader has them: it reads PST in the name of a submission as UTC, and
    an offset as seconds or, east of Greenwich, as the end of the name.
    """
    root = f"{folders.rstrip('/')}/{key}/exchange"
    lines = [
        "c = get_config()",
        f"c.CourseDirectory.course_id = {key!r}",
        # What others made is left as it is: the rights are those of the folder's own lists.
        "c.CourseDirectory.groupshared = True",
        f"c.Exchange.root = {root!r}",
        # Two courses may have an assignment of one name.
        "c.Exchange.path_includes_course = True",
    ]
    files = {"nbgrader_config.py": "\n".join([*lines, ""])}
    if not role.staff:
        hidden = {f"@jupyter/nbgrader:{part}": True for part in _OF_STAFF}
        files["labconfig/page_config.json"] = json.dumps({"disabledExtensions": hidden})
    return files

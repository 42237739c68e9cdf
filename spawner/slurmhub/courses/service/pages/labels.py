"""What the fields of the form are called, where they are named elsewhere."""

from __future__ import annotations

import re
from collections.abc import Mapping

from slurmhub.language import translate

_LABELS: Mapping[str, str] = {
    "key": "Short name",
    "title": "Title",
    "description": "Description",
    "term.name": "Term",
    "term.first": "First day",
    "term.last": "Last day",
    "timezone": "Time zone",
    "profile.partition": "Partition",
    "profile.environment": "Environment",
    "profile.cpus": "CPUs",
    "profile.memory": "Memory (GB)",
    "profile.hours": "Hours",
    "profile.gpus": "GPUs",
    "profile.gpu_type": "Type of GPU",
    "materials.repository.url": "Git repository",
    "materials.repository.branch": "Branch",
    "materials.repository.folder": "Folder in the home",
    "materials.open": "What is open at the start",
    "storage.shared": "A shared folder",
    "storage.data": "A folder for data",
    "storage.drop": "A drop folder for each student",
    "storage.exchange": "The exchange of nbgrader",
    "storage.quota": "Room for all folders (GB)",
    "joining.group": "Group",
    "seats": "Seats",
    "running": "Servers at once",
}
_OF_A_CLASS: Mapping[str, str] = {
    "weekday": "Day of the week",
    "start": "From",
    "end": "Until",
    "seats": "Places",
    "without": "Days without this class",
}
_CLASS = re.compile(r"class_hours\[(\d+)\]\.(\w+)")


def label_of(name: str) -> str:
    """What a field is called, in the language of this request."""
    found = _CLASS.fullmatch(name)
    if found is None:
        return translate(_LABELS.get(name, name))
    whole = translate("Class {number}", number=int(found[1]) + 1)
    return f"{whole}, {translate(_OF_A_CLASS.get(found[2], found[2]))}"

"""Names of systemd's units, for the roles."""

from __future__ import annotations

from collections.abc import Callable

from ansible.errors import AnsibleFilterError


def slurmhub_mount_unit(path: str, kind: str = "mount") -> str:
    """The unit that mounts a path: `srv-homes.mount` for /srv/homes.

    Escaped as systemd.unit(5) says under "String escaping for inclusion in unit names". Raises
    AnsibleFilterError for what is no absolute path.
    """
    words = [word for word in path.split("/") if word]
    if not path.startswith("/") or not words or not set(words).isdisjoint({".", ".."}):
        raise AnsibleFilterError(f"{path!r} must be an absolute path below /, without . and ..")
    escaped = "-".join(_escape(word, first=not index) for index, word in enumerate(words))
    return f"{escaped}.{kind}"


def _escape(word: str, *, first: bool) -> str:
    escaped = ""
    for index, byte in enumerate(word.encode()):
        character = chr(byte)
        plain = character.isascii() and (character.isalnum() or character in ":_.")
        if not plain or (character == "." and index == 0 and first):
            character = f"\\x{byte:02x}"
        escaped += character
    return escaped


class FilterModule:
    """Ansible's way to name filters."""

    def filters(self) -> dict[str, Callable[..., object]]:
        """The filters by name."""
        return {"slurmhub_mount_unit": slurmhub_mount_unit}

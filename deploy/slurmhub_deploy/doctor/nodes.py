"""What the state of a node means, in the words of sinfo's `StateComplete`."""

from __future__ import annotations

_UNUSABLE = ("down", "drain", "fail", "not_responding", "error", "unknown", "invalid_reg")


def is_unusable(state: str) -> bool:
    """Whether a node in this state starts no jobs."""
    return state.endswith("*") or any(word in state.lower() for word in _UNUSABLE)

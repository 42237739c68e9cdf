"""Secrets taken out of what is shown and logged, should one ever come there.

Tasks that carry secrets have `no_log`; this is the second net below them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

SHOWN = "(a secret)"
_SHORTEST = 8
"""Shorter lines are no secrets of ours; as parts of other words they would be everywhere."""


class Redaction:
    """Replaces every line of every secret by `(a secret)`."""

    def __init__(self, secrets: Iterable[str]) -> None:
        lines = {line.strip() for secret in secrets for line in secret.splitlines()}
        # A public part, or the frame of a PEM text, tells nothing.
        wanted = {each for each in lines if len(each) >= _SHORTEST and not each.startswith("-----")}
        escaped = {json.dumps(each)[1:-1] for each in wanted}
        longest_first = sorted(wanted | escaped, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, longest_first))) if wanted else None

    def text(self, text: str) -> str:
        """The text without secrets."""
        return self._pattern.sub(SHOWN, text) if self._pattern else text

    def json(self, line: str) -> str:
        """The same for a line of JSON, which stays one."""
        return self.text(line)

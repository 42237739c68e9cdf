"""How sbatch reads the #SBATCH lines of a script, as seen with Slurm 22.05."""

from __future__ import annotations

import re


def directives(script: str) -> list[str]:
    """The option of every #SBATCH line before the first command, unquoted."""
    found = []
    for line in script.split("\n"):
        if line.startswith("#SBATCH"):
            found.append(_argument(line[len("#SBATCH") :]))
        elif line.strip() and not line.lstrip().startswith("#"):
            break
    return found


def _argument(text: str) -> str:
    text = re.sub("packjob|hetjob", lambda word: " " * len(word[0]), text, flags=re.IGNORECASE)
    text = text.lstrip()
    kept, quote, escaped = "", "", False
    for char in text:
        if escaped:
            kept, escaped = kept + char, False
        elif not quote and char.isspace():
            assert not text[len(kept) :].strip() or quote, f"more than one argument: {text}"
            break
        elif char == "\\":
            escaped = True
        elif quote:
            kept, quote = (kept, "") if char == quote else (kept + char, quote)
        elif char in "\"'":
            quote = char
        elif char == "#":
            break
        else:
            kept += char
    assert not quote, f"unmatched quote: {text}"
    return kept

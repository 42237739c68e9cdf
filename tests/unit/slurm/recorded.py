"""What real Slurm printed, word for word, for the questions that the client asks.

Several nodes were one host, so all addresses are its loopback. In the files `|` and `¶` stand
for the marks between columns and rows, which differ with every question, and `␟` for the
control character that an owner put into the name and comment of a job.
"""

from __future__ import annotations

from pathlib import Path

RELEASES = ("22.05.8", "24.11.5", "26.05.5")


def recorded(question: str, release: str, word: str = "") -> str:
    """The answer of a release, with the marks that a question with this word has."""
    file = Path(__file__).parent / "recorded_answers" / f"{question}-{release}.txt"
    text = file.read_text(encoding="utf-8")
    if word:
        text = text.replace("|", f"\x1f{word}").replace("¶", f"\x1e{word}")
    return text.replace("␟", "\x1f")

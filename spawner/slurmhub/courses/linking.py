"""The lines of a job's script that lead from a home to the folders of its course."""

from __future__ import annotations

import shlex


def link_lines(there: str, here: str) -> str:
    """Lines that link the folder `there` to `here` in the home, where nothing else has the name.

    The job does it as its owner: no other account writes into a home. It never ends the job. `here`
    is made of a course's key and needs no quoting.
    """
    place, link = shlex.quote(there), f'"$HOME/{here}"'
    parent = f'"$HOME/{here.rpartition("/")[0]}"'
    return "\n".join(
        [
            f"if [ -d {place} ] && {{ [ -L {link} ] || [ ! -e {link} ]; }}; then",
            f"    mkdir -p {parent} && ln -sfn {place} {link} || :",
            "fi",
        ]
    )

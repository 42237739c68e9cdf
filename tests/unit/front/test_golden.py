"""What settings become, file by file, as a person has read and accepted it.

After a change that is meant: python -m tests.unit.front.test_golden, and read the difference.
"""

from __future__ import annotations

import pytest

from slurmhub_deploy.front import registration
from slurmhub_deploy.front.render import render
from slurmhub_deploy.front.settings import check_settings
from tests.unit.front.examples import CERTIFICATES, EXAMPLES, GOLDEN

_SAME_FOR_ALL = ("attribute-map.xml", "attribute-policy.xml", "security-policy.xml")


def files(name: str) -> dict[str, str]:
    """Every file of this example's front, with its registration pack."""
    found = check_settings(EXAMPLES[name], name)
    texts = render(found)
    kept = {file: text for file, text in texts.items() if not file.endswith(".html")}
    pages = ("shibboleth/slurmhub/sessionError.html", "apache/pages/unavailable.html")
    kept |= {file: texts[file] for file in pages}
    pack = registration.texts(found, CERTIFICATES)
    return kept | {f"registration/{file}": text for file, text in pack.items()}


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_files_are_as_accepted(name: str) -> None:
    """Each file is, letter by letter, what lies in the folder golden."""
    found = files(name)
    folder = GOLDEN / name
    listed = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert listed == set(found)
    for file, text in found.items():
        assert text == (folder / file).read_text(encoding="utf-8"), file


def test_attributes_do_not_depend_on_the_site() -> None:
    """Map and policies are the same everywhere: what may pass is no setting."""
    for file in _SAME_FOR_ALL:
        assert len({files(name)[f"shibboleth/slurmhub/{file}"] for name in EXAMPLES}) == 1


if __name__ == "__main__":
    for example in EXAMPLES:
        for file, text in files(example).items():
            path = GOLDEN / example / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")

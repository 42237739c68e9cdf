"""YAML as editors read it, with the line of everything, and never another exception."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slurmhub.yaml_text import LARGEST, Mark, NotReadable, read_document
from tests.unit.site.fixtures import RIGHT, read


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("on", "on"),
        ("true", True),
        ("8:00:00", "8:00:00"),
        ("1_000", "1_000"),
        ("010", 10),
        ("0x10", "0x10"),
        ("2026-01-31", "2026-01-31"),
        ("1.5", 1.5),
        (".inf", ".inf"),
        ("1e3", "1e3"),
        ("'12'", "12"),
        ("!!str 12", "12"),
        ("~", None),
        ("", None),
        ("9" * 30, "9" * 30),
    ],
)
def test_values_are_those_of_yaml_1_2(text: str, value: object) -> None:
    found = read_document(f"a: {text}\n").data["a"]
    assert found == value
    assert type(found) is type(value)


def test_every_value_has_its_line() -> None:
    document = read_document("a:\n  b: [1,\n    2]\nc: {d: 3}\n")
    assert document.mark(("a", "b")) == Mark(2, 3)
    assert document.mark(("a", "b", 1)) == Mark(3, 5)
    assert document.mark(("c", "d")) == Mark(4, 5)
    assert document.mark(("a", "nothing", "there")) == Mark(1, 1)


def test_a_merge_takes_what_is_not_said() -> None:
    document = read_document("a: &a {x: 1, y: 2}\nb:\n  y: 3\n  <<: *a\n")
    assert document.data["b"] == {"x": 1, "y": 3}
    assert document.mark(("b", "y")) == Mark(3, 3)
    assert document.mark(("b", "x")) == Mark(1, 8)
    assert document.twice == []


@pytest.mark.parametrize(
    "text",
    [
        "a: [",
        "a: b: c",
        "a: *nowhere",
        "- 1\n--- \n- 2",
        "!!python/object/apply:os.system [id]",
        "a: !!python/name:os.system",
        "{[1]: 2}",
        "? {a: 1}\n: 2",
        "~: 1",
        "a: &a [*a]",
        "a: &a {<<: *a}",
        "<<: 3",
        "[" * 60 + "]" * 60,
        "a: \x00",
        "x" * (LARGEST + 1),
        "".join(
            f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" if n else "a0: &a0 [1]\n" for n in range(30)
        ),
        "a0: &a0 [1]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, 100)),
        "%YAML 9.9\n---\na: 1",
    ],
)
def test_what_is_no_site_file_is_refused(text: str) -> None:
    with pytest.raises(NotReadable) as refused:
        read_document(text)
    assert refused.value.mark.line >= 1
    assert refused.value.remedy


_WORDS = st.sampled_from(
    ["hubs", "main", "hosts", "kind", "made", "zfs", "null", "c[1-2]", "c[1-", "8:00:00", "*a",
     "&a", "<<", "- ", ": ", "\n", "\n  ", "{", "}", "[", "]", "'", '"', "# ", "|", "192.0.2.1",
     "1", "~"]
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.text(max_size=200), st.lists(_WORDS, max_size=40).map("".join)))
def test_no_text_brings_another_exception(text: str) -> None:
    loaded = read(text)
    assert loaded.site is None
    assert loaded.errors


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_no_damage_to_a_right_file_brings_one(data: st.DataObject) -> None:
    """A line left out, written twice, moved, or with something else in it."""
    lines = RIGHT.splitlines()
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(lines) - 1))
        what = data.draw(st.sampled_from(["drop", "twice", "indent", "value"]))
        line = lines[place]
        if what == "drop" and len(lines) > 1:
            del lines[place]
        elif what == "twice":
            lines.insert(place, line)
        elif what == "indent":
            lines[place] = "  " + line
        else:
            value = data.draw(
                st.sampled_from(
                    ["", "1", "[]", "{}", "true", "-1", "[1, {a: b}]", "{kind: x}", "é"]
                )
            )
            lines[place] = f"{line.partition(':')[0]}: {value}"
    loaded = read("\n".join(lines))
    assert (loaded.site is None) == bool(loaded.errors)


_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=8)
    | st.sampled_from(["made", "x"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["kind", "hosts", "main", "file", "a"]), inner, max_size=3
        )
    ),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None)
@given(st.data(), _VALUES)
def test_no_value_in_any_place_brings_one(data: st.DataObject, value: object) -> None:
    """JSON is YAML: any value may stand in any place of the right file."""
    found = read_document(RIGHT).data
    inner = found
    while True:
        keys = list(inner) if isinstance(inner, dict) else list(range(len(inner)))
        key = data.draw(st.sampled_from(keys))
        if not isinstance(inner[key], (dict, list)) or not inner[key] or data.draw(st.booleans()):
            inner[key] = value
            break
        inner = inner[key]
    loaded = read(json.dumps(found))
    assert (loaded.site is None) == bool(loaded.errors)

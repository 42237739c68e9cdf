"""The site's policy: what is taken, what is refused and why."""

from __future__ import annotations

from typing import Any

import pytest

from slurmhub.job.policy import BadPolicy, ScriptPolicy


def test_the_defaults_are_usable() -> None:
    policy = ScriptPolicy()
    assert policy.log_path("/home/a") == "/home/a/.local/share/slurmhub/logs/jupyter-%j.log"
    assert policy.start_directory("/home/a") == "/home/a"
    assert policy.directories("/home/a") == ("/home/a/.local/share/slurmhub/logs",)


def test_only_folders_of_the_home_are_to_be_made() -> None:
    policy = ScriptPolicy(working_directory="/scratch/x", log_file="/var/log/jobs/%j.log")
    assert policy.directories("/home/a") == ()
    policy = ScriptPolicy(working_directory="~/notebooks", log_file="/home/a/logs/%j.log")
    assert policy.directories("/home/a/") == ("/home/a/logs", "/home/a/notebooks")
    assert ScriptPolicy(log_file="~/jupyter.log").directories("/home/a") == ()


def test_a_folder_that_slurm_names_is_not_made() -> None:
    assert ScriptPolicy(log_file="~/logs/%j/out").directories("/home/a") == ()
    assert ScriptPolicy().directories("/home/50%")[0].startswith("/home/50%/")


@pytest.mark.parametrize(
    "settings",
    [
        {"shell": ()},
        {"shell": ("bash",)},
        {"shell": ("/usr/bin/python3",)},
        {"shell": ("/bin/bash", "-l", "-x")},
        {"shell": ("/bin/bash", "-l -x")},
        {"shell": ("/bin/bash\n#SBATCH --uid=0",)},
        {"prologue": "a\0b"},
        {"prologue": "a\r\nb"},
        {"epilogue": "\ud800"},
        {"modules": ("gcc 12",)},
        {"modules": ("-f",)},
        {"modules": ("gcc;id",)},
        {"working_directory": "relative"},
        {"working_directory": "~bob/x"},
        {"working_directory": "/a/../b"},
        {"log_file": ""},
        {"log_file": "~"},
        {"log_file": "/a\nb"},
        {"log_file": "/a\\b"},
        {"account": "a\nb"},
        {"qos": ""},
        {"constraint": "a\x7fb"},
        {"job_name": "x" * 1001},
        {"python": "py\nthon"},
        {"warning_seconds": -1},
        {"warning_seconds": 65536},
    ],
)
def test_what_no_script_can_be_made_from(settings: dict[str, Any]) -> None:
    with pytest.raises(BadPolicy) as refused:
        ScriptPolicy(**settings)
    assert refused.value.setting == next(iter(settings))
    assert refused.value.remedy


@pytest.mark.parametrize(
    "directive",
    ["--exclusive=user", "--nice=100", "--licenses=matlab:1", "--mail-type=NONE", "--no-requeue"],
)
def test_more_options_of_sbatch(directive: str) -> None:
    assert ScriptPolicy(extra_directives=(directive,)).extra_directives == (directive,)


@pytest.mark.parametrize(
    "directive",
    [
        "",
        "nice=100",
        "-n2",
        "--nice=100 --uid=0",
        "--nice=100\n#SBATCH --uid=0",
        "--nice='1",
        "--nice=1 # more",
        "--comment=mine",
        "--comm=mine",
        "--uid=0",
        "--out=/etc/x",
        "--wrap=id",
        "--mem=1",
        "--e=/x",
        "--Nice=1",
    ],
)
def test_options_that_are_not_the_sites_to_give(directive: str) -> None:
    with pytest.raises(BadPolicy, match="extra directive"):
        ScriptPolicy(extra_directives=(directive,))


@pytest.mark.parametrize(
    ("own", "features", "constraint"),
    [
        (None, (), None),
        (None, ("a", "b"), "a&b"),
        ("ib", (), "ib"),
        ("ib&ssd", ("a", "ib"), "ib&ssd&a"),
        ("a|b", (), "a|b"),
        ("[rack1|rack2]", ("a",), "[rack1|rack2]"),
    ],
)
def test_features_beside_the_sites_own_constraint(
    own: str | None, features: tuple[str, ...], constraint: str | None
) -> None:
    policy = ScriptPolicy(constraint=own)
    assert policy.constraint_with(features) == constraint
    assert (policy.features is None) == (own is not None and "|" in own)

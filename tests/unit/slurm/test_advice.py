"""What Slurm's complaints mean; each text was printed by a real Slurm or is in its library."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slurmhub.slurm.advice import advice

FAILED = "sbatch: error: Batch job submission failed: "


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (
            "sbatch: error: invalid partition specified: nopart\n"
            f"{FAILED}Invalid partition name specified",
            "partition",
        ),
        (f"{FAILED}No partition specified or system default partition", "partition"),
        (f"{FAILED}User's group not permitted to use this partition", "partition-group"),
        (f"{FAILED}Partition in DOWN state", "partition-down"),
        (
            f"{FAILED}Required partition not available (inactive or drain)",
            "partition-down",
        ),
        (f"{FAILED}Invalid account or account/partition combination specified", "account"),
        (f"{FAILED}Invalid or unknown association", "account"),
        (f"{FAILED}Invalid qos specification", "qos"),
        (f"{FAILED}Requested account has breached requested QOS usage threshold", "qos"),
        (
            f"{FAILED}Job violates accounting/QOS policy (job submit limit, user's size and/or "
            "time limits)",
            "limit",
        ),
        (
            "sbatch: error: AssocMaxSubmitJobLimit\n"
            f"{FAILED}Job violates accounting/QOS policy (job submit limit, user's size and/or "
            "time limits)",
            "limit",
        ),
        (
            "sbatch: error: AssocGrpGRES\n"
            f"{FAILED}Job violates accounting/QOS policy (job submit limit, user's size and/or "
            "time limits)",
            "limit",
        ),
        (f"{FAILED}Requested time limit is invalid (missing or exceeds some limit)", "time"),
        (f"{FAILED}Time limit specification required, but not provided", "time"),
        ("sbatch: error: Invalid --time specification", "time"),
        (f"{FAILED}Requested node configuration is not available", "nodes"),
        (
            "sbatch: error: CPU count per node can not be satisfied\n"
            f"{FAILED}Requested node configuration is not available",
            "cpus",
        ),
        (f"{FAILED}CPU count specification invalid", "cpus"),
        (
            "sbatch: error: Memory specification can not be satisfied\n"
            f"{FAILED}Requested node configuration is not available",
            "memory",
        ),
        (f"{FAILED}Memory required by task is not available", "memory"),
        ("sbatch: error: Invalid --mem specification", "memory"),
        ("sbatch: error: Invalid generic resource (gres) specification", "gres"),
        ("sbatch: error: Invalid Trackable RESource (TRES) specification", "gres"),
        (f"{FAILED}Insufficient GRES available in allocation", "gres"),
        (f"{FAILED}Invalid license specification", "licences"),
        (f"{FAILED}Licenses currently unavailable", "licences"),
        (f"{FAILED}Invalid feature specification", "feature"),
        (f"{FAILED}Requested reservation is invalid", "reservation"),
        (f"{FAILED}Access denied to requested reservation", "reservation"),
        (f"{FAILED}Job can not start due to maintenance reservation.", "reservation"),
        (f"{FAILED}Invalid job array specification", "array"),
        (f"{FAILED}MaxJobCount limit reached", "full"),
        (f"{FAILED}Unable to create job record, try again", "full"),
        (f"{FAILED}Access/permission denied", "denied"),
        (f"{FAILED}Invalid user id", "denied"),
        (f"{FAILED}System submissions disabled", "disabled"),
        (f"{FAILED}Rate limit exceeded, please retry momentarily", "rate"),
        (
            f"{FAILED}Unable to contact slurm controller (connect failure)",
            "unreachable",
        ),
        (f"{FAILED}Socket timed out on send/recv operation", "unreachable"),
        (
            "sbatch: error: If munged is up, restart with --num-threads=10\n"
            'sbatch: error: Munge encode failed: Failed to access "/run/munge/munge.socket.2": '
            "No such file or directory (Did you start munged?)\n"
            "sbatch: error: slurm_send_node_msg: auth_g_create: REQUEST_SUBMIT_BATCH_JOB has "
            f"authentication error\n{FAILED}Protocol authentication error",
            "munge",
        ),
        (f"{FAILED}Invalid authentication credential", "munge"),
        (
            "sbatch: error: resolve_ctls_from_dns_srv: res_nsearch error: Unknown host\n"
            "sbatch: error: fetch_config: DNS SRV lookup failed\n"
            "sbatch: error: _establish_config_source: failed to fetch config\n"
            "sbatch: fatal: Could not establish a configuration source",
            "configuration",
        ),
        (
            "sbatch: error: This does not look like a batch script.  The first\n"
            "sbatch: error: line must start with #! followed by the path to an interpreter.",
            "script",
        ),
        ("sbatch: error: Batch script is empty!", "script"),
        (
            "sbatch: unrecognized option '--foo'\nTry \"sbatch --help\" for more information",
            "script",
        ),
    ],
)
def test_known_complaints(text: str, kind: str) -> None:
    found = advice(text)
    assert found.kind == kind
    assert found.plain.endswith((".", ")."))
    assert found.remedy.endswith(".")
    assert "sbatch" not in found.plain


def test_a_named_limit_is_told_exactly() -> None:
    found = advice(
        "sbatch: error: QOSMaxSubmitJobPerUserLimit\n"
        f"{FAILED}Job violates accounting/QOS policy (job submit limit, user's size and/or time "
        "limits)\n"
    )
    assert (
        found.plain == "You have as many jobs, waiting and running, as the QOS allows one person."
    )
    assert found.remedy == "Stop one of your other jobs first."


def test_unknown_words_are_given_as_they_are() -> None:
    found = advice("sbatch: error: The department closes on Sundays.\nsbatch: error: Sorry.\n")
    assert found.kind == "unknown"
    assert found.plain == "Slurm says: The department closes on Sundays. Sorry."


def test_silence_has_words_too() -> None:
    assert advice("").plain == "Slurm refused the job and gave no reason."


@given(st.text())
def test_any_text_has_a_short_answer(text: str) -> None:
    found = advice(text)
    assert 0 < len(found.plain) < 1100
    assert found.remedy
    assert "\n" not in found.plain

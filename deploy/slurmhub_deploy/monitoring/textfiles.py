"""Figures that timers of the hosts leave for node_exporter: what there is, and who tells it.

They are files in its folder of textfiles; who writes one says what it means in its HELP line.
"""

from __future__ import annotations

from typing import NamedTuple


class Told(NamedTuple):
    """One metric: its labels, what it means, and the role whose timer writes it."""

    name: str
    labels: tuple[str, ...]
    meaning: str
    role: str


TEXTFILES: tuple[Told, ...] = (
    Told("slurmhub_probe_success", ("hub",), "Whether the last trial sign-in succeeded", "probe"),
    Told("slurmhub_probe_timestamp_seconds", ("hub",), "When that was", "probe"),
    Told("slurmhub_probe_step_seconds", ("hub", "step"), "How long each step of it took", "probe"),
    Told("slurmhub_probe_failed_step", ("hub", "step"), "1 for the step that failed", "probe"),
    Told(
        "slurmhub_certificate_not_after_timestamp_seconds",
        ("domain",),
        "When the certificate for browsers ends",
        "tls",
    ),
    Told(
        "slurmhub_certificate_renewal_success",
        ("domain",),
        "Whether the last look at its renewal succeeded",
        "tls",
    ),
    Told("slurmhub_certificate_renewal_timestamp_seconds", ("domain",), "When that was", "tls"),
    Told("slurmhub_homes_size_bytes", ("homes",), "Size of the homes", "homes_server"),
    Told("slurmhub_homes_free_bytes", ("homes",), "What can still be written", "homes_server"),
    Told("slurmhub_homes_people", ("homes",), "How many homes there are", "homes_server"),
    Told(
        "slurmhub_homes_people_nearly_full",
        ("homes",),
        "Homes with nine tenths of their quota used",
        "homes_server",
    ),
    Told(
        "slurmhub_homes_measured_timestamp_seconds",
        ("homes",),
        "When they were measured",
        "homes_server",
    ),
    Told(
        "slurmhub_homes_snapshot_timestamp_seconds",
        ("homes", "kind"),
        "When the newest snapshot of a kind was taken; 0 if there is none",
        "homes_server",
    ),
    Told(
        "slurmhub_backup_last_success_timestamp_seconds",
        ("what", "name"),
        "When a backup last came to its end",
        "hub, directory_server, slurm_database",
    ),
    Told("slurmhub_backup_size_bytes", ("what", "name"), "Size of that backup", "hub"),
)

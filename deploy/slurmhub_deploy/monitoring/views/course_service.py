"""How the service of courses does, and what courses there are."""

from __future__ import annotations

from slurmhub_deploy.monitoring import COURSES_JOB
from slurmhub_deploy.monitoring.panels import Panel, Query
from slurmhub_deploy.monitoring.queries import OF_HUB, now, quantiles, total

SERVICE = (
    Panel(
        "The service answers",
        "1 while Prometheus reaches it and while it reaches its database.",
        (
            Query(f'min by (instance) (up{{job="{COURSES_JOB}",{OF_HUB}}})', "{{instance}}"),
            Query(f"min(slurmhub_courses_database_up{{{OF_HUB}}})", "database"),
        ),
        kind="stat",
        width=6,
    ),
    Panel(
        "Since the last round, by part",
        "What it does by itself: look for changes, do what the time brings, keep Slurm and the "
        "folders as courses say. Slurm and folders have about a minute between rounds.",
        (
            Query(
                "max by (loop) (time() - "
                f"slurmhub_courses_loop_last_success_timestamp_seconds{{{OF_HUB}}})",
                "{{loop}}",
            ),
        ),
        unit="s",
        width=9,
    ),
    Panel(
        "Rounds that failed, by part",
        "In the last hour. What fails is tried again, ever less often.",
        (total("slurmhub_courses_loop_failures_total", "loop"),),
        width=9,
    ),
    Panel(
        "Courses by what they are at",
        "Those that wait for an approver, that are open, that are over.",
        (now("slurmhub_courses_by_state", "state"),),
        width=8,
    ),
    Panel(
        "People in open courses",
        "Who is pending is on a roster and has never signed in.",
        (now("slurmhub_courses_people", "kind"),),
        width=8,
    ),
    Panel(
        "Classes of the week",
        "Held now, and to begin within a day and within a week.",
        (now("slurmhub_courses_classes", "when"),),
        width=8,
    ),
    Panel(
        "Places in the classes that are held",
        "Servers for which room is kept at this moment.",
        (Query(f"sum(slurmhub_courses_class_places{{{OF_HUB}}})", "places"),),
        width=8,
    ),
    Panel(
        "Courses for which something is still to be done",
        "In Slurm and in folders. One whose class does not fit stays here until its hours change; "
        "its page says why.",
        (
            Query(f'sum(slurmhub_course_states{{{OF_HUB},state="waiting"}})', "Slurm"),
            Query(f'sum(slurmhub_course_folders_states{{{OF_HUB},state="waiting"}})', "folders"),
        ),
        width=8,
    ),
    Panel(
        "Waiting for an approver",
        "Requests on which nobody has decided.",
        (Query(f"sum(slurmhub_courses_approvals{{{OF_HUB}}})", "requests"),),
        kind="stat",
        width=8,
    ),
    Panel(
        "Changes to Slurm, by what became of them",
        "In the last hour. Refused ones are in the service's log, with Slurm's words.",
        (total("slurmhub_course_steps_total", "outcome"),),
        width=8,
    ),
    Panel(
        "Calls for folders, by what became of them",
        "In the last hour.",
        (total("slurmhub_course_folders_calls_total", "outcome"),),
        width=8,
    ),
    Panel(
        "Of no course",
        "Accounts in Slurm and folders that bear the hub's mark and belong to no course.",
        (
            Query(f"sum(slurmhub_course_strays{{{OF_HUB}}})", "accounts"),
            Query(f"sum(slurmhub_course_folders_strays{{{OF_HUB}}})", "folders"),
        ),
        width=8,
    ),
    Panel(
        "Comparisons with Slurm, by outcome",
        "In the last hour.",
        (total("slurmhub_course_rounds_total", "outcome"),),
        width=8,
    ),
    Panel(
        "How long a comparison takes",
        "Half of them, and nine of ten, with all their changes.",
        quantiles("slurmhub_course_round_seconds", "", 0.5, 0.9),
        unit="s",
        width=8,
    ),
    Panel(
        "What the time brought",
        "In the last day: reminders, courses frozen, ended, forgotten.",
        (total("slurmhub_courses_stages_total", "step", within="1d"),),
        width=8,
    ),
    Panel(
        "Reminders by mail",
        "Tries in the last day, by what became of them, and how many no mail server took yet.",
        (
            total("slurmhub_courses_mails_total", "outcome", within="1d"),
            Query(f"sum(slurmhub_courses_mails_waiting{{{OF_HUB}}})", "waiting"),
        ),
        width=8,
    ),
    Panel(
        "Answers of the service, by status",
        "In the last hour. 503 means that its database or the hub is away.",
        (total("slurmhub_courses_requests_total", "status"),),
        width=8,
    ),
    Panel(
        "How long people wait for a page of it",
        "Half of them, and nine of ten.",
        quantiles("slurmhub_courses_request_seconds", "", 0.5, 0.9),
        unit="s",
        width=8,
    ),
    Panel(
        "The hub asked for courses in vain",
        "In the last hour: sign-ins and home pages for which the database did not answer.",
        (Query(f"sum(increase(slurmhub_courses_unanswered_total{{{OF_HUB}}}[1h]))", "times"),),
        width=8,
    ),
)

"""What may be asked for: one schema, its validation, its form."""

from slurmhub.options.form import render_form
from slurmhub.options.limits import SiteLimits
from slurmhub.options.offer import Offer
from slurmhub.options.reading import prefill, read_request
from slurmhub.options.refusal import Problem, Refusal
from slurmhub.options.request import JobRequest

__all__ = [
    "JobRequest",
    "Offer",
    "Problem",
    "Refusal",
    "SiteLimits",
    "prefill",
    "read_request",
    "render_form",
]

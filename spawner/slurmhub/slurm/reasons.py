"""Why a job waits, in words that a student understands.

Source: "JOB REASON CODES" in the manual of squeue, Slurm's page on job reason codes, and the
reasons that the controllers of 22.05, 24.11 and 26.05 know.
"""

from __future__ import annotations

import re

from slurmhub.slurm.limits import limit_named

_WORD = re.compile(r"\(?([A-Za-z]+)")
_HELD = "It is held until it is released; ask your support."
_LOOKED_AT_SOON = "Slurm has not looked at it yet; it will within moments."

_PLAIN: dict[str, str] = {
    "None": _LOOKED_AT_SOON,
    "WaitingForScheduling": _LOOKED_AT_SOON,
    "Priority": "Other jobs were first in the queue; it moves up as they start.",
    "Resources": "It is next; what it asks for is in use and comes free when other jobs end.",
    "Dependency": "Another job has to end before it.",
    "DependencyNeverSatisfied": "It waits for a job that can never end as asked; stop it.",
    "BeginTime": "It may not start before a time that was set for it, or was just requeued.",
    "Cleaning": "It was put back into the queue and is being cleaned up.",
    "Prolog": "The computer is being prepared for it.",
    "Constraints": "No computer with the features it asks for is free at the moment.",
    "BadConstraints": "No computer of this cluster can give what it asks for; stop it and ask "
    "for less.",
    "PartitionNodeLimit": "It asks for more computers than the partition allows, or those it "
    "needs are out of service.",
    "PartitionTimeLimit": "It asks for more time than the partition allows; stop it and ask for "
    "fewer hours.",
    "PartitionDown": "The partition is closed at the moment; it starts when it opens again.",
    "PartitionInactive": "The partition starts no jobs at the moment.",
    "PartitionConfig": "It does not fit a limit of the partition; stop it and ask for less.",
    "MaxMemPerLimit": "It asks for more memory than the partition allows; stop it and ask for "
    "less.",
    "NodeDown": "A computer that it needs is out of service.",
    "FrontEndDown": "The computer that starts jobs is out of service.",
    "ReqNodeNotAvail": "A computer that it needs is not available at the moment.",
    "Reservation": "Its reservation has not begun yet.",
    "ReservationDeleted": "The reservation that it asks for no longer exists; stop it.",
    "ReservationInvalid": "The reservation that it asks for cannot be used; stop it.",
    "Licenses": "It waits for a licence of a program that others are using.",
    "InvalidAccount": "Its account is not valid; ask your support.",
    "InvalidQOS": "Its QOS is not valid; ask your support.",
    "AccountNotAllowed": "Its account may not use this partition; stop it and choose another.",
    "QOSNotAllowed": "Its QOS may not be used here; stop it and choose another.",
    "QOSJobLimit": "As many jobs run in its QOS as it allows; it starts when one of them ends.",
    "QOSResourceLimit": "A limit of its QOS is reached; it starts when other jobs there end.",
    "QOSTimeLimit": "It asks for more time than its QOS has left.",
    "QOSUsageThreshold": "Its account has used too much lately for this QOS.",
    "AssociationJobLimit": "As many jobs run in your account as it allows; it starts when one "
    "of them ends.",
    "AssociationResourceLimit": "A limit of your account is reached; it starts when other jobs "
    "there end.",
    "AssociationTimeLimit": "It asks for more time than your account has left.",
    "AccountingPolicy": "A limit of your account or QOS is reached.",
    "JobHeldUser": _HELD,
    "JobHeldAdmin": _HELD,
    "JobHoldMaxRequeue": "It was started too many times without success. " + _HELD,
    "JobArrayTaskLimit": "As many jobs of its array run as it allows.",
    "JobLaunchFailure": "It could not be started on the computer chosen for it; ask your support.",
    "NonZeroExitCode": "It ended with an error.",
    "RaisedSignal": "It was ended by a signal.",
    "OutOfMemory": "It used more memory than it had asked for.",
    "TimeLimit": "It reached its time limit.",
    "InactiveLimit": "It was inactive for too long.",
    "SystemFailure": "A part of the cluster failed; ask your support.",
    "DeadLine": "It can no longer end before its deadline; stop it.",
    "BurstBufferResources": "It waits for fast storage that other jobs are using.",
    "BurstBufferStageIn": "Its files are being copied to fast storage.",
    "BurstBufferOperation": "Its fast storage could not be prepared; ask your support.",
    "FedJobLock": "The clusters are agreeing on which of them starts it.",
    "SchedDefer": "It will be looked at with the next round of the scheduler.",
    "MpiPortsBusy": "It waits for network ports that other jobs are using.",
    "NvidiaImexChannels": "It waits for a channel between GPUs that other jobs are using.",
    "InvalidReason": "Slurm gives no reason.",
    # Slurm's own spelling before 26.05.
    "InvaildReason": "Slurm gives no reason.",
}
# Sentences that Slurm writes itself instead of a code; each is known by how it begins.
_SENTENCES: dict[str, str] = {
    "nodes required for job are down": "The computers that it needs are out of service, or kept "
    "for jobs that come first.",
    "reqnodenotavail, reserved for maintenance": "The computers that it needs are kept free for "
    "maintenance; it starts after that, or sooner if it asks for fewer hours.",
    "reqnodenotavail, may be reserved": "The computers that it needs may be reserved for other "
    "jobs.",
    "launch failed requeued held": "It could not be started, and is held; ask your support.",
    "job requeued in held state": "It was put back into the queue. " + _HELD,
    "job requeued in special exit state": "It was put back into the queue after an error. " + _HELD,
    "prolog": "The computer could not be prepared for it; ask your support.",
}


def plain_reason(reason: str) -> str:
    """A sentence or two for a reason of squeue; one that is not known is given as it is."""
    words = reason.strip()
    code = _WORD.match(words)
    word = code[1] if code else ""
    if word == words and word in _PLAIN:
        return _PLAIN[word]
    limit = limit_named(words)
    if limit is not None:
        return f"{limit.plain} {limit.waiting}"
    text = words.replace("_", " ").lstrip("(").lower()
    for beginning, sentence in _SENTENCES.items():
        if text.startswith(beginning):
            return sentence
    if not words:
        return _LOOKED_AT_SOON
    return _PLAIN.get(word) or f"Slurm's reason is: {words[:200]}"

"""Who signs in, judged from what the ledger knows of the identifiers that were sent.

The one rule above all: nobody gets the account of somebody else. An identifier that is never
reassigned (subject-id, pairwise-id) says who somebody is. An eppn says it only for a subject of
whom nothing better was ever seen; as soon as it contradicts, or something better is missing, it
says nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from slurmhub.auth.account_refusals import Ambiguous, IdentifierWithheld
from slurmhub.auth.identifiers import Identifier, Kind


@dataclass(frozen=True)
class Subject:
    """An identity of the ledger: its number, its person's, and all that identifies it."""

    identity: int
    person: int
    identifiers: frozenset[Identifier]

    def of_kind(self, kind: Kind) -> frozenset[Identifier]:
        """Its identifiers of one kind."""
        return frozenset(each for each in self.identifiers if each.kind is kind)

    @property
    def stable(self) -> frozenset[Identifier]:
        """Those of its identifiers that are never given to another."""
        return frozenset(each for each in self.identifiers if each.kind.stable)


@dataclass(frozen=True)
class Decision:
    """Which identity it is, None for one never seen, and what to write down.

    `attach` are identifiers that nobody had; `move` are eppns that were another identity's and
    are not any more.
    """

    subject: Subject | None
    attach: tuple[Identifier, ...] = ()
    move: tuple[Identifier, ...] = ()

    @property
    def changes(self) -> bool:
        """Whether anything has to be written."""
        return self.subject is None or bool(self.attach or self.move)


def decide(sent: Sequence[Identifier], known: Mapping[Identifier, Subject]) -> Decision:
    """Judge the identifiers of one assertion; `known` has those of them that the ledger has.

    Raises Ambiguous or IdentifierWithheld.
    """
    subject = _by_stable(sent, known)
    if subject is None:
        subject = _by_eppn(sent, known)
    if subject is not None:
        _check_agreement(sent, subject)
    attach, move = [], []
    for each in sent:
        holder = known.get(each)
        if holder is None:
            attach.append(each)
        elif subject is None or holder.person != subject.person:
            move.append(each)
    return Decision(subject, tuple(attach), tuple(move))


def _by_stable(sent: Sequence[Identifier], known: Mapping[Identifier, Subject]) -> Subject | None:
    """The subject that subject-id and pairwise-id name."""
    found = [known[each] for each in sent if each.kind.stable and each in known]
    if len({subject.person for subject in found}) > 1:
        numbers = " and ".join(str(subject.identity) for subject in found)
        raise Ambiguous(
            f"{sent[0].idp} sent a subject-id and a pairwise-id of two people: identities {numbers}"
        )
    return found[0] if found else None


def _by_eppn(sent: Sequence[Identifier], known: Mapping[Identifier, Subject]) -> Subject | None:
    """The subject that an eppn names, as far as it can; None is somebody never seen."""
    eppn = next((each for each in sent if each.kind is Kind.EPPN), None)
    if eppn is None or eppn not in known:
        return None
    subject = known[eppn]
    if not subject.stable:
        return subject  # all that is known of the subject says that it is the same
    if any(each.kind.stable and _contradicts(each, subject) for each in sent):
        return None  # the eppn was given to somebody else
    kinds = ", ".join(sorted({each.kind.value for each in subject.stable}))
    raise IdentifierWithheld(
        f"{eppn.idp} sent an eppn of identity {subject.identity}, which is known by {kinds}, "
        f"without that; ask it to release {kinds} again"
    )


def _contradicts(each: Identifier, subject: Subject) -> bool:
    """Whether the subject has another identifier of this kind."""
    same = subject.of_kind(each.kind)
    return bool(same) and each not in same


def _check_agreement(sent: Sequence[Identifier], subject: Subject) -> None:
    """One subject has one subject-id and one pairwise-id, for ever."""
    for each in sent:
        if each.kind.stable and _contradicts(each, subject):
            raise Ambiguous(
                f"{each.idp} sent another {each.kind.value} than before for identity "
                f"{subject.identity}; if it renewed them, have an administrator link the new one"
            )

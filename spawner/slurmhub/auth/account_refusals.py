"""Why somebody whom their institution vouches for gets no account: words for them, by case."""

from __future__ import annotations

from slurmhub.auth.refusals import SignInRefused

_SUPPORT = "Please tell the support of this hub."
_UNIVERSITY = "Please show this page to the IT support of your institution."
_AGAIN = (
    "Please try to sign in again in some minutes; if it stays so, tell the support of this hub."
)


class NoIdentifier(SignInRefused):
    """None of the identifiers was sent, or none in a form that can be relied on."""

    why = "no-identifier"

    def __init__(self, for_operator: str) -> None:
        super().__init__(
            "Your institution did not send an identifier of yours that this hub can use.",
            remedy="Please show this page to the IT support of your institution. "
            "The hub needs subject-id, pairwise-id or eduPersonPrincipalName.",
            for_operator=for_operator,
        )


class IdentifierWithheld(SignInRefused):
    """A subject known by an identifier that is never reassigned came without it."""

    why = "identifier-withheld"

    def __init__(self, for_operator: str) -> None:
        super().__init__(
            "Your institution sent less about you than before, so this hub cannot be sure who "
            "you are.",
            remedy=_UNIVERSITY,
            for_operator=for_operator,
        )


class Ambiguous(SignInRefused):
    """What was sent belongs to two people, or the rules name two accounts."""

    why = "ambiguous"

    def __init__(self, for_operator: str) -> None:
        super().__init__(
            "What your institution sent belongs to two different people here.",
            remedy=_SUPPORT,
            for_operator=for_operator,
        )


class NoMatch(SignInRefused):
    """No rule gives an account name for this subject."""

    why = "no-match"

    def __init__(self, for_operator: str) -> None:
        super().__init__(
            "This hub has no account for people of your institution, or none for you.",
            remedy=_SUPPORT,
            for_operator=for_operator,
        )


class NotInDirectory(SignInRefused):
    """The account that the rules name is not there, or not one for people."""

    why = "not-in-directory"

    def __init__(self, for_operator: str) -> None:
        super().__init__(
            "There is no account for you on the cluster.",
            remedy="Please ask the support of this hub for one, then sign in again.",
            for_operator=for_operator,
        )


class AccountTaken(SignInRefused):
    """The account that the rules name belongs to another person of the ledger."""

    why = "account-taken"

    def __init__(self, for_operator: str) -> None:
        super().__init__(
            "The account that would be yours here already belongs to somebody else.",
            remedy=_SUPPORT,
            for_operator=for_operator,
        )


class AccountGone(SignInRefused):
    """The person's account is not in the directory any more, or the directory does not answer."""

    why = "account-gone"
    try_again = True

    def __init__(self, for_operator: str) -> None:
        super().__init__(
            "The cluster does not know your account, though it did before.",
            remedy=_AGAIN,
            for_operator=for_operator,
        )


class AccountChanged(SignInRefused):
    """The account of this name has another number now: it is somebody else's, or a mistake."""

    why = "account-changed"

    def __init__(self, for_operator: str) -> None:
        super().__init__(
            "The account of your name on the cluster is not the one that you had.",
            remedy=_SUPPORT,
            for_operator=for_operator,
        )


class AccountLocked(SignInRefused):
    """An administrator locked it."""

    why = "account-locked"

    def __init__(self, for_operator: str) -> None:
        super().__init__(
            "Your account is locked.",
            remedy="Please ask the support of this hub why.",
            for_operator=for_operator,
        )


class AccountErased(SignInRefused):
    """The account was erased; its name and number are given to nobody any more."""

    why = "account-erased"

    def __init__(self, for_operator: str) -> None:
        super().__init__(
            "The account that would be yours here was erased.",
            remedy=_SUPPORT,
            for_operator=for_operator,
        )


class AccountNotMade(SignInRefused):
    """The account could not be made now; the next sign-in goes on where this one ended."""

    why = "account-not-made"
    status = 503
    try_again = True

    def __init__(self, for_operator: str) -> None:
        super().__init__(
            "Your account could not be made just now.", remedy=_AGAIN, for_operator=for_operator
        )


class HomeNotMade(SignInRefused):
    """The home of an account that is there could not be made now."""

    why = "home-not-made"
    status = 503
    try_again = True

    def __init__(self, for_operator: str) -> None:
        super().__init__(
            "Your home folder could not be made just now.",
            remedy=_AGAIN,
            for_operator=for_operator,
        )


class AccountNotVisible(SignInRefused):
    """The account was made, and the hub's host does not show it yet."""

    why = "account-not-visible"
    status = 503
    try_again = True

    def __init__(self, for_operator: str) -> None:
        super().__init__(
            "Your account was made, but the cluster does not know it yet.",
            remedy=_AGAIN,
            for_operator=for_operator,
        )


class LedgerAway(SignInRefused):
    """The ledger could not be read, or a new person could not be written into it."""

    why = "ledger-away"
    status = 503
    try_again = True

    def __init__(self, for_operator: str) -> None:
        super().__init__(
            "The hub could not look up your account just now.",
            remedy=_AGAIN,
            for_operator=for_operator,
        )

"""Why a sign-in is refused, in words for the person who wanted in and for the operator."""

from __future__ import annotations

from typing import ClassVar

from slurmhub.errors import SlurmhubError


class SignInRefused(SlurmhubError):
    """Nobody was signed in.

    `what` and `remedy` are for the person. `for_operator` goes to the log with the incident's
    number: which attribute, from which identity provider, and no more of the person than needed.
    """

    why: ClassVar[str] = "refused"
    """Which refusal it is, as the metric and the log call it: lower case, with hyphens."""

    status: ClassVar[int] = 403
    """The status of the page, in HTTP."""

    try_again: ClassVar[bool] = False
    """True where the same attempt may succeed later, with nothing changed by the person."""

    def __init__(self, what: str, *, remedy: str, for_operator: str = "") -> None:
        super().__init__(what, remedy=remedy)
        self.for_operator = for_operator


class FrontUnproven(SignInRefused):
    """What should come from the front does not show its secret, or not exactly once."""

    why = "front-unproven"

    def __init__(self, for_operator: str) -> None:
        super().__init__(
            "This request did not come through the hub's sign-in.",
            remedy="Begin at the hub's own page and sign in there.",
            for_operator=for_operator,
        )


class SecretUnusable(SignInRefused):
    """The file of the front's secret cannot be trusted or read, so nobody can be told apart."""

    why = "secret-unusable"
    status = 503
    try_again = True

    def __init__(self, for_operator: str) -> None:
        super().__init__(
            "The hub cannot check sign-ins at the moment.",
            remedy="Try again in a few minutes.",
            for_operator=for_operator,
        )


class IdentityHeader(SignInRefused):
    """A client said who it is in a header, which only the front may, at its one location."""

    why = "identity-header"
    status = 400

    def __init__(self, for_operator: str) -> None:
        super().__init__(
            "This request carries a header that says who you are.",
            remedy="No browser sends such headers by itself: leave them out, and turn off "
            "extensions that add them.",
            for_operator=for_operator,
        )


class NotAllowed(SignInRefused):
    """The person is who they are, and may not use this hub."""

    why = "not-allowed"

    def __init__(self, for_operator: str) -> None:
        super().__init__(
            "You have signed in, but you may not use this hub.",
            remedy="Ask the people who run this hub whether you should have access to it.",
            for_operator=for_operator,
        )


class NoSession(SignInRefused):
    """The front says nothing of a session: the person did not sign in."""

    why = "no-session"

    def __init__(self, for_operator: str) -> None:
        super().__init__(
            "Your institution's sign-in did not reach the hub.",
            remedy="Begin again at the hub's own page; your browser must accept its cookies.",
            for_operator=for_operator,
        )


class NotRemembered(SignInRefused):
    """The hub's database took nothing in, so that a sign-in could not be kept."""

    why = "not-remembered"
    status = 503
    try_again = True

    def __init__(self, for_operator: str) -> None:
        super().__init__(
            "The hub could not write your sign-in down.",
            remedy="Try again in a few minutes; if it stays so, tell the people who run this hub.",
            for_operator=for_operator,
        )


class AttributeRefused(SignInRefused):
    """An attribute is missing or cannot be what it should be.

    `attribute` is its name in the SP's attribute map, `plain` what it is for people, `idp` the
    identity provider's entityID.
    """

    def __init__(
        self, what: str, *, remedy: str, attribute: str, plain: str, idp: str, problem: str
    ) -> None:
        super().__init__(
            what, remedy=remedy, for_operator=f"{attribute} from {idp or 'no one'}: {problem}"
        )
        self.attribute = attribute
        self.plain = plain
        self.idp = idp


_ASK = (
    "This is for your institution to correct. Send its support the number below and the name of "
    "the attribute."
)
_ASK_HUB = "Only the people who run this hub can correct this. Send them the number below."


class AttributeMissing(AttributeRefused):
    """The identity provider released no value of an attribute that the hub needs."""

    why = "missing"

    def __init__(self, attribute: str, plain: str, idp: str) -> None:
        super().__init__(
            f"Your institution did not send {plain}.",
            remedy=_ASK,
            attribute=attribute,
            plain=plain,
            idp=idp,
            problem="not sent",
        )


class AttributeNull(AttributeRefused):
    """The text (null): what a badly configured front sends for an attribute that is absent."""

    why = "null"

    def __init__(self, attribute: str, plain: str, idp: str) -> None:
        super().__init__(
            f"The hub's sign-in has no value for {plain} and sent the word “(null)” instead.",
            remedy=_ASK_HUB,
            attribute=attribute,
            plain=plain,
            idp=idp,
            problem="the text (null): the front must use expr=%{reqenv:...}, never %{...}e",
        )


class AttributeSeveral(AttributeRefused):
    """Several values of what a person can have only one of."""

    why = "several"

    def __init__(self, attribute: str, plain: str, idp: str, number: int) -> None:
        super().__init__(
            f"Your institution sent {number} values for {plain}, of which there can be only one.",
            remedy=_ASK,
            attribute=attribute,
            plain=plain,
            idp=idp,
            problem=f"{number} values",
        )


class AttributeTooLong(AttributeRefused):
    """A value, or all together, beyond what the hub takes in."""

    why = "too-long"

    def __init__(self, attribute: str, plain: str, idp: str, problem: str) -> None:
        super().__init__(
            f"What your institution sent for {plain} is too long.",
            remedy=_ASK,
            attribute=attribute,
            plain=plain,
            idp=idp,
            problem=problem,
        )


class AttributeEncoded(AttributeRefused):
    """Bytes that are no UTF-8."""

    why = "not-utf8"

    def __init__(self, attribute: str, plain: str, idp: str) -> None:
        super().__init__(
            f"What your institution sent for {plain} is not in UTF-8.",
            remedy=_ASK,
            attribute=attribute,
            plain=plain,
            idp=idp,
            problem="not UTF-8",
        )


class AttributeMalformed(AttributeRefused):
    """A value that has not the form its attribute must have."""

    why = "malformed"

    def __init__(self, attribute: str, plain: str, idp: str, problem: str) -> None:
        super().__init__(
            f"What your institution sent for {plain} has not the form that it must have.",
            remedy=_ASK,
            attribute=attribute,
            plain=plain,
            idp=idp,
            problem=problem,
        )


class AttributeOutOfScope(AttributeRefused):
    """An identity provider spoke for a scope that is not its own."""

    why = "out-of-scope"

    def __init__(self, attribute: str, plain: str, idp: str, scope: str) -> None:
        super().__init__(
            f"Your institution may not send this value for {plain}: it is another institution's.",
            remedy=_ASK,
            attribute=attribute,
            plain=plain,
            idp=idp,
            problem=f"scope {scope!r} is not one that it may assert (see idp_scopes)",
        )


class IdpUnknown(AttributeRefused):
    """An identity provider that this site does not list."""

    why = "idp-unknown"

    def __init__(self, idp: str) -> None:
        super().__init__(
            "People of your institution cannot sign in to this hub.",
            remedy="Ask the people who run this hub whether your institution takes part.",
            attribute="entityID",
            plain="your institution",
            idp=idp,
            problem="it is not listed in idp_scopes",
        )

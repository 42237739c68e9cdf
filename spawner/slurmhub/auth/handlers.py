"""The pages of the sign-in by their addresses below the hub's."""

from __future__ import annotations

from slurmhub.auth.places import LOGIN, NOTIFY, SIGNED_OUT, TERMS, WHERE
from slurmhub.auth.signing_in import SignInHandler
from slurmhub.auth.signing_out import NotifyHandler, SignedOutHandler, SignOutHandler
from slurmhub.auth.terms_page import TermsHandler
from slurmhub.auth.where import WhereHandler

# An authenticator's handlers come before JupyterHub's own, of which one is at /logout.
HANDLERS = [
    (f"/{LOGIN}", SignInHandler),
    (f"/{NOTIFY}", NotifyHandler),
    (f"/{SIGNED_OUT}", SignedOutHandler),
    (f"/{TERMS}", TermsHandler),
    (f"/{WHERE}", WhereHandler),
    ("/logout", SignOutHandler),
]

"""Where the pages of the sign-in are, below the hub's own address."""

from __future__ import annotations

LOGIN = "shibboleth/login"
"""The one place where the front says who somebody is."""

NOTIFY = "shibboleth/notify"
"""Where the SP says that sessions are over; the front proves itself there, too."""

SIGNED_OUT = "shibboleth/signed-out"
TERMS = "shibboleth/terms"
WHERE = "shibboleth/where"

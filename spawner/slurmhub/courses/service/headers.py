"""What a browser is told of each page: nothing of other sites, and no scripts but ours."""

from __future__ import annotations


def page_headers(nonce: str, hub_host: str = "") -> dict[str, str]:
    """The headers of a page whose scripts have this nonce; `hub_host` is the hub's own origin."""
    own = f"'self' {hub_host}".strip()
    policy = {
        "default-src": "'none'",
        "script-src": f"{own} 'nonce-{nonce}'",
        # JupyterHub's pages have styles in their elements.
        "style-src": f"{own} 'unsafe-inline'",
        "img-src": f"{own} data:",
        "font-src": f"{own} data:",
        "connect-src": own,
        "form-action": own,
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
    }
    return {
        "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "Cache-Control": "no-store",
    }

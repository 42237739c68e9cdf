"""Certificates, Apache, shibd and metadata: what stands between a browser and the hub."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timezone

from slurmhub_deploy.doctor.facts import Facts
from slurmhub_deploy.doctor.finding import Said

_DAY = 86400.0
_SOON, _VERY_SOON = 14 * _DAY, 3 * _DAY


def certificates_hold(facts: Facts) -> Iterator[Said]:
    """Certificates that browsers refuse, or soon will, and keys that others can read."""
    for host, certificates in facts.seen("certificates"):
        for domain, seen in certificates.items():
            if not seen.served:
                yield Said(
                    domain,
                    f"nothing answers https on {host}: {seen.said}",
                    "Is Apache running? `slurmhub logs front`",
                )
            elif not seen.believed:
                yield Said(
                    domain,
                    f"browsers do not believe its certificate: {seen.said}",
                    "Renew it, or complete its chain; see docs/operators/tls.md.",
                )
            if seen.key_mode is not None and seen.key_mode & 0o077:
                yield Said(
                    domain,
                    f"the certificate's key can be read by others (mode {seen.key_mode:04o})",
                    "Run `slurmhub up --only front`, and have a new certificate made for a new"
                    " key: this one may be known.",
                    "warning",
                )
            yield from _ends(domain, seen.ends, facts.now)


def _ends(domain: str, ends: float | None, now: float) -> Iterator[Said]:
    if ends is None or ends - now > _SOON:
        return
    days = (ends - now) / _DAY
    yield Said(
        domain,
        f"its certificate ends in {days:.0f} days" if days > 0 else "its certificate has ended",
        "See why it is not renewed: `slurmhub logs front`, docs/operators/tls.md.",
        "error" if ends - now < _VERY_SOON else "warning",
    )


def front_is_right(facts: Facts) -> Iterator[Said]:
    """Apache or shibd whose configuration has a mistake: it would not come back after a restart."""
    for host, front in facts.seen("front"):
        for program, verdict in (("Apache", front.apache), ("shibd", front.shibd)):
            if verdict.right is None:
                yield Said(
                    host,
                    f"{program} could not be asked about its configuration: {verdict.said}",
                    "Run `slurmhub up --only front`.",
                    "unknown",
                )
            elif not verdict.right:
                yield Said(
                    host,
                    f"{program} finds a mistake in its configuration: {verdict.said}",
                    "Run `slurmhub up --only front`; if it stays, `slurmhub front render --check`.",
                )


def metadata_is_there(facts: Facts) -> Iterator[Said]:
    """Metadata that is missing, without the identity provider, or that ends."""
    for host, front in facts.seen("front"):
        if not front.metadata:
            yield Said(
                host,
                "shibd has no metadata of any identity provider",
                "`slurmhub logs shibboleth` says why it could not be fetched.",
            )
        elif front.provider_known is False:
            yield Said(
                host,
                "the identity provider that the site file names is in no metadata",
                "Correct `provider`, or the metadata; ask the federation.",
            )
        for each in front.metadata:
            ends = _time(each.valid_until)
            if ends is not None and ends - facts.now < 2 * _DAY:
                gone = ends < facts.now
                yield Said(
                    host,
                    f"the metadata in {each.path} {'ended' if gone else 'ends'} on"
                    f" {each.valid_until}",
                    "`slurmhub logs shibboleth` says why it is not renewed.",
                    "error" if gone else "warning",
                )


def _time(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return None
    return (found if found.tzinfo else found.replace(tzinfo=timezone.utc)).timestamp()


def keys_are_registered(facts: Facts) -> Iterator[Said]:
    """Keys of the service provider that the federation does not know."""
    for name, hub in facts.hubs.items():
        front, known = facts.of(hub["host"]).front, facts.registered.get(name, frozenset())
        if front is None:
            continue
        for use, digest in front.keys.items():
            if digest is None:
                yield Said(
                    hub["domain"],
                    f"has no certificate for {use} in {hub['front']['key_folder']}",
                    "Run `slurmhub up --only front`.",
                )
            elif known and digest not in known:
                yield Said(
                    hub["domain"],
                    f"its key for {use} is not the one in the metadata that was registered",
                    "Register the new metadata with the federation, or bring back the keys.",
                )
            elif not known:
                yield Said(
                    hub["domain"],
                    f"what was registered of its key for {use} is not beside this site file",
                    f"Keep it in .slurmhub/registration/{name}/; `slurmhub up` writes it.",
                    "unknown",
                )


_REFUSED = "slurmhub_signin_refused_total{"


def people_are_let_in(facts: Facts) -> Iterator[Said]:
    """Sign-ins that the hub refused for what the identity provider did not release."""
    for _host, hubs in facts.seen("hubs"):
        for name, seen in hubs.items():
            metrics = seen.metrics or {}
            good = metrics.get("slurmhub_signins_total", 0.0)
            refused = {key: value for key, value in metrics.items() if key.startswith(_REFUSED)}
            for series, count in sorted(refused.items()):
                why = series.partition('why="')[2].partition('"')[0]
                if count >= 5 and count > good:
                    yield Said(
                        facts.hubs[name]["domain"],
                        f"refused {count:.0f} sign-ins since its start ({why}), and let {good:.0f}"
                        " in",
                        "docs/operators/runbooks/sign-ins-refused.md; often an attribute is not"
                        " released.",
                        "warning",
                    )

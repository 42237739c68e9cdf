"""Checks of certificates."""

from __future__ import annotations

import datetime
import ipaddress
from collections.abc import Iterator
from pathlib import Path as FilePath

from cryptography import x509

from slurmhub_deploy.front.certificate import covers, names_of
from slurmhub_deploy.site.checks.finding import Around, Said
from slurmhub_deploy.site.tls import AcmeTls, GivenTls

# RFC 2606, 6761, 6762, 8375, and ICANN's name for private use: no authority certifies these.
_PRIVATE = ("test", "example", "invalid", "localhost", "local", "internal", "home.arpa", "lan")
_PUBLIC = frozenset({"letsencrypt", "buypass", "zerossl"})
_SOON = datetime.timedelta(days=21)


def authority_reaches_the_domain(around: Around) -> Iterator[Said]:
    """An ACME authority certifies names of the public DNS, proven in a way that works."""
    told = set()
    for name, hub in around.site.hubs.items():
        path, tls = around.site.tls_of(hub)
        if not isinstance(tls, AcmeTls):
            continue
        domain = hub.domain
        own = "." not in domain or domain.endswith(tuple(f".{each}" for each in _PRIVATE))
        if own and tls.authority in _PUBLIC:
            yield Said(
                ("hubs", name, "domain"),
                f"{domain} is no name of the public DNS: {tls.authority} does not certify it",
                "Take a public name, another authority, or a certificate that is given.",
                (path,),
            )
        host = around.site.machines.get(hub.host)
        reached = host and (host.host.public_address or host.address)
        if tls.challenge == "http-01" and reached and _is_private(reached):
            yield Said(
                (*path, "challenge"),
                f"http-01 needs {domain} to be reached from the Internet, and {hub.host} has the"
                f" private address {reached}",
                "Give `public_address` of the host if it has one, or take dns-01.",
                (("hosts",), ("hubs", name, "host")),
                level="warning",
            )
        if tls.challenge == "dns-01" and tls.dns_hook is None and path not in told:
            told.add(path)
            yield Said(
                (*path, "dns_hook"),
                "is missing: dns-01 needs a program that sets the record",
                "Name dehydrated's hook for your DNS, on the hub's host.",
                ((*path, "challenge"),),
            )


def certificate_names_the_domain(around: Around) -> Iterator[Said]:
    """A certificate that is given is there, for the domain, and not about to end."""
    for name, hub in around.site.hubs.items():
        path, tls = around.site.tls_of(hub)
        if not isinstance(tls, GivenTls):
            continue
        here = (*path, "certificate")
        certificate = _read(around.folder / tls.certificate)
        if isinstance(certificate, str):
            yield Said(here, certificate, "Put the certificate there, in PEM, its own one first.")
            continue
        names = names_of(certificate)
        if not any(covers(each, hub.domain) for each in names):
            yield Said(
                here,
                f"the certificate is for {', '.join(names) or 'no domain'}, and not for"
                f" {hub.domain}, the domain of the hub {name}",
                "Have one made for it, or give this hub its own `tls`.",
                (("hubs", name, "domain"),),
            )
        ends = certificate.not_valid_after_utc
        left = ends - datetime.datetime.now(datetime.timezone.utc)
        if left < _SOON:
            over = left < datetime.timedelta(0)
            yield Said(
                here,
                f"the certificate {'ended' if over else 'ends'} on {ends:%Y-%m-%d}",
                "Have it renewed.",
                level="error" if over else "warning",
            )


def _is_private(address: str) -> bool:
    found = ipaddress.ip_address(address)
    # Networks of documentation stand for public ones.
    return found.is_private and not any(
        found in ipaddress.ip_network(each)
        for each in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")
    )


def _read(file: FilePath) -> x509.Certificate | str:
    """The first certificate in a file, or why there is none."""
    try:
        return x509.load_pem_x509_certificate(file.read_bytes())
    except OSError as error:
        return f"the file cannot be read: {error.strerror}"
    except ValueError:
        return "there is no certificate in PEM in the file"

"""Names, ports and clocks: whether the parts of a site reach each other."""

from __future__ import annotations

from collections.abc import Iterator

from slurmhub_deploy.doctor.facts import Facts
from slurmhub_deploy.doctor.finding import Said
from slurmhub_deploy.doctor.tasks import JOB_PORT

# munge refuses what is older than five minutes, and identity providers allow about three.
_FAR = 60.0
_HELD = 0.5


def hosts_answer(facts: Facts) -> Iterator[Said]:
    """Hosts that ssh does not reach."""
    for host, seen in facts.hosts.items():
        if seen.unreachable:
            yield Said(
                host,
                f"could not be looked at: {seen.unreachable}",
                f"Try `slurmhub ssh {host}`; is it on, and does it take your key?",
            )


def looks_succeed(facts: Facts) -> Iterator[Said]:
    """Looks that failed on a host, so that nothing is known."""
    for host, seen in facts.hosts.items():
        for look, why in seen.troubles.items():
            yield Said(
                host,
                f"`{look}` could not be looked at: {why}",
                f"Run `slurmhub up` if this host is new; else look there: `slurmhub ssh {host}`.",
                "unknown",
            )


def domains_resolve(facts: Facts) -> Iterator[Said]:
    """Domains of hubs that no browser finds."""
    for hub in facts.hubs.values():
        domain = hub["domain"]
        if domain in facts.domains and not facts.domains[domain]:
            yield Said(
                domain,
                "has no address in DNS, seen from here",
                f"Have {domain} point to the public address of {hub['host']}.",
            )


def hosts_know_each_other(facts: Facts) -> Iterator[Said]:
    """Hosts' names that another host does not resolve, or otherwise than the site file."""
    addresses = facts.site["slurmhub_addresses"]
    for host, names in facts.seen("names"):
        for name, address in addresses.items():
            found = names.get(name)
            # Debian gives a host's own name to 127.0.1.1.
            if found is None or address in found or (name == host and found):
                continue
            what = f"resolves {name} to {', '.join(found)}" if found else f"does not know {name}"
            yield Said(
                host,
                f"{what}, and it is {address}",
                f"Run `slurmhub up --only base --limit {host}`, which writes /etc/hosts.",
            )


def ports_are_open(facts: Facts) -> Iterator[Said]:
    """Ports between hub, controller and nodes that a firewall swallows, or nobody listens on."""
    names = {address: name for name, address in facts.site["slurmhub_addresses"].items()}
    hubs = {
        f"{facts.site['slurmhub_addresses'][hub['host']]}:{hub['ports']['hub']}"
        for hub in facts.hubs.values()
    }
    for host, ports in facts.seen("ports"):
        for target, said in ports.items():
            address, _, port = target.rpartition(":")
            of_jobs = port == str(JOB_PORT)
            if said == "open" or (of_jobs and said == "refused"):
                continue
            other = names.get(address, address)
            if other in facts.hosts and facts.hosts[other].unreachable:
                # That host is away, which is said already.
                continue
            what = {
                str(JOB_PORT): "servers of people",
                "6817": "slurmctld",
                "6818": "slurmd",
                "6819": "slurmdbd",
                "636": "the directory",
            }.get(port, "the hub" if target in hubs else "it")
            if said == "refused":
                yield Said(
                    host,
                    f"reaches {other}, but nothing listens on port {port} there ({what})",
                    f"See why it does not run: `slurmhub logs` and `slurmhub ssh {other}`.",
                )
                continue
            why = "a firewall takes it away" if said == "silent" else said
            yield Said(
                host,
                f"does not reach {what} on {other}, port {port}: {why}",
                f"Open {address}:{port} for {host} in what lies between them; on the host itself"
                " `slurmhub up --only base` does.",
            )


def clocks_agree(facts: Facts) -> Iterator[Said]:
    """Clocks that are far from this machine's, or that nothing holds."""
    for host, seen in facts.hosts.items():
        if seen.unreachable or not seen.host_time:
            continue
        early, late = seen.host_time - seen.answered, seen.host_time - seen.asked
        # The clock was read at some moment between the two.
        off = early if early > 0 else late if late < 0 else 0.0
        if abs(off) > _FAR:
            yield Said(
                host,
                f"its clock is {abs(off):.0f} s {'ahead of' if off > 0 else 'behind'} this"
                " machine's",
                "Correct whichever is wrong; chrony does so when it reaches a time server.",
            )
        clock = seen.looks.clock
        if clock is None:
            continue
        if not clock.synchronised:
            yield Said(
                host,
                "nothing holds its clock: chrony has no time server that it believes",
                f"`slurmhub ssh {host} -- chronyc sources`: can it reach one?",
                "warning",
            )
        elif clock.offset is not None and abs(clock.offset) > _HELD:
            yield Said(
                host,
                f"its clock is off by {clock.offset:.1f} s",
                f"`slurmhub ssh {host} -- chronyc tracking`; it corrects itself slowly.",
                "warning",
            )

"""All checks, in the order in which a student meets what they look at."""

from __future__ import annotations

from slurmhub_deploy.doctor.checks import hosts, hub, network, people, signing_in, slurm
from slurmhub_deploy.doctor.finding import Check

CHECKS: tuple[Check, ...] = (
    Check(
        "hosts-answer",
        "ssh to every host",
        "Nothing is known of a host that does not answer, and `up` cannot change it.",
        network.hosts_answer,
    ),
    Check(
        "domains-resolve",
        "each hub's domain in DNS",
        "Students cannot open the hub.",
        network.domains_resolve,
    ),
    Check(
        "certificates-hold",
        "the certificate that is served, its names, chain and end, and its key's mode",
        "Browsers warn students, or refuse the hub.",
        signing_in.certificates_hold,
    ),
    Check(
        "front-is-right",
        "the configuration of Apache and shibd, by their own words",
        "Students cannot sign in once one of the two is started again.",
        signing_in.front_is_right,
    ),
    Check(
        "metadata-is-there",
        "the metadata that shibd has, its end, and the identity provider in it",
        "Students cannot sign in.",
        signing_in.metadata_is_there,
    ),
    Check(
        "keys-are-registered",
        "the service provider's keys, and the metadata that was registered",
        "Identity providers refuse students' sign-ins, or encrypt what we cannot read.",
        signing_in.keys_are_registered,
    ),
    Check(
        "people-are-let-in",
        "how many sign-ins the hub refused, and why",
        "Students who signed in at their institution are turned away.",
        signing_in.people_are_let_in,
    ),
    Check(
        "clocks-agree",
        "every host's clock against this machine's, and whether chrony holds it",
        "Sign-ins are refused and jobs do not start when clocks are minutes apart.",
        network.clocks_agree,
    ),
    Check(
        "hubs-answer",
        "each hub on its own port",
        "Students meet an error page; running servers go on.",
        hub.hubs_answer,
    ),
    Check(
        "courses-answer",
        "the service of each hub's courses, and its database",
        "Instructors cannot make or change courses, and classes get no room; students still start.",
        hub.courses_answer,
    ),
    Check(
        "courses-have-folders",
        "the host with the folders of each hub's courses, asked as their service asks it",
        "Courses have no folders, or whoever joined cannot read them.",
        hub.courses_have_folders,
    ),
    Check(
        "helpers-may-run",
        "what the hub's account may do with sudo",
        "No server starts, or nobody new gets an account.",
        hub.helpers_may_run,
    ),
    Check(
        "one-number-everywhere",
        "numbers of accounts: administrators, slurm, and up to twenty people of each hub",
        "A student's job runs as somebody else on some host, or not at all.",
        people.one_number_everywhere,
    ),
    Check(
        "groups-are-known",
        "the group of each hub's people on every host",
        "Servers of students do not start on that host.",
        people.groups_are_known,
    ),
    Check(
        "homes-are-mounted",
        "the homes' mount on every host that has them",
        "Students do not find their files, or write them where nobody finds them.",
        people.homes_are_mounted,
    ),
    Check(
        "homes-are-the-same",
        "whether homes are one file system on all hosts, by the numbers of their folders",
        "Students' files differ from host to host.",
        people.homes_are_the_same,
    ),
    Check(
        "quotas-hold",
        "the figures that storage hosts leave of homes and quotas",
        "Nobody sees in time that homes are full.",
        people.quotas_hold,
    ),
    Check(
        "munge-is-understood",
        "munge on every host of a cluster, with a credential of its controller",
        "The hub cannot submit, or the node runs nothing.",
        slurm.munge_is_understood,
    ),
    Check(
        "controllers-answer",
        "slurmctld, asked from hub, controller and nodes",
        "No server starts; running ones go on.",
        slurm.controllers_answer,
    ),
    Check(
        "releases-fit",
        "the releases of Slurm on the hosts of a cluster",
        "Nodes are lost to the cluster.",
        slurm.releases_fit,
    ),
    Check(
        "hub-is-operator",
        "the AdminLevel of each hub's account",
        "Students cannot have more time, and the hub may not see its own jobs.",
        slurm.hub_is_operator,
    ),
    Check(
        "people-have-associations",
        "associations of each hub's people",
        "Slurm refuses these students' jobs.",
        slurm.people_have_associations,
    ),
    Check(
        "nodes-are-usable",
        "each node's state, with Slurm's reason",
        "There is less room for servers, or none.",
        slurm.nodes_are_usable,
    ),
    Check(
        "hosts-know-each-other",
        "how each host resolves the names of the others",
        "Nodes do not find the controller, nor the hub the nodes.",
        network.hosts_know_each_other,
    ),
    Check(
        "ports-are-open",
        "both directions between hub, controller, nodes and directory",
        "A server starts and its student waits in vain, or jobs do not start.",
        network.ports_are_open,
    ),
    Check(
        "jobs-have-jupyter",
        "the environment of jobs on every node",
        "Servers end at once on that node.",
        hub.jobs_have_jupyter,
    ),
    Check(
        "releases-agree",
        "JupyterHub in the hub and in the environment of jobs",
        "Servers may not speak with the hub.",
        hub.releases_agree,
    ),
    Check(
        "probes-succeed",
        "the last trial sign-in of the timer",
        "What a test account cannot do, students cannot either.",
        hosts.probes_succeed,
    ),
    Check(
        "units-run",
        "the services that each host has to run, and all that failed",
        "Depends on the service; after a restart of the host, perhaps nothing works.",
        hosts.units_run,
    ),
    Check(
        "disks-have-room",
        "room and inodes of every file system",
        "What is full takes no more: files of students, the hub's database, logs.",
        hosts.disks_have_room,
    ),
    Check(
        "memory-is-free",
        "memory of every host",
        "Programs are slow, and the kernel ends one of them.",
        hosts.memory_is_free,
    ),
    Check(
        "timers-are-active",
        "our timers: snapshots, backups, renewals, trial sign-ins",
        "Nobody notices until a file or a certificate is gone.",
        hosts.timers_are_active,
    ),
    Check(
        "backups-are-recent",
        "the newest file of each backup",
        "What is lost now cannot be brought back.",
        hosts.backups_are_recent,
    ),
    Check(
        "restarts-are-pending",
        "updates that wait for a restart",
        "Until then, mistakes that are publicly known can be used against the host.",
        hosts.restarts_are_pending,
    ),
    Check(
        "looks-succeed",
        "whether everything could be looked at",
        "What is not seen may be wrong as well.",
        network.looks_succeed,
    ),
)

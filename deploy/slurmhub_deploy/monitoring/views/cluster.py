"""The cluster and its hosts, as the hubs and node_exporter see them."""

from __future__ import annotations

from slurmhub_deploy.monitoring.panels import Dashboard, Panel, Query
from slurmhub_deploy.monitoring.queries import OF_HUB, now, quantiles

CLUSTER = Dashboard(
    "slurmhub-cluster",
    "slurmhub: the cluster",
    "What there is, what is free, how Slurm answers, how the hosts are. Partitions share nodes.",
    (
        Panel(
            "CPUs",
            "Of usable nodes, by state and partition.",
            (Query(f"slurmhub_cluster_cpus{{{OF_HUB}}}", "{{partition}} {{state}}"),),
        ),
        Panel(
            "GPUs",
            "Of usable nodes, by state and partition.",
            (Query(f"slurmhub_cluster_gpus{{{OF_HUB}}}", "{{partition}} {{state}}"),),
        ),
        Panel(
            "Memory",
            "Of usable nodes, by state and partition.",
            (Query(f"slurmhub_cluster_memory_bytes{{{OF_HUB}}}", "{{partition}} {{state}}"),),
            unit="bytes",
        ),
        Panel(
            "Nodes",
            "A node that is down or drained is unusable.",
            (Query(f"slurmhub_cluster_nodes{{{OF_HUB}}}", "{{partition}} {{state}}"),),
        ),
        Panel(
            "Servers by state",
            "Jobs of the hub only; other users of the cluster are not in this.",
            (now("slurmhub_jobs", "state"),),
        ),
        Panel(
            "Servers by partition",
            "Jobs of the hub only.",
            (now("slurmhub_jobs", "partition"),),
        ),
        Panel(
            "Commands of Slurm",
            "How many the hub runs, by command. It does not grow with the number of servers.",
            (
                Query(
                    f"sum by (command) (rate(slurmhub_slurm_queries_total{{{OF_HUB}}}[5m]))",
                    "{{command}}",
                ),
            ),
            unit="ops",
        ),
        Panel(
            "Commands of Slurm that failed",
            "In the last 15 minutes. A refused job is not the controller's failure.",
            (
                Query(
                    "sum by (command, outcome) (increase(slurmhub_slurm_queries_total"
                    f'{{{OF_HUB},outcome!="answered"}}[15m]))',
                    "{{command}} {{outcome}}",
                ),
            ),
        ),
        Panel(
            "How long Slurm takes to answer",
            "95 of 100 answers come within this. More than a second is much.",
            quantiles("slurmhub_slurm_query_seconds", "command", 0.95, within="15m"),
            unit="s",
        ),
        Panel(
            "Age of the newest cluster facts",
            "Nodes and partitions are read at least every five minutes.",
            (
                Query(
                    f"time() - (slurmhub_facts_last_success_timestamp_seconds{{{OF_HUB}}} > 0)",
                    "{{instance}}",
                ),
            ),
            unit="s",
        ),
        Panel(
            "Hosts: CPU in use",
            "Of all CPUs of a host, also by others than Slurm.",
            (
                Query(
                    "1 - avg by (instance) "
                    '(rate(node_cpu_seconds_total{job="node",mode="idle"}[5m]))',
                    "{{instance}}",
                ),
            ),
            unit="percentunit",
        ),
        Panel(
            "Hosts: memory in use",
            "What programs hold; caches are free.",
            (
                Query(
                    '1 - node_memory_MemAvailable_bytes{job="node"}'
                    ' / node_memory_MemTotal_bytes{job="node"}',
                    "{{instance}}",
                ),
            ),
            unit="percentunit",
        ),
        Panel(
            "Hosts: disks in use",
            "Each file system that is on a disk or comes over the network.",
            (
                Query(
                    "1 - instance_mountpoint:node_filesystem_avail:ratio",
                    "{{instance}} {{mountpoint}}",
                ),
            ),
            unit="percentunit",
        ),
    ),
)

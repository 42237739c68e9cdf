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
            "Nodes by state, all of the cluster",
            "As the controller has them; instance is the cluster.",
            (
                Query(
                    "sum by (instance, state) (slurmhub_slurm_nodes)",
                    "{{instance}} {{state}}",
                ),
            ),
        ),
        Panel(
            "Nodes that start no jobs",
            "Each by name, with its state.",
            (Query("slurmhub_slurm_node_unusable", "{{node}} {{state}}"),),
            kind="table",
        ),
        Panel(
            "Jobs of everybody",
            "Also of those who do not use a hub.",
            (
                Query(
                    "sum by (partition, state) (slurmhub_slurm_jobs)",
                    "{{partition}} {{state}}",
                ),
            ),
        ),
        Panel(
            "Why jobs wait",
            "In Slurm's words.",
            (Query("sum by (reason) (slurmhub_slurm_pending_jobs)", "{{reason}}"),),
        ),
        Panel(
            "Messages to the controller",
            "The ten most frequent kinds. Queries of people and of hubs are among them.",
            (
                Query(
                    "topk(10, sum by (type) (rate(slurmhub_slurm_rpcs_total[5m])))",
                    "{{type}}",
                ),
            ),
            unit="ops",
        ),
        Panel(
            "Time that messages take",
            "How much of each second the controller spends on them.",
            (
                Query(
                    "sum by (instance) (rate(slurmhub_slurm_rpc_seconds_total[5m]))",
                    "{{instance}}",
                ),
            ),
            unit="s",
        ),
        Panel(
            "Scheduling",
            "How long the newest cycle took. Seconds are much.",
            (
                Query("slurmhub_slurm_cycle_seconds", "{{instance}} main"),
                Query("slurmhub_slurm_backfill_seconds", "{{instance}} backfill"),
            ),
            unit="s",
        ),
        Panel(
            "What waits in the controller",
            "Messages to nodes and to slurmdbd. Both are near 0 while all is well.",
            (
                Query("slurmhub_slurm_agent_queue", "{{instance}} to nodes"),
                Query("slurmhub_slurm_dbd_queue", "{{instance}} to slurmdbd"),
            ),
        ),
        Panel(
            "Homes: in use",
            "Of the file system, snapshots included.",
            (
                Query(
                    "1 - slurmhub_homes_free_bytes / slurmhub_homes_size_bytes",
                    "{{homes}}",
                ),
            ),
            unit="percentunit",
        ),
        Panel(
            "Homes: people near their quota",
            "Homes with nine tenths of their quota used.",
            (Query("slurmhub_homes_people_nearly_full", "{{homes}}"),),
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

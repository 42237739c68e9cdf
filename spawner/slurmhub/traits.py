"""What a site may set of `c.SlurmHubSpawner`: policy as data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from traitlets import (
    Bool,
    Callable,
    Dict,
    Float,
    HasTraits,
    Integer,
    List,
    TraitError,
    Tuple,
    Unicode,
    default,
    validate,
)

from slurmhub.job.policy import ScriptPolicy
from slurmhub.options.limits import SiteLimits
from slurmhub.slurm.memory import Memory
from slurmhub.slurm.times import TimeLimit


class ClusterTraits(HasTraits):
    """Where Slurm is, and what this hub keeps of its jobs."""

    slurm_conf = Unicode("", help="slurm.conf of the cluster; empty for Slurm's own default.").tag(
        config=True
    )
    slurm_bin_dir = Unicode(
        "/usr/bin", help="Folder of sbatch, squeue, sinfo, scancel and scontrol."
    ).tag(config=True)
    slurm_timeout = Float(30.0, help="Seconds after which Slurm's silence is unknown.").tag(
        config=True
    )
    watch_interval = Float(
        15.0, help="Longest time between two looks at the cluster, in seconds; at least 8."
    ).tag(config=True)
    ledger_url = Unicode("sqlite:///slurmhub.sqlite", help="SQLAlchemy URL of the job ledger.").tag(
        config=True
    )
    key_file = Unicode(
        "slurmhub_key", help="File of the key that server tokens derive from; made when absent."
    ).tag(config=True)
    hub_name = Unicode(help="Name of this hub in the comment of its jobs.").tag(config=True)
    helper = Unicode(
        "/usr/local/libexec/slurmhub/slurmhub-as-user",
        help="The installed helper that sudo may run; used unless the hub is root or the person.",
    ).tag(config=True)
    unix_account: Any = Callable(
        None,
        allow_none=True,
        help="Maps a hub user's name to the Unix account its jobs run as. Default: the same name.",
    ).tag(config=True)
    node_addresses = Dict(
        help="Slurm node name to the address the hub connects to, where NodeAddr does not serve."
    ).tag(config=True)
    port_range = Tuple(
        Integer(),
        Integer(),
        default_value=(20000, 29999),
        help="First and last port that servers may listen on.",
    ).tag(config=True)

    @default("hub_name")
    def _default_hub_name(self) -> str:
        return "jupyterhub"

    @validate("port_range")
    def _check_port_range(self, proposal: Any) -> tuple[int, int]:
        low, high = proposal["value"]
        if not 1024 <= low <= high <= 65535:
            raise TraitError(
                f"c.SlurmHubSpawner.port_range is ({low}, {high}). Give two ports between 1024 "
                "and 65535, the smaller first."
            )
        return low, high

    @validate("watch_interval")
    def _check_watch_interval(self, proposal: Any) -> float:
        # Two RPCs a look: eight seconds keep an idle hub below twenty RPCs a minute.
        if proposal["value"] < 8:
            raise TraitError(
                f"c.SlurmHubSpawner.watch_interval is {proposal['value']}. Give at least 8 "
                "seconds; jobs bring urgent news by themselves."
            )
        return float(proposal["value"])


class ScriptTraits(HasTraits):
    """What the site puts into every batch script."""

    shell = List(Unicode(), ["/bin/bash", "-l"], help="The script's interpreter.").tag(config=True)
    prologue = Unicode(help="Shell lines that run before the server.").tag(config=True)
    epilogue = Unicode(help="Shell lines that run after the server, however it ended.").tag(
        config=True
    )
    modules = List(Unicode(), help="Environment modules to load before the prologue.").tag(
        config=True
    )
    working_directory = Unicode(
        "", help="Folder the server starts in; empty for the person's home."
    ).tag(config=True)
    log_file = Unicode(
        "~/.local/share/slurmhub/logs/jupyter-%j.log",
        help="Log of the job; ~ is the person's home, %j the job id. Its folder is made.",
    ).tag(config=True)
    launcher_python = Unicode(
        "python3", help="Python 3.8 or later that runs the launcher in the job."
    ).tag(config=True)
    warning_seconds = Integer(
        300,
        help="How many seconds before its time limit Slurm warns the job, and the job the hub.",
    ).tag(config=True)
    job_name = Unicode("jupyter", help="Name of the job in squeue.").tag(config=True)
    slurm_account = Unicode("", help="Slurm account to charge; empty for the person's own.").tag(
        config=True
    )
    enrol = Bool(
        False,
        help="Put people into slurm_account who are not in it, before their first job; the hub's "
        "account must be an Operator in Slurm.",
    ).tag(config=True)
    qos = Unicode("", help="QOS of every job; empty for Slurm's default.").tag(config=True)
    reservation = Unicode("", help="Reservation of every job.").tag(config=True)
    constraint = Unicode("", help="Node features every job needs (--constraint).").tag(config=True)
    directives = List(
        Unicode(), help="More sbatch options for every job, such as '--exclusive=user'."
    ).tag(config=True)

    def script_policy(self) -> ScriptPolicy:
        """These traits as the value that job scripts are built from."""
        return ScriptPolicy(
            shell=tuple(self.shell),
            prologue=self.prologue,
            epilogue=self.epilogue,
            modules=tuple(self.modules),
            working_directory=self.working_directory or None,
            log_file=self.log_file,
            python=self.launcher_python,
            warning_seconds=self.warning_seconds,
            account=self.slurm_account or None,
            qos=self.qos or None,
            reservation=self.reservation or None,
            constraint=self.constraint or None,
            job_name=self.job_name,
            extra_directives=tuple(self.directives),
        )


class LimitTraits(HasTraits):
    """What the site allows beyond what the cluster itself allows, and how long it waits."""

    if TYPE_CHECKING:
        node_features: Any

        def script_policy(self) -> ScriptPolicy:
            """What the site puts into every batch script."""

    partitions = List(
        Unicode(), help="Partitions that may be chosen; empty for all that are not hidden."
    ).tag(config=True)
    max_cpus = Integer(None, allow_none=True, help="Most CPUs of one server.").tag(config=True)
    max_memory = Unicode("", help="Most memory of one server, as in '64G'.").tag(config=True)
    max_gpus = Integer(None, allow_none=True, help="Most GPUs of one server.").tag(config=True)
    max_time = Unicode("", help="Longest time of one server, in Slurm's grammar.").tag(config=True)
    default_partition = Unicode("", help="Partition chosen first; empty for Slurm's.").tag(
        config=True
    )
    default_cpus = Integer(1, help="CPUs filled in first.").tag(config=True)
    default_memory = Unicode("2G", help="Memory filled in first.").tag(config=True)
    default_gpus = Integer(0, help="GPUs filled in first.").tag(config=True)
    default_gpu_type = Unicode("", help="Type of GPU filled in first; empty for any.").tag(
        config=True
    )
    default_time = Unicode(
        "", help="Time filled in first, in Slurm's grammar; empty for the partition's own."
    ).tag(config=True)
    queue_timeout = Integer(0, help="Seconds a server may wait in the queue; 0 for no limit.").tag(
        config=True
    )
    launch_timeout = Integer(
        300, help="Seconds from the start of the job until its server must listen."
    ).tag(config=True)
    stop_timeout = Integer(
        30, help="Seconds to wait for a cancelled job; it is cancelled on in the background."
    ).tag(config=True)
    submit_timeout = Integer(
        60, help="Seconds after which a submission that Slurm did not take is given up."
    ).tag(config=True)
    show_scripts = Bool(True, help="Whether people may read the script of their own job.").tag(
        config=True
    )

    def site_limits(self) -> SiteLimits:
        """These traits as the value that requests are checked against.

        What the site puts into every job is no choice.
        """
        policy: ScriptPolicy = self.script_policy()
        return SiteLimits(
            partitions=tuple(self.partitions) or None,
            max_cpus=self.max_cpus,
            max_memory=Memory.parse(self.max_memory) if self.max_memory else None,
            max_gpus=self.max_gpus,
            max_time=TimeLimit.parse(self.max_time) if self.max_time else None,
            default_partition=self.default_partition or None,
            default_cpus=self.default_cpus,
            default_memory=Memory.parse(self.default_memory),
            default_gpus=self.default_gpus,
            default_gpu_type=self.default_gpu_type or None,
            default_time=TimeLimit.parse(self.default_time) if self.default_time else None,
            account=policy.account,
            qos=policy.qos,
            reservation=policy.reservation,
            features=policy.features or (),
            choose_features=self._features_to_choose(policy),
        )

    def _features_to_choose(self, policy: ScriptPolicy) -> tuple[str, ...] | None:
        if policy.features is None:
            return ()
        return None if self.node_features is None else tuple(self.node_features)

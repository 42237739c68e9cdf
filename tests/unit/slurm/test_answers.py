"""Recorded answers of three releases, and broken ones, read into records."""

from __future__ import annotations

import time
from datetime import datetime, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slurmhub.slurm import answers
from slurmhub.slurm.answers import Table
from slurmhub.slurm.dialect import JOB_FIELDS, NODE_FIELDS
from slurmhub.slurm.errors import SlurmUnreachable
from slurmhub.slurm.gres import Gres
from slurmhub.slurm.memory import Memory
from slurmhub.slurm.records import JobRecord, NodeRecord, PartitionRecord
from slurmhub.slurm.states import JobState, Phase
from slurmhub.slurm.times import UNLIMITED, TimeLimit
from tests.unit.slurm.recorded import RELEASES, recorded


def jobs(release: str) -> dict[str, JobRecord]:
    table = Table(JOB_FIELDS, word="WORD")
    records = answers.read_jobs(table.rows(recorded("squeue", release, "WORD")))
    return {record.name.split("\n")[0]: record for record in records}


def nodes(release: str) -> dict[str, NodeRecord]:
    table = Table(NODE_FIELDS, word="WORD")
    found = answers.read_nodes(table.rows(recorded("sinfo", release, "WORD")))
    return {record.name: record for record in found}


def partitions(release: str) -> dict[str, PartitionRecord]:
    found = answers.read_partitions(recorded("partitions", release))
    return {record.name: record for record in found}


def moment(epoch: int) -> datetime:
    return datetime.fromtimestamp(epoch, timezone.utc)


def test_a_running_job_of_22_05() -> None:
    assert jobs("22.05.8")["gpu1"] == JobRecord(
        job_id=40,
        uid=0,
        user="root",
        name="gpu1",
        comment="a b,c=1",
        state=JobState.RUNNING,
        raw_state="RUNNING",
        reason="None",
        partition="gpu",
        account="",
        qos="",
        reservation="",
        batch_host="g1",
        node_list=("g1",),
        cpus=2,
        memory=Memory(4096),
        gres=(Gres("gpu", "h100", 2),),
        time_limit=TimeLimit(90 * 60),
        time_left=TimeLimit(90 * 60 - 14),
        submitted=moment(1795264341),
        started=moment(1795264341),
        expected_start=None,
        ends=moment(1795269741),
        restarts=0,
        exit_code=None,
        exit_signal=None,
        priority=4294901738,
    )


def test_a_waiting_job_of_22_05() -> None:
    record = jobs("22.05.8")["over"]
    assert (record.phase, record.reason) == (Phase.PENDING, "Resources")
    assert record.expected_start == moment(1795266141)
    assert (record.started, record.ends) == (None, None)
    assert (record.batch_host, record.node_list) == (None, ())
    assert record.memory == Memory(3072)


@pytest.mark.parametrize("release", RELEASES)
def test_jobs_of_every_release(release: str) -> None:
    found = jobs(release)
    assert {name: record.phase for name, record in found.items()} == {
        "gpu1": Phase.RUNNING,
        "fails": Phase.GONE,
        "killed": Phase.GONE,
        "mig": Phase.RUNNING,
        "evil": Phase.GONE,
        "susp": Phase.RUNNING,
        "again": Phase.PENDING,
        "toobig": Phase.RUNNING,
        "over": Phase.PENDING,
        "twoparts": Phase.PENDING,
        "cancel": Phase.GONE,
    }
    assert found["gpu1"].gres == (Gres("gpu", "h100", 2),)
    assert found["mig"].gres == (Gres("gpu", "a100_3g.20gb", 1),)
    assert found["toobig"].gres == ()
    assert found["susp"].state is JobState.SUSPENDED
    assert found["again"].restarts == 1
    assert found["twoparts"].partition == "cpu,gpu"
    assert found["twoparts"].memory == Memory(4609)


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("fails", (7, None)),
        ("killed", (None, 9)),
        ("cancel", (None, 15)),
        ("evil", (0, None)),
        ("gpu1", (None, None)),
        ("over", (None, None)),
    ],
)
def test_exit_status_of_every_release(
    release: str, name: str, status: tuple[int | None, int | None]
) -> None:
    record = jobs(release)[name]
    assert (record.exit_code, record.exit_signal) == status


@pytest.mark.parametrize("release", RELEASES)
def test_a_job_cancelled_in_the_queue_never_started(release: str) -> None:
    record = jobs(release)["evil"]
    assert record.started is None
    assert record.ends is not None


@pytest.mark.parametrize("release", RELEASES)
def test_line_breaks_in_a_name_make_no_row(release: str) -> None:
    # The owner called it "evil\n9..." with a comment that looks like the rest of a row.
    record = jobs(release)["evil"]
    assert record.job_id == 10
    assert record.name == "evil\n9\x1fx"
    assert record.comment == "e\n8\x1fRUNNING\x1fz"
    assert 8 not in {other.job_id for other in jobs(release).values()}


@pytest.mark.parametrize("field", ["Name", "Comment", "Account", "QOS", "Reservation"])
@pytest.mark.parametrize("text", ["\n", "\x1f", "\x1e\n", "x\x1e\n41\x1f0", "\x1e", "a\r\nb", "|"])
def test_an_owners_text_stays_in_its_column(field: str, text: str) -> None:
    table = Table(JOB_FIELDS)
    row = jobs_row(**{field: text})
    output = f"\x1f{table.word}".join(row) + f"\x1e{table.word}\n"
    assert list(table.rows(output)) == [row]


def test_the_marks_are_new_for_every_question() -> None:
    words = {Table(JOB_FIELDS).word for _ in range(100)}
    assert len(words) == 100
    assert min(map(len, words)) >= 12
    assert all(set(word).isdisjoint(",:%\x1f\x1e ") for word in words)


def jobs_row(**fields: str) -> list[str]:
    values = dict.fromkeys(JOB_FIELDS, "(null)")
    values.update({"JobID": "7", "UserID": "1000", "UserName": "alice", "State": "RUNNING"})
    return list((values | fields).values())


def one_job(**fields: str) -> JobRecord:
    columns = {
        name.replace("_", "-") if name.startswith("tres") else name: text
        for name, text in fields.items()
    }
    (record,) = answers.read_jobs([jobs_row(**columns)])
    return record


def test_values_that_are_not_understood_hide_nothing_else() -> None:
    record = one_job(
        State="LEVITATING",
        NumCPUs="many",
        TimeLimit="Partition_Limit",
        TimeLeft="INVALID",
        SubmitTime="soon",
        StartTime="???",
        RestartCnt="-",
        tres_alloc="lots",
        tres_per_node="gres:gpu:a:b:c:d",
        NodeList="n[",
        PriorityLong="high",
        exit_code="?",
    )
    assert (record.job_id, record.uid, record.user) == (7, 1000, "alice")
    assert (record.state, record.raw_state, record.phase) == (None, "LEVITATING", Phase.UNKNOWN)
    assert (record.cpus, record.memory, record.gres, record.node_list) == (0, None, (), ())
    assert (record.time_limit, record.time_left, record.submitted) == (None, None, None)


@pytest.mark.parametrize("field", ["JobID", "UserID"])
@pytest.mark.parametrize("text", ["", "x", "-1", "1 2", "\u0661", "9" * 30])
def test_an_id_that_is_no_number_is_an_answer_not_understood(field: str, text: str) -> None:
    with pytest.raises(SlurmUnreachable):
        one_job(**{field: text})


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"tres_per_node": "gres:gpu:2"}, (Gres("gpu", None, 2),)),
        ({"tres_per_job": "gres/gpu:h100:2"}, (Gres("gpu", "h100", 2),)),
        ({"tres_per_task": "cpu=4"}, ()),
        ({"tres_per_task": "cpu:2,gres/gpu:1"}, (Gres("gpu", None, 1),)),
        ({"tres_per_node": "gres:gpu:2", "tres_per_task": "gres:gpu:2"}, (Gres("gpu", None, 2),)),
        ({"tres_per_job": "gres/gpu:2", "tres_per_socket": "gres/gpu:1"}, (Gres("gpu", None, 2),)),
    ],
)
def test_gpus_asked_for_in_any_way(fields: dict[str, str], expected: tuple[Gres, ...]) -> None:
    assert one_job(**fields).gres == expected


@pytest.mark.parametrize("cut", [1, 5, 40, 200])
def test_a_cut_answer_is_not_understood(cut: int) -> None:
    table = Table(JOB_FIELDS, word="WORD")
    with pytest.raises(SlurmUnreachable):
        list(table.rows(recorded("squeue", "22.05.8", "WORD")[:-cut]))


def test_a_column_that_is_missing_is_not_understood() -> None:
    table = Table(JOB_FIELDS, word="WORD")
    row = "\x1fWORD".join(jobs_row()[1:]) + "\x1eWORD\n"
    with pytest.raises(SlurmUnreachable):
        list(table.rows(row))


def test_an_empty_answer_has_no_rows() -> None:
    assert list(Table(JOB_FIELDS).rows("")) == []


def test_a_node_of_22_05() -> None:
    assert nodes("22.05.8")["g1"] == NodeRecord(
        name="g1",
        address="127.0.0.1",
        state="mixed",
        usable=True,
        cpus=8,
        cpus_idle=5,
        memory=Memory(16000),
        memory_allocated=Memory(4196),
        gres=(Gres("gpu", "h100", 4), Gres("gpu", "a100_3g.20gb", 2)),
        gres_used=(
            Gres("gpu", "h100", 2),
            Gres("gpu", "a100_3g.20gb", 1),
            Gres("shard", None, 0),
        ),
        features=(),
        partitions=("gpu",),
    )


@pytest.mark.parametrize("release", RELEASES)
def test_nodes_of_every_release(release: str) -> None:
    found = nodes(release)
    assert set(found) == {"n1", "n2", "g1", "g2"}
    assert {name: node.usable for name, node in found.items()} == {
        "n1": True,
        "n2": False,  # drained
        "g1": True,
        "g2": True,
    }
    assert found["n1"].features == ("intel", "fast")
    assert set(found["n1"].partitions) == {"cpu", "hid"}
    assert found["g2"].gres == (Gres("gpu", None, 4), Gres("shard", None, 8))
    assert {one.count for one in found["g2"].gres_used} <= {0}


@pytest.mark.parametrize(
    ("state", "base", "usable"),
    [
        ("idle", "idle", True),
        ("mixed+planned", "mixed", True),
        ("allocated+completing", "allocated", True),
        ("idle+cloud+powered_down", "idle", True),
        ("idle+maintenance+reserved", "idle", True),
        ("IDLE", "idle", True),
        ("idle+drain", "idle", False),
        ("mixed+drain", "mixed", False),
        ("down", "down", False),
        ("down+not_responding", "down", False),
        ("idle+not_responding", "idle", False),
        ("idle*", "idle", False),
        ("down*", "down", False),
        ("unknown", "unknown", False),
        ("future", "future", False),
        ("idle+invalid_reg", "idle", False),
        ("idle+fail", "idle", False),
    ],
)
def test_which_nodes_may_be_used(state: str, base: str, usable: bool) -> None:
    row = "x1|10.0.0.1|S|4|0/4/0/4|100|0|(null)|(null)|(null)|cpu".replace("|S|", f"|{state}|")
    (node,) = answers.read_nodes([row.split("|")])
    assert (node.state, node.usable) == (base, usable)


@pytest.mark.parametrize("release", RELEASES)
def test_partitions_of_every_release(release: str) -> None:
    found = partitions(release)
    assert {name: (p.default, p.hidden, p.up, p.exclusive) for name, p in found.items()} == {
        "cpu": (True, False, True, False),
        "gpu": (False, False, True, False),
        "hid": (False, True, True, False),
        "grp": (False, False, True, False),
        "deny": (False, False, True, False),
        "down": (False, False, False, False),
        "excl": (False, False, True, True),
        "empty": (False, False, True, False),
    }
    cpu, gpu = found["cpu"], found["gpu"]
    assert (cpu.max_time, cpu.default_time) == (TimeLimit(2 * 86400), TimeLimit(3600))
    assert cpu.nodes == ("n1", "n2")
    assert (cpu.default_memory_per_cpu, cpu.default_memory_per_node) == (Memory(100), None)
    assert (cpu.max_memory_per_node, cpu.max_cpus_per_node) == (None, None)
    assert (gpu.max_time, gpu.default_time) == (UNLIMITED, None)
    assert (gpu.max_memory_per_node, gpu.max_cpus_per_node) == (Memory(8000), 6)
    assert (cpu.allow_groups, cpu.allow_accounts, cpu.deny_accounts) == (None, None, ())
    assert found["grp"].allow_groups == ("root", "adm")
    assert found["grp"].allow_accounts == ("phys", "chem")
    assert found["deny"].deny_accounts == ("phys",)
    assert found["deny"].allow_accounts is None
    assert found["empty"].nodes == ()


def test_allowed_qos_are_read() -> None:
    found = partitions("22.05.8")
    assert (found["grp"].allow_qos, found["cpu"].allow_qos) == (("high",), None)
    assert found["deny"].deny_qos == ("low",)


def test_a_partition_only_for_root_is_hidden() -> None:
    (found,) = answers.read_partitions("PartitionName=x Hidden=NO RootOnly=YES State=UP\n")
    assert found.hidden


@given(st.lists(st.lists(st.text(), min_size=3, max_size=3), max_size=5))
def test_any_text_of_an_owner_is_read_back(rows: list[list[str]]) -> None:
    table = Table(("JobID", "Name", "Comment"))
    column, end = f"\x1f{table.word}", f"\x1e{table.word}\n"
    assert list(table.rows("".join(column.join(row) + end for row in rows))) == rows


@given(st.text() | st.text(alphabet="\x1e\x1fW\n1|", max_size=60))
def test_any_answer_has_rows_or_is_not_understood(output: str) -> None:
    table = Table(("JobID", "Name"), word="W")
    try:
        rows = list(table.rows(output))
    except SlurmUnreachable:
        return
    assert all(len(row) == 2 for row in rows)


@given(st.lists(st.text(), min_size=len(JOB_FIELDS), max_size=len(JOB_FIELDS)))
def test_any_columns_are_a_job_or_not_understood(row: list[str]) -> None:
    row[0], row[1] = "7", "1000"
    (record,) = answers.read_jobs([row])
    assert (record.job_id, record.uid) == (7, 1000)
    assert record.state is not None or record.phase is Phase.UNKNOWN


def test_fifty_thousand_jobs_are_read_quickly() -> None:
    table = Table(JOB_FIELDS)
    rows = (
        jobs_row(
            JobID=str(number),
            UserName=f"user{number % 900}",
            NodeList=f"n{number % 300}",
            NumCPUs="4",
            TimeLimit="8:00:00",
            TimeLeft=f"{number % 8}:{number % 60:02}:{number * 7 % 60:02}",
            SubmitTime=str(1795263051 + number),
            StartTime=str(1795263051 + number),
            **{"tres-alloc": "cpu=4,mem=4G,node=1,billing=4", "tres-per-node": "gres/gpu:h100:2"},
        )
        for number in range(50_000)
    )
    column, end = f"\x1f{table.word}", f"\x1e{table.word}\n"
    output = "".join(column.join(row) + end for row in rows)
    started = time.process_time()
    records = answers.read_jobs(table.rows(output))
    used = time.process_time() - started
    assert len(records) == 50_000
    # Half a second on the machine it was written on; this bound only finds a wrong algorithm.
    assert used < 3


@pytest.mark.parametrize(
    ("output", "uid"),
    [
        ("CANCELLED by 1001\n", 1001),
        ("REQUEUED\nCANCELLED by 0\n", 0),
        ("CANCELLED\n", None),
        ("RUNNING\n", None),
        ("COMPLETED by 7\n", None),
        ("CANCELLED by 10", None),
        ("", None),
    ],
)
def test_who_cancelled_is_read_from_a_whole_line_only(output: str, uid: int | None) -> None:
    assert answers.read_canceller(output) == uid

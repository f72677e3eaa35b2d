"""RabbitMQ's management API, as a small server speaks it: backlogs, queues without consumers, alarms."""

import pytest

from stanch.integrations.fetching import HttpGet
from stanch.integrations.rabbitmq import RabbitSource
from stanch.ports.evidence import Finding, FindingStatus
from stanch.ports.query import SystemSpec
from tests.integrations.systems.asked import collect
from tests.support.answering import Heard, answering

QUEUE = {
    "name": "settlements",
    "vhost": "/",
    "state": "running",
    "messages": 12,
    "messages_ready": 10,
    "messages_unacknowledged": 2,
    "consumers": 3,
    "memory": 55_000,
    "message_stats": {"publish": 10, "publish_details": {"rate": 1.5}},
    "arguments": {},
}
NODE = {
    "name": "rabbit@a",
    "running": True,
    "mem_used": 100_000_000,
    "mem_limit": 800_000_000,
    "mem_alarm": False,
    "disk_free": 9_000_000_000,
    "disk_free_limit": 50_000_000,
    "disk_free_alarm": False,
    "fd_used": 40,
    "fd_total": 1024,
}
OVERVIEW = {
    "rabbitmq_version": "3.13.7",
    "queue_totals": {"messages": 12, "messages_ready": 10, "messages_unacknowledged": 2},
    "object_totals": {"connections": 5, "consumers": 3, "queues": 1},
}


def broker(*queues: dict[str, object], node: dict[str, object] | None = None) -> dict[str, object]:
    """Return what a broker with these queues answers, by path."""
    return {"/api/queues/%2F": list(queues), "/api/nodes": [{**NODE, **(node or {})}], "/api/overview": OVERVIEW}


def look(answers: dict[str, object], *, status: dict[str, int] | None = None) -> tuple[dict[str, Finding], Heard]:
    """Return what is found, by query, and what the server heard."""
    with answering(answers, status=status) as heard:
        spec = SystemSpec(
            name="broker", kind="rabbitmq", url=heard.url, user="watcher", secret="hunter2", services=("payments",)
        )
        return collect(RabbitSource(spec, fetch=HttpGet())), heard


def raised(finding: Finding) -> list[tuple[str, object, float | None]]:
    """Return name, resource and value of the signals that are raised."""
    return [(one.name, one.data["resource"], one.value) for one in finding.signals if one.data["raised"]]


def test_a_healthy_broker_raises_nothing() -> None:
    """Short queues with consumers and nodes with room are told and not raised."""
    found, _ = look(broker(QUEUE))

    assert ({FindingStatus.OK}, []) == (
        {one.status for one in found.values()},
        [one for each in found.values() for one in raised(each)],
    )


def test_a_backlog_is_raised_by_queue() -> None:
    """The queue that grew is named with how many wait and who takes them."""
    found, _ = look(broker(QUEUE, {**QUEUE, "name": "mails", "messages": 41_000, "messages_unacknowledged": 30}))

    assert ([("queue_depth", "queue of mails", 41_000.0)], True) == (
        raised(found["backlog"]),
        "mails holds 41,000 messages, 30 of them being worked on by 3 consumers" in found["backlog"].summary,
    )


def test_a_queue_that_nobody_reads_is_raised() -> None:
    """Messages without a consumer are told apart from slow consumers."""
    found, _ = look(broker({**QUEUE, "consumers": 0}))

    assert [("queue_unconsumed", "queue of settlements", 12.0)] == raised(found["unconsumed"])


@pytest.mark.parametrize(
    ("node", "query", "expected"),
    [
        ({"mem_used": 790_000_000}, "memory", ("saturation", "memory of rabbit@a", 0.9875)),
        ({"mem_alarm": True}, "memory_alarm", ("writes_refused", "memory of rabbit@a", 1.0)),
        ({"disk_free_alarm": True}, "disk_alarm", ("writes_refused", "disk of rabbit@a", 1.0)),
        ({"fd_used": 1000}, "descriptors", ("saturation", "file descriptors of rabbit@a", 0.9766)),
    ],
)
def test_a_node_at_its_limit_is_raised(node: dict[str, object], query: str, expected: tuple[str, str, float]) -> None:
    """Memory, disk and descriptors of a node are judged, and alarms say that publishers are blocked."""
    found, _ = look(broker(QUEUE, node=node))

    assert [expected] == raised(found[query])


def test_it_only_reads_and_says_who_it_is() -> None:
    """Every request is a GET with the configured login."""
    _, heard = look(broker(QUEUE))

    assert ({"GET"}, {"Basic d2F0Y2hlcjpodW50ZXIy"}) == (
        heard.methods,
        {headers["authorization"] for _, _, headers in heard.requests},
    )


def test_a_wrong_login_is_refused() -> None:
    """401 is a refusal that names what to check, without the password."""
    paths = broker(QUEUE)
    found, _ = look(paths, status=dict.fromkeys(paths, 401))

    assert ({FindingStatus.REFUSED}, False) == ({one.status for one in found.values()}, "hunter2" in repr(found))


def test_answers_of_another_server_fail() -> None:
    """JSON that is no list of objects is a failure in words."""
    found, _ = look({path: ["what", "is", "this"] for path in broker()})

    assert {FindingStatus.FAILED} == {one.status for one in found.values()}

"""Real trouble in real systems becomes the named cause, with the evidence that names it."""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from stanch.catalog.model import Catalog, Service, Timing
from stanch.engine.collect import collect_duty
from stanch.engine.loop import Engine
from stanch.incidents.state import IncidentState
from stanch.integrations.fetching import HttpGet
from stanch.integrations.kubernetes import KubernetesSource
from stanch.integrations.postgresql import PostgresSource
from stanch.integrations.program import LocalPrograms
from stanch.integrations.rabbitmq import RabbitSource
from stanch.integrations.redis import RedisSource
from stanch.integrations.redis.wire import Wire
from stanch.operations.world import World
from stanch.packs.reading import shipped_packs
from stanch.ports.evidence import Question, Signal
from stanch.ports.query import QuerySource, SystemSpec
from tests.engine.crew import Scripted, declare, finding, state_of
from tests.integrations.kubernetes.cluster import api, deployment, pod
from tests.support.answering import answering
from tests.support.needs import require
from tests.support.servers import free_port, listens, running, until

SHOP = Catalog(
    services={
        "checkout": Service(name="checkout", depends_on=("payments",)),
        "payments": Service(name="payments"),
    },
    timing=Timing(investigation_s=60.0, baseline_s=600.0),
)


def measured(**values: float) -> Callable[[Question], list[object]]:
    """Return what the metrics of payments say, each with nothing like it before."""

    def tells(question: Question) -> list[object]:
        signals = [
            Signal(name=name, service="payments", value=value, normal=value / 100, data={"raised": True})
            for name, value in values.items()
        ]
        return [finding(question, *signals)]

    return tells


def investigate(world: World, source: QuerySource, **values: float) -> IncidentState:
    """Declare an incident of payments, send the collectors out with one system, and return what is on record."""
    scripted = Scripted(measured(**values))  # type: ignore[arg-type]  # findings
    asked = replace(world, catalog=SHOP, systems=(source,), packs=shipped_packs(), collectors=(scripted,))
    number = declare(asked, services=("payments",))
    Engine(asked, {"collect": collect_duty()}).run_due()
    return state_of(asked, number)


def cited(state: IncidentState) -> str:
    """Return the evidence for the top hypothesis, in words."""
    return " | ".join(one.text for one in state.hypotheses[0].evidence_for)


@contextmanager
def blocked(url: str) -> Iterator[None]:
    """Hold a row of a database while three other sessions want it.

    The source sees the whole server, which all workers share, and names who holds up most: of other tests' locks one
    waits at a time.
    """
    with ExitStack() as stack:
        holder, *waiters = (
            stack.enter_context(psycopg.connect(url, application_name=name)) for name in ("batch", "api", "api", "api")
        )
        holder.execute("CREATE TABLE cards (id int PRIMARY KEY)")
        holder.execute("INSERT INTO cards VALUES (1)")
        holder.commit()
        holder.execute("UPDATE cards SET id = 2")

        def wants(waiter: "psycopg.Connection[tuple[object, ...]]") -> None:
            waiter.execute("UPDATE cards SET id = 3")
            waiter.rollback()

        threads = [threading.Thread(target=wants, args=(waiter,)) for waiter in waiters]
        for thread in threads:
            thread.start()
        with psycopg.connect(url, autocommit=True) as look:
            waits = (
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
            until(lambda: look.execute(waits).fetchone() == (3,))
        try:
            yield
        finally:
            holder.rollback()
            for thread in threads:
                thread.join()


def test_a_lock_names_its_blocker(world: World, bare_postgres_url: str) -> None:
    """A session that holds a row while others wait is the cause, with the process and its statement as evidence."""
    source = PostgresSource(
        SystemSpec(name="orders-db", kind="postgresql", url=bare_postgres_url, services=("payments",))
    )
    with blocked(bare_postgres_url):
        state = investigate(world, source, latency_p95_ms=5000.0)

    assert ("lock_contention", "payments", True) == (
        state.hypotheses[0].kind,
        state.hypotheses[0].service,
        "of batch holds it, idle in transaction" in cited(state),
    )


def test_no_connections_left_is_the_cause(world: World, postgres_server: str, bare_postgres_url: str) -> None:
    """A database that takes no more clients is a pool that is exhausted, of that database."""
    # Roles are the server's, which all workers share: another one may run this on the other database.
    role = f"narrower_{os.getpid()}"
    spec = SystemSpec(name="orders-db", kind="postgresql", url=bare_postgres_url, user=role, services=("payments",))
    with psycopg.connect(f"{postgres_server}/postgres", autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE ROLE {} LOGIN CONNECTION LIMIT 0").format(sql.Identifier(role)))
        try:
            state = investigate(world, PostgresSource(spec), error_ratio=0.4)
        finally:
            admin.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))

    assert ("connection_pool_exhausted", "payments runs out of connections of orders-db") == (
        state.hypotheses[0].kind,
        state.hypotheses[0].title,
    )


def test_a_full_redis_is_the_cause(world: World, tmp_path: Path) -> None:
    """A cache that refuses writes for want of memory is the resource that ran out."""
    binary, port = require("redis-server", "valkey-server"), free_port()
    argv = [binary, "--port", str(port), "--save", "", "--maxmemory", "3mb", "--dir", str(tmp_path)]
    with running(argv, folder=tmp_path, is_ready=listens(port)):
        wire = Wire("127.0.0.1", port, timeout_s=5)
        for number in range(300):
            wire.call(["SET", f"k{number}", "x" * 10_000], timeout_s=5)
        wire.close()
        spec = SystemSpec(name="cache", kind="redis", url=f"redis://127.0.0.1:{port}", services=("payments",))
        state = investigate(world, RedisSource(spec), error_ratio=0.4)

    assert ("resource_exhausted", "payments runs out of memory of cache", True) == (
        state.hypotheses[0].kind,
        state.hypotheses[0].title,
        "commands were refused because memory is full" in cited(state),
    )


def test_a_queue_without_consumers_is_the_cause(world: World) -> None:
    """Messages that pile up with nobody to take them are the cause, with the queue's name."""
    queue = {"name": "settlements", "messages": 41_000, "messages_unacknowledged": 0, "consumers": 0}
    answers = {"/api/queues/%2F": [queue], "/api/nodes": [{"name": "rabbit@a"}], "/api/overview": {}}
    with answering(answers) as heard:
        spec = SystemSpec(name="broker", kind="rabbitmq", url=heard.url, services=("payments",))
        state = investigate(world, RabbitSource(spec, fetch=HttpGet()), latency_p95_ms=5000.0)

    assert ("queue_backlog", "Messages pile up in queue of settlements of payments") == (
        state.hypotheses[0].kind,
        state.hypotheses[0].title,
    )


@pytest.mark.parametrize(
    ("reason", "kind"), [("CrashLoopBackOff", "crash_loop_bug"), ("ImagePullBackOff", "pods_cannot_start")]
)
def test_pods_in_trouble_are_the_cause(world: World, tmp_path: Path, reason: str, kind: str) -> None:
    """Pods that crash again and again, or cannot start, are told apart."""
    require("kubectl")
    waiting = pod("payments-1", state={"waiting": {"reason": reason, "message": "back-off"}}, restarts=6)
    with answering(api(pods=(waiting,), deployments=(deployment(ready=0),))) as heard:
        (tmp_path / "kubeconfig").write_text(
            '{"apiVersion": "v1", "kind": "Config", "current-context": "t",'
            f' "clusters": [{{"name": "t", "cluster": {{"server": "{heard.url}"}}}}],'
            ' "users": [{"name": "t", "user": {}}],'
            ' "contexts": [{"name": "t", "context": {"cluster": "t", "user": "t"}}]}'
        )
        settings = {"namespace": "shop", "kubeconfig": str(tmp_path / "kubeconfig")}
        spec = SystemSpec(name="cluster", kind="kubernetes", services=("payments",), settings=settings, timeout_s=20)
        state = investigate(world, KubernetesSource(spec, programs=LocalPrograms()), error_ratio=0.4)

    assert kind == state.hypotheses[0].kind


def test_the_findings_of_a_system_wait_for_no_other(world: World, bare_postgres_url: str) -> None:
    """What comes back first is on record while a slow collector still looks."""
    source = PostgresSource(
        SystemSpec(name="orders-db", kind="postgresql", url=bare_postgres_url, services=("payments",))
    )
    seen: list[str] = []

    def slow(question: Question) -> list[object]:
        def look() -> bool:
            return any("postgresql" in one for one in state_of(asked, question.incident).findings)

        until(look, within_s=40)
        seen.append("while another looks")
        return []

    asked = replace(
        world,
        catalog=SHOP,
        systems=(source,),
        packs=shipped_packs(),
        collectors=(Scripted(slow, name="slow"),),  # type: ignore[arg-type]  # findings
    )
    declare(asked, services=("payments",))
    Engine(asked, {"collect": collect_duty()}).run_due()

    assert ["while another looks"] == seen

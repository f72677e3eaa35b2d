"""What every system's collector keeps, whatever the far end does: its time-out, its limits, plain words, no secrets."""

import json
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from stanch.app.systems import open_systems
from stanch.catalog.model import Catalog
from stanch.catalog.systems import SystemConfig
from stanch.ports.evidence import Finding, FindingStatus
from stanch.ports.query import QuerySource
from tests.integrations.systems.asked import SERVICES, collect
from tests.integrations.systems.far import dripping, flooding, hanging, lying
from tests.support.servers import free_port

SECRET = "hunter2hunter2"
LIMIT_S = 0.8
ANSWERED_S = 20.0
"""For programs that do end: when they do is the machine's business."""
LATEST_S = LIMIT_S + 12.0
"""The drivers of databases count in whole seconds, and the machine may be busy."""
URLS = {
    "postgresql": "postgresql://stanch@127.0.0.1:{port}/orders",
    "mysql": "mysql://stanch@127.0.0.1:{port}/orders",
    "redis": "redis://127.0.0.1:{port}",
    "rabbitmq": "http://127.0.0.1:{port}",
    "nginx": "http://127.0.0.1:{port}/stub_status",
    "prometheus": "http://127.0.0.1:{port}",
}
HTTP = ("rabbitmq", "nginx", "prometheus")
OVER_TCP = pytest.mark.parametrize("kind", list(URLS))
PROGRAMS = pytest.mark.parametrize("kind", ["kubernetes", "linux"])


def source(
    kind: str, *, port: int = 0, services: tuple[str, ...] = ("payments",), timeout_s: float = LIMIT_S
) -> QuerySource:
    """Return the system of a kind as the configuration makes it, with a secret."""
    config = SystemConfig(
        name=f"the-{kind}",
        kind=kind,
        url=URLS.get(kind, "").format(port=port),
        user="stanch" if kind in HTTP else "",
        secret_env="THE_SECRET",
        services=services,
        timeout_s=timeout_s,
    )
    catalog = Catalog(services=SERVICES, systems={config.name: config})
    return open_systems(catalog, environment={"THE_SECRET": SECRET}).sources[0]


def misbehaving(kind: str, end: AbstractContextManager[int]) -> tuple[list[Finding], float]:
    """Return what is found about a far end that misbehaves, and how long that took in seconds."""
    with end as port:
        began = time.monotonic()
        found = list(collect(source(kind, port=port)).values())
        return found, time.monotonic() - began


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Give a function that puts a shell script in the place of every program that systems are asked by."""

    def put(script: str) -> None:
        folder = tmp_path / "bin"
        folder.mkdir()
        for name in ("kubectl", "cat", "df", "free", "ps", "ss", "systemctl", "journalctl"):
            (folder / name).write_text(f"#!/bin/sh\n{script}\n")
            (folder / name).chmod(0o755)
        monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")

    return put


@OVER_TCP
def test_a_far_end_that_hangs_costs_its_time_out(kind: str) -> None:
    """What never answers is a failed finding when the time is over, and not later."""
    found, took_s = misbehaving(kind, hanging())

    assert ({FindingStatus.FAILED}, True) == ({one.status for one in found}, took_s < LATEST_S)


@OVER_TCP
def test_a_far_end_that_lies_is_told_in_a_plain_sentence(kind: str) -> None:
    """An answer in no protocol is a failed finding that says so, and no stack trace."""
    found, _ = misbehaving(kind, lying(http=kind in HTTP))

    assert [] == [one.summary for one in found if one.status is not FindingStatus.FAILED or "Traceback" in one.summary]


@OVER_TCP
def test_a_far_end_that_floods_is_left(kind: str) -> None:
    """What never stops sending is read to a limit and no further."""
    found, took_s = misbehaving(kind, flooding(http=kind in HTTP))

    assert ({FindingStatus.FAILED}, True) == ({one.status for one in found}, took_s < LATEST_S)


@OVER_TCP
def test_a_far_end_that_drips_costs_its_time_out(kind: str) -> None:
    """A byte now and then holds nobody longer than the time-out."""
    found, took_s = misbehaving(kind, dripping(http=kind in HTTP))

    assert ({FindingStatus.FAILED}, True) == ({one.status for one in found}, took_s < LATEST_S)


@OVER_TCP
def test_nobody_listening_is_told(kind: str) -> None:
    """A port with nobody is a failed finding with the reason."""
    found = list(collect(source(kind, port=free_port())).values())

    assert {FindingStatus.FAILED} == {one.status for one in found}


@OVER_TCP
def test_no_finding_holds_a_secret(kind: str) -> None:
    """Neither what a far end says nor what was asked brings the secret into a finding."""
    with lying(http=kind in HTTP) as port:
        asked = source(kind, port=port)
        found = collect(asked)

    assert SECRET not in repr(found) + repr(vars(asked)) + asked.where


@OVER_TCP
def test_query_and_window_are_recorded(kind: str) -> None:
    """A finding says who was asked, what, and about which stretch of time."""
    found = list(collect(source(kind, port=free_port())).values())

    assert [] == [one for one in found if not one.source or not one.command or not one.start < one.end]


@OVER_TCP
def test_a_question_about_others_is_none_of_its_business(kind: str) -> None:
    """A system that other services use is not asked."""
    assert {} == collect(source(kind, port=free_port(), services=("web",)))


@PROGRAMS
def test_a_program_that_hangs_costs_its_time_out(program: Callable[[str], None], kind: str) -> None:
    """A program that does not end is ended, with all it started."""
    program("sleep 60 & wait")
    began = time.monotonic()
    found = collect(source(kind))
    took_s = time.monotonic() - began

    assert ({FindingStatus.FAILED}, True) == ({one.status for one in found.values()}, took_s < LATEST_S)


@PROGRAMS
def test_a_program_that_floods_is_left(program: Callable[[str], None], kind: str) -> None:
    """A program that never stops printing is ended at the limit."""
    program("exec yes '{[]['")
    began = time.monotonic()
    found = collect(source(kind))
    took_s = time.monotonic() - began

    assert (True, True) == (took_s < LATEST_S, len(json.dumps([one.data for one in found.values()])) < 500_000)


@PROGRAMS
def test_a_program_that_lies_is_told(program: Callable[[str], None], kind: str) -> None:
    """What is printed in another form is no finding about the system."""
    program("echo 'what do you mean'")
    raised = [
        one.summary
        for one in collect(source(kind, timeout_s=ANSWERED_S)).values()
        if any(signal.data.get("raised") for signal in one.signals)
    ]

    assert [] == raised


@PROGRAMS
def test_a_program_that_fails_is_told(program: Callable[[str], None], kind: str) -> None:
    """What it complains of is in the finding."""
    program("echo 'the cellar is flooded' >&2; exit 3")
    found = list(collect(source(kind, timeout_s=ANSWERED_S)).values())

    assert (True, {FindingStatus.FAILED}) == (
        all("the cellar is flooded" in one.summary for one in found),
        {one.status for one in found},
    )


@PROGRAMS
def test_a_secret_that_a_program_prints_is_redacted(program: Callable[[str], None], kind: str) -> None:
    """What looks like a secret in a complaint does not go on record."""
    program(f"echo 'cannot log in with password={SECRET}' >&2; exit 1")

    assert SECRET not in repr(collect(source(kind, timeout_s=ANSWERED_S)))

"""Commands that work on files alone, as real processes without a store."""

import gzip
import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

START = 1_790_000_000


def stanch(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """Run the command line and return how it ended."""
    return subprocess.run(
        [sys.executable, "-m", "stanch", *arguments], input=stdin, capture_output=True, text=True, check=False
    )


def metrics() -> str:
    """Return a table in which payments uses all of its CPU from the 40th of 60 samples on."""
    lines = ["time,checkout|cpu,payments|cpu,checkout|latency_p95"]
    for index in range(60):
        jitter = (index * 7 % 5) / 100
        busy = 0.98 if index >= 40 else 0.2 + jitter
        lines.append(f"{START + index * 10},{0.3 + jitter:.2f},{busy:.2f},{120 + index % 3}")
    return "\n".join(lines) + "\n"


def test_rca_names_the_service_that_moved() -> None:
    """The first suspect is the service whose metric left its normal."""
    done = stanch("rca", "-", "--at", str(START + 400), "--json", stdin=metrics())

    assert "payments" == json.loads(done.stdout)["causes"][0]["service"]


def test_rca_estimates_the_onset() -> None:
    """Without --at the start is found in the series, to within two samples."""
    done = stanch("rca", "-", "--json", stdin=metrics())

    assert abs(json.loads(done.stdout)["at"] - (START + 400)) <= 20


@pytest.mark.parametrize(
    ("text", "field"),
    [("", "line 1"), ("time\n", "line 1"), ("time,a|b\nyesterday,1\n", "line 2"), ("time,a|b\n1,1\n", "body")],
)
def test_rca_says_what_is_wrong_with_a_table(text: str, field: str) -> None:
    """A table that cannot be read is a usage error that names the place."""
    done = stanch("rca", "-", "--json", stdin=text)

    assert (2, field) == (done.returncode, json.loads(done.stderr)["error"]["problems"][0]["field"])


def lines(count: int) -> str:
    """Return a log in which logins answer, and from the middle on a timeout is logged as well."""
    made = []
    for index in range(count):
        clock = f"2026-11-21T14:{index // 60:02d}:{index % 60:02d}Z"
        made.append(f"{clock} INFO login of user{index} took {index % 50} ms")
        if index >= count // 2:
            made.append(f"{clock} ERROR TimeoutError: no answer from 10.0.0.{index % 200}")
    return "\n".join(made) + "\n"


def test_logs_finds_what_is_new(tmp_path: Path) -> None:
    """A template that was never there before is told as new."""
    path = tmp_path / "app.log.gz"
    path.write_bytes(gzip.compress(lines(600).encode()))
    done = stanch("logs", str(path), "--since", "2026-11-21T14:05:00Z", "--json")

    assert ["new"] == [one["kind"] for one in json.loads(done.stdout)["changes"] if "answer" in one["template"]]


def test_logs_groups_errors() -> None:
    """Failures that differ only in their numbers are one."""
    done = stanch("logs", "-", "--json", stdin=lines(200))

    assert [100] == [one["count"] for one in json.loads(done.stdout)["errors"]]


def test_a_file_that_is_not_there_is_a_usage_error() -> None:
    """The error names the file."""
    done = stanch("logs", "nowhere.log")

    assert (2, True) == (done.returncode, "nowhere.log" in done.stderr)


def spike() -> str:
    """Return a table of one steady series with a spike at the 800th of 1,000 samples."""
    rows = ["time,checkout|latency_p95"]
    rows += [f"{START + i * 10},{100 + i * 37 % 11 + (80 if 800 <= i < 810 else 0)}" for i in range(1000)]
    return "\n".join(rows) + "\n"


def test_anomalies_are_told_with_their_time() -> None:
    """The spike is told with its series, where it begins."""
    done = stanch("anomalies", "-", "--json", stdin=spike())
    (found,) = json.loads(done.stdout)["anomalies"]

    assert ("checkout|latency_p95", START + 8000) == (found["series"], found["at"])


def test_anomalies_says_what_is_wrong_with_a_table() -> None:
    """A table without a series is a usage error."""
    assert 2 == stanch("anomalies", "-", "--json", stdin="time\n").returncode


def test_rca_reads_logs_beside_the_metrics(tmp_path: Path) -> None:
    """A service whose metrics are calm and whose log is full of new errors is the first suspect."""
    log = tmp_path / "mailer.log"
    clock = (datetime.fromtimestamp(START + i * 2, UTC) for i in range(300))
    log.write_text(
        "".join(
            f"{at:%Y-%m-%dT%H:%M:%SZ} INFO sent mail {i}\n"
            + (f"{at:%Y-%m-%dT%H:%M:%SZ} ERROR mailbox {i} is full\n" if i >= 200 else "")
            for i, at in enumerate(clock)
        )
    )
    calm = "\n".join(["time,mailer|cpu", *(f"{START + i * 10},{0.2 + i % 3 / 100}" for i in range(60))]) + "\n"

    done = stanch("rca", "-", "--at", str(START + 400), "--logs", str(log), "--json", stdin=calm)

    assert "mailer" == json.loads(done.stdout)["causes"][0]["service"]

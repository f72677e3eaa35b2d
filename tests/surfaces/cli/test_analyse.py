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


@pytest.mark.parametrize(
    "text",
    ["time,a|cpu,a|cpu\n1,1,1\n2,2,2\n", "time,a|cpu\n1,x\n2,y\n", "time,a|cpu\n1,1\r2\n", "time,a|cpu\n1e300,1\n"],
    ids=["a column twice", "no number", "no CSV", "no time"],
)
def test_a_table_that_would_mislead_is_refused(text: str) -> None:
    """A column that is there twice, columns without a number, what is no CSV and no time are usage errors."""
    assert 2 == stanch("rca", "-", stdin=text).returncode


def test_the_order_of_rows_and_the_unit_of_their_times_do_not_matter() -> None:
    """A table that is newest first, in milliseconds, gives the same ranking."""
    header, *rows = metrics().splitlines()
    turned = [f"{int(time) * 1000},{values}" for time, _, values in (row.partition(",") for row in reversed(rows))]

    done = stanch("rca", "-", "--json", stdin="\n".join([header, *turned]))

    assert json.loads(stanch("rca", "-", "--json", stdin=metrics()).stdout) == json.loads(done.stdout)


def test_anomalies_tells_what_it_could_not_read() -> None:
    """Rows that are out of order are counted, so that silence is not taken for calm."""
    done = stanch("anomalies", "-", "--json", stdin="time,a\n3,1\n2,1\n1,1\n")

    assert {"samples": 1, "unordered": 2, "anomalies": [], "left_out": 0} == json.loads(done.stdout)


def test_a_packed_log_that_ends_in_the_middle_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    """A file that is still written gives its lines, and is named."""
    path = tmp_path / "app.log.gz"
    path.write_bytes(gzip.compress(lines(600).encode())[:-200])
    answer = json.loads(stanch("logs", str(path), "--json").stdout)

    assert (True, [str(path)]) == (answer["lines"] > 100, answer["cut_short"])


def test_secrets_of_a_log_are_not_told() -> None:
    """What looks like a password is redacted in what is told and in the JSON."""
    text = "2026-11-21T14:00:00Z ERROR login failed password=hunter2 at db\n" * 3

    assert "hunter2" not in stanch("logs", "-", stdin=text).stdout + stanch("logs", "-", "--json", stdin=text).stdout


def test_a_log_that_ends_before_the_instant_has_not_changed() -> None:
    """Where no line is from after --since nothing is called vanished; the lines of each side are counted."""
    answer = json.loads(stanch("logs", "-", "--since", "2026-11-21T18:00:00Z", "--json", stdin=lines(200)).stdout)

    assert ([], {"before": 300, "after": 0}) == (answer["changes"], answer["compared"])


def test_times_of_a_log_without_a_zone_are_in_the_one_given() -> None:
    """--tz is about the lines as well as about --since."""
    text = "2026-11-21 14:00:00 ERROR boom\n"
    answer = json.loads(stanch("logs", "-", "--tz", "Europe/Berlin", "--json", stdin=text).stdout)

    assert "2026-11-21T13:00:00+00:00" == answer["errors"][0]["first_seen"]

"""What the runner of the diagnosis benchmark calls: one function per task, each on one case directory.

Imports are local to each function, so that one task can run where another's dependencies are missing.
"""

from datetime import UTC, datetime
from pathlib import Path


def logs(case_dir: str) -> dict[str, object]:
    """Group the lines of a log case into templates: one template id and one template text per line.

    Where nearly every line begins with a time the lines are whole ones, and their headers are split off first, as the
    product does with every log it reads.
    """
    from stanch.diagnose.logs.miner import Miner
    from stanch.diagnose.logs.records import parse_line

    with (Path(case_dir) / "lines.log").open(encoding="utf-8", errors="replace", newline="") as handle:
        lines = handle.read().split("\n")
    reference = datetime(2026, 1, 1, tzinfo=UTC)
    some = [parse_line(line, reference=reference) for line in lines[:200]]
    if sum(1 for record in some if record is not None and record.at is not None) >= 0.9 * len(some):
        records = [parse_line(line, reference=reference) for line in lines]
        lines = [record.message if record is not None else "" for record in records]
    miner = Miner()
    leaves = [miner.add(line) for line in lines]
    miner.merge()
    return {"clusters": [miner.resolve(leaf) for leaf in leaves], "templates": [miner.text(leaf) for leaf in leaves]}


def logs_drain3(case_dir: str) -> dict[str, object]:
    """Group the lines with drain3 instead, for comparison; fails where it is not installed."""
    from bench.drain import drain

    feed = drain()
    if feed is None:
        raise ModuleNotFoundError("drain3 is not installed")
    with (Path(case_dir) / "lines.log").open(encoding="utf-8", errors="replace", newline="") as handle:
        return {"clusters": [feed(line)["cluster_id"] for line in handle.read().split("\n")]}


def changes(case_dir: str) -> dict[str, object]:
    """Rank the commits of a change case; "none" stands for the outcome that no change explains it."""
    from bench.changes_case import answer

    return answer(case_dir)


def rca(case_dir: str) -> dict[str, object]:
    """Rank services, with their metrics, as causes of a case."""
    from bench.metrics_case import rank_case, ranked_names

    return {"ranking": ranked_names(rank_case(case_dir))}


def onset(case_dir: str) -> dict[str, object]:
    """Say whether a window holds an incident, and since when (whole seconds)."""
    from bench.metrics_case import ENTRY, read_frame
    from stanch.diagnose.metrics.detect import detect_anomaly

    found = detect_anomaly(read_frame(Path(case_dir) / "metrics.csv"), outside=(ENTRY,))
    return {"anomalous": found.anomalous, "start": None if found.at is None else int(found.at)}


def nab(case_dir: str) -> dict[str, object]:
    """Find the anomalies of one series, sample by sample."""
    import csv
    from datetime import UTC, datetime

    from stanch.diagnose.metrics.anomaly import AnomalyDetector

    detector = AnomalyDetector()
    with (Path(case_dir) / "series.csv").open(encoding="utf-8", newline="") as handle:
        rows = [(row[0][:19], float(row[1])) for row in list(csv.reader(handle))[1:]]
    found = [
        stamp
        for stamp, value in rows
        if detector.add(datetime.fromisoformat(stamp).replace(tzinfo=UTC).timestamp(), value).anomalous
    ]
    return {"detections": found}

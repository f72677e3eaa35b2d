"""Reads a case of the diagnosis benchmark into the frames of `stanch.diagnose.metrics`, and ranks or dates it."""

import csv
import json
import re
from pathlib import Path

import numpy as np

from stanch.alerts.baseline import Floats
from stanch.diagnose.logs.miner import Miner
from stanch.diagnose.metrics.frame import EdgeFrame, EdgeKey, Graph, LogCounts, MetricFrame, SeriesKey
from stanch.diagnose.metrics.rootcause import Ranking, rank_causes

# The format names the outside view of the whole system so; it is no service.
ENTRY = "__entry__"
# `orders.Controller#118` or `handler.py:42` near the start of a line: where in the code it was written.
_SOURCE = re.compile(r"(?<!\S)([A-Za-z_$][\w.$]*[#:]\d+)(?!\S)")
_HEADER = 120


def rank_case(case_dir: str) -> Ranking:
    """Rank the causes of one case from whatever files it has."""
    folder = Path(case_dir)
    case = json.loads((folder / "case.json").read_text(encoding="utf-8"))
    alert = case.get("alert")
    return rank_causes(
        read_frame(folder / "metrics.csv"),
        at=case.get("incident_time"),
        graph=_graph(folder / "graph.json"),
        logs=_logs(folder),
        edges=_edges(folder / "edges.csv"),
        alert=SeriesKey(alert["service"], alert["metric"]) if alert else None,
        outside=(ENTRY,),
    )


def ranked_names(ranking: Ranking) -> list[str]:
    """Return `service|metric` and `service` names in the order of the ranking, each service once without metric."""
    by_service: dict[str, list[str]] = {}
    for score in ranking.metrics:
        by_service.setdefault(score.service, []).append(f"{score.service}|{score.metric}")
    return [name for cause in ranking.causes for name in (*by_service.get(cause.service, ()), cause.service)]


def read_frame(path: Path) -> MetricFrame:
    """Read `timestamp,service|metric,...`; rows whose time does not ascend are left out."""
    names, times, values = _table(path)
    keys = tuple(SeriesKey(*name.rsplit("|", 1)) for name in names)
    return MetricFrame(times=times, keys=keys, values=values)


def _edges(path: Path) -> EdgeFrame | None:
    if not path.exists():
        return None
    names, times, values = _table(path)
    keys = []
    for name in names:
        call, metric = name.rsplit("|", 1)
        caller, callee = call.split("->", 1)
        keys.append(EdgeKey(caller, callee, metric))
    return EdgeFrame(times=times, keys=tuple(keys), values=values)


def _graph(path: Path) -> Graph | None:
    if not path.exists():
        return None
    graph = json.loads(path.read_text(encoding="utf-8"))
    return Graph.of((tuple(edge) for edge in graph["edges"]), nodes=graph.get("nodes", ()))


def _logs(folder: Path) -> LogCounts | None:
    if not (folder / "logs.csv").exists():
        return None
    miner = Miner()
    services: dict[str, int] = {}
    rows: list[tuple[float, int, int, str, bool]] = []
    for name, quiet in (("logs_baseline.csv", True), ("logs.csv", False)):
        if (folder / name).exists():
            with (folder / name).open(encoding="utf-8", newline="") as handle:
                for time, service, message in list(csv.reader(handle))[1:]:
                    source = _SOURCE.search(message, 0, _HEADER)
                    number = services.setdefault(service, len(services))
                    rows.append((float(time), number, miner.add(message), source[1] if source else "", quiet))
    miner.merge()
    kinds: dict[tuple[int, str], int] = {}
    kind_of = [kinds.setdefault((miner.resolve(leaf), source), len(kinds)) for _, _, leaf, source, _ in rows]
    return LogCounts(
        times=np.array([row[0] for row in rows]),
        services=tuple(services),
        service_of=np.array([row[1] for row in rows], dtype=np.int64),
        templates=tuple(f"{source} {miner.text(template)}".strip() for template, source in kinds),
        template_of=np.array(kind_of, dtype=np.int64),
        quiet=np.array([row[4] for row in rows], dtype=np.bool_),
    )


def _table(path: Path) -> tuple[list[str], Floats, Floats]:
    with path.open(encoding="utf-8", newline="") as handle:
        header, *rows = csv.reader(handle)
    cells = np.array([[cell or "nan" for cell in row] for row in rows], dtype=np.float64)
    cells[~np.isfinite(cells)] = np.nan
    ascending = np.concatenate([[True], cells[1:, 0] > np.maximum.accumulate(cells[:-1, 0])])
    cells = cells[ascending]
    return header[1:], cells[:, 0], cells[:, 1:]

"""What the runner of the diagnosis benchmark calls: one function per task, each on one case directory.

Imports are local to each function, so that one task can run where another's dependencies are missing.
"""

from pathlib import Path


def logs(case_dir: str) -> dict[str, object]:
    """Group the lines of a log case into templates: one template id and one template text per line."""
    from stanch.diagnose.logs.miner import Miner

    miner = Miner()
    with (Path(case_dir) / "lines.log").open(encoding="utf-8", errors="replace", newline="") as handle:
        leaves = [miner.add(line) for line in handle.read().split("\n")]
    miner.merge()
    return {"clusters": [miner.resolve(leaf) for leaf in leaves], "templates": [miner.text(leaf) for leaf in leaves]}


def changes(case_dir: str) -> dict[str, object]:
    """Rank the commits of a change case; "none" stands for the outcome that no change explains it."""
    from bench.changes_case import answer

    return answer(case_dir)


def rca(case_dir: str) -> dict[str, object]:
    """Rank services, with their metrics, as causes of a case."""
    from bench.metrics_case import rank_case, ranked_names

    return {"ranking": ranked_names(rank_case(case_dir))}

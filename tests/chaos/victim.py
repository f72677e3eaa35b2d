"""Lives stories in processes that may be killed: reads jobs from standard input, forks for each, says how it ended.

A fork of a warm process costs a hundredth of a new one. The process that forks has no thread and no connection.
"""

import json
import os
import signal
import sys
import traceback
from pathlib import Path

from stanch.app.logging import configure_logging
from tests.chaos.inquest import after_death, at_the_end
from tests.chaos.story import Death, Scene, Story


def live(job: dict[str, object]) -> dict[str, object]:
    """Live the part of a story that `job` describes, and return what there is to say about it."""
    scene = Scene(database=str(job["database"]), folder=Path(str(job["folder"])), hook=str(job["hook"]))
    told = job.get("death")
    death = Death(commit=int(told[0]), after=bool(told[1])) if isinstance(told, list) else None
    found = after_death(scene) if job["part"] == "resume" else {}
    story = Story.resumed(scene) if job["part"] == "resume" else Story(scene, death=death)
    if job["part"] == "learn":
        story.learn()
    else:
        story.play()
    story.close()
    told_of = {"commits": story.store.commits, "ran_at": story.store.ran_at}
    return {**found, **told_of, **(at_the_end(scene) if job["part"] != "learn" else {})}


def serve() -> None:
    """Live one job after the other, each in a process of its own."""
    for line in sys.stdin:
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reader)
            _be(json.loads(line), writer)
        os.close(writer)
        with os.fdopen(reader) as answer:
            told = answer.read()
        _, status = os.waitpid(child, 0)
        killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        sys.stdout.write(json.dumps({"killed": killed, **json.loads(told or "{}")}) + "\n")
        sys.stdout.flush()


def _be(job: dict[str, object], writer: int) -> None:
    try:
        found = live(job)
    except Exception:  # noqa: BLE001  (boundary "process": what went wrong belongs in the answer)
        found = {"trouble": traceback.format_exc()}
    with os.fdopen(writer, "w") as answer:
        answer.write(json.dumps(found))
    os._exit(0)


if __name__ == "__main__":
    configure_logging(level="error")
    serve()

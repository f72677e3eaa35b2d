"""The score of a game day as Markdown, and what is to be done about it as words."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from stanch.incidents.recorded.items import ItemPurpose
from stanch.kernel.duration import format_duration
from stanch.review.gamedays.model import Mark, Score, Skill, Standing
from stanch.review.gamedays.rules import TITLES

_STANDINGS: Final = {
    Standing.HELD: "held",
    Standing.MISSED: "**missed**",
    Standing.OPEN: "open",
    Standing.NOT_ASKED: "not asked",
}
_TO_DO: Final = {
    Skill.DETECT: ("Detect it in time", ItemPurpose.DETECT),
    Skill.ACKNOWLEDGE: ("Reach somebody in time", ItemPurpose.DETECT),
    Skill.SOMEBODY_ELSE: ("Let the escalation reach somebody else", ItemPurpose.DETECT),
    Skill.HYPOTHESIS: ("Make the cause visible sooner", ItemPurpose.MITIGATE),
    Skill.MITIGATE: ("Have a mitigation that ends it in time", ItemPurpose.MITIGATE),
    Skill.UPDATES: ("Send updates when they were promised", ItemPurpose.MITIGATE),
}


def to_do(mark: Mark, *, title: str) -> tuple[str, ItemPurpose]:
    """Return the action item for something that was missed in the game day called `title`: its text and purpose."""
    what, purpose = _TO_DO[mark.skill]
    limit = f" (within {format_duration(timedelta(seconds=mark.limit_s))})" if mark.limit_s else ""
    return f'{what}{limit}: in the game day "{title}" {mark.words}', purpose


def markdown(
    score: Score,
    *,
    number: int,
    title: str,
    began_at: datetime,
    ended_at: datetime | None,
    incident: int | None,
    url: str,
    steps: Sequence[str],
    player: str,
) -> str:
    """Return the report: what was done, how those who responded did, each line with its event."""
    ended = f"taken back at {ended_at:%H:%M:%S} UTC" if ended_at else "still going on"
    log = f"[INC-{incident}]({url}/i/{incident})" if incident else "no incident was declared"
    lines = [
        f"# Game day {number}: {title}",
        "",
        f"{began_at:%Y-%m-%d %H:%M:%S} UTC, started by {player}, {ended}. Log: {log}.",
        "",
        f"**{score.held} of {score.asked}** expectations held.",
        "",
        "| | result | took | allowed | |",
        "| --- | --- | --- | --- | --- |",
        *(_row(mark, incident=incident, url=url) for mark in score.marks),
        "",
        "## What was done",
        "",
        *(f"- {step}" for step in steps or ("Nothing was broken.",)),
    ]
    if score.missed:
        lines += ["", "## What is to be done", "", *(f"- {to_do(mark, title=title)[0]}" for mark in score.missed)]
    return "\n".join(lines) + "\n"


def _row(mark: Mark, *, incident: int | None, url: str) -> str:
    took = "–" if mark.seconds is None else format_duration(timedelta(seconds=mark.seconds))
    limit = format_duration(timedelta(seconds=mark.limit_s)) if mark.limit_s else "–"
    words = f"[{mark.words}]({url}/i/{incident}#e-{mark.seq})" if mark.seq and incident else mark.words
    return f"| {TITLES[mark.skill]} | {_STANDINGS[mark.standing]} | {took} | {limit} | {words} |"

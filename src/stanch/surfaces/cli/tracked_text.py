"""What trackers such as Sentry see, as text: troubles on the overview, the focused looks. Every number says when."""

from collections.abc import Iterator
from datetime import datetime

from stanch.surfaces.cli.records import Record, child, children, count_in, line_of, moment, number_in, text_of, texts
from stanch.surfaces.cli.telling import ago, at, at_and_ago, faint, milliseconds, paint, percent, severity, strong

_RATE_MINUTE = 60.0
_MOST_SAMPLE_LINES = 8


def seen_lines(answer: Record) -> Iterator[str]:
    """Yield what trackers see, and for each how it answered."""
    for one in children(answer, "seen"):
        yield from trouble_lines(one)
        yield ""
    for one in children(answer, "asked"):
        yield from _asked_lines(one)


def trouble_lines(one: Record) -> Iterator[str]:
    """Yield one service in trouble: severity, age, figures beside normal, primary error, release, what to do."""
    source, kind = line_of(one, "source"), line_of(one, "kind")
    yield f"{severity(line_of(one, 'severity'))}  {strong(line_of(one, 'title'))}  {faint(f'{kind}, seen by {source}')}"
    incident = line_of(one, "incident")
    started_at = moment(one, "started_at")
    since = f"started {at_and_ago(started_at)}" if started_at else "start not known"
    yield f"  Status    {f'covered by {incident}' if incident else 'no incident is open for it'}, {since}"
    environment = line_of(one, "environment")
    yield f"  Affected  {line_of(one, 'service')}" + (f" ({environment})" if environment else "")
    yield from _figure_lines(child(one, "figures"))
    yield from _issue_lines(child(one, "issue"), line_of(one, "trend"))
    yield from _release_lines(child(one, "release"))
    for index, why in enumerate(texts(one, "why")):
        yield f"  {'Because' if index == 0 else '       '}   {' '.join(why.split())}"
    for index, step in enumerate(texts(one, "recommended"), start=1):
        yield f"  {'Do' if index == 1 else '  '}        {index}. {' '.join(step.split())}"
    yield f"  {faint(line_of(one, 'reason'))}"


def errors_lines(answer: Record) -> Iterator[str]:
    """Yield the errors of a service."""
    found = children(answer, "errors")
    yield f"{len(found) or 'No'} error{'' if len(found) == 1 else 's'}, {_period(child(answer, 'period'))}"
    for one in found:
        issue = child(one, "issue")
        yield ""
        yield f"{line_of(issue, 'key')}  {strong(line_of(issue, 'title'))}  {faint(line_of(issue, 'status'))}"
        before = number_in(issue, "events_before")
        beside = f", {before:,.0f} in an equal stretch before" if before is not None else ""
        trend = line_of(one, "trend")
        users = f"{count_in(issue, 'users'):,} users"
        yield f"  Events    {count_in(issue, 'events'):,}{beside}; {users}" + (f"; {trend}" if trend else "")
        yield f"  Seen      first {at_and_ago(moment(issue, 'first_seen'))}, last {ago(moment(issue, 'last_seen'))}"
        if place := line_of(issue, "at") or line_of(issue, "culprit"):
            yield f"  At        {place}"
        if versions := texts(issue, "releases"):
            yield f"  Releases  {', '.join(versions)}"
        yield from _release_lines(child(one, "release"))
        for suspect in children(issue, "suspects")[:3]:
            words = (line_of(suspect, "commit")[:12], line_of(suspect, "title"), line_of(suspect, "author"))
            yield f"  Suspect   {' · '.join(word for word in words if word)}  {faint(line_of(suspect, 'why'))}"
        if assigned := line_of(issue, "assigned"):
            yield f"  Assigned  {assigned}"
        for line in text_of(issue, "sample").splitlines()[1:_MOST_SAMPLE_LINES]:
            yield f"  {faint(line)}"
        yield f"  {paint(line_of(issue, 'url'), 'blue')}"
    for unsaid in texts(answer, "lacking"):
        yield paint(f"not told: {' '.join(unsaid.split())}", "yellow")


def releases_lines(answer: Record) -> Iterator[str]:
    """Yield the releases of a service with what correlates."""
    yield strong(line_of(answer, "verdict"))
    yield faint(_period(child(answer, "period")))
    for one in children(answer, "releases"):
        release = child(one, "release")
        deployed_at = moment(release, "deployed_at")
        where = line_of(release, "environment")
        when = f"deployed {f'to {where} ' if where else ''}{at_and_ago(deployed_at)}"
        yield f"{line_of(release, 'version')}  {line_of(release, 'service')}  " + (
            when if deployed_at else f"made {at_and_ago(moment(release, 'created_at'))}, no deploy told"
        )
        health = number_in(release, "crash_free")
        if health is not None:
            yield f"  {health:.2%} of {count_in(release, 'sessions'):,} sessions without a crash"
        if keys := texts(one, "brought"):
            yield paint(f"  began after it: {', '.join(keys)}", "red")


def performance_lines(answer: Record) -> Iterator[str]:
    """Yield the steps of a service's requests."""
    yield strong(line_of(answer, "verdict"))
    normal = _period(child(answer, "normal_period"))
    yield faint(f"{_period(child(answer, 'period'))}; normal is {normal}")
    for step in children(answer, "steps"):
        figure = child(step, "latency_p95")
        mark = "slower" if step.get("slower") is True else ""
        count = f"{count_in(child(step, 'count'), 'value'):,} sampled"
        beside = f"{milliseconds(number_in(figure, 'value'))} (normal {milliseconds(number_in(figure, 'normal'))})"
        yield "  ".join(part for part in (beside, line_of(step, "name"), count, paint(mark, "red")) if part)


def _figure_lines(figures: Record) -> Iterator[str]:
    told = []
    ratio = child(figures, "error_ratio")
    if number_in(ratio, "value") is not None:
        normal = percent(number_in(ratio, "normal"))
        told.append(f"error rate {percent(number_in(ratio, 'value'))} (normal {normal})")
    errors = child(figures, "errors")
    if number_in(errors, "value") is not None:
        told.append(f"{_per_minute(errors, 'value')} errors/min (normal {_per_minute(errors, 'normal')})")
    latency = child(figures, "latency_p95")
    if number_in(latency, "value") is not None:
        normal = milliseconds(number_in(latency, "normal"))
        told.append(f"p95 {milliseconds(number_in(latency, 'value'))} (normal {normal})")
    counted = []
    for name, words in (("users", "affected users"), ("failed", "failed requests")):
        value = number_in(child(figures, name), "value")
        if value is not None:
            counted.append(f"{value:,.0f} {words}")
    for index, line in enumerate(part for part in (", ".join(told), ", ".join(counted)) if part):
        yield f"  {'Impact' if index == 0 else '      '}    {line}"
    if told or counted:
        period, normal = _period(child(errors, "period")), _period(child(errors, "normal_period"))
        yield f"            {faint(f'{period}; normal is {normal}')}"


def _per_minute(figure: Record, name: str) -> str:
    value = number_in(figure, name)
    return "–" if value is None else f"{value * _RATE_MINUTE:,.3g}"


def _issue_lines(issue: Record, trend: str) -> Iterator[str]:
    if not issue:
        return
    yield f"  Error     {line_of(issue, 'key')} {line_of(issue, 'title')}"
    events = f"{count_in(issue, 'events'):,} events" + (f" ({trend})" if trend else "")
    parts = (
        f"{events} {_period(child(issue, 'period'))}",
        f"{count_in(issue, 'users'):,} users",
        f"first seen {ago(moment(issue, 'first_seen'))}",
    )
    yield f"            {', '.join(parts)}"
    yield f"            {paint(line_of(issue, 'url'), 'blue')}"


def _release_lines(release: Record) -> Iterator[str]:
    if not release:
        return
    before_s = number_in(release, "seconds_before") or 0.0
    when = f"{before_s / 60:,.0f} min before it began" if before_s >= 0 else "in the minutes in which it began"
    what = "deployed" if release.get("deployed") is True else "released"
    previous = line_of(release, "previous")
    yield f"  Release   {line_of(release, 'version')} {what} {when}" + (f"; before it {previous}" if previous else "")


def _asked_lines(one: Record) -> Iterator[str]:
    name, problem = line_of(one, "name"), line_of(one, "problem")
    if problem:
        yield paint(f"{name} was asked and does not tell: {problem}", "yellow")
        return
    period = _between(moment(one, "start"), moment(one, "end"))
    yield faint(f"{name} ({line_of(one, 'where')}): {count_in(one, 'services')} services with figures, errors {period}")
    for lacking in texts(one, "lacking"):
        yield paint(f"  not told by {name}: {' '.join(lacking.split())}", "yellow")


def _period(period: Record) -> str:
    return _between(moment(period, "start"), moment(period, "end"))


def _between(start: datetime | None, end: datetime | None) -> str:
    return f"from {at(start)} to {at(end)}" if start and end else "period not known"

"""Series that rules ask for, on a page that is fetched from a server."""

from datetime import UTC, datetime, timedelta

from stanch.integrations.openmetrics import OpenMetricsSampler
from stanch.kernel.event import JSON
from stanch.ports.checks import MetricsCheck, SeriesChoice
from stanch.ports.sampler import Look
from tests.support.farend import Asked, Reply, site

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
PAGE = """
queue_depth{queue="mail",shard="1"} 40
queue_depth{queue="mail",shard="2"} 2
queue_depth{queue="pdf",shard="1"} 7
jobs_done_total{kind="a"} 100
"""


def rules(look: Look) -> dict[tuple[tuple[str, str], ...], float]:
    """Return what a look brought for rules, by labels."""
    return {one.labels: one.value for one in look.samples if one.metric == "rule"}


def looked(*choices: SeriesChoice, pages: tuple[str, ...] = (PAGE,)) -> list[Look]:
    """Return one look a page, ten seconds apart."""
    waiting = list(pages)

    def answer(asked: Asked) -> Reply:
        return Reply(body=waiting.pop(0))

    sampler = OpenMetricsSampler(MetricsCheck(series=choices))
    cursor: dict[str, JSON] = {}
    found = []
    with site(answer) as far:
        for number in range(len(pages)):
            at = NOW + timedelta(seconds=10 * number)
            found.append(sampler.look(service="mail", target=far.url, cursor=cursor, now=at))
            cursor = found[-1].cursor
    return found


def test_labels_choose() -> None:
    """Only the series whose labels match are taken, each with its labels."""
    found = looked(SeriesChoice(rule="queue", metric="queue_depth", labels={"queue": "m.*"}))

    assert {
        (("rule", "queue"), ("queue", "mail"), ("shard", "1")): 40.0,
        (("rule", "queue"), ("queue", "mail"), ("shard", "2")): 2.0,
    } == rules(found[0])


def test_kept_labels_add_up() -> None:
    """Over the labels that are not kept the series are added up."""
    found = looked(SeriesChoice(rule="queue", metric="queue_depth", keep=("queue",)))

    assert {(("rule", "queue"), ("queue", "mail")): 42.0, (("rule", "queue"), ("queue", "pdf")): 7.0} == rules(found[0])


def test_rate_needs_two_looks() -> None:
    """A rate is what was gained between two looks: 50 in 10 s, and 20 since a restart."""
    pages = tuple(f'jobs_done_total{{kind="a"}} {count}\n' for count in (100, 150, 20))
    found = looked(SeriesChoice(rule="jobs", metric="jobs_done_total", rate=True, keep=("kind",)), pages=pages)
    labels = (("rule", "jobs"), ("kind", "a"))

    assert [{}, {labels: 5.0}, {labels: 2.0}] == [rules(look) for look in found]


def test_many_series_are_bounded() -> None:
    """Of a rule with very many series the fifty largest are taken."""
    page = "\n".join(f'queue_depth{{queue="q{number}"}} {number}' for number in range(5000)) + "\n"
    found = rules(looked(SeriesChoice(rule="queue", metric="queue_depth"), pages=(page,))[0])

    assert (50, 4950.0) == (len(found), min(found.values()))


def test_page_without_the_usual_names() -> None:
    """A page that holds only what a rule asks for is understood."""
    assert "" == looked(SeriesChoice(rule="queue", metric="queue_depth"))[0].trouble

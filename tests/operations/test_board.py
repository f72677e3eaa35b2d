"""The lists of alerts and groups, and one alert with what became of it, on both databases."""

from collections.abc import Iterator, Mapping
from datetime import timedelta

import pytest

from stanch.alerts.board.keeping.tables import behind, catch_up
from stanch.alerts.intake.subject import naming
from stanch.alerts.model import Alert, AlertStatus, Outcome
from stanch.alerts.tables import save_alert
from stanch.engine.board import first_timer
from stanch.engine.follow import follow
from stanch.engine.loop import Engine
from stanch.kernel.actor import Via
from stanch.kernel.errors import Invalid, NotFound
from stanch.operations import registry
from stanch.operations.board.selecting import SilenceDraft, common_matchers
from stanch.operations.board.views import AlertPage, AlertView, GroupPage
from stanch.operations.world import Call
from tests.operations.desk import ALICE, OPERATIONS, Desk


@pytest.fixture(params=["on the board", "not on the board yet"])
def kept(request: pytest.FixtureRequest, desk: Desk) -> Iterator["Kept"]:
    """Give a desk whose board is up to date before every question, and one whose board never is."""
    yield Kept(desk, placed=request.param == "on the board")


class Kept:
    """A desk at which alerts are sent and listed."""

    def __init__(self, desk: Desk, *, placed: bool) -> None:
        self.desk = desk
        self._placed = placed

    def send(self, name: str, **body: object) -> None:
        """Send an alert; a minute passes."""
        ask(self.desk, "alert.send", {"name": name, **body})
        self.desk.pass_time(minutes=1)

    def page(self, **body: object) -> AlertPage:
        """List alerts."""
        if self._placed:
            place(self.desk)
        page = ask(self.desk, "alert.list", body)
        assert isinstance(page, AlertPage)
        return page

    def names(self, **body: object) -> list[str]:
        """Return the names of listed alerts."""
        return [one.name for one in self.page(**body).alerts]

    def show(self, name: str) -> AlertView:
        """Show the alert with this name."""
        answer = self.desk.ask("alert.show", id=next(one.id for one in self.page().alerts if one.name == name))
        assert isinstance(answer, AlertView)
        return answer


def ask(desk: Desk, operation: str, body: Mapping[str, object]) -> object:
    """Ask an operation as Alice, whatever its fields are called."""
    entry = OPERATIONS[operation]
    call = Call(world=desk.world, actor=ALICE, via=Via.CLI)
    return registry.call(entry, call, registry.decode(entry, body))


def place(desk: Desk) -> None:
    """Bring the board up to date."""
    with desk.world.store.writing() as tx:
        catch_up(tx.connection, behind(tx.connection, now=desk.clock.now(), service_of=naming(desk.world.catalog)))


def test_the_newest_alert_is_first(kept: Kept) -> None:
    """Alerts are listed by when their last episode began."""
    kept.send("DiskFull")
    kept.send("BackupFailed")

    assert ["BackupFailed", "DiskFull"] == kept.names()


@pytest.mark.parametrize(
    "narrowing",
    [
        {"service": "payments"},
        {"severity": "critical"},
        {"name": "DiskFull"},
        {"matchers": 'host=~"db.*", alertname!="x"'},
        {"matchers": 'host="db1"'},
        {"text": "NEARLY"},
        {"text": "db1"},
        {"service": "payments", "severity": "critical", "text": "full", "state": "firing"},
    ],
)
def test_the_list_is_narrowed(kept: Kept, narrowing: dict[str, object]) -> None:
    """By service, severity, name, matchers of labels, and by text anywhere in what the sender wrote."""
    kept.send("DiskFull", service="payments", severity="critical", summary="Nearly full", labels={"host": "db1"})
    kept.send("BackupFailed", service="search", severity="warning", labels={"host": "web1"})

    assert ["DiskFull"] == kept.names(**narrowing)


def test_the_list_is_narrowed_in_time(kept: Kept) -> None:
    """`since` and `until` bound the start of the last episode."""
    for name in ("A", "B", "C"):
        kept.send(name)
    now = kept.desk.clock.now()

    assert ["B"] == kept.names(since=now - timedelta(seconds=130), until=now - timedelta(seconds=70))


def test_a_part_says_where_to_go_on(kept: Kept) -> None:
    """Parts follow each other without a gap and without showing anything twice."""
    for number in range(5):
        kept.send(f"A{number}")
    first = kept.page(limit=2)
    second = kept.page(limit=2, after=first.next)
    third = kept.page(limit=2, after=second.next)
    shown = [one.name for page in (first, second, third) for one in page.alerts]

    assert (["A4", "A3", "A2", "A1", "A0"], "") == (shown, third.next)


def test_what_is_over_is_resolved(kept: Kept) -> None:
    """An alert that its sender ended is listed as resolved, and not among those that fire."""
    kept.send("DiskFull")
    kept.page()
    kept.send("DiskFull", resolve=True)

    assert ([], ["DiskFull"]) == (kept.names(state="firing"), kept.names(state="resolved"))


def test_what_fires_again_is_first_again(desk: Desk) -> None:
    """An alert that comes back moves up once the board has seen it."""
    kept = Kept(desk, placed=True)
    kept.send("DiskFull")
    kept.send("DiskFull", resolve=True)
    kept.send("BackupFailed")
    kept.page()
    kept.send("DiskFull")

    assert ["DiskFull", "BackupFailed"] == kept.names(state="firing")


def test_what_is_silenced_is_suppressed(kept: Kept) -> None:
    """A silence moves an alert from `active` to `suppressed`, with its comment as the reason."""
    kept.send("DiskFull")
    kept.send("BackupFailed")
    kept.desk.ask("silence.create", matchers='alertname="DiskFull"', lasts="2h", comment="being replaced")
    (quiet,) = kept.page(state="suppressed").alerts

    assert (["BackupFailed"], ("silenced: being replaced",)) == (kept.names(state="active"), quiet.quiet)


def test_own_alerts_are_listed_too(kept: Kept) -> None:
    """An alert of an own check stands in the same list, with its metric as its name."""
    kept.send("DiskFull")
    own(kept.desk)

    assert ["error_ratio"] == kept.names(source="check", service="payments", matchers='alertname="error_ratio"')


def own(desk: Desk, *, status: AlertStatus = AlertStatus.FIRING) -> Alert:
    """Store an own alert of payments and let what follows follow."""
    alert = desk.alert("payments")
    with desk.world.store.writing() as tx:
        save_alert(tx.connection, alert)
    return alert


def test_an_own_alert_names_its_incident(desk: Desk) -> None:
    """What an own check declared is found from the alert."""
    alert = own(desk)
    view = desk.ask("alert.show", id=alert.id)
    assert isinstance(view, AlertView)

    assert ([1], Outcome.OPENED.words) == ([one.number for one in view.incidents], view.outcomes[0].why)


def test_an_alert_from_outside_names_its_incident(kept: Kept) -> None:
    """A severe alert of a known service declares an incident, and leads to it."""
    kept.send("DiskFull", service="payments", severity="critical")
    Engine(kept.desk.world, {"follow": follow}).run_until_quiet()

    assert [1] == [one.number for one in kept.show("DiskFull").incidents]


def test_an_alert_says_where_it_is_grouped(kept: Kept) -> None:
    """The reason of what became of it stands on the alert."""
    kept.send("DiskFull")
    reasons = [(one.what, one.why) for one in kept.show("DiskFull").outcomes]

    assert ("grouped for default", "by alertname=DiskFull") in reasons


def test_an_alert_remembers_that_it_ended(kept: Kept) -> None:
    """The history has every transition, the newest first."""
    kept.send("DiskFull")
    kept.page()
    kept.send("DiskFull", resolve=True)

    assert ["resolved", "fires", "first seen"] == [one.what for one in kept.show("DiskFull").history]


def test_similar_alerts_have_the_same_name(kept: Kept) -> None:
    """Other alerts of the same name are named on the alert."""
    kept.send("DiskFull", labels={"host": "db1"})
    kept.send("DiskFull", labels={"host": "db2"})

    assert ["db1"] == [one.labels["host"] for one in kept.show("DiskFull").similar]


def test_the_count_is_of_those_that_fire(desk: Desk) -> None:
    """Counts are by severity, of what fires."""
    kept = Kept(desk, placed=True)
    kept.send("A", severity="critical")
    kept.send("B")
    kept.send("C")
    kept.send("C", resolve=True)

    assert {"critical": 1, "warning": 1} == dict(kept.page().counts.by_severity)


def test_a_group_counts_its_alerts(kept: Kept) -> None:
    """Groups are listed with how many of their alerts fire."""
    kept.send("DiskFull", labels={"host": "db1"})
    kept.send("DiskFull", labels={"host": "db2"})
    page = kept.desk.ask("group.list")
    assert isinstance(page, GroupPage)

    assert [({"alertname": "DiskFull"}, 2)] == [(dict(one.labels), one.firing) for one in page.groups]


def test_a_draft_is_as_narrow_as_the_labels_allow() -> None:
    """What alerts share is matched as it is, of what differs each value is."""
    drafted = common_matchers([{"a": "1", "b": "x", "c": "y"}, {"a": "1", "b": "z.z"}])

    assert ['a="1"', 'b=~"x|z\\\\.z"'] == [str(one) for one in drafted]


def test_a_silence_is_drafted_from_alerts(kept: Kept) -> None:
    """The draft selects the alerts it was made from, own ones too, and says which are not there."""
    kept.send("DiskFull", labels={"host": "db1"})
    alert = own(kept.desk)
    (outside,) = (one for one in kept.page().alerts if one.source != "check")
    drafted = kept.desk.ask("silence.draft", alerts=[outside.id, alert.id, "x99"])
    assert isinstance(drafted, SilenceDraft)

    assert ({"DiskFull", alert.metric.value}, ("x99",)) == (
        set(kept.names(matchers=drafted.matchers, state="firing")),
        drafted.left_out,
    )


def test_the_service_is_that_of_the_catalog(kept: Kept) -> None:
    """An alert whose `job` names a service of the catalog stands under that service, on the board and before."""
    kept.send("Slow", labels={"job": "shop/payments"})
    before = [one.service for one in kept.page(service="payments").alerts]
    place(kept.desk)

    assert (["payments"], ["payments"]) == (before, [one.service for one in kept.page(service="payments").alerts])


def test_a_silence_shows_on_own_alerts(kept: Kept) -> None:
    """An own alert that a silence matches is suppressed with the silence's comment, and the silence stands with it."""
    alert = own(kept.desk)
    kept.desk.ask("silence.create", matchers='source="check"', lasts="2h", comment="known")
    (row,) = (one for one in kept.page().alerts if one.id == alert.id)
    shown = kept.desk.ask("alert.show", id=alert.id)
    assert isinstance(shown, AlertView)

    assert ("suppressed", ("silenced: known",), ["known"]) == (
        row.state.value,
        row.quiet,
        [one.comment for one in shown.silences],
    )


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"state": "loud"}, "state"),
        ({"matchers": "{a"}, "matchers"),
        ({"after": "nowhere"}, "after"),
        ({"after": "9" * 18 + "~x1"}, "after"),
        ({"limit": 0}, "limit"),
        ({"text": "x" * 501}, "text"),
    ],
)
def test_a_wrong_question_is_told_so(desk: Desk, body: dict[str, object], field: str) -> None:
    """The field at fault is named."""
    with pytest.raises(Invalid) as raised:
        ask(desk, "alert.list", body)

    assert [field] == [problem.field for problem in raised.value.problems]


@pytest.mark.parametrize("id", ["x77", "x" + "9" * 30, "nothing", "x-1"])
def test_an_alert_that_is_not_there_is_not_found(desk: Desk, id: str) -> None:
    """An id that nobody gave leads to no alert."""
    with pytest.raises(NotFound):
        desk.ask("alert.show", id=id)


def test_the_engine_keeps_the_board(desk: Desk) -> None:
    """The timer writes what is new, and comes back two seconds later."""
    ask(desk, "alert.send", {"name": "DiskFull"})
    with desk.world.store.writing() as tx:
        tx.schedule(first_timer(desk.world))
    desk.work()
    with desk.world.store.reading() as view:
        lacking = behind(view.connection, now=desk.clock.now())

    assert ((), 1) == (lacking.rows, lacking.placed_to)

"""Changes at the desk: told once, listed newest first."""

from datetime import timedelta

import pytest

from stanch.kernel.errors import Invalid
from stanch.ports.changes import Change
from tests.operations.desk import START, Desk


def listed(desk: Desk, **body: object) -> list[str]:
    """Return the titles of the changes that are listed."""
    found = desk.ask("change.list", **body)
    assert isinstance(found, tuple)
    return [change.title for change in found]


def test_a_change_is_told_and_listed(desk: Desk) -> None:
    """What a pipeline tells is known."""
    desk.ask("change.record", service="payments", version="v3.2.1")

    assert ["payments v3.2.1"] == listed(desk)


def test_a_change_is_of_now_unless_it_says(desk: Desk) -> None:
    """Without a time it took effect just now."""
    change = desk.ask("change.record", service="payments", version="v3.2.1")

    assert START == change.at  # type: ignore[attr-defined]


def test_the_same_id_twice_is_one_change(desk: Desk) -> None:
    """A pipeline that tells again tells nothing new."""
    for _ in range(2):
        desk.ask("change.record", service="payments", version="v3.2.1", id="run/7")

    assert 1 == len(listed(desk))


def test_changes_come_newest_first(desk: Desk) -> None:
    """What is nearest to the trouble stands on top."""
    for minutes in (30, 10, 20):
        desk.ask("change.record", service="payments", version=f"v{minutes}", at=str(START - timedelta(minutes=minutes)))

    assert ["payments v10", "payments v20", "payments v30"] == listed(desk)


def test_changes_of_one_service(desk: Desk) -> None:
    """A service's own changes alone."""
    desk.ask("change.record", service="payments", version="v1")
    desk.ask("change.record", service="search", version="v2")

    assert ["search v2"] == listed(desk, service="search")


def test_changes_since(desk: Desk) -> None:
    """What is older than asked for is left out; without asking, what is older than a day."""
    desk.ask("change.record", service="payments", version="v1", at=str(START - timedelta(hours=30)))

    assert ([], ["payments v1"]) == (listed(desk), listed(desk, since=str(START - timedelta(hours=31))))


def test_a_change_of_a_service_nobody_knows_is_kept(desk: Desk) -> None:
    """A pipeline may be ahead of the catalog."""
    desk.ask("change.record", service="brand-new", version="v1")

    assert ["brand-new v1"] == listed(desk)


def test_an_unknown_kind_names_the_words(desk: Desk) -> None:
    """The message lists the kinds there are."""
    with pytest.raises(Invalid, match="deploy, commit, tag, config, flag, migration"):
        desk.ask("change.record", service="payments", kind="magic")


def test_a_change_has_a_service(desk: Desk) -> None:
    """Whose change it is has to be said."""
    with pytest.raises(Invalid, match="say which service"):
        desk.ask("change.record", service=" ")


def test_nothing_changes_in_the_future(desk: Desk) -> None:
    """Five minutes of clocks that differ are forgiven, more is a slip."""
    with pytest.raises(Invalid, match="future"):
        desk.ask("change.record", service="payments", at=str(START + timedelta(minutes=6)))


def test_a_change_says_who_told_it(desk: Desk) -> None:
    """The author of a change that was told is who told it."""
    change = desk.ask("change.record", service="payments")

    assert isinstance(change, Change)
    assert "Alice" == change.author

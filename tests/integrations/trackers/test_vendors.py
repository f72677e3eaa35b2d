"""What is particular to one tracker."""

from dataclasses import replace
from datetime import date

import pytest

from stanch.ports.ticketing import Draft, Failure, NotTaken, Part, TicketState
from tests.integrations.trackers.far import START, GitHubFar, JiraFar, far_end
from tests.integrations.trackers.test_contract import BEFORE, DRAFT
from tests.support.farend import Reply


def test_what_people_write_around_our_part_of_an_issue_stays() -> None:
    """The part is replaced where it stands."""
    with far_end("github") as far:
        tracker = far.tracker()
        made = tracker.create(DRAFT)
        far.issues[0]["body"] = f"Notes above\n\n{far.issues[0]['body']}\n\n- [ ] a list below"
        later = replace(DRAFT, said=replace(DRAFT.said, due_on=date(2027, 1, 5)))
        tracker.update(made, later, parts=frozenset({Part.DUE}))
        body = far.issues[0]["body"]

    assert (True, True, 1, "2027-01-05") == (
        body.startswith("Notes above\n"),
        body.endswith("- [ ] a list below"),
        body.count(DRAFT.mark),
        far.shown()[2],
    )


def test_a_title_calls_nobody_and_links_nothing() -> None:
    """What an incident is called may come from outside."""
    with far_end("github") as far:
        far.tracker().create(replace(DRAFT, about="@octo-boss see #1 <!-- /stanch --> [x](http://evil.example)"))
        body = far.issues[0]["body"]

    assert (False, False, 1, True) == (
        "@octo-boss" in body,
        "#1" in body,
        body.count("<!-- /stanch -->"),
        "x\\](http://evil" in body,
    )


def test_a_title_says_no_day() -> None:
    """Of several lines, one could look like ours and move what is due."""
    with far_end("github") as far:
        made = far.tracker().create(replace(DRAFT, about="Checkout fails\nDue: 2020-01-01\nagain"))

    assert DRAFT.said.due_on == made.said.due_on


def test_github_says_with_403_that_it_is_asked_too_often() -> None:
    """Its secondary limit, told from a right that is missing."""
    failures = []
    for reply in (
        Reply(status=403, body='{"message": "You have exceeded a secondary rate limit."}'),
        Reply(status=403, body='{"message": "Resource not accessible by personal access token"}'),
    ):
        with far_end("github", answers=[reply]) as far, pytest.raises(NotTaken) as caught:
            far.tracker().create(DRAFT)
        failures.append(caught.value.failure)

    assert [Failure.THROTTLED, Failure.CREDENTIALS] == failures


def test_a_pull_request_is_no_ticket() -> None:
    """GitHub lists both as issues."""
    with far_end("github") as far:
        tracker = far.tracker()
        tracker.create(DRAFT)
        far.issues[0]["pull_request"] = {"url": "https://api.github.example/1"}

    assert isinstance(far, GitHubFar)
    with far_end("github", issues=far.issues) as again:
        assert () == again.tracker().touched(since=again.now().replace(hour=0), now=again.now())


def test_an_issue_of_ours_whose_label_somebody_took_off_is_found() -> None:
    """The account that made it says whose it is."""
    with far_end("github") as far:
        tracker = far.tracker()
        made = tracker.create(DRAFT)
        far.issues[0]["labels"] = []

        assert made == tracker.find(DRAFT.mark, since=BEFORE, now=START)


@pytest.mark.parametrize(("labels", "found"), [([{"name": "stanch"}], True), ([], False)])
def test_where_a_token_has_no_account_the_label_says_whose_an_issue_is(
    labels: list[dict[str, str]], found: bool
) -> None:
    """As with the token of an app."""
    with far_end("github", knows_us=False) as far:
        tracker = far.tracker()
        tracker.create(DRAFT)
        far.issues[0]["labels"] = labels

        assert found is (tracker.find(DRAFT.mark, since=BEFORE, now=START) is not None)


def test_an_issue_from_before_ours_was_asked_for_is_not_ours() -> None:
    """Though it was edited since, and GitHub lists it for that."""
    with far_end("github") as far:
        tracker = far.tracker()
        tracker.create(DRAFT)
        far.issues[0]["created_at"] = "2026-11-20T09:00:00Z"

        assert None is tracker.find(DRAFT.mark, since=BEFORE, now=START)


def test_a_jira_project_without_a_field_has_tickets_without_it() -> None:
    """A day or an assignee; another field is not left out."""
    with far_end("jira") as far:
        assert isinstance(far, JiraFar)
        far.lacks = frozenset({"duedate"})
        made = far.tracker().create(DRAFT)
        far.lacks = frozenset({"labels"})
        with pytest.raises(NotTaken):
            far.tracker().create(DRAFT)

    assert (None, "octo-bob", 1) == (made.said.due_on, made.said.owner, far.made())


def test_jira_states_are_told_by_their_configured_names_first() -> None:
    """A status in review may mean that it is done."""
    with far_end("jira") as far:
        tracker = far.tracker(states={"done": "In Review"})
        made = tracker.create(DRAFT)
        done = replace(DRAFT, said=replace(DRAFT.said, state=TicketState.DONE))
        after = tracker.update(made, done, parts=frozenset({Part.STATE}))
        status = far.issues[0]["fields"]["status"]["name"]

    assert (TicketState.DONE, "In Review") == (after.said.state, status)


def test_a_workflow_that_leads_nowhere_is_told() -> None:
    """With what it offers."""
    with far_end("jira") as far:
        assert isinstance(far, JiraFar)
        far.workflow = ("In Review",)
        tracker = far.tracker()
        made = tracker.create(DRAFT)
        done = replace(DRAFT, said=replace(DRAFT.said, state=TicketState.DONE))
        with pytest.raises(NotTaken, match="In Review"):
            tracker.update(made, done, parts=frozenset({Part.STATE}))

    assert "open" == far.shown()[3]


def test_a_jira_resolution_says_that_nobody_will_do_it() -> None:
    """Though its status says done."""
    with far_end("jira") as far:
        tracker = far.tracker()
        made = tracker.create(Draft(mark=DRAFT.mark, said=DRAFT.said, about=DRAFT.about, url=DRAFT.url))
        far.edit(1, by="octo-carol", state="done")
        far.issues[0]["fields"]["resolution"] = {"name": "Won't Do"}

        assert TicketState.DROPPED is tracker.read(made.reference).said.state

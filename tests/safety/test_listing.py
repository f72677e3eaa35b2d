"""The corpus in what databases and flags tell: names of applications, queries, variants. One line each, and text."""

from stanch.integrations.sessions.order import told_of
from stanch.ports.sessions import DatabaseSession, Identity
from tests.support.hostile import CORPUS, hidden_in


def test_a_session_is_one_line() -> None:
    """Whatever a client calls itself and asks, it moves no cursor and makes no second line in the plan."""
    identity = Identity(pid=7, started="now", work="1")
    lines = {
        name: told_of(DatabaseSession(identity=identity, user=text, application=text, client=text, query=text))
        for name, text in CORPUS.items()
    }

    assert {} == {name: line for name, line in lines.items() if hidden_in(line) or "\n" in line}

"""Filling variables: a value stays a value, whatever it says."""

import pytest

from stanch.kernel.errors import Refused
from stanch.mitigate.runbooks.filling import fill_commands, fill_text
from stanch.mitigate.runbooks.markdown import read_runbook
from stanch.mitigate.runbooks.model import Block
from stanch.mitigate.runbooks.variables import variables_of

HOSTILE = [
    "x; rm -rf /",
    "$(id)",
    "`id`",
    "a b",
    "' OR 1=1 --",
    '"} or vector(1) #',
    "../../etc/passwd",
    "<script>alert(1)</script>",
    "{{namespace}}",
    "*",
]


def block(tag: str, text: str) -> Block:
    """Return a block."""
    return read_runbook(f"# T\n## Mitigation\n```{tag}\n{text}\n```\n", id="one").blocks[0]


def test_the_variables_of_a_text() -> None:
    """Labels of an alert may be written as Prometheus writes them."""
    assert ("service", "pod") == variables_of("{{ service }} {{ $labels.pod }} {{service}}")


@pytest.mark.parametrize("value", HOSTILE)
def test_a_value_stays_in_its_argument(value: str) -> None:
    """A command has as many arguments as its runbook says."""
    filled = fill_commands(block("sh", "kubectl get pod {{service}} -n x"), {"service": value, "namespace": "gone"})

    assert (("kubectl", "get", "pod", value, "-n", "x"),) == filled


@pytest.mark.parametrize("value", ["-rf", "--all"])
def test_a_value_is_never_an_option(value: str) -> None:
    """A pod cannot be called `--all`."""
    with pytest.raises(Refused, match="option"):
        fill_commands(block("sh", "kubectl delete pod {{pod}}"), {"pod": value})


@pytest.mark.parametrize("value", HOSTILE)
def test_a_value_is_a_literal_in_sql(value: str) -> None:
    """Its quotes are doubled."""
    filled = fill_text(block("sql", "SELECT 1 WHERE a = {{service}}"), {"service": value})

    assert "SELECT 1 WHERE a = '" + value.replace("'", "''") + "'" == filled


def test_a_literal_brings_its_own_quotes() -> None:
    """A variable inside quotes would end them."""
    with pytest.raises(Refused, match="without quotes"):
        fill_text(block("sql", "SELECT 1 WHERE a = '{{service}}'"), {"service": "a"})


@pytest.mark.parametrize("value", HOSTILE)
def test_a_value_stays_in_its_quotes_in_promql(value: str) -> None:
    """It cannot end the label that it stands for."""
    filled = fill_text(block("promql", 'up{job="{{service}}"}'), {"service": value})

    assert 'up{job="' + value.replace("\\", "\\\\").replace('"', '\\"') + '"}' == filled


def test_outside_quotes_promql_takes_names_only() -> None:
    """A metric's name has letters, digits and underscores."""
    with pytest.raises(Refused, match="double quotes"):
        fill_text(block("promql", "{{service}}_up"), {"service": "a or vector(1)"})


def test_a_value_is_encoded_in_a_url() -> None:
    """It cannot leave its part of the path."""
    filled = fill_text(block("http", "GET http://127.0.0.1/pods/{{pod}}"), {"pod": "../a?b"})

    assert "GET http://127.0.0.1/pods/..%2Fa%3Fb" == filled


@pytest.mark.parametrize("value", ["a\nb", "a\0b", "x" * 1001, ""])
def test_what_is_no_plain_text_is_refused(value: str) -> None:
    """Line ends and the like have no place in a value."""
    with pytest.raises(Refused):
        fill_commands(block("sh", "kubectl get pod {{pod}}"), {"pod": value})

"""The templates of titles and texts: what can be said, what is refused by name, and that no text holds anything up."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stanch.integrations.alertmanager.facts import data_of
from stanch.integrations.alertmanager.parsing import NoTemplate, read_template
from stanch.integrations.alertmanager.rendering import render
from tests.integrations.receivers.notices import alert, notice

NOTICE = notice(alert(instance="db1"), alert(instance="db2", over=True))


def written(text: str, *, escape: bool = False) -> str:
    """Return `text` about two alerts, one of which is over."""
    return render(
        read_template(text),
        data_of(NOTICE),
        defined={"file.title": read_template("from a file: {{ .Status }}").nodes},
        fallback=lambda name: None,
        escape=escape,
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("plain }} text", "plain }} text"),
        ("{{ .Status | toUpper }} {{ .CommonLabels.alertname }}", "FIRING DiskFull"),
        ("{{ .CommonLabels.none }}", ""),
        ("{{ .Alerts.Firing | len }} of {{ len .Alerts }}", "1 of 2"),
        ("{{ range .Alerts -}}\n  {{ .Labels.instance }};\n{{- end }}", "db1;db2;"),
        ("{{ range $i, $one := .Alerts }}{{ $i }}{{ $one.Status }} {{ end }}", "0firing 1resolved "),
        ("{{ range .Alerts.Firing }}{{ .Annotations.summary }}{{ else }}none{{ end }}", "DiskFull <is> full"),
        ('{{ range .GroupLabels.SortedPairs }}{{ .Name }}:{{ .Value }} {{ end }}', "alertname:DiskFull "),
        ('{{ with .CommonLabels.Remove (stringSlice "alertname") }}{{ .Values | join "," }}{{ end }}', "page"),
        ('{{ if eq .Status "firing" "burning" }}on{{ else }}off{{ end }}', "on"),
        ('{{ if gt (len .Alerts) 5 }}many{{ else if gt (len .Alerts) 1 }}some{{ else }}one{{ end }}', "some"),
        ('{{ $n := "a" }}{{ range .Alerts }}{{ $n = .Labels.instance }}{{ end }}{{ $n }}', "db2"),
        ('{{ (index .Alerts 0).StartsAt.Format "2006-01-02 15:04 MST" }}', "2026-11-21 03:00 UTC"),
        ('{{ template "file.title" . }}', "from a file: firing"),
        ('{{ define "x" }}<{{ . }}>{{ end }}{{ template "x" .Status }}', "<firing>"),
        ('{{ printf "%s %d %q" .Status 3 "x" }}', 'firing 3 "x"'),
        ('{{ reReplaceAll "(Disk)" "$1 is " .CommonLabels.alertname }}', "Disk is Full"),
        ('{{ match "^Disk" .CommonLabels.alertname }} {{ not true }}', "true false"),
        ("a {{- /* nothing */ -}} b", "ab"),
    ],
)  # fmt: skip
def test_what_can_be_said(text: str, said: str) -> None:
    """Each of these is written as Go's templates write it."""
    assert said == written(text)


def test_html_escapes_values() -> None:
    """In HTML what an alert says is text, and what the template says is markup."""
    assert "<b>DiskFull &lt;is&gt; full</b>" == written(
        "<b>{{ (index .Alerts 0).Annotations.summary }}</b>", escape=True
    )


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{{ .Status", "not closed"),
        ("{{ if .Status }}", "has no end"),
        ("{{ end }}", "nothing is open"),
        ("{{ .Nothing }}", ".Nothing is not known"),
        ("{{ humanize 3 }}", "function humanize is not known"),
        ('{{ template "none" . }}', "no template 'none'"),
        ("{{ $none }}", "no variable $none"),
        ("{{ range .Status }}{{ end }}", "one by one"),
        ("{{ .Status | }}", "a value is missing"),
        ('{{ match "(" .Status }}', "match cannot be given that"),
        ('{{ define "x" }}{{ template "x" . }}{{ end }}{{ template "x" . }}', "too deeply"),
        ("{{ len }}", "len cannot be given that"),
    ],
)
def test_what_is_not_known_is_named(text: str, why: str) -> None:
    """A template that is none, or that asks for what there is not, is refused with the reason."""
    with pytest.raises(NoTemplate, match="(?s)" + why.replace("$", r"\$").replace("(", r"\(")):
        written(text)


@given(st.text(alphabet='{}-|.$ "()ifrangeendlenAlertsStatus:=,/*%\\', max_size=60))
def test_no_text_breaks_it(text: str) -> None:
    """Whatever stands in a text is written or refused."""
    with contextlib.suppress(NoTemplate):
        assert isinstance(written(text), str)


@given(
    st.lists(st.sampled_from(["{{ if .Status }}", "{{ range .Alerts }}", "{{ else }}", "{{ end }}", "{{ . }}", "x"]))
)
def test_no_nesting_breaks_it(parts: list[str]) -> None:
    """However blocks stand in each other, the text is written or refused."""
    with contextlib.suppress(NoTemplate):
        assert isinstance(written("".join(parts)), str)

"""Reading stanch.toml: what it becomes, and what is said about mistakes."""

import tomllib
from pathlib import Path

import pytest

from stanch.catalog.checks import Check
from stanch.catalog.load import load_catalog, read_catalog
from stanch.catalog.model import Catalog, Thresholds
from stanch.kernel.errors import Invalid, NotFound

ROOT = Path("/srv/shop")


def catalog_of(text: str) -> Catalog:
    """Return the catalog of a document below /srv/shop."""
    return read_catalog(tomllib.loads(text), root=ROOT)


def problems_of(text: str) -> dict[str, str]:
    """Return what is wrong with a document, by field."""
    with pytest.raises(Invalid) as caught:
        catalog_of(text)
    return {problem.field: problem.message for problem in caught.value.problems}


def test_empty_document() -> None:
    """An empty file is a catalog with every default."""
    assert Catalog(root="/srv/shop") == catalog_of("")


def test_documented_example(tmp_path: Path) -> None:
    """The example in the documentation is valid."""
    page = Path(__file__).parents[2] / "docs/configuration.md"
    example = page.read_text().split("```toml\n")[1].split("```")[0]
    (tmp_path / "stanch.toml").write_text(example)
    expected = ["checkout", "payments"]

    assert expected == list(load_catalog(tmp_path).services)


def test_checks_follow_from_keys() -> None:
    """`health`, `metrics` and `logs` each become a check, before the declared ones."""
    catalog = catalog_of(
        """
        [services.payments]
        health = "http://h/health"
        metrics = "http://h/metrics"
        logs = ["logs/p.jsonl"]
        check_every_s = "2s"
        [[services.payments.checks]]
        sampler = "http"
        target = "https://h/journey"
        every_s = "1m"
        """
    )

    assert (
        Check(sampler="http", target="http://h/health", every_s=2.0, name="health"),
        Check(sampler="openmetrics", target="http://h/metrics", every_s=2.0, name="metrics"),
        Check(sampler="jsonlog", target="/srv/shop/logs/p.jsonl", every_s=2.0, name="log"),
        Check(sampler="http", target="https://h/journey", every_s=60.0, name="http"),
    ) == catalog.services["payments"].checks


def test_percent_and_lengths_of_time() -> None:
    """Ratios may be written in per cent and lengths of time in words."""
    catalog = catalog_of('[thresholds]\nerror_ratio = "2.5%"\nfor_s = "1m30s"')

    assert Thresholds(error_ratio=0.025, for_s=90.0) == catalog.thresholds


def test_all_mistakes_at_once() -> None:
    """Every mistake is reported, each at its own field."""
    problems = problems_of(
        """
        zone = "Mars/Olympus"
        [services.payments]
        tier = 9
        weight = "lots"
        depends_on = ["payment"]
        [services."a b"]
        [thresholds]
        for_s = -1
        """
    )

    assert {
        "zone",
        "services.payments.tier",
        "services.payments.weight",
        "services.payments.depends_on",
        "services.a b",
        "thresholds.for_s",
    } == set(problems)


@pytest.mark.parametrize(
    ("text", "field", "message"),
    [
        ("servces = 1", "servces", "is not a key here; did you mean services?"),
        ("[services.a]\nhelth = 'x'", "services.a.helth", "is not a key here; did you mean health?"),
        ("[services.a]\ntier = '1'", "services.a.tier", "must be a whole number, not '1'"),
        ("[services.a]\ntier = true", "services.a.tier", "must be a whole number, not True"),
        ("[services.a]\ntier = 2.5", "services.a.tier", "must be a whole number, not 2.5"),
        ("[services.a]\nexternal = 1", "services.a.external", "must be true or false, not 1"),
        ("[services.a]\nlogs = 'x'", "services.a.logs", "must be a list of texts, not 'x'"),
        ("[services.a]\nchecks = {}", "services.a.checks", "must be a list of tables, written [[...]]"),
        ("services = 3", "services", "must be tables, written [services.<name>]"),
        ("timing = 3", "timing", "must be a table, written [timing]"),
        ("[thresholds]\nerror_ratio = nan", "thresholds.error_ratio", "must be a finite number"),
        ("[thresholds]\nerror_ratio = '500%'", "thresholds.error_ratio", "must be at most 1, not 5"),
        ("[timing]\nbaseline_s = 30", "timing.baseline_s", "must be longer than detect_window_s (60 s)"),
        (
            "[timing]\nverification_s = [10, 10, 10, 10]",
            "timing.shortened_because",
            "must say why verification_s is shorter than shipped",
        ),
        (
            "[services.a]\nhealth = 'localhost:80'",
            "services.a.health",
            "must be a URL such as http://127.0.0.1:8001/health, not 'localhost:80'",
        ),
        (
            "[services.a]\nhealth = 'http://me:secret@h/'",
            "services.a.health",
            "must hold no password: this file is not a place for secrets",
        ),
        ("[services.a]\ndepends_on = ['a']", "services.a.depends_on", "names the service itself"),
        (
            "[services.a]\ndepends_on = ['pay']\n[services.pays]",
            "services.a.depends_on",
            "names no service: 'pay'; did you mean pays?",
        ),
        (
            "[[services.a.checks]]\nsampler = 'htpp'\ntarget = 'x'",
            "services.a.checks.0.sampler",
            "promql; did you mean http?",
        ),
        ("[[services.a.checks]]\nsampler = 'http'", "services.a.checks.0.target", "is missing"),
        (
            "[[services.a.actions]]\nname = 'x'\nmitigation = 'rolback'\nrun = ['x']",
            "services.a.actions.0.mitigation",
            "did you mean rollback?",
        ),
        (
            "[[services.a.actions]]\nname = 'x'\nmitigation = 'rollback'\nrun = ['x', '{previus}']",
            "services.a.actions.0.run",
            "did you mean previous?",
        ),
        (
            "[[services.a.actions]]\nname = 'x'\nmitigation = 'rollback'",
            "services.a.actions.0.run",
            "say with `uses`",
        ),
        (
            "[[services.a.actions]]\nname = 'x'\nmitigation = 'revert'\nuses = 'git.revert'",
            "services.a.actions.0.settings",
            "what git.revert is told",
        ),
        (
            "[[services.a.actions]]\nname = 'x'\nmitigation = 'revert'\nuses = 'http'\nsettings = {url = 1}",
            "services.a.actions.0.settings",
            "url must be a text",
        ),
        (
            "[[services.a.actions]]\nname = 'x'\nmitigation = 'rollback'\nrun = []",
            "services.a.actions.0.run",
            "is missing",
        ),
        ("[channels.c]\nkind = 'webhook'\ntarget = 'x'", "channels.c.target", "must be a URL"),
        (
            "[[services.a.checks]]\nsampler='http'\ntarget='http://h'\n[[services.a.checks]]\nsampler='http'\ntarget='http://h'",
            "services.a.checks",
            "http http://h stands there 2 times",
        ),
    ],
)
def test_mistake(text: str, field: str, message: str) -> None:
    """Each mistake is named at its field, with what was probably meant."""
    problems = problems_of(text)

    assert [field] == list(problems)
    assert message in problems[field]


def test_message_never_repeats_a_password() -> None:
    """A password that stands in a URL does not reach the error."""
    with pytest.raises(Invalid) as caught:
        catalog_of("[services.a]\nhealth = 'http://me:hunter2@h/'")

    assert "hunter2" not in str(caught.value)


def test_no_file(tmp_path: Path) -> None:
    """A missing file is said to be missing, with its path."""
    with pytest.raises(NotFound, match=r"there is no configuration at .*stanch\.toml"):
        load_catalog(tmp_path)


@pytest.mark.parametrize("content", [b"a = ", b"\xff\xfe", b"a = 1\na = 2"])
def test_not_toml(tmp_path: Path, content: bytes) -> None:
    """A file that is not TOML is reported at its path."""
    file = tmp_path / "stanch.toml"
    file.write_bytes(content)
    with pytest.raises(Invalid) as caught:
        load_catalog(file)

    assert [str(file)] == [problem.field for problem in caught.value.problems]


def test_relative_root(tmp_path: Path) -> None:
    """`root` is relative to the file, and paths start there."""
    (tmp_path / "stanch.toml").write_text('root = "app"\n[services.a]\nlogs = ["a.log"]')
    catalog = load_catalog(tmp_path)

    assert (str(tmp_path / "app"), str(tmp_path / "app/a.log")) == (
        catalog.root,
        catalog.services["a"].checks[0].target,
    )

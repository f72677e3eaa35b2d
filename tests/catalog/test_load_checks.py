"""Checks and rules as people write them: what they become, and what is said about mistakes."""

import tomllib
from pathlib import Path

import pytest

from stanch.app.world import samplers_for
from stanch.catalog.checks import Rule
from stanch.catalog.load import read_catalog
from stanch.catalog.model import Catalog
from stanch.kernel.errors import Invalid

EVERYTHING = """
[services.shop]
metrics = "http://h/metrics"
[[services.shop.rules]]
metric = "queue_depth"
labels = {queue = "mail|pdf"}
keep = ["queue"]
above = 100
factor = 3
[[services.shop.checks]]
sampler = "tcp"
target = "db.internal:5432"
[[services.shop.checks]]
sampler = "tls"
target = "shop.example:443"
warn_days = 30
[[services.shop.checks]]
sampler = "dns"
target = "shop.example"
type = "AAAA"
[[services.shop.checks]]
name = "api"
sampler = "http"
target = "https://shop.example/api"
headers = {Authorization = "Bearer ${env.SHOP_TOKEN}"}
json = {"/status" = "ok", "/ready" = true}
timeout_s = 1
[[services.shop.checks]]
name = "buy"
sampler = "journey"
target = "https://shop.example"
[[services.shop.checks.steps]]
name = "log in"
url = "/login"
save = {token = "json:/token"}
[[services.shop.checks.steps]]
name = "cart"
url = "/cart/${token}"
[[services.shop.checks]]
name = "oom"
sampler = "logpattern"
target = "app.log"
pattern = "OutOfMemory"
[[services.shop.checks]]
name = "lag"
sampler = "promql"
target = "http://prometheus:9090"
query = "max by (topic) (kafka_lag)"
above = 1000
severity = "warning"
"""


def catalog_of(text: str) -> Catalog:
    """Return the catalog of a document in /srv."""
    return read_catalog(tomllib.loads(text), root=Path("/srv"))


def problems_of(text: str) -> dict[str, str]:
    """Return what is said about a document, by field."""
    with pytest.raises(Invalid) as raised:
        catalog_of(text)
    return {problem.field: problem.message for problem in raised.value.problems}


def test_names_and_rhythms() -> None:
    """Checks are called by their sampler unless they say otherwise, and look as often as their kind needs."""
    found = [(check.name, check.every_s, check.looks) for check in catalog_of(EVERYTHING).services["shop"].checks]

    assert [
        ("metrics", 15.0, 2),
        ("tcp", 15.0, 2),
        ("tls", 3600.0, 1),
        ("dns", 60.0, 2),
        ("api", 15.0, 2),
        ("buy", 60.0, 2),
        ("oom", 15.0, 2),
        ("lag", 30.0, 2),
    ] == found


def test_every_kind_has_its_sampler() -> None:
    """What is declared can be made, and checks that are told the same share a sampler."""
    assert {"http", "openmetrics", "tcp", "tls", "dns", "journey", "logpattern", "promql"} == {
        sampler.kind for sampler in samplers_for(catalog_of(EVERYTHING)).values()
    }


def test_rules_go_to_the_metrics_page() -> None:
    """A rule is judged on the page of its service, which is asked for its series."""
    page = catalog_of(EVERYTHING).services["shop"].checks[0]

    assert (
        Rule(
            name="queue_depth", metric="queue_depth", labels={"queue": "mail|pdf"}, keep=("queue",), above=100, factor=3
        ),
    ) == page.rules


def test_a_pattern_in_a_log_alone_is_enough() -> None:
    """Without a limit a single line is an alert at once."""
    rule = next(one for one in catalog_of(EVERYTHING).services["shop"].checks if one.name == "oom").rules[0]

    assert ("oom", 0.0, "sum", 0.0) == (rule.name, rule.above, rule.over, rule.for_s)


def of(keys: str) -> str:
    """Return a document with one check of these keys."""
    return f"[services.s]\n[[services.s.checks]]\n{keys}"


AT = "services.s.checks.0"


@pytest.mark.parametrize(
    ("text", "field", "message"),
    [
        (of("sampler='tcp'\ntarget='db'"), f"{AT}.target", "must be host:port such as db.internal:5432"),
        (of("sampler='tls'\ntarget='https://h:443'"), f"{AT}.target", "must be host:port"),
        (of("sampler='tls'\ntarget='h:443'\nwarn_days=1\nfail_days=9"), f"{AT}.fail_days", "must not be more than"),
        (of("sampler='dns'\ntarget='a b'"), f"{AT}.target", "must be a name such as shop.example.com"),
        (of("sampler='dns'\ntarget='h'\ntype='AAA'"), f"{AT}.type", "did you mean AAAA?"),
        (of("sampler='dns'\ntarget='h'\nservers=['dns.google']"), f"{AT}.servers", "must be addresses"),
        (of("sampler='http'\ntarget='h:80'"), f"{AT}.target", "must be a URL"),
        (of("sampler='http'\ntarget='http://h'\nstatus=['20x']"), f"{AT}.status", "'20x' is neither a status"),
        (of("sampler='http'\ntarget='http://h'\nmatches='('"), f"{AT}.matches", "is not a regular expression"),
        (of("sampler='http'\ntarget='http://h'\nmethod='get'"), f"{AT}.method", "must be a method in capitals"),
        (of("sampler='http'\ntarget='http://h'\nheaders={A='${T}'}"), f"{AT}.headers.A", "${env.T}"),
        (of("sampler='http'\ntarget='http://h'\njson={status='ok'}"), f"{AT}.json.status", "must be a JSON pointer"),
        (of("sampler='http'\ntarget='http://h'\nbody='x'\nform={a='b'}"), f"{AT}.form", "one of the two"),
        (of("sampler='http'\ntarget='http://h'\nexpect='x'"), f"{AT}.expect", "is not a key here"),
        (of("sampler='journey'\ntarget='http://h'"), f"{AT}.steps", "must be 1 to 50"),
        (
            of("sampler='journey'\ntarget='http://h'\nsteps=[{name='a', url='/${b}'}]"),
            f"{AT}.steps.0.url",
            "${b} is not saved by a step before",
        ),
        (
            of("sampler='journey'\ntarget='http://h'\nsteps=[{name='a', url='/', save={t='xpath:/a'}}]"),
            f"{AT}.steps.0.save.t",
            "must be json:/pointer, regex:..., header:Name or cookie:name",
        ),
        (of("sampler='logpattern'\ntarget='a.log'"), f"{AT}.pattern", "is missing"),
        (of("sampler='promql'\ntarget='http://p'\nquery='up'\nabove=1\nbelow=2"), f"{AT}.below", "less than above"),
        (of("sampler='promql'\ntarget='http://p'"), f"{AT}.query", "is missing"),
        (of("sampler='tcp'\ntarget='h:1'\nseverity='low'"), f"{AT}.severity", "must be one of critical, warning"),
        ("[services.s]\n[[services.s.rules]]\nmetric='m'\nabove=1", "services.s.rules", "need a metrics page"),
        (
            "[services.s]\nmetrics='http://h'\n[[services.s.rules]]\nmetric='m'",
            "services.s.rules.0.above",
            "say above, below or factor",
        ),
        (
            "[services.s]\nmetrics='http://h'\n[[services.s.rules]]\nmetric='m{a=1}'\nabove=1",
            "services.s.rules.0.metric",
            "labels have a key of their own",
        ),
        (
            "[services.s]\nmetrics='http://h'\nrules=[{metric='m', above=1}, {metric='m', above=2}]",
            "services.s.rules",
            "m stands there 2 times: give each a name",
        ),
        ("[services.s]\nunseen_declares=true", "services.s.unseen_declares", "is for services of tier 1"),
        ("[maintenance.x]\nstarts_at='2026-01-01T00:00'\nends_at='2026-01-02T00:00'", "maintenance.x.services", "name"),
        ("[maintenance.x]\nservices=['s']\nrrule='FREQ=DAILY'", "maintenance.x.services", "names no service"),
        (
            "[maintenance.x]\nservices=['*']\nrrule='FREQ=SOMETIMES'\nfirst='2026-01-01T00:00'\nlasts_s='1h'",
            "maintenance.x.rrule",
            "must say FREQ=DAILY",
        ),
        (
            "[maintenance.x]\nservices=['*']\nrrule='FREQ=DAILY'\nfirst='2026-01-01T00:00'",
            "maintenance.x.lasts_s",
            "is missing",
        ),
        (
            "[maintenance.x]\nservices=['*']\nstarts_at='2026-01-02T00:00'\nends_at='2026-01-01T00:00'",
            "maintenance.x.ends_at",
            "must be after its start",
        ),
    ],
)
def test_mistake(text: str, field: str, message: str) -> None:
    """Each mistake is named at its field."""
    assert message in problems_of(text).get(field, f"nothing; but {problems_of(text)}")


def test_password_in_a_url() -> None:
    """A secret does not belong into the file, and is not repeated."""
    found = problems_of(of("sampler='promql'\ntarget='http://me:hunter2@p'\nquery='up'"))

    assert ("must hold no password: this file is not a place for secrets", False) == (
        found[f"{AT}.target"],
        "hunter2" in str(found),
    )

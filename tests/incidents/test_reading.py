"""Reports in plain words: what is understood from which words, and what is said about the rest."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stanch.incidents.reading import Reading, SymptomKind, explain, read_report
from stanch.kernel.errors import Invalid

NOW = datetime(2026, 11, 21, 15, 0, tzinfo=UTC)
SERVICES = ("checkout", "payments", "gateway", "search-api", "search-service", "s")


def read(text: str, *, services: tuple[str, ...] = SERVICES) -> Reading:
    """Read a report at 15:00 UTC, with the shop's services known."""
    return read_report(text, now=NOW, zone="UTC", services=services)


def at(hour: int, minute: int = 0, *, day: int = 21) -> datetime:
    """Return an instant of November 2026."""
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "kind", "endpoint", "service", "start"),
    [
        (
            "500 errors on /api/checkout since 14:30 UTC",
            SymptomKind.ERROR_SPIKE,
            "/api/checkout",
            "checkout",
            at(14, 30),
        ),
        ("users getting 'session expired' right after login", SymptomKind.AUTH, None, None, None),
        ("API 10x slower than normal", SymptomKind.LATENCY, None, None, None),
        ("500 errors on checkout API since 14:30", SymptomKind.ERROR_SPIKE, None, "checkout", at(14, 30)),
        ("payments down", SymptomKind.OUTAGE, None, "payments", None),
        ("disk full on db-1 since yesterday 9pm", SymptomKind.RESOURCE, None, None, at(21, day=20)),
        ("erreurs 500 depuis 14h30", SymptomKind.UNKNOWN, None, None, None),
        ("customers double charged for 20 minutes", SymptomKind.DATA, None, None, at(14, 40)),
        (
            "POST https://shop.example/api/payments/charge fails",
            SymptomKind.ERROR_SPIKE,
            "/api/payments/charge",
            "payments",
            None,
        ),
    ],
)
def test_reports_are_taken_apart(
    text: str, kind: SymptomKind, endpoint: str | None, service: str | None, start: datetime | None
) -> None:
    """Symptom, endpoint, service and start are found where they are stated, and nothing is made up."""
    reading = read(text)
    found = (reading.symptom.kind, reading.endpoint, reading.service, reading.start and reading.start.at)

    assert (kind, endpoint, service, start, text) == (*found, reading.text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("checkout returns 502 Bad Gateway", SymptomKind.ERROR_SPIKE),
        ("requests get 5xx", SymptomKind.ERROR_SPIKE),
        ("TypeError in production", SymptomKind.ERROR_SPIKE),
        ("orders rejected", SymptomKind.ERROR_SPIKE),
        ("401 errors everywhere", SymptomKind.AUTH),
        ("customers can't log in", SymptomKind.AUTH),
        ("500 errors on login", SymptomKind.ERROR_SPIKE),
        ("login page is slow", SymptomKind.LATENCY),
        ("the login page is down", SymptomKind.OUTAGE),
        ("slowing down", SymptomKind.LATENCY),
        ("p95 is 4200 ms", SymptomKind.LATENCY),
        ("requests time out", SymptomKind.LATENCY),
        ("requests are timing out", SymptomKind.LATENCY),
        ("20x the usual", SymptomKind.LATENCY),
        ("site not loading", SymptomKind.OUTAGE),
        ("checkout says 'connection refused'", SymptomKind.OUTAGE),
        ("orders missing, data lost", SymptomKind.DATA),
        ("no space left on device", SymptomKind.RESOURCE),
        ("cpu at 100 %", SymptomKind.RESOURCE),
        ("500 users affected", SymptomKind.UNKNOWN),
        ("no errors", SymptomKind.UNKNOWN),
        ("not down any more", SymptomKind.UNKNOWN),
        ("hello", SymptomKind.UNKNOWN),
    ],
)
def test_words_name_the_symptom(text: str, expected: SymptomKind) -> None:
    """The most telling words decide the kind; a denial or a mere number does not."""
    assert expected is read(text).symptom.kind


def test_other_kinds_that_are_named_are_kept() -> None:
    """What is named besides the symptom that counts is not lost."""
    assert (SymptomKind.ERROR_SPIKE, (SymptomKind.LATENCY,)) == (
        read("500 errors and slow").symptom.kind,
        read("500 errors and slow").symptom.also,
    )


@pytest.mark.parametrize(
    ("text", "code", "status_class"),
    [
        ("500 errors", 500, "5xx"),
        ("lots of 503s", 503, "5xx"),
        ("HTTP 429 from stripe", 429, "4xx"),
        ("status code: 404", 404, "4xx"),
        ("returns 502.", 502, "5xx"),
        ("5xx on checkout", None, "5xx"),
        ("port 500 open", None, ""),
        ("getting 500 complaints", None, ""),
        ("took 504 ms", None, ""),
        ("error at line 500 users", None, ""),
    ],
)
def test_http_status_is_read(text: str, code: int | None, status_class: str) -> None:
    """A number is an HTTP status only where the words beside it say so."""
    symptom = read(text).symptom

    assert (code, status_class) == (symptom.status_code, symptom.status_class)


@pytest.mark.parametrize(
    ("text", "factor", "percent"),
    [
        ("10x slower", 10.0, None),
        ("2.5 times the normal latency", 2.5, None),
        ("twice as slow", 2.0, None),
        ("ten times slower", 10.0, None),
        ("45 % of requests fail", None, 45.0),
        ("0.5 percent errors", None, 0.5),
        ("slow", None, None),
    ],
)
def test_how_much_is_read(text: str, factor: float | None, percent: float | None) -> None:
    """A factor and a share are numbers."""
    symptom = read(text).symptom

    assert (factor, percent) == (symptom.factor, symptom.percent)


@pytest.mark.parametrize(
    ("text", "method", "endpoint"),
    [
        ("GET /api/v2/users/{id} fails", "GET", "/api/v2/users/{id}"),
        ("errors on /api/checkout.", None, "/api/checkout"),
        ("errors on (/a/b), often", None, "/a/b"),
        ("GET / fails", "GET", "/"),
        ("https://shop.example/cart is slow", None, "/cart"),
        ("and/or n/a 1/2", None, None),
        ("/var/log is full", None, None),
        ("errors 5 / 10", None, None),
    ],
)
def test_the_endpoint_is_read(text: str, method: str | None, endpoint: str | None) -> None:
    """A path is the endpoint; a fraction, a slash between words and a path on a disk are not."""
    reading = read(text)

    assert (method, endpoint) == (reading.method, reading.endpoint)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Payment service fails", ("payments",)),
        ("CHECKOUT-API fails", ("checkout",)),
        ("search api fails", ("search-api",)),
        ("search-service fails", ("search-service",)),
        ("checkout calls payments and fails", ("checkout", "payments")),
        ("502 bad gateway", ()),
        ("checkout-v2 fails", ()),
        ("/api/checkout/pay fails", ("checkout",)),
        ("payments fails on /api/checkout", ("payments",)),
        ("it's slow", ()),
    ],
)
def test_services_are_matched_with_the_catalog(text: str, expected: tuple[str, ...]) -> None:
    """A service is named by its words in any joint, with or without "service"; else the endpoint names it."""
    assert expected == read(text).named


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("erreurs 500 depuis 14h30", '"14h30" was not read as the start: write it as 14:30.'),
        (
            "erreurs 500 depuis 14h30",
            'No symptom was recognised: say for example "500 errors", "10x slower" or "down".',
        ),
        ("down since this morning", '"this morning" was not read as the start: it names no clock time.'),
        ("payments down", 'No start was found: say for example "since 14:30 UTC" or "for 20 minutes".'),
        ("down since 23:00 today", '"since 23:00 today" lies in the future, so it is not the start.'),
        (
            "errors since 14:30, worse at 14:45",
            '"at 14:45" is a time as well; the start is taken from "since 14:30".',
        ),
        ("search is slow", '"search" can be search-api or search-service: name one of them.'),
        ("disk full on db-1", '"db-1" is not a known service.'),
        ("slow", "No known service is named."),
        ("slow " * 3_000, "Only the first 10,000 characters were read."),
    ],
)
def test_what_is_not_read_is_said(text: str, sentence: str) -> None:
    """Each thing that was not understood has a sentence that says what to write instead."""
    assert sentence in read(text).unread


def test_a_time_in_a_quoted_message_is_not_the_start() -> None:
    """What stands in quotation marks is a message, not a statement of the reporter."""
    reading = read('payments says "down since 2026-11-20T10:00:00Z"')

    assert (None, ("down since 2026-11-20T10:00:00Z",)) == (reading.start, reading.quotes)


def test_an_ambiguous_start_is_remarked() -> None:
    """A start in the hour that happens twice says which one was taken."""
    reading = read_report("down since 02:30", now=datetime(2026, 10, 25, 9, tzinfo=UTC), zone="Europe/Berlin")

    assert ("02:30 happened twice that day in Europe/Berlin; the first is meant.",) == reading.remarks


def test_the_reading_is_explained() -> None:
    """A person sees what each part was taken for, the start as an absolute time."""
    expected = (
        ("Symptom", "error spike, HTTP 500"),
        ("Endpoint", "GET /api/checkout"),
        ("Service", "checkout"),
        ("Start", '2026-11-21 14:30 UTC, from "since 14:30"'),
        ("Message", "it broke"),
    )

    assert expected == explain(read("500 errors on GET /api/checkout since 14:30 'it broke'"))


@pytest.mark.parametrize("text", ["", "   ", "\n\t"])
def test_an_empty_report_is_invalid(text: str) -> None:
    """A report without a word is refused, with an example of one."""
    with pytest.raises(Invalid, match="500 errors on /api/checkout"):
        read(text)


WORDS = st.sampled_from(
    [
        *(
            "500",
            "errors",
            "on",
            "/api/checkout",
            "since",
            "14:30",
            "UTC",
            "down",
            "slow",
            "10x",
            "'",
            '"',
            "yesterday",
        ),
        *("payments", "service", "search", "not", "no", "%", "45", "disk", "full", "login", "for", "20 minutes", "ago"),
        *("GET", "https://x.example/a", ".", ",", "\n", "«", "»", "`", "db-1", "s", "the"),
    ]
)


@settings(max_examples=400, deadline=None)
@given(st.text(min_size=1).filter(str.strip) | st.lists(WORDS, min_size=1, max_size=15).map(" ".join))
def test_any_report_is_kept_and_each_part_stands_where_it_says(text: str) -> None:
    """Every text is kept whole, and the words of each part stand at its span."""
    if not text.strip():
        return
    reading = read(text)

    assert text == reading.text and all(part.text in text[slice(*part.span)] for part in reading.parts)


def test_a_megabyte_is_read_quickly() -> None:
    """A hostile text costs no more than its first ten thousand characters."""
    assert read("since 14:30 'a on /a 500 " * 40_000).start

"""Doors besides JSON: the report form, mail, regular expressions of strangers, and what PostgreSQL cannot keep."""

import json
import random
import smtplib
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stanch.app.mail import mail_listener
from stanch.app.server import asgi
from stanch.app.wiring import build_intake, build_world
from stanch.catalog.inbox import MailRule, MailSpec
from stanch.catalog.model import Catalog, Service
from stanch.operations.all import all_operations
from stanch.surfaces.asgi.front import Front
from tests.intake.fuzzing import mutated
from tests.intake.test_fuzz import SEED, Target, target
from tests.support.servers import free_port
from tests.surfaces.serving import serving

MAIL = b"""From: cron@example.com
To: alerts@stanch.example
Subject: =?utf-8?q?PROBLEM_=E2=82=AC_on_db1?=
Message-ID: <a1@example.com>
Date: Sat, 21 Nov 2026 03:00:00 +0000
MIME-Version: 1.0
Content-Type: multipart/alternative; boundary="b"

--b
Content-Type: text/plain; charset="iso-8859-15"
Content-Transfer-Encoding: quoted-printable

Disk =A4 is full
--b
Content-Type: text/html; charset=utf-8
Content-Transfer-Encoding: base64

PGI+RGlzaz4=
--b--
""".replace(b"\n", b"\r\n")
_TAKEN = (250, 550, 552, 554)
_LOOSELY = settings(
    max_examples=150,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
    derandomize=True,
)
HOSTILE = (
    "(a+)+$",
    "(a|aa)+$",
    "(.*)*b",
    "(x+x+)+y",
    "a{1000}{1000}",
    "((((a{1,100}){1,100}){1,100}){1,100})",
    "(?=a)",
    r"(a)\1",
    "(?P<n>a)(?P<n>b)",
    "[",
    "(" * 5000,
    "a" * 9000,
    r"\p{Nothing}",
    "(?i)" + "a?" * 500 + "a" * 500,
    "\ud800",
    "[\x00-\x1f]",
)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """Give a served world."""
    with target(tmp_path_factory.mktemp("doors")) as found:
        yield found


def test_the_report_form(served: Target) -> None:
    """Whatever a form carries, the answer is below 500, and the server counts no defect."""
    chance = random.Random(f"{SEED} report")
    good = b"service=payments&text=cannot+pay+by+card&email=&contact=a%40b.example"
    statuses = set()
    for _ in range(150):
        body = mutated(good, chance) if chance.random() < 0.7 else b"text=" + quote(chance.randbytes(60)).encode()
        kind = chance.choice(
            ("application/x-www-form-urlencoded",) * 4 + ("multipart/form-data; boundary=x", "text/plain")
        )
        statuses.add(served.post("/report", body, content_type=kind)[0])

    assert ([], 0) == ([one for one in statuses if one >= 500], served.bugs())


@_LOOSELY
@given(text=st.text(max_size=300), service=st.text(max_size=40))
def test_any_report(served: Target, text: str, service: str) -> None:
    """Any text in the form is taken or refused with words."""
    body = (
        f"text={quote(text.encode('utf-8', 'surrogatepass'))}&service={quote(service.encode('utf-8', 'surrogatepass'))}"
    )
    status, answer = served.post("/report", body.encode(), content_type="application/x-www-form-urlencoded")

    assert (True, True) == (status < 500, bool(answer) or status in (303, 302))


@pytest.fixture
def mailbox(tmp_path: Path) -> Iterator[tuple[str, int]]:
    """Give host and port of a listener for mail, with a rule."""
    port = free_port()
    rule = MailRule(subject=r"^(?P<state>\w+) (?P<what>.+) on (?P<host>\w+)", title="{what}", severity="{state}")
    spec = replace(MailSpec(listen=f"127.0.0.1:{port}"), rules=(rule,))
    catalog = Catalog(root=str(tmp_path), services={"payments": Service(name="payments")}, mail=spec)
    world = build_world(catalog=catalog, database=tmp_path / "stanch.db")
    listener = mail_listener(world)
    assert listener is not None
    listener.start()
    try:
        yield "127.0.0.1", port
    finally:
        listener.stop()
        world.store.close()


def test_any_mail(mailbox: tuple[str, int]) -> None:
    """Whatever a mail holds, it is taken or refused for good: never a 451, after which it would come again."""
    chance = random.Random(f"{SEED} mail")
    codes = set()
    for _ in range(120):
        body = mutated(MAIL, chance)
        if chance.random() < 0.4:
            head, _, rest = MAIL.partition(b"\r\n\r\n")
            lines = head.split(b"\r\n")
            lines[chance.randrange(len(lines))] = mutated(chance.choice(lines), chance)[:5000]
            body = b"\r\n".join(lines) + b"\r\n\r\n" + rest
        with smtplib.SMTP(*mailbox, timeout=20) as client:
            client.ehlo()
            client.mail("cron@example.com")
            client.rcpt("alerts@stanch.example")
            codes.add(client.data(body)[0])

    assert set() == codes.difference(_TAKEN, (500, 501))


@pytest.mark.parametrize("hostile", HOSTILE, ids=lambda one: ascii(one[:20]))
def test_a_hostile_expression(served: Target, hostile: str) -> None:
    """An expression that would take for ever elsewhere is answered at once, wherever one may be written."""
    label = "a" * 200
    # A line that nobody uses for five seconds is closed by the server.
    served.close()
    served.post("/api/v2/alerts", json.dumps([{"labels": {"alertname": "A", "job": label}}]).encode())
    silence = {
        "matchers": [{"name": "job", "value": hostile, "isRegex": True}],
        "startsAt": "2026-11-21T12:00:00Z",
        "endsAt": "2099-11-21T13:00:00Z",
        "createdBy": "a",
        "comment": "c",
    }
    matchers = f"job=~{json.dumps(hostile)}"
    route = f"route: {{receiver: t, routes: [{{match_re: {{job: {json.dumps(hostile)}}}}}]}}"
    routes = {"config": f"{route}\nreceivers: [{{name: t}}]"}
    asked = {
        "/api/v2/silences": silence,
        "/api/v1/silence/create": {"matchers": matchers, "lasts": "1h", "comment": "c"},
        "/api/v1/maintenance/create": {"name": "w", "matchers": matchers, "lasts": "1h"},
        "/api/v1/route/preview": routes,
    }
    began = time.monotonic()
    statuses = [served.post(path, json.dumps(body).encode())[0] for path, body in asked.items()]
    quoted = quote(matchers.encode("utf-8", "surrogatepass"))
    statuses += [
        served.get(f"/api/v2/alerts?filter={quoted[:6000]}"),
        served.get(f"/api/v1/alert/list?matchers={quoted[:6000]}"),
        served.get(f"/api/v2/alerts?receiver={quote(hostile.encode('utf-8', 'surrogatepass'))[:6000]}"),
    ]
    took_s = time.monotonic() - began

    assert ([], True, 0) == ([one for one in statuses if one >= 500], took_s < 60, served.bugs())


def test_a_nul_on_postgresql(postgres_url: str, tmp_path: Path) -> None:
    """What PostgreSQL cannot keep is refused by its field, and the alerts beside it are stored."""
    world = build_world(catalog=Catalog(root=str(tmp_path)), database=postgres_url)
    intake = build_intake(world, None)
    front = Front.of(world, all_operations())
    intake.start()
    wrong = [
        {"labels": {"alertname": "a\0b"}},
        {"labels": {"alertname": "A", "x\0": "y"}},
        {"labels": {"alertname": "A"}, "annotations": {"s": "a\0b"}},
        {"labels": {"alertname": "A"}, "annotations": {"s\0": "b"}},
        {"labels": {"alertname": "A"}, "generatorURL": "http://x/\0"},
    ]
    good = {"labels": {"alertname": "Good", "path": r"C:\u0000"}}
    try:
        with serving(asgi(front, intake), front) as url:
            found = Target(url, world, front)
            status, answer = found.post("/api/v2/alerts", json.dumps([*wrong, good]).encode())
            listed = json.loads(found.read("/api/v2/alerts"))
            found.close()
    finally:
        intake.stop()
        world.store.close()

    assert (400, ["[0].labels", "[1].labels", "[2].annotations", "[3].annotations", "[4].generatorURL"], ["Good"]) == (
        status,
        [part.partition(":")[0] for part in json.loads(answer).split("; ")],
        [one["labels"]["alertname"] for one in listed],
    )

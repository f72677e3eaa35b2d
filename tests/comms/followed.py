"""One incident from its alert to its published post-mortem, told to every far end, and what stands there at the end.

The operations, the engine and the integrations are the real ones. Slack's far end is a server that speaks as Slack,
the mail server takes what it is given, Matrix is a real homeserver where there is one. The clock is moved by hand.
"""

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Final
from urllib.parse import quote

import httpx2

from stanch.alerts.model import Alert, AlertStatus, Measured, Metric, Outcome, Unit
from stanch.alerts.samples.tables import store_samples
from stanch.alerts.tables import save_alert
from stanch.app.wiring import DUTIES
from stanch.app.world import PROJECTORS
from stanch.catalog.channels import ChannelSpec, StakeholderSpec
from stanch.catalog.model import Catalog, Check, Timing
from stanch.catalog.status import ComponentSpec, StatusSpec
from stanch.engine.loop import Engine
from stanch.integrations.matrix import MatrixChannel
from stanch.integrations.slack import SlackChannel
from stanch.integrations.smtp import MailChannel
from stanch.kernel.clock import ManualClock
from stanch.operations.communicating import ToldList
from stanch.operations.detection import alert_changed
from stanch.operations.postmortem import Postmortem
from stanch.operations.statuspage import subscribing
from stanch.operations.statuspage.publishing import UpdateView
from stanch.operations.statuspage.telling import MAIL
from stanch.ports.channel import ChannelSettings
from stanch.ports.sampler import Sample
from stanch.store import Store
from tests.integrations.channels.cases import Homeserver as LikeMatrix
from tests.integrations.channels.cases import Workspace
from tests.integrations.channels.test_mail import Mailbox
from tests.integrations.pagers.far import SECRET, far_end
from tests.operations.desk import BOB, PLAN, START, Desk
from tests.support.mail import mail_server
from tests.support.synapse import Homeserver, homeserver_in

_TEAM, _ANNA, _CAROL = "team@shop.example", "anna@shop.example", "carol@customers.example"
_SENDER: Final = "Stanch <stanch@shop.example>"
_TOKEN: Final = re.compile(r"(/status/(?:confirm|leave))/[\w.-]+")
_WHICH: Final = re.compile(r"<[0-9a-f]{32}@")
_HEADERS: Final = ("From", "To", "Subject", "Message-ID", "In-Reply-To", "References", "List-Unsubscribe")
_LONGEST_ANSWER: Final = httpx2.Timeout(60.0)


@dataclass(frozen=True, kw_only=True)
class Said:
    """One message of a room as it stands at the end: what it says, and whether it is pinned."""

    text: str
    pinned: bool = False
    shape: str = ""


@dataclass(frozen=True, kw_only=True)
class Room:
    """An incident's room as a far end has it, its messages oldest first."""

    name: str
    topic: str
    invited: tuple[str, ...]
    said: tuple[Said, ...]

    def text(self) -> str:
        """Return it as one readable text."""
        parts = [f"room: {self.name}", f"topic: {self.topic}", f"invited: {', '.join(self.invited)}"]
        for number, one in enumerate(self.said, start=1):
            pinned = ", pinned" if one.pinned else ""
            parts += ["", f"--- message {number}{pinned}", *(line for line in (one.text, one.shape) if line)]
        return "\n".join(parts) + "\n"


@dataclass(frozen=True, kw_only=True)
class Followed:
    """What every far end has when the incident is over. `matrix` is None where there is no real homeserver."""

    slack: Room
    matrix: Room | None
    mails: tuple[EmailMessage, ...]
    page: Path
    postmortem: Postmortem
    told: ToldList

    def mails_to(self, address: str) -> list[EmailMessage]:
        """Return what was mailed to an address about the incident, oldest first."""
        return [one for one in self.mails if one["To"] == address and one["References"]]


@dataclass
class _Shop:
    """The desk with its far ends."""

    desk: Desk
    engine: Engine
    ratio: float = 0.002

    @classmethod
    def over(cls, desk: Desk) -> "_Shop":
        """Return the shop, with the engine on it."""
        # Evidence comes in from several threads in any order: the diagnosis is put on record instead.
        duties = {kind: duty for kind, duty in DUTIES.items() if kind != "collect"}
        return cls(desk=desk, engine=Engine(desk.world, duties))

    def work(self) -> None:
        """Let the engine do what is due now."""
        self.engine.run_until_quiet(rounds=50)

    def alert(self) -> Alert:
        """Open the alert that payments fails, which declares the incident."""
        now = self.desk.clock.now()
        found = Alert(
            id="payments/error_ratio",
            fingerprint="payments/error_ratio",
            service="payments",
            metric=Metric.ERROR_RATIO,
            status=AlertStatus.FIRING,
            measured=Measured(value=0.45, unit=Unit.RATIO, normal=0.002, low=0.0, high=0.01),
            starts_at=now - timedelta(seconds=40),
            starts_low=now - timedelta(seconds=45),
            starts_high=now - timedelta(seconds=35),
            detected_at=now,
            updated_at=now,
            title="payments error rate 45 %, normal 0.2 %",
            summary="payments error rate 45 %, normal 0.2 %",
        )
        self._follow(found, Outcome.OPENED)
        return found

    def ends(self, alert: Alert) -> None:
        """Have it measured that an alert is over."""
        now = self.desk.clock.now()
        self._follow(replace(alert, status=AlertStatus.ENDED, ended_at=now, updated_at=now), Outcome.ENDED)

    def _follow(self, alert: Alert, outcome: Outcome) -> None:
        with self.desk.world.store.writing() as tx:
            save_alert(tx.connection, alert)
            alert_changed(tx, self.desk.world, alert, outcome)

    def live(self, seconds: int) -> None:
        """Let time pass, with figures of payments each second and the engine at work."""
        for _ in range(seconds):
            now = self.desk.pass_time(seconds=1)
            figures = {"requests": 100.0, "failed_requests": 100 * self.ratio, "error_ratio": self.ratio}
            with self.desk.world.store.writing() as tx:
                seen = [Sample(service="payments", metric=name, value=one, at=now) for name, one in figures.items()]
                store_samples(tx.connection, seen)
            self.work()

    def publish(self, text: str = "") -> None:
        """Say yes, as Bob, to what waits for the status page."""
        waiting = self.desk.ask("statuspage.waiting")
        assert isinstance(waiting, tuple)
        for one in waiting:
            assert isinstance(one, UpdateView)
            said = {"incident": one.incident, "number": one.number, "digest": one.digest}
            self.desk.ask("statuspage.publish", by=BOB, text=text, **said)
        self.work()


def catalog_of(catalog: Catalog, root: Path) -> Catalog:
    """Return the shop's catalog with its channels, its stakeholders and its status page."""
    checked = (Check(sampler="openmetrics", target="http://127.0.0.1:9/metrics", every_s=1.0),)
    alice = replace(
        catalog.people["alice"], email="alice@shop.example", chat={"slack": "U1", "matrix": "@alice:localhost"}
    )
    channels = (
        ChannelSpec(name="slack", kind="slack", rooms=True),
        ChannelSpec(name="matrix", kind="matrix", rooms=True),
        ChannelSpec(name="mail", kind="email", sender=_SENDER, to=(_TEAM,)),
    )
    merchants = StakeholderSpec(name="merchants", title="Account managers", channel="mail", to=(_ANNA,))
    return replace(
        catalog,
        root=str(root),
        services={**catalog.services, "payments": replace(catalog.services["payments"], checks=checked)},
        people={**catalog.people, "alice": alice},
        channels={one.name: one for one in channels},
        stakeholders={"merchants": merchants},
        status=StatusSpec(
            title="Shop",
            mail="mail",
            folder="public",
            url="https://status.shop.example",
            components={
                "checkout": ComponentSpec(service="checkout", title="Buying", group="Shop"),
                "payments": ComponentSpec(service="payments", title="Paying", group="Shop"),
            },
        ),
        timing=Timing(
            verification_s=(10, 10, 10, 10), shortened_because="an exercise", detect_window_s=3, remeasure_s=5
        ),
    )


@contextmanager
def shop_in(
    folder: Path, database: str, *, matrix: MatrixChannel, slack: SlackChannel, mail: MailChannel
) -> Iterator[_Shop]:
    """Give the shop with its channels on a store of its own."""
    clock = ManualClock(START)
    store = Store.open(database, clock=clock, projectors=PROJECTORS)
    desk = Desk.open(store, clock)
    catalog = catalog_of(desk.world.catalog, folder)
    channels = {"slack": slack, "matrix": matrix, "mail": mail, MAIL: mail}
    world = replace(desk.world, catalog=catalog, channels=dict(channels))
    yield _Shop.over(replace(desk, world=world))
    store.close()


def follow(folder: Path, *, database: str, programs: Path | None = None) -> Followed:
    """Have one incident run its course, and return what every far end has then.

    `database` is where its log is kept; `programs` are those of Synapse, without which Matrix is a server that speaks
    as one does, and is not looked at.
    """
    workspace, mailbox = Workspace(), Mailbox()
    with ExitStack() as stack:
        far = stack.enter_context(far_end(workspace))
        port = stack.enter_context(mail_server(mailbox))
        real: Homeserver | None = None
        if programs is not None:
            (folder / "synapse").mkdir()
            real = stack.enter_context(homeserver_in(folder / "synapse", programs=programs))
            url, token = real.url, real.token
        else:
            url, token = stack.enter_context(far_end(LikeMatrix())).url, SECRET
        # A busy machine's homeserver answers late: what is looked at here is what it has, not when.
        matrix = MatrixChannel(
            ChannelSettings(name="matrix", kind="matrix", url=url, secret=token, rooms=True), timeout=_LONGEST_ANSWER
        )
        stack.callback(matrix.close)
        slack = SlackChannel(ChannelSettings(name="slack", kind="slack", url=far.url, secret=SECRET, rooms=True))
        stack.callback(slack.close)
        mail = MailChannel(
            ChannelSettings(name="mail", kind="email", url=f"smtp://127.0.0.1:{port}", sender=_SENDER, to=(_TEAM,))
        )
        shop = stack.enter_context(shop_in(folder, database, matrix=matrix, slack=slack, mail=mail))
        _run_its_course(shop, mailbox)
        told = shop.desk.ask("comms.told", incident=1)
        written = shop.desk.ask("postmortem.show", incident=1)
        assert isinstance(told, ToldList)
        assert isinstance(written, Postmortem)
        return Followed(
            slack=_slack_room(workspace),
            matrix=_matrix_room(real) if real else None,
            mails=tuple(mailbox.mails),
            page=folder / "public",
            postmortem=written,
            told=told,
        )


def _run_its_course(shop: _Shop, mailbox: Mailbox) -> None:
    desk = shop.desk
    subscribing.subscribe(desk.world, kind="email", address=_CAROL, sender="s1")
    shop.live(20)
    [asked] = mailbox.mails
    confirm = re.search(r"/status/confirm/(\S+)", plain_of(asked))
    assert confirm
    subscribing.confirm(desk.world, confirm[1])
    # Payments v3.2.1 is out, and 45 % of requests fail.
    shop.ratio = 0.45
    shop.live(40)
    alert = shop.alert()
    shop.work()
    shop.live(5)
    desk.ask("incident.acknowledge", incident=1)
    desk.ask("incident.assign", incident=1, role="communications_lead", person="bob")
    shop.publish()
    desk.diagnose(1)
    shop.live(10)
    desk.ask(
        "comms.send",
        by=BOB,
        incident=1,
        text="The new release of payments is the likely cause.",
        public_text="We know the likely cause and are working on it.",
    )
    shop.live(10)
    plan = desk.state(1).actions[PLAN].plan
    desk.ask("mitigation.approve", incident=1, plan=PLAN, digest=plan.digest)
    shop.work()
    # The release before is back, and so are the figures.
    shop.ratio = 0.0
    shop.live(5)
    shop.publish()
    shop.ends(alert)
    shop.live(30)
    shop.publish()
    desk.ask("incident.resolve", incident=1)
    shop.work()
    shop.publish()
    desk.pass_time(minutes=30)
    revision = desk.state(1).postmortem
    assert revision is not None
    desk.ask("postmortem.publish", by=BOB, incident=1, revision=revision.revision)
    shop.work()


def _slack_room(far: Workspace) -> Room:
    [(name, place)] = far.rooms.items()
    here = [str(one["ts"]) for one in far.kept if one["channel"] == place]
    said = []
    for ts in here:
        text, _, blocks = far.shown[ts].rpartition("\n")
        shape = "\n".join(json.dumps(one, ensure_ascii=False) for one in json.loads(blocks))
        said.append(Said(text=text, pinned=ts in far.pinned, shape=shape))
    return Room(name=name, topic=far.topics[-1], invited=tuple(far.invited), said=tuple(said))


def _matrix_room(far: Homeserver) -> Room:
    [place] = _texts(far.ask("/joined_rooms")["joined_rooms"])
    state = f"/rooms/{quote(place, safe='')}/state"
    members = far.ask(f"/rooms/{quote(place, safe='')}/members")["chunk"]
    assert isinstance(members, list)
    invited = sorted(one["state_key"] for one in members if one["content"]["membership"] == "invite")
    pinned = _texts(far.ask(f"{state}/m.room.pinned_events/")["pinned"])
    shown: dict[str, str] = {}
    for one in far.messages(place):
        content = one["content"]
        assert isinstance(content, dict)
        replaced = content.get("m.relates_to", {}).get("event_id")
        shown[replaced or str(one["event_id"])] = content.get("m.new_content", content)["body"]
    alias = far.ask(f"{state}/m.room.canonical_alias/")["alias"]
    return Room(
        name=f"{far.ask(f'{state}/m.room.name/')['name']} ({alias})",
        topic=str(far.ask(f"{state}/m.room.topic/")["topic"]),
        invited=tuple(invited),
        said=tuple(Said(text=text, pinned=id in pinned) for id, text in shown.items()),
    )


def _texts(found: object) -> list[str]:
    assert isinstance(found, list)
    return [str(one) for one in found]


def mails_text(mails: Sequence[EmailMessage]) -> str:
    """Return mails with the headers that threads are made of; what is made by chance is left out."""
    parts = []
    for number, mail in enumerate(mails, start=1):
        parts += [f"--- mail {number}"]
        parts += [f"{name}: {_steady(str(mail[name]).strip(), number)}" for name in _HEADERS if mail[name]]
        parts += ["", _TOKEN.sub(r"\1/TOKEN", plain_of(mail)), ""]
        for part in mail.iter_parts() if mail.is_multipart() else ():
            if part.get_content_type() == "text/calendar":
                parts += [_bytes(part).decode().replace("\r\n", "\n")]
    return "\n".join(parts)


def _steady(value: str, number: int) -> str:
    return _TOKEN.sub(r"\1/TOKEN", _WHICH.sub(f"<{number}@", value))


def plain_of(mail: EmailMessage) -> str:
    """Return a mail's plain text."""
    body = mail.get_body(("plain",))
    assert body is not None
    return str(body.get_content()).replace("\r\n", "\n").rstrip("\n")


def _bytes(part: object) -> bytes:
    assert isinstance(part, EmailMessage)
    found = part.get_payload(decode=True)
    assert isinstance(found, bytes)
    return found

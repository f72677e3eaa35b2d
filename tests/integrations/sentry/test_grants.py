"""What Sentry grants: kept where only its owner reads it, renewed once however many ask, asked for as OAuth says."""

import multiprocessing
import socket
import stat
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from stanch.integrations.fetching import HttpGet
from stanch.integrations.sentry.api import SentryApi
from stanch.integrations.sentry.connecting import Connecting
from stanch.integrations.sentry.grants import Grant, Grants
from stanch.integrations.sentry.oauth import Application, Device, Granted, Proof, post_form
from stanch.kernel.errors import Refused, Unavailable
from stanch.kernel.jsontext import JsonObject
from stanch.ports.fetch import Got
from stanch.ports.query import SystemSpec
from tests.support.sentryorg import CLIENT, SentryOrganization, sentry_organization

DAY_S = 86_400.0
WITHIN_S = 60.0


@pytest.fixture
def sentry() -> Iterator[SentryOrganization]:
    """Give an organization that has granted nothing yet."""
    with sentry_organization() as found:
        yield found


def spec(url: str, file: Path) -> SystemSpec:
    """Return a Sentry that has no token of its own."""
    settings = {"organization": "shop", "secrets": str(file)}
    return SystemSpec(name="sentry", kind="sentry", url=url, settings=settings)


def kept(sentry: SentryOrganization, file: Path, *, ends_in_s: float = -1.0) -> Grants:
    """Return the grants of a file that holds the first, which ends so soon."""
    now = time.time()
    granted = Granted(
        access_token="access-1",
        refresh_token="refresh-1",
        issued_at=now - 30 * DAY_S,
        expires_at=now + ends_in_s,
        scopes=("event:read",),
    )
    sentry.granted.append("access-1")
    grants = Grants(file)
    grants.write(Grant(app=Application(client_id=CLIENT, host=sentry.url), granted=granted, organization="shop"))
    return grants


def ask(file: str, told: "multiprocessing.queues.Queue[str]") -> None:
    """Ask for a token in a process of its own."""
    told.put(Grants(Path(file)).token())


def test_the_proof_is_that_of_the_standard() -> None:
    """The challenge of RFC 7636, appendix B."""
    proof = Proof(state="", verifier="dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")

    assert "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM" == proof.challenge


def test_oauth_is_spoken_with_sentry_and_no_region() -> None:
    """A region's host has no login; a server of one's own has."""
    hosts = ("https://de.sentry.io", "https://sentry.io", "https://sentry.shop.example/")

    assert ["https://sentry.io", "https://sentry.io", "https://sentry.shop.example"] == [
        Application(client_id=CLIENT, host=host).login_host for host in hosts
    ]


def test_the_file_is_its_owners_alone(sentry: SentryOrganization, tmp_path: Path) -> None:
    """Nobody else on the machine can read a token."""
    file = tmp_path / "secrets" / "sentry.json"
    kept(sentry, file)

    assert (0o600, 0o700) == (stat.S_IMODE(file.stat().st_mode), stat.S_IMODE(file.parent.stat().st_mode))


def test_a_file_that_others_can_read_is_refused(sentry: SentryOrganization, tmp_path: Path) -> None:
    """It says which, and how that is mended."""
    file = tmp_path / "sentry.json"
    kept(sentry, file)
    file.chmod(0o644)
    with pytest.raises(Refused) as refused:
        Grants(file).token()

    assert f"chmod 600 {file}" == refused.value.hint


def test_a_token_that_holds_is_not_renewed(sentry: SentryOrganization, tmp_path: Path) -> None:
    """Nothing is asked while there is more than a day."""
    grants = kept(sentry, tmp_path / "sentry.json", ends_in_s=2 * DAY_S)

    assert ("access-1", 0) == (grants.token(), sentry.renewals)


def test_a_token_that_ends_is_renewed_with_the_other(sentry: SentryOrganization, tmp_path: Path) -> None:
    """Both change, and both are kept."""
    grants = kept(sentry, tmp_path / "sentry.json")
    token, grant = grants.token(), grants.read()

    assert grant is not None
    assert ("access-2", "refresh-2") == (token, grant.granted.refresh_token)


def test_many_threads_renew_once(sentry: SentryOrganization, tmp_path: Path) -> None:
    """A second renewal with the old token would be refused, and the grant lost."""
    grants = kept(sentry, tmp_path / "sentry.json")
    with ThreadPoolExecutor(8) as pool:
        tokens = set(pool.map(lambda _: grants.token(), range(16)))

    assert ({"access-2"}, 1) == (tokens, sentry.renewals)


def test_two_processes_renew_once(sentry: SentryOrganization, tmp_path: Path) -> None:
    """The one that comes later takes what the other wrote."""
    file = tmp_path / "sentry.json"
    kept(sentry, file)
    context = multiprocessing.get_context("spawn")
    told = context.Queue()
    both = [context.Process(target=ask, args=(str(file), told)) for _ in range(2)]
    for one in both:
        one.start()
    tokens = {told.get(timeout=WITHIN_S) for _ in both}
    for one in both:
        one.join(WITHIN_S)

    assert ({"access-2"}, 1) == (tokens, sentry.renewals)


def test_a_token_that_is_not_taken_is_renewed_and_the_question_asked_again(
    sentry: SentryOrganization, tmp_path: Path
) -> None:
    """Somebody else renewed it, or it was revoked: the answer comes all the same."""
    file = tmp_path / "sentry.json"
    kept(sentry, file, ends_in_s=10 * DAY_S)
    sentry.granted[:] = ["another"]
    found = SentryApi(spec(sentry.url, file), fetch=HttpGet()).objects("teams", timeout_s=WITHIN_S)

    assert ([], 1) == (found, sentry.renewals)


def test_a_grant_that_is_worth_nothing_says_to_connect_again(sentry: SentryOrganization, tmp_path: Path) -> None:
    """And shows no token."""
    grants = kept(sentry, tmp_path / "sentry.json")
    sentry.granted.append("access-2")
    with pytest.raises(Refused) as refused:
        grants.token()

    assert ("connect again: stanch sentry connect", False) == (refused.value.hint, "refresh-1" in str(refused.value))


def test_a_renewal_whose_answer_was_lost_is_told(sentry: SentryOrganization, tmp_path: Path) -> None:
    """Sentry changed both tokens and nobody got them: what happened, and that only connecting helps."""
    kept(sentry, tmp_path / "sentry.json")
    lost: list[str] = []

    def once(url: str, form: Mapping[str, str]) -> tuple[int, JsonObject]:
        answer = post_form(url, form)
        if not lost:
            lost.append(url)
            raise Unavailable("the line broke", retry=True)
        return answer

    grants = Grants(tmp_path / "sentry.json", post=once)
    with pytest.raises(Unavailable, match="connect again then"):
        grants.token()
    with pytest.raises(Refused, match="or the answer to a renewal was lost") as refused:
        grants.token()

    assert "connect again: stanch sentry connect" == refused.value.hint


def test_a_login_that_is_down_costs_nothing_while_the_token_holds(sentry: SentryOrganization, tmp_path: Path) -> None:
    """It is renewed early for that."""
    kept(sentry, tmp_path / "sentry.json", ends_in_s=3_600.0)

    def down(url: str, form: object) -> tuple[int, object]:
        raise Unavailable("down", retry=True)

    assert "access-1" == Grants(tmp_path / "sentry.json", post=down).token()  # type: ignore[arg-type]


def test_the_browser_brings_a_grant(sentry: SentryOrganization, tmp_path: Path) -> None:
    """The code comes back to this machine, is redeemed with its proof, and the scopes are checked."""
    file = tmp_path / "sentry.json"
    sentry.codes["the-code"] = "granted"
    connecting = Connecting(
        spec=spec(sentry.url, file), app=Application(client_id=CLIENT, host=sentry.url), fetch=HttpGet()
    )
    threads: list[threading.Thread] = []

    def browse(url: str) -> None:
        asked = parse_qs(urlsplit(url).query)
        back = asked["redirect_uri"][0]

        def come_back() -> None:
            httpx2.get(back, params={"code": "a-guess", "state": "wrong"}, timeout=WITHIN_S)
            httpx2.get(back, params={"code": "the-code", "state": asked["state"][0]}, timeout=WITHIN_S)

        threads.append(threading.Thread(target=come_back))
        threads[0].start()

    found = connecting.by_browser(show=browse)
    threads[0].join(WITHIN_S)

    assert ("OAuth", "alice@shop.example", ()) == (found.how, found.user, found.missing)


def test_a_browser_that_opens_a_line_and_says_nothing_holds_nobody_up(
    sentry: SentryOrganization, tmp_path: Path
) -> None:
    """Browsers do, ahead of need."""
    sentry.codes["the-code"] = "granted"
    connecting = Connecting(
        spec=spec(sentry.url, tmp_path / "sentry.json"),
        app=Application(client_id=CLIENT, host=sentry.url),
        fetch=HttpGet(),
    )
    silent: list[socket.socket] = []
    threads: list[threading.Thread] = []

    def browse(url: str) -> None:
        asked = parse_qs(urlsplit(url).query)
        back = asked["redirect_uri"][0]
        silent.append(socket.create_connection(("127.0.0.1", urlsplit(back).port or 0)))

        def come_back() -> None:
            httpx2.get(back, params={"code": "the-code", "state": asked["state"][0]}, timeout=WITHIN_S)

        threads.append(threading.Thread(target=come_back))
        threads[0].start()

    found = connecting.by_browser(show=browse)
    threads[0].join(WITHIN_S)
    silent[0].close()

    assert "OAuth" == found.how


def test_a_device_waits_as_it_is_told(sentry: SentryOrganization, tmp_path: Path) -> None:
    """Five seconds more each time that Sentry says it asks too often."""
    sentry.pending += ["authorization_pending", "slow_down", "authorization_pending"]
    connecting = Connecting(
        spec=spec(sentry.url, tmp_path / "sentry.json"),
        app=Application(client_id=CLIENT, host=sentry.url),
        fetch=HttpGet(),
    )
    waited: list[float] = []
    shown: list[Device] = []
    connecting.by_device(show=shown.append, wait=waited.append)

    assert (["ABCD-EFGH"], [5.0, 5.0, 10.0, 10.0]) == ([one.user_code for one in shown], waited)


def test_a_right_that_is_missing_is_named_at_once(sentry: SentryOrganization, tmp_path: Path) -> None:
    """Rights that include it count for it."""
    sentry.scopes = ("event:write", "org:read")
    connecting = Connecting(
        spec=spec(sentry.url, tmp_path / "sentry.json"),
        app=Application(client_id=CLIENT, host=sentry.url),
        fetch=HttpGet(),
    )

    assert ("project:read",) == connecting.by_device(show=lambda one: None, wait=lambda one: None).missing


def test_the_region_is_kept_and_asked(sentry: SentryOrganization, tmp_path: Path) -> None:
    """A host that is configured stands above it."""
    file = tmp_path / "sentry.json"
    sentry.region = "https://de.sentry.io"
    app = Application(client_id=CLIENT, host=sentry.url)
    Connecting(spec=spec(sentry.url, file), app=app, fetch=HttpGet()).by_device(
        show=lambda one: None, wait=lambda one: None
    )

    assert ["https://de.sentry.io, organization shop", f"{sentry.url}, organization shop"] == [
        SentryApi(spec(url, file), fetch=HttpGet()).where for url in ("", sentry.url)
    ]


def test_a_region_in_the_clear_is_not_taken(tmp_path: Path) -> None:
    """A token that was granted over HTTPS is not sent where everybody on the way can read it."""
    file = tmp_path / "sentry.json"
    answers = [
        {"device_code": "d", "user_code": "u", "verification_uri": "https://sentry.example/d"},
        {"access_token": "access-1", "refresh_token": "refresh-1"},
    ]

    def post(url: str, form: Mapping[str, str]) -> tuple[int, JsonObject]:
        return 200, JsonObject(answers.pop(0))

    def fetch(url: str, *, headers: Mapping[str, str], timeout_s: float, most_bytes: int) -> Got:
        return Got(status=200, body=b'{"links": {"regionUrl": "http://us.sentry.example"}}', took_s=0.0)

    system = spec("https://sentry.example", file)
    app = Application(client_id=CLIENT, host="https://sentry.example")
    Connecting(spec=system, app=app, fetch=fetch, post=post).by_device(show=lambda one: None, wait=lambda s: None)
    found = Grants(file).read()

    assert found is not None
    assert "" == found.region


def test_what_is_kept_shows_no_token_where_it_is_printed(sentry: SentryOrganization, tmp_path: Path) -> None:
    """A record that ends up in a log or a trace holds none."""
    file = tmp_path / "sentry.json"
    grant = kept(sentry, file).read()

    assert (True, False) == ("access-1" in file.read_text(), "access-1" in repr(grant))


def test_what_proves_who_asks_is_not_printed() -> None:
    """Whoever has a device's code or the verifier could take the grant."""
    device = Device(code="hunter2", user_code="u", url="", whole_url="", interval_s=1.0, expires_s=1.0)

    assert "hunter2" not in f"{device!r} {Proof(state='hunter2', verifier='hunter2')!r}"

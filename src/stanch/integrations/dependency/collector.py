"""The evidence port on dependencies: one finding per look at each target that the question's services need."""

import json
import shlex
import ssl
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from stanch.integrations.dependency.far import Answer, certificate, fetch, is_name, resolves, shown
from stanch.kernel.event import JSON
from stanch.ports.evidence import Finding, FindingStatus, Question, Signal

_LOOK_S: Final = 5.0
_ROOM_S: Final = 1.0
_LEAST_S: Final = 0.2
_MOST_INCIDENTS: Final = 5
_SIDE_BY_SIDE: Final = 16
_INDICATORS: Final = frozenset({"none", "minor", "major", "critical", "maintenance"})
_SOON_S: Final = 14 * 86_400.0


@dataclass(frozen=True, kw_only=True)
class Target:
    """Something that services depend on. `url` answers a health question, `status_page` is the page's address.

    `used_by` are the services that call it; empty means that every question concerns it.
    """

    name: str
    url: str = ""
    status_page: str = ""
    used_by: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class _Seen:
    """What one look brought, before it becomes a finding."""

    status: FindingStatus
    summary: str
    command: str
    signals: tuple[Signal, ...] = ()
    data: dict[str, JSON] | None = None


class Dependencies:
    """Looks at targets side by side. `trust` replaces the machine's trusted certificates."""

    def __init__(
        self, targets: tuple[Target, ...], *, look_s: float = _LOOK_S, trust: ssl.SSLContext | None = None
    ) -> None:
        self._targets = targets
        self._look_s = look_s
        self._trust = trust

    @property
    def name(self) -> str:
        """Return `dependencies`."""
        return "dependencies"

    @property
    def timeout_s(self) -> float:
        """Return how many seconds its caller waits: one look and some room, since they run side by side."""
        return self._look_s + 2 * _ROOM_S

    def collect(self, question: Question) -> list[Finding]:
        """Return findings on health, status page, name and certificate of each target that the question concerns."""
        asked = set(question.services)
        looks = [
            (target, look)
            for target in self._targets
            if not asked or not target.used_by or target.name in asked or asked & set(target.used_by)
            for look in self._looks(target)
        ]
        if not looks:
            return []
        pool = ThreadPoolExecutor(min(_SIDE_BY_SIDE, len(looks)), thread_name_prefix="dependency")
        try:
            under_way = [
                (target, look, pool.submit(_finding, target, look, question=question)) for target, look in looks
            ]
            wait([future for _, _, future in under_way], timeout=self._look_s + _ROOM_S)
            return [
                future.result() if future.done() else _given_up(target, look, question=question, after_s=self._look_s)
                for target, look, future in under_way
            ]
        finally:
            # A look that still hangs ends by its own time-outs; nobody waits for it.
            pool.shutdown(wait=False, cancel_futures=True)

    def _looks(self, target: Target) -> list[Callable[[Target], _Seen]]:
        looks: list[Callable[[Target], _Seen]] = []
        if target.url:
            looks.append(self._health)
            if is_name(urlsplit(target.url).hostname or ""):
                looks.append(self._name)
            if urlsplit(target.url).scheme == "https":
                looks.append(self._certificate)
        if target.status_page:
            looks.append(self._status_page)
        return looks

    def _health(self, target: Target) -> _Seen:
        answer = fetch(target.url, timeout_s=self._look_s, trust=self._trust)
        up = answer.status is not None and answer.status < 500
        signal = Signal(
            name="dependency_up",
            value=float(up),
            normal=1.0,
            text=_brief(answer),
            data={"target": target.name, "raised": not up},
        )
        url = shlex.quote(shown(target.url))
        return _Seen(
            status=FindingStatus.OK,
            summary=f"{target.name} {_told(answer)}",
            command=f"curl -sS -o /dev/null -m {self._look_s:g} -w '%{{http_code}} %{{time_total}}\\n' {url}",
            signals=(signal,),
            data={"status": answer.status, "took_s": round(answer.took_s, 3)},
        )

    def _name(self, target: Target) -> _Seen:
        host = urlsplit(target.url).hostname or ""
        found, text = resolves(host)
        signal = Signal(name="dns_ok", value=float(found), normal=1.0, text=text, data={"target": target.name})
        return _Seen(
            status=FindingStatus.OK, summary=text, command=f"getent ahosts {shlex.quote(host)}", signals=(signal,)
        )

    def _certificate(self, target: Target) -> _Seen:
        parts = urlsplit(target.url)
        host, port = parts.hostname or "", parts.port or 443
        state = certificate(host, port, timeout_s=self._look_s, trust=self._trust)
        command = f"openssl s_client -connect {host}:{port} -servername {host} </dev/null | openssl x509 -noout -dates"
        if state.expires_in_s is None:
            return _Seen(status=FindingStatus.FAILED, summary=f"{target.name}: {state.text}", command=command)
        signal = Signal(
            name="tls_expires_s", value=state.expires_in_s, unit="s", text=state.text, data={"target": target.name}
        )
        soon = ", soon" if 0 < state.expires_in_s < _SOON_S else ""
        return _Seen(
            status=FindingStatus.OK, summary=f"{target.name}: {state.text}{soon}", command=command, signals=(signal,)
        )

    def _status_page(self, target: Target) -> _Seen:
        url = _status_url(target.status_page)
        command = f"curl -sS -m {self._look_s:g} {shlex.quote(shown(url))}"
        answer = fetch(url, timeout_s=self._look_s, trust=self._trust)
        if answer.status is None or answer.status >= 400:
            summary = f"The status page of {target.name} {_told(answer)}"
            return _Seen(status=FindingStatus.FAILED, summary=summary, command=command)
        read = _indicator(answer.body)
        if read is None:
            summary = f"The status page of {target.name} answers something that is not Statuspage v2"
            return _Seen(status=FindingStatus.FAILED, summary=summary, command=command)
        indicator, description = read
        signal = Signal(name="status_page", text=indicator, data={"target": target.name, "description": description})
        summary = f"The status page of {target.name} says: {description or indicator} ({indicator})"
        troubles = self._unresolved(target, within_s=self._look_s - answer.took_s) if indicator != "none" else []
        if troubles:
            summary += f": {'; '.join(troubles)}"
        data: dict[str, JSON] = {"incidents": list[JSON](troubles)} if troubles else {}
        return _Seen(status=FindingStatus.OK, summary=summary, command=command, signals=(signal,), data=data)

    def _unresolved(self, target: Target, *, within_s: float) -> list[str]:
        """Return what the page tells of its open incidents, newest first; empty where it does not say."""
        if within_s < _LEAST_S:
            return []
        url = _status_url(target.status_page).rpartition("/")[0] + "/incidents/unresolved.json"
        return _incidents(fetch(url, timeout_s=within_s, trust=self._trust).body)


def _incidents(body: bytes) -> list[str]:
    """Return the open incidents of a Statuspage v2 answer in words: name, state, impact, since when, on what."""
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return []
    found = answer.get("incidents") if isinstance(answer, dict) else None
    told = []
    for one in found if isinstance(found, list) else []:
        if not isinstance(one, dict) or not isinstance(one.get("name"), str):
            continue
        listed = one.get("components")
        on = (
            [str(part.get("name", "")) for part in listed if isinstance(part, dict)] if isinstance(listed, list) else []
        )
        words = f"{one['name'][:120]} ({one.get('status')}, impact {one.get('impact')}, since {one.get('created_at')})"
        told.append(words + (f" on {', '.join(on[:5])}"[:200] if on else ""))
    return told[:_MOST_INCIDENTS]


def _finding(target: Target, look: Callable[[Target], _Seen], *, question: Question) -> Finding:
    began = time.monotonic()
    seen = look(target)
    return _told_of(target, look, seen, question=question, took_s=time.monotonic() - began)


def _given_up(target: Target, look: Callable[[Target], _Seen], *, question: Question, after_s: float) -> Finding:
    what = look.__name__.strip("_").replace("_", " ")
    summary = f"{target.name}: the look at its {what} did not end within {after_s:g} s"
    seen = _Seen(status=FindingStatus.FAILED, summary=summary, command="")
    return _told_of(target, look, seen, question=question, took_s=after_s)


def _told_of(
    target: Target, look: Callable[[Target], _Seen], seen: _Seen, *, question: Question, took_s: float
) -> Finding:
    return Finding(
        id=f"dependencies/{target.name}/{look.__name__.strip('_')}",
        collector="dependencies",
        source=shown(target.status_page if look.__name__ == "_status_page" else target.url),
        command=seen.command,
        status=seen.status,
        summary=seen.summary,
        # A look tells of the present, whatever window was asked about.
        start=question.end,
        end=question.end,
        took_s=took_s,
        services=(target.name, *target.used_by),
        signals=seen.signals,
        data=seen.data or {},
    )


def _brief(answer: Answer) -> str:
    return answer.trouble if answer.status is None else f"{answer.status} in {answer.took_s * 1000:,.0f} ms"


def _told(answer: Answer) -> str:
    if answer.status is None:
        return f"did not answer: {answer.trouble}"
    return f"answered {_brief(answer)}"


def _status_url(page: str) -> str:
    return page if page.endswith(".json") else f"{page.rstrip('/')}/api/v2/status.json"


def _indicator(body: bytes) -> tuple[str, str] | None:
    """Return indicator and description of a Statuspage v2 answer, None when it is no such thing."""
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return None
    status = answer.get("status") if isinstance(answer, dict) else None
    indicator = status.get("indicator") if isinstance(status, dict) else None
    if not isinstance(status, dict) or indicator not in _INDICATORS:
        return None
    return str(indicator), str(status.get("description", ""))[:300]

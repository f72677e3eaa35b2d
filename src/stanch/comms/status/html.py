"""The public status page as HTML that needs no script: the page itself, one incident, the history. Pure.

Everything that is filled in is escaped. Links are relative, so that a static copy works wherever it is put; the served
page has addresses without `.html`, the copy with it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Final

from markupsafe import Markup

from stanch.comms.status.model import Component, ComponentState, Day, Incident, Maintenance, Page, Update
from stanch.comms.status.zones import in_zone, local
from stanch.kernel.blocks import without_hidden
from stanch.kernel.duration import format_duration

STYLE: Final = "status.css"
RECENT: Final = timedelta(days=14)
"""How long an incident that is over stands on the first page."""

_BAR: Final = 4
_HEIGHT: Final = 28
_SYMBOLS: Final = {
    ComponentState.OPERATIONAL: "✓",
    ComponentState.MAINTENANCE: "⚒",
    ComponentState.DEGRADED: "◐",
    ComponentState.PARTIAL: "▲",
    ComponentState.MAJOR: "✕",
}
_BANNERS: Final = {
    ComponentState.OPERATIONAL: "Everything works",
    ComponentState.MAINTENANCE: "Maintenance is under way",
    ComponentState.DEGRADED: "Some parts are degraded",
    ComponentState.PARTIAL: "Some parts are down",
    ComponentState.MAJOR: "A major outage",
}


@dataclass(frozen=True, kw_only=True)
class Links:
    """Where things are from a page that stands `depth` folders below the first one.

    `subscribe` is where one subscribes, empty where one can not; `kinds` are what with: email, webhook.
    """

    first: str
    below: str
    ending: str = ""
    subscribe: str = ""
    kinds: tuple[str, ...] = ()

    def to(self, path: str) -> str:
        """Return the address of a file of the page."""
        return f"{self.below}{path}"

    def incident(self, number: int) -> str:
        """Return the address of an incident."""
        return f"{self.below}incidents/{number}{self.ending}"

    @property
    def history(self) -> str:
        """Return the address of the history."""
        return f"{self.below}history{self.ending}"


def served(*, kinds: tuple[str, ...]) -> Links:
    """Return the links of the page as a server shows it, at `/status`."""
    subscribe = "/status/subscribe" if kinds else ""
    return Links(first="/status", below="/status/", subscribe=subscribe, kinds=kinds)


def copied(*, depth: int, subscribe: str) -> Links:
    """Return the links of a static copy's page; one subscribes at the server."""
    below = "../" * depth or "./"
    return Links(first=f"{below}index.html", below=below, ending=".html", subscribe=subscribe)


def first_page(page: Page, links: Links) -> str:
    """Return the page itself."""
    recent = [one for one in page.incidents if one.resolved_at and one.resolved_at > page.now - RECENT]
    body = Markup("").join(
        (
            _banner(page),
            *(_incident(one, page, links, level=2) for one in page.open_incidents),
            _maintenance(page),
            components_html(page),
            _section("Past incidents", [_incident(one, page, links, level=3) for one in recent], "None in 14 days."),
            _subscribe(links),
        )
    )
    return _document(page, links, body, title=page.title, fresh=True)


def incident_page(page: Page, links: Links, incident: Incident) -> str:
    """Return the page of one incident."""
    body = _incident(incident, page, links, level=1)
    return _document(page, links, body, title=f"{incident.title} · {page.title}")


def history_page(page: Page, links: Links) -> str:
    """Return all incidents by month, the newest first."""
    told = sorted(page.incidents, key=lambda one: one.started_at, reverse=True)
    months = [
        _section(f"{month}", [_row(one, page, links) for one in some], "")
        for month, some in groupby(told, key=lambda one: f"{local(one.started_at, page.zone):%B %Y}")
    ]
    body = Markup("<h1>History</h1>{}").format(
        Markup("").join(months) if months else Markup("<p>Nothing has been reported.</p>")
    )
    return _document(page, links, body, title=f"History · {page.title}")


def notice_page(page: Page, links: Links, *, title: str, text: str, form: Markup = Markup("")) -> str:  # noqa: B008
    """Return a page that says one thing, with a form where there is something to press."""
    body = Markup('<h1>{}</h1><p class="text">{}</p>{}').format(title, text, form)
    return _document(page, links, body, title=f"{title} · {page.title}", private=True)


def press(label: str) -> Markup:
    """Return a form with one button, which posts to the address that the page has."""
    return Markup('<form method="post"><button>{}</button></form>').format(label)


def components_html(page: Page) -> Markup:
    """Return the components by group, each with its state in words and its bar."""
    found = [
        Markup('<section aria-label="{}">{}<ul class="components">{}</ul></section>').format(
            group or "Components",
            Markup("<h3>{}</h3>").format(group) if group else "",
            Markup("").join(_component(one, page) for one in some),
        )
        for group, some in _grouped(page.components)
    ]
    return Markup('<section id="components"><h2>Components</h2>{}</section>').format(Markup("").join(found))


def bar(component: Component) -> Markup:
    """Return the last days as bars, one a day, with all that they show in words."""
    days = component.days
    bars = Markup("").join(
        Markup('<rect class="d-{}" x="{}" y="{}" width="{}" height="{}"><title>{}</title></rect>').format(
            day.state.value if day.state else "unknown",
            number * _BAR,
            *_extent(day),
            _words(day),
        )
        for number, day in enumerate(days)
    )
    return Markup(
        '<svg class="days" viewBox="0 0 {} {}" preserveAspectRatio="none" role="img" aria-label="{}">{}</svg>'
    ).format(len(days) * _BAR, _HEIGHT, _told(component), bars)


def _extent(day: Day) -> tuple[int, int, int]:
    # What is worse is also lower, so that it shows without colours: a notch at the top of the row.
    top = 0 if day.state in (None, ComponentState.OPERATIONAL) else 6
    return top, _BAR - 1, _HEIGHT - top


def _words(day: Day) -> str:
    if day.state is None:
        return f"{day.date}: not known"
    lengths = ((day.down_s, "of outage"), (day.degraded_s, "degraded"), (day.maintenance_s, "of maintenance"))
    lasted = [f"{format_duration(timedelta(seconds=round(length)))} {what}" for length, what in lengths if length >= 1]
    return f"{day.date}: {day.state.label.lower()}{', ' + ', '.join(lasted) if lasted else ''}"


def _told(component: Component) -> str:
    bad = [_words(day) for day in component.days if day.state not in (None, ComponentState.OPERATIONAL)]
    known = sum(day.state is not None for day in component.days)
    if not known:
        return f"{component.title}: nothing is known of the last {len(component.days)} days"
    what = "; ".join(bad) if bad else "no trouble"
    return f"{component.title}, {known} of the last {len(component.days)} days known: {what}"


def _component(one: Component, page: Page) -> Markup:
    bad = [_words(day) for day in reversed(one.days) if day.has_trouble]
    planned = [_words(day) for day in reversed(one.days) if day.state is ComponentState.MAINTENANCE]
    listed = _listed("Days with trouble", bad) + _listed("Days with maintenance alone", planned)
    return Markup(
        '<li class="component"><p class="line"><strong><bdi>{}</bdi></strong> {}</p>{}{}'
        '<p class="scale"><span>{} days ago</span><span>{}</span><span>today</span></p>{}</li>'
    ).format(
        one.title,
        _state(one.state),
        Markup('<p class="small"><bdi>{}</bdi></p>').format(one.description) if one.description else "",
        bar(one) if one.days else "",
        len(one.days),
        "" if one.uptime is None else f"{_share(one.uptime)} without an outage",
        listed,
    )


def _listed(title: str, days: list[str]) -> Markup:
    if not days:
        return Markup("")
    items = Markup("").join(Markup("<li>{}</li>").format(words) for words in days)
    return Markup("<details><summary>{}: {}</summary><ul>{}</ul></details>").format(title, len(days), items)


def _share(value: float) -> str:
    # Never rounded up: 100 % is said of none that was down.
    return f"{int(value * 100_000) / 1000:g} %"


def _state(state: ComponentState) -> Markup:
    return Markup('<span class="state s-{}"><span aria-hidden="true">{}</span> {}</span>').format(
        state.value, _SYMBOLS[state], state.label
    )


def _banner(page: Page) -> Markup:
    words = _BANNERS[page.worst]
    if page.open_incidents and page.worst is ComponentState.OPERATIONAL:
        words = "An incident is being worked on"
    return Markup('<h1 class="banner s-{}"><span aria-hidden="true">{}</span> {}</h1>').format(
        page.worst.value, _SYMBOLS[page.worst], words
    )


def _incident(one: Incident, page: Page, links: Links, *, level: int) -> Markup:
    names = [
        page.names[key] for key in dict.fromkeys(k for u in one.updates for k in u.components) if key in page.names
    ]
    return Markup(
        '<article class="incident{}" id="incident-{}"><h{} class="name"><a href="{}"><bdi>{}</bdi></a></h{}>'
        '<p class="small">Began {}{}{}</p><ol class="updates">{}</ol></article>'
    ).format(
        " open" if one.is_open else "",
        one.number,
        level,
        links.incident(one.number),
        one.title,
        level,
        when(one.started_at, page),
        Markup(", over since {}").format(when(one.resolved_at, page)) if one.resolved_at else "",
        f"; concerns {', '.join(names)}" if names else "",
        Markup("").join(_update(said, page) for said in one.updates),
    )


def _update(said: Update, page: Page) -> Markup:
    return Markup('<li id="u-{}-{}"><p><strong>{}</strong> <span class="small">{}</span></p>{}</li>').format(
        said.incident,
        said.number,
        said.stage.value.capitalize(),
        when(said.at, page),
        Markup('<p class="text"><bdi>{}</bdi></p>').format(said.text) if said.text else "",
    )


def _row(one: Incident, page: Page, links: Links) -> Markup:
    return Markup('<p><a href="{}"><bdi>{}</bdi></a> <span class="small">{:%Y-%m-%d}, {}</span></p>').format(
        links.incident(one.number),
        one.title,
        local(one.started_at, page.zone),
        f"lasted {format_duration(one.resolved_at - one.started_at)}" if one.resolved_at else "goes on",
    )


def _maintenance(page: Page) -> Markup:
    if not page.maintenance:
        return Markup("")
    items = Markup("").join(_window(one, page) for one in page.maintenance)
    return Markup('<section id="maintenance"><h2>Maintenance</h2>{}</section>').format(items)


def _window(one: Maintenance, page: Page) -> Markup:
    word = "Under way" if one.holds(page.now) else "Scheduled"
    return Markup(
        '<article class="incident"><h3 class="name"><bdi>{}</bdi></h3>'
        '<p class="small">{}: {} to {}</p><p class="text"><bdi>{}</bdi></p></article>'
    ).format(one.title, word, when(one.start, page), when(one.end, page), one.text)


def _section(title: str, items: Iterable[Markup], empty: str) -> Markup:
    told = Markup("").join(items) or Markup('<p class="small">{}</p>').format(empty)
    return Markup("<section><h2>{}</h2>{}</section>").format(title, told)


def _subscribe(links: Links) -> Markup:
    if not links.subscribe:
        return Markup("")
    if not links.kinds:
        return Markup('<section id="subscribe"><h2>Updates</h2><p><a href="{}">Subscribe</a></p></section>').format(
            links.subscribe
        )
    return Markup('<section id="subscribe"><h2>Updates</h2>{}</section>').format(
        Markup("").join(_form(kind, links) for kind in links.kinds)
    )


def _form(kind: str, links: Links) -> Markup:
    label, type, hint = (
        ("E-mail address", "email", "you@example.com") if kind == "email" else ("Webhook", "url", "https://...")
    )
    return Markup(
        '<form method="post" action="{}"><input type="hidden" name="kind" value="{}">'
        '<label>{} <input type="{}" name="address" required maxlength="500" placeholder="{}"></label> '
        '<label class="trap" aria-hidden="true">Leave this empty <input name="website" tabindex="-1" '
        'autocomplete="off"></label><button>Subscribe</button></form>'
    ).format(links.subscribe, kind, label, type, hint)


def when(at: datetime, page: Page) -> Markup:
    """Return an instant in the page's zone and in UTC, as an element that programs read too."""
    utc = at.astimezone(UTC)
    shown = in_zone(at, page.zone, today=page.now)
    return Markup('<time datetime="{:%Y-%m-%dT%H:%M:%SZ}" title="{:%Y-%m-%d %H:%M:%S} UTC">{}</time>').format(
        utc, utc, shown
    )


def _document(page: Page, links: Links, body: Markup, *, title: str, fresh: bool = False, private: bool = False) -> str:
    feeds = Markup('<link rel="alternate" type="application/atom+xml" title="Atom" href="{}">').format(
        links.to("feed.atom")
    ) + Markup('<link rel="alternate" type="application/rss+xml" title="RSS" href="{}">').format(links.to("feed.rss"))
    robots = Markup('<meta name="robots" content="noindex"><meta name="referrer" content="no-referrer">')
    whole = Markup(
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" '
        'content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">'
        '{}{}<title>{}</title><link rel="icon" href="data:,"><link rel="stylesheet" href="{}">{}</head><body>'
        '<a class="skip" href="#main">To the content</a><header><a href="{}"><bdi>{}</bdi></a></header>'
        '<main id="main">{}</main><footer><p><a href="{}">History</a> · <a href="{}">Atom</a> · <a href="{}">RSS</a> · '
        '<a href="{}">JSON</a></p><p class="small">As of <time datetime="{:%Y-%m-%dT%H:%M:%SZ}" '
        'title="{:%Y-%m-%d %H:%M:%S} UTC">{}</time>. Days of the bars are those of UTC.</p></footer></body></html>\n'
    ).format(
        Markup('<meta http-equiv="refresh" content="60">') if fresh and not links.ending else "",
        robots if private else "",
        title,
        links.to(STYLE),
        feeds,
        links.first,
        page.title,
        body,
        links.history,
        links.to("feed.atom"),
        links.to("feed.rss"),
        links.to("api/v2/summary.json"),
        page.now.astimezone(UTC),
        page.now.astimezone(UTC),
        in_zone(page.now, page.zone),
    )
    # What turns a line around or hides in it: of every text at once.
    return without_hidden(str(whole))


def _grouped(components: Iterable[Component]) -> Iterator[tuple[str, list[Component]]]:
    groups: dict[str, list[Component]] = {}
    for one in components:
        groups.setdefault(one.group, []).append(one)
    yield from groups.items()


__all__ = [
    "STYLE",
    "Links",
    "bar",
    "components_html",
    "copied",
    "first_page",
    "history_page",
    "incident_page",
    "notice_page",
    "press",
    "served",
    "when",
]

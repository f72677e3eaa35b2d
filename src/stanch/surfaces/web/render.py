"""Renders templates. Everything is escaped unless it was made by `words`, `chart` or `markdown`."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from stanch.incidents.quantities import quantity
from stanch.kernel.blocks import without_hidden
from stanch.kernel.duration import before_start
from stanch.surfaces.web import chart, findings, words
from stanch.surfaces.web.assets import asset_url

# What a clock shows when a page is made is no news: the page's script moves it on by itself.
_CLOCKS: Final = re.compile(r'(<(?:span class="lasting"|time )[^>]*>)[^<]*')


def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("stanch.surfaces.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals["asset"] = asset_url
    made.filters.update(
        arrow=words.arrow,
        before_start=before_start,
        deed=words.deed,
        chart=chart.chart,
        command=words.command,
        drawn=findings.drawn_of,
        exact=words.exact,
        lasting=words.lasting,
        legend=chart.legend_of,
        metric=words.metric,
        order=words.order,
        plain=words.plain,
        quantity=quantity,
        remaining=words.remaining,
        seconds=words.seconds,
        spark=chart.spark,
        symbol=words.symbol,
        table=findings.table_of,
        when=words.when,
    )
    return made


ENVIRONMENT: Final = _environment()


@dataclass(frozen=True, kw_only=True)
class Part:
    """A part of a page that is swapped by itself when it changes. `version` is the same as long as it says the same."""

    name: str
    html: Markup
    version: str


def page(template: str, values: Mapping[str, object]) -> str:
    """Return the whole page that `template` makes of `values`."""
    return _rendered(template, values)


def _rendered(template: str, values: Mapping[str, object]) -> str:
    # What turns a line around or hides in it, or is obeyed where a page is saved and printed: of every text at once.
    return without_hidden(ENVIRONMENT.get_template(template).render(values))


def part(name: str, template: str, values: Mapping[str, object]) -> Part:
    """Return the part `name` that `template` makes of `values`, in the element that carries its version."""
    inner = _rendered(template, values).strip()
    version = hashlib.blake2b(_CLOCKS.sub(r"\1", inner).encode(), digest_size=6).hexdigest()
    html = Markup('<div class="part" id="part-{}" data-v="{}">{}</div>').format(name, version, Markup(inner))  # noqa: S704  # autoescaped
    return Part(name=name, html=html, version=version)

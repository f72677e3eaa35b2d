"""A post-mortem as a document of its own: one file that needs no server, for reading, for print, for other programs."""

import base64
import re
from collections.abc import Mapping
from enum import StrEnum
from html import escape
from typing import Final

from stanch.review.rendering import as_html

_CHART: Final = re.compile(r"/postmortem/(\d{1,9})/chart/([a-z0-9_]{1,40})\.svg")
_STYLE: Final = (
    "body{font:16px/1.55 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem;color:#1c1c1c;"
    "background:#fff}h1{font-size:1.6rem;line-height:1.25}h2{margin-top:2rem;font-size:1.2rem;"
    "border-bottom:1px solid #ccc;padding-bottom:.2rem}a{color:#0b57a4}img{max-width:100%;height:auto}"
    "code,pre{font:13px ui-monospace,monospace;background:#f2f2f2}pre{padding:.6rem;overflow-x:auto}"
    "table{border-collapse:collapse}td,th{border:1px solid #ccc;padding:.25rem .5rem;text-align:left}"
    "footer{margin-top:3rem;color:#666;font-size:.85rem}"
    "@media print{body{margin:0;max-width:none;font-size:11pt}h2{break-after:avoid}img,table,pre{break-inside:avoid}"
    "a{color:inherit;text-decoration:none}@page{margin:2cm}}"
)


class Format(StrEnum):
    """What a post-mortem is exported as."""

    MARKDOWN = "markdown"
    HTML = "html"
    JSON = "json"


def chart_in(address: str, *, incident: int) -> str:
    """Return the name of the chart of this incident that an address leads to, empty when it leads to none."""
    found = _CHART.search(address)
    return found[2] if found and int(found[1]) == incident else ""


def as_document(markdown: str, *, incident: int, title: str, charts: Mapping[str, str], foot: str) -> str:
    """Return a post-mortem as one HTML document to be read and printed, with its `charts` (SVG by name) inside."""

    def picture(address: str) -> str:
        drawn = charts.get(chart_in(address, incident=incident), "")
        return f"data:image/svg+xml;base64,{base64.b64encode(drawn.encode()).decode()}" if drawn else ""

    body = as_html(markdown, picture=picture)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>\n"
        f"<body><main>\n{body}</main>\n<footer>{escape(foot)}</footer></body></html>\n"
    )

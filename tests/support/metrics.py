"""Pages of metrics as Prometheus reads them."""

import time


def dated(page: str) -> str:
    """Return a page on which each figure says when it was.

    Without that a scrape that fails, as one does whose far end waits for a core, takes all series away until the next:
    what a query finds would rest on the last scrape. Figures that say when they were last (staleness of five minutes).
    """
    now_ms = round(time.time() * 1000)
    lines = page.splitlines()
    return "".join(f"{line} {now_ms}\n" if line and not line.startswith("#") else f"{line}\n" for line in lines)

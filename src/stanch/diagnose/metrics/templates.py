"""Evidence of logs: kinds of lines that came, went or changed their share of their service's lines. Pure.

What is judged is the share among the service's own lines: more requests mean more of every line. Lines come in bursts
(one request writes twenty), so the statistic is divided by how bursty the template is.
"""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from stanch.alerts.baseline import Floats
from stanch.diagnose.metrics.evidence import Evidence, EvidenceKind, strength_of
from stanch.diagnose.metrics.frame import Graph, Integers, LogCounts, Marks

MINIMUM_LINES = 5  # of a service, before and after
BIN_SECONDS = 10.0  # bursts are measured over bins of this length: longer than a request, shorter than an incident
MAXIMUM_BINS = 256  # a side; 256 bins x 4,000 templates x 8 bytes is 8 MB. Longer histories get longer bins.
SHIFTS = (-1.0, -0.5, 0.0, 0.5, 1.0)  # onsets tried, in intervals of the metrics; lines are finer than samples
SHIFT_COST = 0.9  # factor for an onset one interval away from the one given
EARLIER_ODDS = 0.3  # prior odds that a change seen is from before the window rather than of its onset
EARLIER_SHARE = 0.4  # what a change keeps that did come before: onsets are stated late, too
INHERITED = 0.3  # an error is logged again by every caller: part taken off when one below changed as much


@dataclass(frozen=True, kw_only=True)
class TemplateChange:
    """One template of one service with its statistic, and its share of the service's lines before and after."""

    service: str
    template: str
    statistic: float
    before: float
    after: float


@dataclass(frozen=True, kw_only=True)
class _Stretch:
    """Lines of one stretch: counts by pair and by service, and how far bins stray from the pair's own share."""

    pairs: Floats
    services: Floats
    strayed: Floats
    usual: Floats
    bins: Floats


def log_evidence(
    logs: LogCounts, *, at: float, interval_seconds: float, graph: Graph | None, services: Collection[str]
) -> list[Evidence]:
    """Return the most changed template of each service, with what those below it explain taken off."""
    best: dict[str, TemplateChange] = {}
    for change in template_changes(logs, at=at, interval_seconds=interval_seconds):
        best.setdefault(change.service, change)
    found = []
    for name in sorted(set(best) & set(services)):
        change = best[name]
        below_it = graph.reachable(name) - {name} if graph else frozenset()
        below = max((best[callee].statistic for callee in below_it & set(best)), default=0.0)
        left = change.statistic * (1.0 - INHERITED * min(1.0, below / change.statistic))
        found.append(
            Evidence(
                kind=EvidenceKind.LOGS,
                service=name,
                subject=change.template,
                strength=strength_of(EvidenceKind.LOGS, left),
                deviation=left,
                before=change.before,
                after=change.after,
            )
        )
    return found


def template_changes(logs: LogCounts, *, at: float, interval_seconds: float) -> list[TemplateChange]:
    """Return the templates that changed at the onset, largest statistic first; one entry per service and template.

    Three stretches: quiet (marked as such), before and after the onset. With n of N lines of the service in each::

        G1 = 2 * (likelihood of "quiet and before have one share, after another" - of "one share for all")
        G0 = the same for "quiet has one share, before and after another": it changed earlier
        w  = 1 / (1 + 0.3 * exp((G0 - G1) / 2))
        statistic = max(w * G1, 0.4 * max(G0, G1)) / phi

    phi is the dispersion, at least 1: the sum of (n - e)^2 over the sum of e * (1 - share), over bins of 10 s, e
    being what the stretch's own share gives. The largest over onsets up to an interval away is kept, 0.9 per
    interval of distance.
    Worked: a line with 15 of 60 before and 0 of 40 after has G1 = 17.1; with no lines just before, w = 0.77: 13.1.
    Source of the G-test: Sokal & Rohlf, Biometry, chapter 17; of dividing by the dispersion: McCullagh & Nelder,
    Generalized Linear Models, section 4.5 (quasi-likelihood).
    """
    if not logs.times.size:
        return []
    pair, first, inverse = np.unique(
        np.stack([logs.service_of, logs.template_of], axis=1), axis=0, return_index=True, return_inverse=True
    )
    del first
    pair_of = np.asarray(inverse, dtype=np.int64).reshape(-1)
    service_of = pair[:, 0].astype(np.int64)
    best = np.zeros(len(pair))
    shares = np.zeros((2, len(pair)))
    for shift in SHIFTS:
        onset = at + shift * interval_seconds
        statistic, before, after = _statistics(logs, pair_of, service_of, onset)
        statistic = statistic * SHIFT_COST ** abs(shift)
        better = statistic > best
        best = np.where(better, statistic, best)
        shares = np.where(better, np.stack([before, after]), shares)
    order = sorted(
        np.flatnonzero(best > 0),
        key=lambda p: (-best[p], logs.services[pair[p, 0]], logs.templates[pair[p, 1]]),
    )
    return [
        TemplateChange(
            service=logs.services[int(pair[p, 0])],
            template=logs.templates[int(pair[p, 1])],
            statistic=float(best[p]),
            before=float(shares[0, p]),
            after=float(shares[1, p]),
        )
        for p in order
    ]


def _statistics(
    logs: LogCounts, pair_of: Integers, service_of: Integers, onset: float
) -> tuple[Floats, Floats, Floats]:
    """The statistic of every pair for one onset, and its shares before and after."""
    late = ~logs.quiet & (logs.times >= onset)
    early = ~logs.quiet & (logs.times < onset)
    quiet, before, after = (_stretch(logs, pair_of, service_of, rows) for rows in (logs.quiet, early, late))
    n_quiet, n_before, n_after = quiet.pairs, before.pairs, after.pairs
    all_quiet, all_before, all_after = quiet.services, before.services, after.services
    past, all_past = n_quiet + n_before, all_quiet + all_before
    shown, all_shown = n_before + n_after, all_before + all_after
    same = _likelihood(past + n_after, all_past + all_after)
    at_onset = 2 * (_likelihood(past, all_past) + _likelihood(n_after, all_after) - same)
    earlier = 2 * (_likelihood(n_quiet, all_quiet) + _likelihood(shown, all_shown) - same)
    # Without quiet lines nothing can have changed before the window.
    earlier = np.where(all_quiet > 0, earlier, -np.inf)
    weight = 1.0 / (1.0 + EARLIER_ODDS * np.exp(np.minimum((earlier - at_onset) / 2, 50.0)))
    statistic = np.maximum(weight * at_onset, EARLIER_SHARE * np.maximum(at_onset, earlier))
    strayed = quiet.strayed + before.strayed + after.strayed
    bins = quiet.bins + before.bins + after.bins
    usual = quiet.usual + before.usual + after.usual
    dispersion = np.where((bins > 3) & (usual > 0), np.maximum(1.0, strayed / np.maximum(usual, 1e-12)), 1.0)
    enough = (all_past >= MINIMUM_LINES) & (all_after >= MINIMUM_LINES)
    return np.where(enough, statistic / dispersion, 0.0), _share(past, all_past), _share(n_after, all_after)


def _stretch(logs: LogCounts, pair_of: Integers, service_of: Integers, rows: Marks) -> _Stretch:
    """Count the lines of one stretch by pair and service, and measure their dispersion over bins."""
    pairs = len(service_of)
    counts = np.bincount(pair_of[rows], minlength=pairs).astype(np.float64)
    of_services = np.bincount(logs.service_of[rows], minlength=len(logs.services)).astype(np.float64)
    totals = of_services[service_of]
    if not rows.any():
        return _Stretch(
            pairs=counts, services=totals, strayed=np.zeros(pairs), usual=np.zeros(pairs), bins=np.zeros(pairs)
        )
    bin_of = _bins(logs.times[rows])
    number = int(bin_of.max()) + 1
    cells = np.bincount(pair_of[rows] * number + bin_of, minlength=pairs * number).reshape(pairs, number)
    volume = np.bincount(logs.service_of[rows] * number + bin_of, minlength=len(logs.services) * number).reshape(
        len(logs.services), number
    )[service_of]
    share = _share(counts, totals)[:, None]
    expected = volume * share
    strayed = np.square(cells - expected).sum(axis=1)
    usual = (expected * (1 - share)).sum(axis=1)
    seen = counts > 0
    return _Stretch(
        pairs=counts,
        services=totals,
        strayed=np.where(seen, strayed, 0.0),
        usual=np.where(seen, usual, 0.0),
        bins=np.where(seen, (volume > 0).sum(axis=1), 0).astype(np.float64),
    )


def _bins(times: Floats) -> Integers:
    """Number the bins that have lines from 0; longer bins where there would be more than 256."""
    width = BIN_SECONDS
    while True:
        _, numbers = np.unique(np.floor(times / width), return_inverse=True)
        numbers = np.asarray(numbers, dtype=np.int64).reshape(-1)
        if int(numbers.max()) < MAXIMUM_BINS:
            return numbers
        width *= 2


def _likelihood(n: Floats, total: Floats) -> Floats:
    """Logarithm of the binomial likelihood at the share n / total, without the constant; 0 for no lines."""
    rest = total - n
    with np.errstate(divide="ignore", invalid="ignore"):
        some = np.where(n > 0, n * np.log(np.where(n > 0, n / np.maximum(total, 1), 1.0)), 0.0)
        others = np.where(rest > 0, rest * np.log(np.where(rest > 0, rest / np.maximum(total, 1), 1.0)), 0.0)
    sums: Floats = some + others
    return sums


def _share(n: Floats, total: Floats) -> Floats:
    share: Floats = n / np.maximum(total, 1.0)
    return share

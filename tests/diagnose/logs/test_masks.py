"""Values are told from words by their look."""

import pytest

from stanch.diagnose.logs.masks import WILDCARD, mask


def test_a_token_without_end_is_cut() -> None:
    """A token of a megabyte costs no more than one of 512 characters."""
    assert mask("a-" * 500_000).endswith(WILDCARD)


@pytest.mark.parametrize(
    ("line", "template"),
    [
        ("took 35 ms", "took <*>"),
        ("9780 bytes (9.55 KB) received, lifetime <1 sec", "<*> received, lifetime <*>"),
        ("connection from 1.2.3.4 at Mon Jul 25 23:24:09 2005", "connection from <*> at <*>"),
        ("GET https://a.example/x?y=1 200", "GET <*>"),
        ("open /var/log/x.log failed", "open <*> failed"),
        ("id=8a533bf9-bd12-4608-a8eb-606890982448, ok", "id=<*>, ok"),
        ("PendingReds:1 done", "PendingReds:<*> done"),
        ("ServiceImpl#558 [query]", "ServiceImpl#<*> [query]"),
        ("10.0.0.1:50010:Got exception", "<*>:Got exception"),
        ("jk2_init() found", "jk<*>_init() found"),
        ("session opened for user root", "session opened for user <*>"),
        ("proxy.example.com:8080 error", "<*> error"),
        ("org.example.Main started", "org.example.Main started"),
        ("", ""),
    ],
)
def test_values_are_masked(line: str, template: str) -> None:
    """Numbers, measures, dates, addresses, paths and ids are values; labels and names of code are not."""
    assert template == mask(line)

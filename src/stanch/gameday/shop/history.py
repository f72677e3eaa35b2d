"""The history of the shop's code and configuration, as data: who committed what, how long ago, and which tags.

The tree of v3.2.0 is stored whole under `source/`; earlier trees follow by taking commits back, later ones by
applying their edits.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable

INES = "Ines Aalto <ines.aalto@teashop.example>"
TOMAS = "Tomas Brandt <tomas.brandt@teashop.example>"
WEI = "Wei Lindqvist <wei.lindqvist@teashop.example>"
PRIYA = "Priya Raman <priya.raman@teashop.example>"

STORED_TAG = "v3.2.0"
DOCS_TAG = "v3.2.0+docs1"
NEXT_TAG = "v3.2.1"
GOOD_CONFIGURATION = "c41"
NEXT_CONFIGURATION = "c42"

# Sources are stored as `name.py.txt`, so that no tool takes them for modules of Stanch.
STORED_SUFFIX = ".txt"

Tree = dict[str, str]


@dataclass(frozen=True, kw_only=True)
class Edit:
    """One piece of text in one file that a commit replaces; both texts occur exactly once."""

    path: str
    before: str
    after: str


@dataclass(frozen=True, kw_only=True)
class Commit:
    """One commit; `adds` are files or folders that it creates."""

    author: str
    hours_ago: float
    message: str
    adds: tuple[str, ...] = ()
    edits: tuple[Edit, ...] = ()
    tag: str | None = None


COMMITS = (
    Commit(
        author=INES,
        hours_ago=579,
        message="shoplib: http service, metrics and json logs",
        adds=("shoplib/", "docs/", "README.md", "OWNERS"),
    ),
    Commit(
        author=TOMAS,
        hours_ago=556,
        message="payments: take payments through the acquirer\n\nThe ledger is written before the money moves.",
        adds=("payments/",),
    ),
    Commit(
        author=WEI,
        hours_ago=531,
        message="checkout: price a basket and have it paid",
        adds=("checkout/",),
    ),
    Commit(
        author=WEI,
        hours_ago=508,
        message="gateway: public api for the catalogue and the checkout",
        adds=("gateway/",),
    ),
    Commit(
        author=INES,
        hours_ago=390,
        message="shoplib: wait for a peer that is being restarted",
        edits=(
            Edit(
                path="shoplib/client.py",
                before="RETRY_CONNECT_FOR_S = 0.1",
                after="RETRY_CONNECT_FOR_S = 1.0",
            ),
        ),
        tag="v3.1.0",
    ),
    Commit(
        author=PRIYA,
        hours_ago=221,
        message="payments: refunds for the back office\n\nOnly whole orders; parts of an order come later.",
        adds=("payments/refunds.py",),
        edits=(
            Edit(
                path="payments/service.py",
                before="from payments import validation\n",
                after="from payments import refunds, validation\n",
            ),
            Edit(
                path="payments/service.py",
                before='"/payments", self.pay)\n',
                after='"/payments", self.pay)\n        service.route("POST", "/refunds", self.refund)\n',
            ),
            Edit(
                path="payments/service.py",
                before='return 201, {"state": "captured"}\n',
                after=(
                    'return 201, {"state": "captured"}\n\n'
                    "    def refund(self, request: Request) -> Answer:\n"
                    '        """Give the money of one order back."""\n'
                    "        return 200, refunds.refund(self._ledger, request.body)\n"
                ),
            ),
            Edit(
                path="checkout/service.py",
                before='"/checkout", self.check_out)\n',
                after='"/checkout", self.check_out)\n        service.route("POST", "/refunds", self.refund)\n',
            ),
            Edit(
                path="gateway/service.py",
                before='"/api/checkout", self.check_out)\n',
                after='"/api/checkout", self.check_out)\n        service.route("POST", "/api/refunds", self.refund)\n',
            ),
        ),
    ),
    Commit(
        author=WEI,
        hours_ago=173,
        message="checkout: turn people away after a second, not after five",
        edits=(Edit(path="checkout/service.py", before="wait_s=5.0", after="wait_s=1.0"),),
    ),
    Commit(
        author=PRIYA,
        hours_ago=76,
        message="payments: migration for a smaller ledger\n\nTo be run in a quiet hour; reports no longer need it.",
        adds=("payments/migrations/0003_smaller_ledger",),
        tag=STORED_TAG,
    ),
    Commit(
        author=WEI,
        hours_ago=29,
        message="docs: what the metrics mean",
        adds=("docs/metrics.md",),
        tag=DOCS_TAG,
    ),
    Commit(
        author=TOMAS,
        hours_ago=4.6,
        message=(
            "payments: read the saved card from the account\n\n"
            "Returning customers who once typed in another card were charged on that one for ever."
        ),
        edits=(
            Edit(
                path="payments/validation.py",
                before=(
                    '    """Return the card that was typed in, or else the one saved with the account."""\n'
                    '    card: dict[str, Any] | None = order.get("card")\n'
                    '    if card is None and order.get("account"):\n'
                    '        card = order["account"]["saved_card"]\n'
                ),
                after=(
                    '    """Return the card saved with the account, or else the one that was typed in."""\n'
                    '    saved = order["account"]["saved_card"]\n'
                    '    card: dict[str, Any] | None = saved or order.get("card")\n'
                ),
            ),
        ),
    ),
    Commit(
        author=INES,
        hours_ago=1.7,
        message="gateway: friendlier words for an empty basket",
        edits=(
            Edit(
                path="gateway/texts.py",
                before="Your basket is still empty. Add something you like first.",
                after="Nothing in your basket yet. Have a look around and add something you like.",
            ),
        ),
        tag=NEXT_TAG,
    ),
)
# Written after the release that is stored, so that it is not part of it.
LATER_FILES = {
    "docs/metrics.md": (
        "# Metrics\n\n"
        "`http_requests_total` counts answers by route, method and status;"
        " `http_request_duration_seconds` times them.\n"
        "`http_client_requests_total` and `http_client_request_duration_seconds`"
        " do the same for calls to other services, by target.\n"
    ),
}


def stored_tree() -> Tree:
    """Return the files of v3.2.0 by path."""
    return {path.removesuffix(STORED_SUFFIX): text for path, text in _walk(files(__package__) / "source", "")}


def _walk(folder: Traversable, prefix: str) -> Iterator[tuple[str, str]]:
    for entry in sorted(folder.iterdir(), key=lambda each: each.name):
        if entry.is_dir():
            yield from _walk(entry, f"{prefix}{entry.name}/")
        elif entry.name.endswith(STORED_SUFFIX):
            yield f"{prefix}{entry.name}", entry.read_text(encoding="utf-8")


def code_trees() -> list[tuple[Commit, Tree]]:
    """Return every commit of the code with the tree that it leaves, oldest first."""
    stored = next(place for place, commit in enumerate(COMMITS) if commit.tag == STORED_TAG)
    tree = stored_tree()
    trees = [(COMMITS[stored], tree)]
    for place in range(stored, 0, -1):
        tree = _taken_back(COMMITS[place], tree)
        trees.insert(0, (COMMITS[place - 1], tree))
    tree = trees[-1][1]
    for commit in COMMITS[stored + 1 :]:
        tree = _applied(commit, tree)
        trees.append((commit, tree))
    return trees


def _taken_back(commit: Commit, tree: Tree) -> Tree:
    kept = {path: text for path, text in tree.items() if not path.startswith(commit.adds or ("\0",))}
    for edit in commit.edits:
        kept[edit.path] = _replaced(kept[edit.path], edit.after, edit.before)
    return kept


def _applied(commit: Commit, tree: Tree) -> Tree:
    changed = tree | {path: LATER_FILES[path] for path in commit.adds}
    for edit in commit.edits:
        changed[edit.path] = _replaced(changed[edit.path], edit.before, edit.after)
    return changed


def _replaced(text: str, old: str, new: str) -> str:
    if text.count(old) != 1:
        raise ValueError(f"expected exactly one {old!r}, found {text.count(old)}")
    return text.replace(old, new)


def _configuration(settlement: Mapping[str, object]) -> Tree:
    services: dict[str, Mapping[str, object]] = {
        "gateway": {"timeout_s": 10},
        "checkout": {"timeout_s": 8, "pricing_workers": 2, "pricing_rules_ms": 22},
        "payments": {"timeout_s": 6, "pool_size": 20, "settlement": settlement},
    }
    return {f"{name}.json": json.dumps(values, indent=2) + "\n" for name, values in services.items()}


SETTLEMENT = {"first_after_s": 2, "every_s": 30, "batch": 1000}


def configuration_trees() -> list[tuple[Commit, Tree]]:
    """Return every commit of the configuration with the tree that it leaves, oldest first."""
    return [
        (
            Commit(author=INES, hours_ago=506, message="all: configuration of the three services", tag="c40"),
            _configuration({**SETTLEMENT, "every_s": 300}),
        ),
        (
            Commit(
                author=PRIYA,
                hours_ago=52,
                message="payments: settle twice a minute",
                tag=GOOD_CONFIGURATION,
            ),
            _configuration(SETTLEMENT),
        ),
        (
            Commit(
                author=TOMAS,
                hours_ago=2.2,
                message="payments: settle currencies on their own\n\nFinance closes the books per currency.",
                tag=NEXT_CONFIGURATION,
            ),
            _configuration({"first_after_s": 2, "every_s": 30, "batches": {"EUR": 800, "SEK": 200}}),
        ),
    ]

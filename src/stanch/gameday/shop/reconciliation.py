"""The nightly batch: marks the payments that the bank has confirmed as settled, in one transaction over the ledger.

`python -m stanch.gameday.shop.reconciliation --ledger FILE`. Standard input takes `{"work": true}`, which is answered
on standard output when the first rows are marked. Then it waits for the bank's next page of confirmations, which does
not come, with its transaction open. The process ends when its input closes; what it marked is then rolled back.
"""

import argparse
import asyncio
import sqlite3
import time
from pathlib import Path

from stanch.gameday.shop.companion import take_commands

HOUR_S = 3600.0
MARK = (
    "UPDATE payments SET state = 'settled' WHERE id IN"
    " (SELECT id FROM payments WHERE state = 'captured' AND at < ? LIMIT 50)"
)


def begin(ledger: Path) -> sqlite3.Connection:
    """Open the transaction and mark the first page; return the connection that holds it open."""
    connection = sqlite3.connect(ledger, timeout=10.0, isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    connection.execute(MARK, (time.time() - HOUR_S,))
    return connection


async def work(ledger: Path) -> None:
    """Take commands; the transaction lives as long as this does."""
    opened: list[sqlite3.Connection] = []

    async def obey(command: dict[str, object]) -> dict[str, object]:
        if command.get("work") and not opened:
            opened.append(begin(ledger))
        return {"pages": len(opened)}

    await take_commands(obey)


def main() -> None:
    """Run the batch on the ledger at `--ledger`."""
    parser = argparse.ArgumentParser(prog="reconciliation", description=main.__doc__)
    parser.add_argument("--ledger", type=Path, required=True)
    asyncio.run(work(parser.parse_args().ledger))


if __name__ == "__main__":
    main()

"""Receipts, kept for as long as the city."""

import json
import sqlite3

from cim_core.errors import NotFound
from cim_core.feature import Value
from cim_core.receipt import Receipt
from cim_core.store.database import Database


def insert_receipt(connection: sqlite3.Connection, receipt: Receipt) -> None:
    """Store a receipt inside the transaction that publishes what it vouches for."""
    body = json.dumps(receipt.as_dict(), ensure_ascii=False)
    connection.execute(
        "INSERT INTO receipts (id, kind, body) VALUES (?, ?, ?) ON CONFLICT (id) DO NOTHING",
        (receipt.id, receipt.kind, body),
    )


class Receipts:
    """The receipts of one city."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, receipt: Receipt) -> None:
        """Keep a receipt of something that changes nothing else in the city."""
        with self._database.transaction() as connection:
            insert_receipt(connection, receipt)

    def get(self, receipt_id: str) -> dict[str, Value]:
        """A receipt as plain values; raises `NotFound`."""
        row = self._database.connection.execute(
            "SELECT body FROM receipts WHERE id = ?", (receipt_id,)
        ).fetchone()
        if row is None:
            raise NotFound(f"there is no receipt {receipt_id!r} in this city")
        body: dict[str, Value] = json.loads(row[0])
        return body

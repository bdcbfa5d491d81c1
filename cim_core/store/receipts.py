"""Receipts, kept for as long as the city."""

import json
import re
import sqlite3
from collections.abc import Mapping
from typing import Any

from cim_core.errors import NotFound
from cim_core.feature import Value
from cim_core.receipt import Receipt
from cim_core.sight import EVERYTHING, Sight
from cim_core.store.database import Database

_VERSION = re.compile(r"([a-z0-9][a-z0-9_-]*) version \d+")
"""How an input names a version of a layer."""


def insert_receipt(connection: sqlite3.Connection, receipt: Receipt) -> None:
    """Store a receipt inside the transaction that publishes what it vouches for."""
    body = json.dumps(receipt.as_dict(), ensure_ascii=False)
    connection.execute(
        "INSERT INTO receipts (id, kind, body) VALUES (?, ?, ?) ON CONFLICT (id) DO NOTHING",
        (receipt.id, receipt.kind, body),
    )


class Receipts:
    """The receipts of one city."""

    def __init__(self, database: Database, sight: Sight = EVERYTHING) -> None:
        self._database = database
        self._sight = sight

    def add(self, receipt: Receipt) -> None:
        """Keep a receipt of something that changes nothing else in the city."""
        with self._database.transaction() as connection:
            insert_receipt(connection, receipt)

    def get(self, receipt_id: str) -> dict[str, Value]:
        """A receipt as plain values; raises `NotFound`."""
        row = self._database.connection.execute(
            "SELECT body FROM receipts WHERE id = ?", (receipt_id,)
        ).fetchone()
        body: dict[str, Value] = json.loads(row[0]) if row else {}
        if row is None or not (self._is_open(body) and all(map(self._sight.of, _layers(body)))):
            raise NotFound(f"there is no receipt {receipt_id!r} in this city")
        if not self._sight.wholly(_layers(body)):
            body |= {"inputs": [], "parameters": {}, "outputs": {}}
        return body if self._sight.people else {**body, "who": None}

    def _is_open(self, body: Mapping[str, Any]) -> bool:
        """Whether who asks may know of its kind: check-ups are internal, whatever they are made of."""
        return body["kind"] != "checkup" or self._sight.towns is None or bool(self._sight.towns)

    def inputs(self, kind: str) -> frozenset[str]:
        """The SHA-256 of all that things of one kind were made of, whoever asks."""
        rows = self._database.connection.execute(
            "SELECT input.value ->> '$.sha256' AS hash FROM receipts, json_each(body, '$.inputs') AS input"
            " WHERE kind = ?",
            (kind,),
        )
        return frozenset(row["hash"] for row in rows)


def _layers(body: Mapping[str, Any]) -> set[str]:
    """The layers that a receipt tells of."""
    named = {body[place].get("layer") for place in ("parameters", "outputs")}
    used = (_VERSION.fullmatch(item["name"]) for item in body["inputs"])
    return {layer for layer in named if layer} | {match[1] for match in used if match}

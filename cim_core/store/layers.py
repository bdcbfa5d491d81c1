"""Layers and their versions in the registry."""

import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from cim_core.about import About, Said, about_layer
from cim_core.errors import NotFound
from cim_core.feature import Value
from cim_core.receipt import Receipt
from cim_core.sight import EVERYTHING, WHOLE, Part, Sight
from cim_core.store.conditions import seen_rows
from cim_core.store.database import Database
from cim_core.store.features import delete_features
from cim_core.store.geopackage import hide_layer, show_layer
from cim_core.store.labels import Label, Labels
from cim_core.store.layer_summary import Summary, TilesetSummary
from cim_core.store.receipts import insert_receipt


@dataclass(frozen=True, slots=True)
class RollBack:
    """That an earlier version was made the served one again."""

    when: str
    who: str | None
    before: int
    after: int
    receipt: str


@dataclass(frozen=True, slots=True)
class LayerVersion:
    """A published version of a layer."""

    layer: str
    version: int
    title: str
    published: str
    receipt: str
    summary: Summary
    current: bool
    about: About
    part: Part = WHOLE


ROLL_BACK = "rollback"
"""The kind of the receipts of roll-backs."""

_SELECT = (
    "SELECT v.*, l.version AS served, l.about FROM versions v JOIN layers l ON l.id = v.layer"
    " WHERE v.state = 'published'"
)


class LayerStore:
    """The layers of one city."""

    def __init__(self, database: Database, sight: Sight = EVERYTHING) -> None:
        self._database = database
        self._sight = sight
        self._labels = Labels(database)

    def current(self) -> list[LayerVersion]:
        """Every layer in the version that is served, by id."""
        rows = self._database.connection.execute(
            f"{_SELECT} AND v.version = l.version ORDER BY v.layer"
        )
        return [self._seen(row) for row in rows if self._sight.of(row["layer"])]

    def state(self) -> tuple[tuple[str, int, str, str], ...]:
        """What of each layer is served, said and seen; another whenever any of it is.

        For who keeps answers that were made of layers.
        """
        rows = self._database.connection.execute(
            "SELECT id, version, about FROM layers ORDER BY id"
        )
        return tuple(
            (row["id"], row["version"], row["about"], part.key)
            for row in rows
            if (part := self._sight.of(row["id"])) is not None
        )

    def labels(self) -> list[Label]:
        """What decides who sees each layer, whoever asks."""
        return self._labels.all()

    def get(self, layer: str) -> LayerVersion:
        """The version of a layer that is served; raises `NotFound`."""
        row = self._database.connection.execute(
            f"{_SELECT} AND v.layer = ? AND v.version = l.version", (layer,)
        ).fetchone()
        if row is None or not self._sight.of(layer):
            raise NotFound(f"there is no layer {layer!r} in this city; `cim layers` lists them")
        return self._seen(row)

    def version(self, layer: str, number: int | None) -> LayerVersion:
        """A kept version of a layer by its number, the served one without; raises `NotFound`."""
        if number is None:
            return self.get(layer)
        row = self._database.connection.execute(
            f"{_SELECT} AND v.layer = ? AND v.version = ?", (layer, number)
        ).fetchone()
        if row is None or not self._sight.of(layer):
            self.get(layer)
            raise _no_version(layer, number)
        return self._seen(row)

    def is_kept(self, layer: str, number: int) -> bool:
        """Whether a version of a layer is published and still there; asked for every file served."""
        row = self._database.connection.execute(
            "SELECT 1 FROM versions v JOIN layers l ON l.id = v.layer"
            " WHERE v.layer = ? AND v.version = ? AND v.state = 'published'",
            (layer, number),
        ).fetchone()
        return row is not None and self._sight.of(layer) is not None

    def versions(self, layer: str) -> list[LayerVersion]:
        """The kept versions of a layer, newest first; raises `NotFound`."""
        rows = self._database.connection.execute(
            f"{_SELECT} AND v.layer = ? ORDER BY v.version DESC", (layer,)
        ).fetchall()
        if not rows or not self._sight.of(layer):
            self.get(layer)
        return [self._seen(row) for row in rows]

    def roll_backs(self, layer: str) -> list[RollBack]:
        """How often earlier versions of a layer were made the served one again, latest first."""
        rows = self._database.connection.execute(
            "SELECT id, body ->> '$.when' AS at, body ->> '$.who' AS who,"
            " body ->> '$.parameters.from' AS before, body ->> '$.parameters.to' AS after"
            " FROM receipts WHERE kind = ? AND body ->> '$.parameters.layer' = ? ORDER BY at DESC",
            (ROLL_BACK, layer),
        )
        return [
            RollBack(
                r["at"], r["who"] if self._sight.people else None, r["before"], r["after"], r["id"]
            )
            for r in rows
        ]

    def last_served(self, layer: str) -> list[int]:
        """The kept versions of a layer, the one that came into service last first."""
        served = {item.version: item.published for item in self.versions(layer)}
        for again in self.roll_backs(layer):
            if again.after in served:
                served[again.after] = max(served[again.after], again.when)
        return sorted(served, key=lambda version: (served[version], version), reverse=True)

    def _seen(self, row: sqlite3.Row) -> LayerVersion:
        """A version with what is seen of it; of one that is seen in part, what that part holds."""
        version = _version(row)
        part = self._sight.part(version.layer)
        if part.whole:
            return version
        summary = part_summary(self._database, version, part)
        return replace(version, part=part, summary=summary)

    def unfinished(self) -> list[tuple[str, int]]:
        """(layer, version) of what is being built, or was when its builder died."""
        rows = self._database.connection.execute(
            "SELECT layer, version FROM versions WHERE state = 'building'"
        )
        return [(row["layer"], row["version"]) for row in rows]

    def begin(self, layer: str, title: str) -> int:
        """Number a new version; it stays unseen until `publish_version`."""
        with self._database.transaction() as connection:
            row = connection.execute(
                "INSERT INTO version_numbers (layer, last) VALUES (?, 1)"
                " ON CONFLICT (layer) DO UPDATE SET last = last + 1 RETURNING last",
                (layer,),
            ).fetchone()
            connection.execute(
                "INSERT INTO versions (layer, version, state, title) VALUES (?, ?, 'building', ?)",
                (layer, row[0], title),
            )
        return int(row[0])

    def discard(self, layer: str, version: int) -> None:
        """Forget a version and its features, unless it is the one that is served.

        It may have become that a moment ago: rolling back does not wait for the layer's lock.
        """
        with self._database.transaction() as connection:
            if connection.execute(
                "SELECT 1 FROM layers WHERE id = ? AND version = ?", (layer, version)
            ).fetchone():
                return
            delete_features(connection, layer, version)
            connection.execute(
                "DELETE FROM versions WHERE layer = ? AND version = ?", (layer, version)
            )

    def remove(self, layer: str) -> None:
        """Forget a layer with all its versions; its receipts stay."""
        with self._database.transaction() as connection:
            hide_layer(connection, layer)
            connection.execute("DELETE FROM layers WHERE id = ?", (layer,))
            for row in connection.execute(
                "SELECT version FROM versions WHERE layer = ?", (layer,)
            ).fetchall():
                delete_features(connection, layer, row[0])
            connection.execute("DELETE FROM versions WHERE layer = ?", (layer,))


def publish_version(
    connection: sqlite3.Connection,
    layer: str,
    version: int,
    title: str,
    summary: Summary,
    receipt: Receipt,
    said: Said,
) -> None:
    """Make a finished version the one that is served: the step a viewer sees, all at once.

    What was `said` about the layer with earlier versions stays, unless it is said anew.
    """
    insert_receipt(connection, receipt)
    connection.execute(
        "UPDATE versions SET state = 'published', title = ?, published = ?, receipt = ?, summary = ?"
        " WHERE layer = ? AND version = ?",
        (title, receipt.when, receipt.id, json.dumps(summary, ensure_ascii=False), layer, version),
    )
    connection.execute(
        "INSERT INTO layers (id, title, version, about) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (id) DO UPDATE SET title = excluded.title, version = excluded.version,"
        "  about = json_patch(about, excluded.about)",
        (layer, title, version, json.dumps(said, ensure_ascii=False)),
    )
    bbox = summary["bbox"] or [0.0] * 6
    show_layer(connection, layer, title, tuple(bbox))


def describe_layer(
    connection: sqlite3.Connection, layer: str, said: Mapping[str, Value], receipt: Receipt
) -> None:
    """Keep what is said about a layer; None takes back what was said. It takes no new version."""
    insert_receipt(connection, receipt)
    connection.execute(
        "UPDATE layers SET about = json_patch(about, ?) WHERE id = ?",
        (json.dumps(dict(said), ensure_ascii=False), layer),
    )


def serve_again(
    connection: sqlite3.Connection, version: LayerVersion, receipt_of: Callable[[int], Receipt]
) -> Receipt | None:
    """Make a kept version the one that is served, all at once; None if it is that already.

    `receipt_of` is told the number of the version served until now. Raises `NotFound` when the
    version was swept meanwhile.
    """
    layer, number = version.layer, version.version
    row = connection.execute(
        "SELECT l.version FROM layers l JOIN versions v ON v.layer = l.id"
        " WHERE l.id = ? AND v.version = ? AND v.state = 'published'",
        (layer, number),
    ).fetchone()
    if row is None:
        raise _no_version(layer, number)
    if row[0] == number:
        return None
    receipt = receipt_of(row[0])
    insert_receipt(connection, receipt)
    connection.execute(
        "UPDATE layers SET title = ?, version = ? WHERE id = ?", (version.title, number, layer)
    )
    bbox = version.summary["bbox"] or [0.0] * 6
    show_layer(connection, layer, version.title, tuple(bbox))
    return receipt


def part_summary(database: Database, version: LayerVersion, part: Part) -> Summary:
    """What a part of a version says of itself: counts and extent of what is seen, and no tiles."""
    seen, values = seen_rows(part)
    rows = database.connection.execute(
        "SELECT f.class, f.storey, COUNT(*) AS count, min(b.west), min(b.south), max(b.east),"
        " max(b.north), min(f.zmin), max(f.zmax) FROM features f"
        " JOIN rtree_feature_boxes b ON b.fid = f.fid"
        f" WHERE f.layer = ? AND f.version = ? AND f.body = 1{seen} GROUP BY f.class, f.storey",
        (version.layer, version.version, *values),
    ).fetchall()
    classes: Counter[str] = Counter()
    storeys: Counter[str | None] = Counter()
    for row in rows:
        classes[row["class"]] += row["count"]
        storeys[row["storey"]] += row["count"]
    sides = [[row[column] for row in rows] for column in range(3, 9)]
    west, south, east, north, bottom, top = sides
    heights = [min(bottom), max(top)] if part.heights and rows else [0.0, 0.0]
    box = [min(west), min(south), heights[0], max(east), max(north), heights[1]] if rows else None
    summary = version.summary
    tiles: TilesetSummary = {
        "bytes": 0, "leaf_bytes": 0, "tiles": 0, "reused_tiles": 0, "triangles": 0, "deviation": 0.0,
    }  # fmt: skip
    return {
        **summary,
        "bbox": box,
        "features": classes.total(),
        "classes": {
            name: {**style, "count": classes[name]}
            for name, style in summary["classes"].items()
            if classes[name]
        },
        "storeys": [
            {**storey, "count": storeys[storey["id"]]}
            for storey in summary["storeys"]
            if part.heights and storeys[storey["id"]]
        ],
        "tile_attributes": [name for name in summary["tile_attributes"] if not part.hides(name)],
        "tileset": tiles,
        "checkin": None,
    }


def _no_version(layer: str, number: int) -> NotFound:
    return NotFound(
        f"there is no version {number} of the layer {layer!r}; `cim versions {layer}` lists those "
        "that are kept"
    )


def _version(row: sqlite3.Row) -> LayerVersion:
    summary: Summary = json.loads(row["summary"])
    about = about_layer(
        summary.get("kind", "model"), summary["lifecycle"], summary["level"], summary["cim_level"],
        summary["sensitivity"], json.loads(row["about"]),
    )  # fmt: skip
    return LayerVersion(
        row["layer"], row["version"], row["title"], row["published"], row["receipt"], summary,
        row["version"] == row["served"], about,
    )  # fmt: skip

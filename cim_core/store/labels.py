"""What decides who sees a layer: read for every request, so it is quick."""

import json
import sqlite3
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import get_args

from cim_core.layer import Kind, Sensitivity
from cim_core.store.database import Database


@dataclass(frozen=True, slots=True)
class Label:
    """What decides who sees a layer.

    box
        West, south, east, north, degrees; None without anything in it.
    """

    layer: str
    kind: Kind
    sensitivity: Sensitivity
    department: str | None
    cim_level: int
    box: tuple[float, float, float, float] | None


@dataclass(frozen=True, slots=True)
class _Own:
    """What a version says for the label of its layer; `box` with heights."""

    kind: Kind
    sensitivity: Sensitivity
    level: int
    box: list[float] | None


_Facts = tuple[str, str, bool, _Own]
"""A layer, what was said of it, whether it is the version that is served, and what that says."""

_STRICTNESS: tuple[Sensitivity, ...] = get_args(Sensitivity)
"""Public, internal, sensitive."""


class Labels:
    """The labels of the layers of one city; what a version says is read once."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._versions: dict[tuple[str, int], _Own] = {}

    def all(self) -> list[Label]:
        """What decides who sees each layer, whoever asks; quicker than all that is known of it.

        Kept versions can be asked for as well as the one that is served, so the strictest decides.
        """
        rows = self._database.connection.execute(
            "SELECT l.id, l.about, l.version AS served, v.version FROM layers l"
            " JOIN versions v ON v.layer = l.id AND v.state = 'published' ORDER BY l.id"
        )
        return [_label(list(some)) for _, some in groupby(map(self._facts, rows), itemgetter(0))]

    def _facts(self, row: sqlite3.Row) -> "_Facts":
        """What a version says for the label of its layer; a version never changes."""
        key = row["id"], row["version"]
        known = self._versions.get(key)
        if known is None:
            found = self._database.connection.execute(
                "SELECT summary ->> '$.kind' AS kind, summary ->> '$.bbox' AS bbox,"
                " summary ->> '$.sensitivity' AS sensitivity, summary ->> '$.cim_level' AS level"
                " FROM versions WHERE layer = ? AND version = ?",
                key,
            ).fetchone()
            known = self._versions[key] = _Own(
                found["kind"] or "model", found["sensitivity"], int(found["level"]),
                json.loads(found["bbox"]) if found["bbox"] else None,
            )  # fmt: skip
        return row["id"], row["about"], row["version"] == row["served"], known


def _label(facts: list[_Facts]) -> Label:
    """The label of a layer by all its kept versions."""
    layer, about, _, _ = facts[0]
    said = json.loads(about)
    own = [version for _, _, _, version in facts]
    strictest = max((version.sensitivity for version in own), key=_STRICTNESS.index)
    served = next((version for _, _, is_served, version in facts if is_served), own[0])
    boxes = [version.box for version in own if version.box]
    sides = list(zip(*boxes, strict=True))
    return Label(
        layer, served.kind, said.get("sensitivity", strictest), said.get("department"),
        int(said.get("cim_level", max(version.level for version in own))),
        (min(sides[0]), min(sides[1]), max(sides[3]), max(sides[4])) if boxes else None,
    )  # fmt: skip

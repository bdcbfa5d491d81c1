"""Measures of intersections and states of roads, each computed once for all who ask the same."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any, Literal, get_args

import numpy as np
import orjson
import shapely

from analysis.traffic.congestion import By as RoadBy
from analysis.traffic.congestion import road_states
from analysis.traffic.measures import edges_of, measure
from analysis.traffic.measures_diagrams import cycles, queue_series, time_space
from analysis.traffic.measures_parts import By
from analysis.traffic.measures_scene import AFTER, BEFORE, scene
from cim_core.city import City
from cim_core.kept import kept
from cim_core.progress import Progress
from server.access.taking import Taking
from server.exports import parquet_table
from server.spreadsheet import as_csv
from server.traffic.asked import Roads
from server.traffic.work import Question, Work

TableFormat = Literal["csv", "parquet"]
Document = dict[str, Any]

MEDIA_TYPES: dict[TableFormat, str] = {
    "csv": "text/csv; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
}

_KEPT = 8
"""Some are tens of megabytes."""


class Measuring:
    """Answers questions about windows of traffic, and keeps the last answers.

    An answer holds while nothing else is recorded of its window and the road map is the same.
    """

    def __init__(self, city: City, work: Work) -> None:
        self._city = city
        self._work = work
        self._answers = kept(_KEPT)(self._answered)

    def measures(
        self, roads: Roads, intersection: str, window: tuple[int, int], bin_s: int, by: By
    ) -> Document:
        """The measures of an intersection as a table."""
        asked = {"intersection": intersection, "bin_s": bin_s}
        found: Document = self._ask(measures, [roads], window, layer=roads.layer, **asked)[by]
        return found

    def cycles(self, roads: Roads, intersection: str, window: tuple[int, int]) -> Document:
        """The cycles of its signals, and when vehicles arrived in them."""
        return self._ask(
            signal_cycles, [roads], window, layer=roads.layer, intersection=intersection
        )

    def queues(
        self, roads: Roads, intersection: str, window: tuple[int, int], step_s: int
    ) -> Document:
        """The queues on its lanes, over time."""
        asked = {"intersection": intersection, "step_s": step_s}
        return self._ask(queues, [roads], window, layer=roads.layer, **asked)

    def time_space(
        self, roads: Roads, window: tuple[int, int], corridor: str | None, from_: str | None,
        to: str | None,
    ) -> Document:  # fmt: skip
        """Greens and tracks along a corridor, or from one intersection to another."""
        asked = {"corridor": corridor, "from_": from_, "to": to}
        return self._ask(along, [roads], window, layer=roads.layer, **asked)

    def states(
        self, maps: Iterable[Roads], window: tuple[int, int], bin_s: int, by: RoadBy,
        resolution: int | None, definition: str | None,
    ) -> Document:  # fmt: skip
        """How roads were."""
        asked = {"bin_s": bin_s, "by": by, "resolution": resolution, "definition": definition}
        return self._ask(states, list(maps), window, **asked)

    def _ask(
        self, question: Question, maps: list[Roads], window: tuple[int, int], **asked: object
    ) -> Document:
        start, end = window
        newest = self._city.traffic.batches.newest
        stamp = tuple(
            (one.layer, one.version.version, newest(one.layer, start - BEFORE, end + AFTER))
            for one in maps
        )
        arguments = tuple(sorted({"start": start, "end": end, **asked}.items()))
        return self._answers(question, stamp, self._city.history.snapshot().number, arguments)

    def _answered(
        self, question: Question, stamp: tuple[tuple[str, int, int], ...], _: int,
        arguments: tuple[tuple[str, Any], ...],
    ) -> Document:  # fmt: skip
        layers = [layer for layer, _, _ in stamp]
        answer: Document = self._work.ask(question, layers, **dict(arguments))
        return answer


def measures(
    city: City, layer: str, intersection: str, start: int, end: int, bin_s: int
) -> Document:
    """What `Measuring.measures` answers with, by all there is: vehicles are matched once."""
    edges_of(start, end, bin_s)
    found = scene(city, layer, intersection, start, end)
    return {by: measure(found, bin_s, by).as_dict() for by in get_args(By)}


def signal_cycles(city: City, layer: str, intersection: str, start: int, end: int) -> Document:
    """What `Measuring.cycles` answers with."""
    return cycles(city, layer, intersection, start, end).document()


def queues(
    city: City, layer: str, intersection: str, start: int, end: int, step_s: int
) -> Document:
    """What `Measuring.queues` answers with."""
    return queue_series(city, layer, intersection, start, end, step_s).document()


def along(
    city: City, layer: str, start: int, end: int, corridor: str | None, from_: str | None,
    to: str | None,
) -> Document:  # fmt: skip
    """What `Measuring.time_space` answers with."""
    return time_space(city, layer, start, end, corridor=corridor, from_=from_, to=to).document()


def states(
    city: City, start: int, end: int, bin_s: int, by: RoadBy, resolution: int | None,
    definition: str | None,
) -> Document:  # fmt: skip
    """What `Measuring.states` answers with."""
    found = road_states(city, None, start, end, bin_s, by, resolution, Progress(), definition)
    return {
        "by": found.by, "start": found.start, "end": found.end, "bin": found.bin_s,
        "resolution": found.resolution, "rows": found.rows(), "lines": found.lines(),
        "definition": found.definition.id,
        "states": [asdict(one) for one in found.definition.states],
    }  # fmt: skip


def shows_states(taking: Taking, found: Document) -> None:
    """Count the ground that states are shown of."""
    if found["by"] == "h3":
        cells = {int(row["cell"], 16) for row in found["rows"]}
        layers = {row["worst"]["layer"] for row in found["rows"]}
        taking.shows_cells(layers, np.array(sorted(cells), np.uint64))
    places: defaultdict[str, list[tuple[float, float]]] = defaultdict(list)
    for name, line in found["lines"].items():
        shape = shapely.from_geojson(orjson.dumps(line))
        places[name.partition("/")[0]] += shapely.get_coordinates(shape).tolist()
    for layer, of_layer in places.items():
        taking.shows_places(layer, of_layer)


def as_file(table: Document, form: TableFormat, export: str) -> bytes:
    """A table as it is served, as a file; `export` is the id it is handed out under."""
    names = [
        column["name"] + (f" ({column['unit']})" if column["unit"] else "")
        for column in table["columns"]
    ]
    if form == "csv":
        return as_csv(
            names, (["" if cell is None else cell for cell in row] for row in table["rows"])
        )
    columns = zip(*table["rows"], strict=True) if table["rows"] else [()] * len(names)
    return parquet_table(
        {name: list(column) for name, column in zip(names, columns, strict=True)},
        {"export": export},
    )

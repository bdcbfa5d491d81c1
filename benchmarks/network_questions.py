"""`python -m benchmarks.network_questions CITY`: asks a city's networks, and prints what it took.

A process of its own, so that the first answer is that of a server that has just been started, and
the memory is that of the questions alone.
"""

import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from analysis.analysis import Analysis, Answer
from analysis.isolation import BurstIsolation
from analysis.trace import Trace
from analysis.underground import Underground, underground
from cim_core.city import City
from cim_core.progress import Progress
from cim_core.table import Table
from pipelines.trace import Direction


@dataclass(frozen=True, slots=True)
class Question:
    """A question of a city at segments of a class, given by their rows.

    times
        How often it is asked again, each time elsewhere.
    counted
        How much the answer speaks of.
    """

    code: str
    ask: Callable[[Underground, int], Analysis]
    times: int
    counted: Callable[[Answer], int]


def _segments(answer: Answer) -> int:
    """The segments in the last row of the totals."""
    table = answer.outputs["totals"]
    assert isinstance(table, Table)
    names = [column.name for column in table.columns]
    return int(str(table.rows[-1][names.index("segments")]))


def _traced(direction: Direction) -> Callable[[Underground, int], Analysis]:
    return lambda known, row: Trace(
        segment=str(known.network.segments.ids[row]), direction=direction
    )


def _broken(known: Underground, row: int) -> Analysis:
    middle = known.pieces.ends[np.searchsorted(known.pieces.segments, row)].mean(axis=0)
    return BurstIsolation(at={"type": "Point", "coordinates": middle[:2].tolist()}, within=5.0)


QUESTIONS: dict[str, Question] = {
    "trace to the nearest source": Question("JP", _traced("source"), 15, _segments),
    "trace of all that is connected": Question("JP", _traced("connected"), 5, _segments),
    "trace downstream": Question("WS", _traced("downstream"), 15, _segments),
    "trace upstream": Question("WS", _traced("upstream"), 15, _segments),
    "isolation": Question("JP", _broken, 15, _segments),
}


def measure(city: City) -> dict[str, Any]:
    """Seconds to load, and for each question milliseconds of the first answer and of later ones."""
    begin = time.perf_counter()
    known = underground(city)
    loading = time.perf_counter() - begin
    random = np.random.default_rng(3)
    found = {}
    for name, question in QUESTIONS.items():
        fitting = np.flatnonzero(known.network.segments.classes.are(question.code))
        wall, counted = [], []
        for row in random.choice(fitting, question.times + 1).tolist():
            asked = question.ask(known, row)
            begin = time.perf_counter()
            answer = asked(city, Progress())
            wall.append(1000 * (time.perf_counter() - begin))
            counted.append(question.counted(answer))
        later = wall[1:] or wall
        found[name] = {
            "first": round(wall[0], 1), "p50": round(median(later), 1),
            "p95": round(float(np.percentile(later, 95)), 1), "found": median(counted),
        }  # fmt: skip
    return {
        "segments": len(known.network.segments), "nodes": len(known.network.nodes),
        "valves": len(known.network.valves), "load_seconds": round(loading, 2), "questions": found,
    }  # fmt: skip


if __name__ == "__main__":
    print(json.dumps(measure(City.open(Path(sys.argv[1])))))  # noqa: T201

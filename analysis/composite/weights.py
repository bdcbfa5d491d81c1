"""How much each member of an index counts: as given, by entropy, or by pairwise judgements (AHP)."""

import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

from analysis.composite.definition import Definition
from cim_core.errors import InvalidInput
from cim_core.mesh import Floats


@dataclass(frozen=True, slots=True, eq=False)
class Weighed:
    """The weights, (m,), that sum to 1; with AHP the consistency ratio of the judgements."""

    weights: Floats
    consistency: float | None = None


def weigh(definition: Definition, scores: Floats) -> Weighed:
    """The weights of the members, by their (n, m) scores where entropy decides.

    Raises `InvalidInput` for judgements that contradict each other, and where no unit differs.
    """
    told = definition.weights
    given = np.array([member.weight for member in definition.members])
    if told.method == "entropy":
        return Weighed(entropy_weights(scores, definition.id))
    if told.method == "given":
        return Weighed(given / given.sum())
    found = ahp(told.matrix, definition.id)
    if told.over == "members":
        return found
    dimensions = list(definition.dimensions)
    of = np.array([dimensions.index(member.dimension) for member in definition.members])
    sums = np.bincount(of, given, len(dimensions))
    if not sums.all():
        empty = dimensions[int(np.flatnonzero(sums == 0)[0])]
        raise InvalidInput(
            f"composite index {definition.id}: all members of the dimension {empty!r} have the weight 0"
        )
    return Weighed(found.weights[of] * given / sums[of], found.consistency)


def entropy_weights(scores: Floats, name: str) -> Floats:
    """Weights, (m,), by how much (n, m) scores differ over the units that have all of them.

    With p the share of a unit in the sum of a member's scores, e = −Σ p ln p ÷ ln n, and the weight
    is 1 − e by the sum of all these. (C. E. Shannon; the entropy weight method, 熵权法)
    """
    whole = scores[np.isfinite(scores).all(axis=1)]
    if len(whole) < 2:
        raise InvalidInput(
            f"composite index {name}: entropy needs two units at least with all members, of which "
            f"there are {len(whole)}; weigh them by given weights"
        )
    sums = whole.sum(axis=0)
    shares = np.divide(whole, sums, out=np.full(whole.shape, 1 / len(whole)), where=sums > 0)
    logs = np.log(shares, out=np.zeros(shares.shape), where=shares > 0)
    told = np.maximum(1.0 + (shares * logs).sum(axis=0) / np.log(len(whole)), 0.0)
    if told.sum() < 1e-12:
        raise InvalidInput(
            f"composite index {name}: no member differs between units, so entropy says nothing; "
            "weigh them by given weights"
        )
    found: Floats = told / told.sum()
    return found


def ahp(matrix: Sequence[Sequence[float | str]], name: str) -> Weighed:
    """Weights of (k, k) pairwise judgements: the principal eigenvector, and the consistency ratio.

    Raises `InvalidInput` for a matrix that is not reciprocal, and for a ratio above 0.1.
    (T. L. Saaty, The Analytic Hierarchy Process, 1980)
    """
    said = np.array([[_number(cell, name) for cell in row] for row in matrix])
    with np.errstate(over="ignore"):
        reciprocal = (said > 0) & np.isclose(said * said.T, 1.0, rtol=0.01)
    if not reciprocal.all():
        row, column = np.argwhere(~reciprocal)[0]
        raise InvalidInput(
            f"composite index {name}: matrix row {row + 1}, column {column + 1} is "
            f"{said[row, column]:g}, the other way round {said[column, row]:g}; one has to be 1 "
            "divided by the other"
        )
    values, vectors = np.linalg.eig(said)
    largest = int(np.argmax(values.real))
    vector = np.abs(vectors[:, largest].real)
    size = len(said)
    usual = _table()["random_index"]
    if size > len(usual):
        raise InvalidInput(
            f"composite index {name}: {size} judged at once; at most {len(usual)} have a random "
            "index, so judge dimensions instead of members"
        )
    excess = max(0.0, float(values[largest].real) - size) / max(size - 1, 1)
    ratio = excess / usual[size - 1] if usual[size - 1] else 0.0
    if ratio > _table()["greatest_ratio"]:
        raise InvalidInput(
            f"composite index {name}: the judgements contradict each other, their consistency ratio is "
            f"{ratio:.3f} and may be {_table()['greatest_ratio']:g} at most; judge the pairs again"
        )
    return Weighed(vector / vector.sum(), ratio)


def _number(cell: float | str, name: str) -> float:
    above, _, below = cell.partition("/") if isinstance(cell, str) else (cell, "", "")
    try:
        found = float(above) / float(below or 1)
    except (ValueError, ZeroDivisionError, OverflowError):
        found = math.nan
    if not math.isfinite(found) or isinstance(cell, bool):
        raise InvalidInput(
            f'composite index {name}: the matrix has {cell!r}; write numbers, or "1/3"'
        )
    return found


@cache
def _table() -> Mapping[str, Any]:
    return tomllib.loads(files("analysis.composite").joinpath("ahp.toml").read_text("utf-8"))

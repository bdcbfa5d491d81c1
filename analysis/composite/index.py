"""The index of units, its parts by dimension, the ranks, and how far they hang on the weights."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.composite.definition import Definition
from analysis.composite.scores import Known, scores
from analysis.composite.weights import Weighed, weigh
from cim_core.errors import InvalidInput
from cim_core.mesh import Floats
from cim_core.progress import Progress

Ranks = NDArray[np.int64]

_MOST_RANKS = 50_000_000
"""So many ranks are looked at for the sensitivity, which takes some twenty seconds."""

_ASKED_EVERY = 100

_SAME = 9
"""Indices that are equal to so many digits have one rank."""


@dataclass(frozen=True, slots=True, eq=False)
class Composite:
    """An index of n units, made of m members in d dimensions.

    scores
        (n, m), 0 to 100, NaN where a member is not known.
    parts
        (n, d), by dimension in the order of the definition.
    index
        (n,), NaN where too little is known.
    known
        (n,) the share of the weights whose members are known.
    ranks
        (n,), 1 for the best; 0 without an index.
    """

    definition: Definition
    scores: Floats
    weighed: Weighed
    parts: Floats
    index: Floats
    known: Floats
    ranks: Ranks


@dataclass(frozen=True, slots=True, eq=False)
class Sensitivity:
    """What becomes of ranks when weights are others.

    holds
        (n,) the share of draws in which a unit keeps its rank; NaN without one.
    best, worst
        (n,) the ranks it has in some draw; 0 without one.
    moved
        (m, 2) how many units change their rank when one weight alone is less, or more.
    """

    holds: Floats
    best: Ranks
    worst: Ranks
    moved: NDArray[np.int64]


def composite(definition: Definition, values: Floats, known: tuple[Known, ...]) -> Composite:
    """The index of units by (n, m) values of the members; raises `InvalidInput`."""
    scored = scores(definition, values, known)
    weighed = weigh(definition, scored)
    there = np.isfinite(scored)
    share: Floats = there @ weighed.weights
    dimensions = list(definition.dimensions)
    parts = np.full((len(values), len(dimensions)), np.nan)
    for column, dimension in enumerate(dimensions):
        of = np.array([member.dimension == dimension for member in definition.members])
        parts[:, column] = _together(definition, scored, np.where(of, weighed.weights, 0.0))
    index = _together(definition, scored, weighed.weights)
    index[share < definition.least_known - 1e-9] = np.nan
    return Composite(definition, scored, weighed, parts, index, share, ranked(index))


def sensitivity(
    of: Composite, by: float, draws: int, seed: int, progress: Progress | None = None
) -> Sensitivity:
    """Ranks with weights that are up to a share `by` less or more than they are.

    All weights at once in each of some draws, evenly and by seed; and one weight alone by the whole
    share. A weight that is 0 stays so. Raises `InvalidInput` for too many draws of so many units.
    """
    progress, units = progress or Progress(), len(of.ranks)
    if draws * units > _MOST_RANKS:
        raise InvalidInput(
            f"composite index {of.definition.id}: {draws} draws are too many for {units} units; "
            f"give {_MOST_RANKS // units} or fewer"
        )
    rng = np.random.default_rng(seed)
    weights = of.weighed.weights
    kept = np.zeros(units, np.int64)
    best = np.where(of.ranks > 0, units, 0)
    worst = np.zeros(units, np.int64)
    for draw, factors in enumerate(rng.uniform(1.0 - by, 1.0 + by, (draws, len(weights)))):
        if draw % _ASKED_EVERY == 0:
            progress(draw, draws, "sensitivity")
        ranks = _ranks(of, weights * factors)
        kept += ranks == of.ranks
        best, worst = np.minimum(best, ranks), np.maximum(worst, ranks)
    moved = np.zeros((len(weights), 2), np.int64)
    for member in range(len(weights)):
        progress.ask()
        for side, factor in enumerate((1.0 - by, 1.0 + by)):
            other = weights.copy()
            other[member] *= factor
            moved[member, side] = np.count_nonzero(_ranks(of, other) != of.ranks)
    holds = np.where(of.ranks > 0, kept / draws, np.nan)
    return Sensitivity(holds, best, worst, moved)


def ranked(index: Floats) -> Ranks:
    """The rank of each, (n,), by the higher index; equal ones have the same, and 0 who has none.

    >>> ranked(np.array([50.0, 80.0, np.nan, 50.0])).tolist()
    [2, 1, 0, 2]
    """
    there = np.isfinite(index)
    rounded = np.round(index[there], _SAME)
    found = np.zeros(len(index), np.int64)
    found[there] = 1 + len(rounded) - np.searchsorted(np.sort(rounded), rounded, side="right")
    return found


def _ranks(of: Composite, weights: Floats) -> Ranks:
    """The ranks with other weights, of those that have one."""
    index = _together(of.definition, of.scores, weights)
    return ranked(np.where(of.ranks > 0, index, np.nan))


def _together(definition: Definition, scored: Floats, weights: Floats) -> Floats:
    """The weighted mean, (n,), of the members that are known; NaN where they weigh nothing."""
    there = np.isfinite(scored)
    weight = there @ weights
    filled = np.where(there, scored, 1.0)
    if definition.aggregation == "geometric":
        filled = np.log(np.maximum(filled, definition.floor))
    sums = np.where(there, filled, 0.0) @ weights
    found: Floats = np.divide(sums, weight, out=np.full(len(scored), np.nan), where=weight > 0)
    if definition.aggregation == "geometric":
        found = np.exp(found)
    return found

"""Composite indices: against sums in plain Python, and what may not change them."""

import itertools
import math
import random
from statistics import fmean, pstdev
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.composite.definition import Definition
from analysis.composite.index import composite, sensitivity
from analysis.composite.scores import Known
from analysis.composite.weights import ahp, entropy_weights
from cim_core.errors import Cancelled, InvalidInput
from cim_core.progress import Progress

TEXT = {"en": "x", "zh": "某"}
HIGHER, LOWER = Known("higher", 80.0), Known("lower", None)


def definition(count: int = 3, **more: Any) -> Definition:
    """An index of members c0, c1, …; the first is a dimension of its own."""
    members = [
        {"code": f"c{n}", "dimension": "a" if n == 0 else "b", "weight": n + 1}
        for n in range(count)
    ]
    return Definition.model_validate(
        {
            "id": "ours", "version": 3, "name": TEXT, "source": "a test", "set": "own",
            "dimensions": {"a": TEXT, "b": TEXT} if count > 1 else {"a": TEXT}, "members": members, **more,
        }
    )  # fmt: skip


VALUES = [[10.0, 5.0, 7.0], [20.0, 1.0, 7.5], [40.0, 3.0, 9.0], [15.0, 2.0, 8.0]]
KNOWN = (HIGHER, LOWER, HIGHER)


def in_python(
    values: list[list[float]], how: str, weights: list[float], geometric: bool
) -> list[float]:
    """The index once more: member by member, unit by unit."""
    found = []
    columns = list(zip(*values, strict=True))
    for row in values:
        scores = []
        for number, (value, about) in enumerate(zip(row, KNOWN, strict=True)):
            column = columns[number]
            if how == "z":
                z = (value - fmean(column)) / pstdev(column)
                score = 50 + 10 * (z if about.direction == "higher" else -z)
            else:
                share = (value - min(column)) / (max(column) - min(column))
                score = 100 * (share if about.direction == "higher" else 1 - share)
            scores.append(min(100.0, max(0.0, score)))
        if geometric:
            product = math.prod(max(s, 1.0) ** w for s, w in zip(scores, weights, strict=True))
            found.append(product ** (1 / sum(weights)))
        else:
            found.append(sum(s * w for s, w in zip(scores, weights, strict=True)) / sum(weights))
    return found


@pytest.mark.parametrize("how", ["min-max", "z"])
@pytest.mark.parametrize("aggregation", ["arithmetic", "geometric"])
def test_an_index_is_the_weighted_mean_of_scores(how: str, aggregation: str) -> None:
    told = definition(normalisation=how, aggregation=aggregation)
    found = composite(told, np.array(VALUES), KNOWN)
    expected = in_python(VALUES, how, [1, 2, 3], aggregation == "geometric")
    assert found.index.tolist() == pytest.approx(expected)
    order = sorted(range(4), key=lambda row: -expected[row])
    assert [found.ranks[row] for row in order] == [1, 2, 3, 4]
    # The index follows from the parts by their weights.
    shares, parts = np.array([1, 5]) / 6, found.parts
    whole = np.exp(np.log(parts) @ shares) if aggregation == "geometric" else parts @ shares
    assert whole.tolist() == pytest.approx(expected)


def test_scores_by_target_go_from_the_worst_to_the_target() -> None:
    members = [
        {"code": "c0", "dimension": "a"}, {"code": "c1", "dimension": "a", "best": 0, "worst": 4},
        {"code": "c2", "dimension": "a", "worst": 5, "best": 10},
    ]  # fmt: skip
    told = definition(normalisation="target", members=members, dimensions={"a": TEXT})
    found = composite(told, np.array([[40.0, 1.0, 7.0], [90.0, 9.0, 3.0]]), KNOWN)
    assert found.scores.tolist() == [[50.0, 75.0, 40.0], [100.0, 0.0, 0.0]]
    with pytest.raises(InvalidInput, match=r"c1 has neither a target nor `best`"):
        composite(definition(normalisation="target"), np.array(VALUES), KNOWN)
    with pytest.raises(InvalidInput, match="has no `worst`"):
        composite(definition(1, normalisation="target"), np.array([[1.0]]), (Known("lower", 3.0),))
    wrong = definition(1, members=[{"code": "c0", "dimension": "a", "best": 1, "worst": 2}])
    with pytest.raises(InvalidInput, match="the best is 1 and the worst 2"):
        composite(wrong, np.array([[1.0]]), (HIGHER,))


def test_a_unit_of_which_too_little_is_known_has_no_index() -> None:
    values = np.array(VALUES)
    values[1, 0] = np.nan
    strict = composite(definition(), values, KNOWN)
    assert np.isnan(strict.index).tolist() == [False, True, False, False]
    assert (strict.ranks[1], strict.known[1]) == (0, pytest.approx(5 / 6))
    lenient = composite(definition(least_known=0.8), values, KNOWN)
    scores = lenient.scores[1]
    assert lenient.index[1] == pytest.approx((2 * scores[1] + 3 * scores[2]) / 5)
    assert np.isnan(lenient.parts[1]).tolist() == [True, False]
    assert sorted(sensitivity(strict, 0.2, 10, 1).worst.tolist())[0] == 0


finite = st.floats(-1e4, 1e4).map(lambda value: round(value, 2))


@settings(deadline=None, max_examples=40)
@given(
    values=st.lists(st.tuples(finite, finite, finite), min_size=2, max_size=6),
    factor=st.floats(0.01, 100), offset=st.floats(-100, 100), how=st.sampled_from(["min-max", "z"]),
)  # fmt: skip
def test_the_unit_that_a_member_is_told_in_changes_nothing(
    values: list[tuple[float, float, float]], factor: float, offset: float, how: str
) -> None:
    told = definition(normalisation=how)
    given_values = np.array(values)
    other = given_values.copy()
    other[:, 1] = factor * other[:, 1] + offset
    one, two = (composite(told, table, KNOWN) for table in (given_values, other))
    assert two.index == pytest.approx(one.index, abs=1e-4)
    assert ((one.index >= 0) & (one.index <= 100)).all()


@settings(deadline=None, max_examples=40)
@given(
    scores=st.lists(
        st.lists(st.floats(0, 100), min_size=3, max_size=3), min_size=2, max_size=6
    ).filter(lambda rows: any(max(c) - min(c) > 1 for c in zip(*rows, strict=True)))
)  # fmt: skip
def test_entropy_weights_sum_to_one_and_are_those_of_shannon(scores: list[list[float]]) -> None:
    found = entropy_weights(np.array(scores), "x").tolist()
    assert sum(found) == pytest.approx(1)
    assert min(found) >= 0
    told = []
    for column in zip(*scores, strict=True):
        shares = [s / sum(column) if sum(column) else 1 / len(column) for s in column]
        entropy = -sum(p * math.log(p) for p in shares if p > 0) / math.log(len(column))
        told.append(max(0.0, 1 - entropy))
    assert found == pytest.approx([one / sum(told) for one in told], abs=1e-9)


def test_entropy_says_nothing_where_nothing_differs() -> None:
    with pytest.raises(InvalidInput, match="no member differs"):
        entropy_weights(np.full((3, 2), 40.0), "x")
    with pytest.raises(InvalidInput, match="two units at least"):
        entropy_weights(np.array([[1.0, 2.0]]), "x")


@settings(deadline=None, max_examples=30)
@given(weights=st.lists(st.floats(0.2, 5), min_size=2, max_size=7))
def test_judgements_without_contradiction_give_back_their_weights(weights: list[float]) -> None:
    matrix = [[a / b for b in weights] for a in weights]
    found = ahp(matrix, "x")
    assert found.weights.tolist() == pytest.approx([w / sum(weights) for w in weights])
    assert found.consistency == pytest.approx(0, abs=1e-9)


def test_judgements_are_weighed_as_saaty_does_and_refused_when_they_contradict() -> None:
    matrix: list[list[float | str]] = [[1, 3, 5], ["1/3", 1, 2], ["1/5", "1/2", 1]]
    found = ahp(matrix, "x")
    vector = [1.0, 1.0, 1.0]  # by multiplying again and again
    numbers = [[1, 3, 5], [1 / 3, 1, 2], [1 / 5, 1 / 2, 1]]
    for _ in range(60):
        product = [sum(a * v for a, v in zip(row, vector, strict=True)) for row in numbers]
        vector = [value / sum(product) for value in product]
    largest = sum(sum(a * v for a, v in zip(row, vector, strict=True)) for row in numbers)
    assert found.weights.tolist() == pytest.approx(vector)
    assert found.consistency == pytest.approx((largest - 3) / 2 / 0.58)
    with pytest.raises(InvalidInput, match=r"consistency ratio is .* may be 0.1 at most"):
        ahp([[1, 9, "1/9"], ["1/9", 1, 9], [9, "1/9", 1]], "x")
    with pytest.raises(InvalidInput, match="row 1, column 2 is 3, the other way round 3"):
        ahp([[1, 3], [3, 1]], "x")
    with pytest.raises(InvalidInput, match="the matrix has 'much'; write numbers, or \"1/3\""):
        ahp([[1, "much"], [1, 1]], "x")
    for cell in ("1e400", "1e999999999", "nan", "1/0", True, 10**400, float("inf")):
        with pytest.raises(InvalidInput, match="the matrix has"):
            ahp([[1, cell], [1, 1]], "x")
    with pytest.raises(InvalidInput, match="row 1, column 2"):
        ahp([[1, 1e300], [1e300, 1]], "x")
    with pytest.raises(InvalidInput, match="at most 15"):
        ahp([[1] * 16] * 16, "x")


def test_judged_dimensions_share_among_their_members() -> None:
    told = definition(
        weights={"method": "ahp", "over": "dimensions", "matrix": [[1, 3], ["1/3", 1]]}
    )
    found = composite(told, np.array(VALUES), KNOWN)
    assert found.weighed.weights.tolist() == pytest.approx([0.75, 0.25 * 2 / 5, 0.25 * 3 / 5])


def test_how_far_ranks_hold_is_counted_draw_by_draw() -> None:
    rng = random.Random(4)
    values = [[rng.uniform(0, 100) for _ in range(3)] for _ in range(9)]
    found = composite(definition(), np.array(values), KNOWN)
    held = sensitivity(found, 0.5, 200, 7)
    factors = np.random.default_rng(7).uniform(0.5, 1.5, (200, 3)).tolist()
    seen: list[list[int]] = [[] for _ in values]
    for draw in factors:
        index = in_python(values, "min-max", [w * f for w, f in zip([1, 2, 3], draw, strict=True)], False)  # fmt: skip
        for row, one in enumerate(index):
            seen[row].append(1 + sum(other > one + 1e-9 for other in index))
    own = found.ranks.tolist()
    assert held.holds.tolist() == pytest.approx(
        [ranks.count(rank) / 200 for ranks, rank in zip(seen, own, strict=True)]
    )
    assert held.best.tolist() == [min(ranks) for ranks in seen]
    assert held.worst.tolist() == [max(ranks) for ranks in seen]
    assert 0 < min(held.holds) < 1
    for member, side in itertools.product(range(3), range(2)):
        weights = [1.0, 2.0, 3.0]
        weights[member] *= (0.5, 1.5)[side]
        index = in_python(values, "min-max", weights, False)
        ranks = [1 + sum(other > one + 1e-9 for other in index) for one in index]
        assert held.moved[member, side] == sum(a != b for a, b in zip(ranks, own, strict=True))
    again = sensitivity(found, 0.5, 200, 7)
    assert again.holds.tolist() == held.holds.tolist()


def test_how_far_ranks_hold_can_be_stopped_and_has_an_end() -> None:
    found = composite(definition(), np.array(VALUES), KNOWN)
    seen: list[tuple[int, int, str]] = []

    def report(*told: Any) -> None:
        seen.append(told)

    with pytest.raises(Cancelled):
        sensitivity(found, 0.2, 1000, 1, Progress(report, lambda: len(seen) == 2))
    assert seen == [(0, 1000, "sensitivity"), (100, 1000, "sensitivity")]
    with pytest.raises(
        InvalidInput, match="30000000 draws are too many for 4 units; give 12500000 or fewer"
    ):
        sensitivity(found, 0.2, 30_000_000, 1)

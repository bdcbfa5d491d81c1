"""Composite indices: against sums in plain Python, and what may not change them."""

import itertools
import math
import random
from pathlib import Path
from statistics import fmean, pstdev
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.analysis import asked
from analysis.composite.definition import Definition, definition_named, definitions
from analysis.composite.index import composite, sensitivity
from analysis.composite.scores import Known
from analysis.composite.weights import ahp, entropy_weights
from analysis.composite_index import CompositeIndex
from cim_core.city import City
from cim_core.errors import Cancelled, InvalidInput, NotFound
from cim_core.progress import Progress
from server.processes import execute
from tests.support.checkup import box, drawn, point

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


FILE = """
id = "calm"
version = 2
name = { en = "Calm", zh = "安宁" }
source = "the town's own"
set = "own"
by = "town"
dimensions = { built = { en = "Built", zh = "建成" }, parks = { en = "Parks", zh = "公园" } }
[[members]]
code = "density"
dimension = "built"
direction = "lower"
weight = 1
[[members]]
code = "parks"
dimension = "parks"
weight = 3
"""
INDICATOR = """
name = {{ en = "{0}", zh = "{0}" }}
level = "city"
dimension = "d"
unit = "%"
unit_zh = "%"
direction = "{1}"
department = {{ en = "x", zh = "某" }}
explanation = {{ en = "x", zh = "某" }}
formula = {2}
target = {{ value = 3.0, source = "nobody", confidence = "recalled" }}
"""


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> City:
    """Three towns of 1 km²: built on by 10, 20 and 40 %, with 2, 1 and 3 parks."""
    folder = tmp_path_factory.mktemp("composite") / "city"
    towns = [(f"t{n}", box(1000 * n, 0, 1000, 1000), {}) for n in range(3)]
    buildings = [
        (f"b{n}", box(1000 * n, 0, 1000, share), {}) for n, share in enumerate((100, 200, 400))
    ]
    parks = [("p0", 10), ("p1", 900), ("p2", 1500), ("p3", 2100), ("p4", 2200), ("p5", 2300)]
    city = drawn(
        folder, towns=towns, buildings=buildings,
        parks=[(key, point(x, 500).buffer(5), {}) for key, x in parks],
    )  # fmt: skip
    sets = folder / "checkup" / "sets" / "own"
    sets.mkdir(parents=True)
    (sets / "set.toml").write_text(
        'id = "own"\nsystem = "own"\nyear = 2025\nsource = "x"\n'
        'name = { en = "x", zh = "某" }\ndimensions = { d = { en = "x", zh = "某" } }\n',
        "utf-8",
    )
    dense = '{ operator = "density", what = { input = "buildings" }, measure = "area", within = { input = "towns" }, scale = 100.0 }'
    count = '{ operator = "total", what = { input = "parks" } }'
    (sets / "density.toml").write_text(INDICATOR.format("density", "none", dense), "utf-8")
    (sets / "parks.toml").write_text(INDICATOR.format("parks", "higher", count), "utf-8")
    composites = folder / "checkup" / "composites"
    composites.mkdir()
    (composites / "calm.toml").write_text(FILE, "utf-8")
    return city


def table(document: dict[str, Any]) -> list[dict[str, Any]]:
    names = [column["name"] for column in document["columns"]]
    return [dict(zip(names, row, strict=True)) for row in document["rows"]]


def test_a_city_has_its_index_by_town_with_what_it_is_made_of(town: City) -> None:
    done = execute(town, "composite-index", {"definition": "calm", "draws": 50}, Progress())
    found = done.document
    rows = table(found["index"])
    # Density scores 100, 66.67 and 0, parks 50, 0 and 100; the weights are 1 : 3.
    assert [(row["id"], row["rank"]) for row in rows] == [("t2", 1), ("t0", 2), ("t1", 3)]
    assert [row["index"] for row in rows] == pytest.approx([75.0, 62.5, 16.667], abs=0.01)
    assert [row["part_built"] for row in rows] == pytest.approx([0.0, 100.0, 66.667], abs=0.01)
    members = {row["code"]: row for row in table(found["members"])}
    assert (members["density"]["weight"], members["density"]["direction"]) == (0.25, "lower")
    assert (members["parks"]["target"], members["parks"]["confidence"]) == (3.0, "recalled")
    values = {(row["id"], row["code"]): row["value"] for row in table(found["scores"])}
    assert values["t2", "density"] == pytest.approx(40, abs=0.01)
    assert values["t0", "parks"] == 2
    assert all(row["best"] <= row["rank"] <= row["worst"] for row in table(found["sensitivity"]))
    [about] = table(found["about"])
    assert (about["name_zh"], about["version"], about["left_out"]) == ("安宁", 2, 0)
    assert len(found["drawing"]["features"]) == 3
    assert [version.layer for version in done.versions] == ["buildings", "parks", "towns"]


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (("version = 2", "version = 0"), "version: Input should be greater than or equal to 1"),
        (('id = "calm"', 'id = "other"'), "call the file other.toml"),
        (('dimension = "built"', 'dimension = "nope"'), "which \\[dimensions\\] does not have"),
        (('code = "parks"', 'code = "density"'), "density is a member twice"),
        (("weight = 3", "weight = -3"), "members.1.weight"),
        (('by = "town"', 'by = "town"\nweights = { method = "ahp" }'), "a matrix goes with the method"),
        (('by = "town"', "by = 'town'\nweights = { method = 'ahp', matrix = [[1]] }"), "2 rows of 2"),
        (('by = "town"', "by = 'town'\nweights = { method = 'ahp', matrix = [[1, true], [1, 1]] }"), "matrix.0.1.float: Input should be a valid number"),
        (("weight = 3", "weight = true"), "members.1.weight: Input should be a valid number"),
        (("weight = 3", "worst = nan"), "members.1.worst: Input should be a finite number"),
        (("id =", "id ="), None),
        (("[[members]]", "[[members"), "cannot be read"),
    ],
)  # fmt: skip
def test_what_is_wrong_in_a_definition_is_said_with_its_file(
    tmp_path: Path, edit: tuple[str, str], words: str | None
) -> None:
    folder = tmp_path / "checkup" / "composites"
    folder.mkdir(parents=True)
    (folder / "calm.toml").write_text(FILE.replace(*edit), "utf-8")
    if words is None:
        assert list(definitions(tmp_path)) == ["calm"]
        return
    with pytest.raises(InvalidInput, match=words) as said:
        definitions(tmp_path)
    assert "calm.toml" in str(said.value)


def test_an_index_nobody_defined_is_not_there(town: City, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="there are calm"):
        asked(CompositeIndex, {"definition": "埔安指数"})(town, Progress())
    with pytest.raises(NotFound, match="the city defines no composite index; write one to"):
        definition_named(tmp_path, "calm")
    path = town.folder / "checkup" / "composites" / "wild.toml"
    path.write_text(
        FILE.replace('id = "calm"', 'id = "wild"').replace('"parks"\ndim', '"nope"\ndim')
    )
    with pytest.raises(InvalidInput, match="has no indicator 'nope'; it has density, parks"):
        asked(CompositeIndex, {"definition": "wild"})(town, Progress())
    path.write_text(FILE.replace('id = "calm"', 'id = "wild"').replace('direction = "lower"\n', ""))
    with pytest.raises(InvalidInput, match="only describes; say by `direction`"):
        asked(CompositeIndex, {"definition": "wild"})(town, Progress())
    path.unlink()

"""Composite indices as a question about a city, by the definitions in its folder."""

from pathlib import Path
from typing import Any

import pytest

from analysis.analysis import asked
from analysis.composite.definition import definition_named, definitions
from analysis.composite_index import CompositeIndex
from cim_core.city import City
from cim_core.errors import InvalidInput, NotFound
from cim_core.progress import Progress
from server.processes import execute
from tests.support.checkup import box, drawn, point

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
SET = """id = "own"
system = "own"
year = 2025
source = "x"
name = { en = "x", zh = "某" }
dimensions = { d = { en = "x", zh = "某" } }
"""
GAP = '{ operator = "gap", what = { input = "estates" }, required = "parking_required", existing = "parking" }'
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
    (sets / "set.toml").write_text(SET, "utf-8")
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


def test_what_little_of_was_surveyed_is_not_known(tmp_path: Path) -> None:
    """Of four estates in either town all were asked, and one."""
    towns = [(f"t{n}", box(1000 * n, 0, 1000, 1000), {}) for n in range(2)]
    estates = [
        (f"e{town}{n}", box(1000 * town + 20 * n, 0, 9, 9), {"parking_required": 9, "parking": n} if n >= 3 * town else {})
        for town in range(2)
        for n in range(4)
    ]  # fmt: skip
    city = drawn(tmp_path / "city", towns=towns, estates=estates)
    for name, text in (
        ("sets/own/set", SET),
        ("sets/own/gap", INDICATOR.format("gap", "lower", GAP)),
    ):
        path = city.folder / "checkup" / f"{name}.toml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    path = city.folder / "checkup" / "composites" / "few.toml"
    path.parent.mkdir()
    head = 'id = "few"\nversion = 1\nname = { en = "x", zh = "某" }\nsource = "x"\nset = "own"\nby = "town"\n'
    member = (
        '[dimensions]\nd = { en = "x", zh = "某" }\n[[members]]\ncode = "gap"\ndimension = "d"\n'
    )
    ranks = {}
    for least in ("0.0", "0.5"):
        path.write_text(f"{head}least_surveyed = {least}\n{member}", "utf-8")
        found = execute(city, "composite-index", {"definition": "few", "draws": 1}, Progress())
        ranks[least] = [(row["id"], row["rank"]) for row in table(found.document["index"])]
        shares = [row["surveyed"] for row in table(found.document["scores"])]
        assert shares == [100.0, 25.0]
    assert ranks == {"0.0": [("t1", 1), ("t0", 2)], "0.5": [("t0", 1), ("t1", None)]}


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

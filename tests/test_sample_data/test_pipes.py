"""The pipes of the sample district are plausible; asked of the tables of the surveys alone."""

from __future__ import annotations

import csv
import re
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pyogrio.raw
import pytest
import python_calamine
import rasterio
import shapely

from sample_data.district.plan import plan

ENCODINGS = {"water": "utf-8-sig", "storm": "gb18030", "sewage": "utf-8", "gas": "utf-8", "power": "utf-8"}  # fmt: skip
NETWORKS = (*ENCODINGS, "telecom")
DRAINS = ("storm", "sewage")
HOUSES = {"水表", "燃气表", "分支箱", "分线箱"}

Row = dict[str, str]


class Survey:
    """The tables of one network; points by number, and their places (easting, northing)."""

    def __init__(self, folder: Path, name: str) -> None:
        self.name = name
        if name == "telecom":
            self.points, self.lines = sheets(folder / "survey-telecom" / "TX.xlsx")
        else:
            self.points, self.lines = (
                rows(next((folder / f"survey-{name}").glob(f"*{kind}.csv")), ENCODINGS[name])
                for kind in ("Point", "Line")
            )
        self.at = {point["物探点号"]: point for point in self.points}
        self.places = {
            number: (float(point["Y"]) % 1e6, float(point["X"]))
            for number, point in self.at.items()
        }

    def ends(self, line: Row) -> tuple[str, str]:
        return line["起始点号"], line["终止点号"]

    def word(self, number: str) -> str:
        return self.at[number]["附属物"] or self.at[number]["特征"]

    def shape(self, line: Row) -> shapely.LineString:
        return shapely.LineString([self.places[number] for number in self.ends(line)])

    def elevations(self, line: Row) -> tuple[float, float]:
        return float(line["起点高程"]), float(line["终点高程"])


def rows(path: Path, encoding: str) -> list[Row]:
    with path.open(encoding=encoding, newline="") as file:
        return list(csv.DictReader(file))


def sheets(path: Path) -> list[list[Row]]:
    book = python_calamine.CalamineWorkbook.from_path(str(path))
    tables = [book.get_sheet_by_name(name).to_python() for name in ("TXPoint", "TXLine")]
    return [
        [dict(zip(map(str, head), map(str, row), strict=True)) for row in body]
        for head, *body in tables
    ]


@pytest.fixture(scope="module")
def surveys(district: Path) -> dict[str, Survey]:
    return {name: Survey(district, name) for name in NETWORKS}


def test_there_are_some_thousand_lines_of_every_network(surveys: dict[str, Survey]) -> None:
    counts = {name: len(survey.lines) for name, survey in surveys.items()}
    assert 8_000 < sum(counts.values()) < 15_000
    assert min(counts.values()) > 1_000
    kilometres = {
        name: sum(survey.shape(line).length for line in survey.lines) / 1000
        for name, survey in surveys.items()
    }
    assert min(kilometres.values()) > 30


def test_x_is_the_northing_and_one_survey_writes_its_zone(surveys: dict[str, Survey]) -> None:
    east, north = plan().origin
    for survey in surveys.values():
        x, y = np.array([[float(p["X"]), float(p["Y"])] for p in survey.points]).T
        assert north - 20 < x.min() < x.max() < north + plan().size + 20
        zone = 38e6 if survey.name == "gas" else 0.0
        assert east - 20 < y.min() - zone < y.max() - zone < east + plan().size + 20


def test_depth_and_elevation_make_the_ground_and_the_ground_is_the_relief(
    surveys: dict[str, Survey], district: Path
) -> None:
    with rasterio.open(district / "dem_present.tif") as dem:
        for survey in surveys.values():
            for line in survey.lines:
                for number, side in zip(survey.ends(line), ("起点", "终点"), strict=True):
                    made = float(line[f"{side}埋深"]) + float(line[f"{side}高程"])
                    assert made == pytest.approx(float(survey.at[number]["地面高程"]), abs=0.0011)
            inside = [n for n, (x, _) in survey.places.items() if 443_702 < x < 445_698][::7]
            heights = [h[0] for h in dem.sample([survey.places[number] for number in inside])]
            ground = [float(survey.at[number]["地面高程"]) for number in inside]
            assert np.median(np.abs(np.subtract(heights, ground))) < 0.03


def test_drains_run_down_to_the_water_or_the_pumps(surveys: dict[str, Survey]) -> None:
    for name, goal in (("storm", "出水口"), ("sewage", "泵站")):
        survey = surveys[name]
        below = defaultdict(list)
        for line in survey.lines:
            assert line["流向"] == "+"
            start, end = survey.elevations(line)
            assert start >= end - 0.011, line
            first, last = survey.ends(line)
            below[first].append(last)
        assert all(len(found) == 1 for found in below.values())
        last = {number for line in survey.lines for number in survey.ends(line)} - set(below)
        assert {survey.word(number) for number in last} == {goal}


def test_drains_grow_downstream(surveys: dict[str, Survey]) -> None:
    for name in DRAINS:
        survey = surveys[name]
        leaving = {line["起始点号"]: width(line) for line in survey.lines}
        for line in survey.lines:
            assert leaving.get(line["终止点号"], np.inf) >= width(line)
    assert any("×" in line["管径或断面尺寸"] for line in surveys["storm"].lines)


def width(line: Row) -> float:
    return float(re.findall(r"\d+", line["管径或断面尺寸"])[0])


def test_every_network_is_of_one_piece_but_the_storm_drains(surveys: dict[str, Survey]) -> None:
    for name, survey in surveys.items():
        group: dict[str, str] = {}

        def root(node: str, group: dict[str, str] = group) -> str:
            while group.setdefault(node, node) != node:
                node = group[node]
            return node

        for line in survey.lines:
            first, last = survey.ends(line)
            group[root(last)] = root(first)
        pieces = Counter(root(number) for number in survey.at)
        assert set(group) == set(survey.at)
        assert len(pieces) == (9 if name == "storm" else 1)
        if name not in DRAINS:
            words = {survey.word(number) for number in survey.at}
            assert words & {"水厂", "调压站", "变电站", "通信机房"}


def test_mains_lie_below_streets_and_not_below_houses(
    surveys: dict[str, Survey], district: Path
) -> None:
    wkb = pyogrio.raw.read(district / "buildings.gpkg", columns=[])[2]
    houses = shapely.STRtree(shapely.from_wkb(wkb))
    for survey in surveys.values():
        mains = [line for line in survey.lines if not HOUSES & {survey.word(n) for n in survey.ends(line)}]  # fmt: skip
        shapes = np.array([survey.shape(line) for line in mains])
        below = np.unique(houses.query(shapes, predicate="crosses")[0])
        assert len(below) <= 0.004 * len(mains), survey.name


def test_where_networks_cross_they_keep_clear_but_for_a_few(surveys: dict[str, Survey]) -> None:
    """By tops and bottoms of the clear section alone, at the place where middle lines cross."""
    shapes, tops, bottoms, owners = [], [], [], []
    for name, survey in surveys.items():
        for line in survey.lines:
            shapes.append(survey.shape(line))
            ends = np.array(survey.elevations(line))
            high = height(line)
            tops.append(ends + high if name in DRAINS else ends)
            bottoms.append(ends if name in DRAINS else ends - high)
            owners.append(name)
    lines, top, bottom = np.array(shapes), np.array(tops), np.array(bottoms)
    first, second = shapely.STRtree(lines).query(lines, predicate="crosses")
    other = (first < second) & (np.array(owners)[first] != np.array(owners)[second])
    first, second = first[other], second[other]
    spots = shapely.intersection(lines[first], lines[second])
    share = [shapely.line_locate_point(lines[r], spots, normalized=True) for r in (first, second)]
    (t1, b1), (t2, b2) = (
        [ends[rows][:, 0] + s * (ends[rows][:, 1] - ends[rows][:, 0]) for ends in (top, bottom)]
        for rows, s in zip((first, second), share, strict=True)
    )
    gap = np.maximum(b1 - t2, b2 - t1)
    assert len(gap) > 3_000
    near = gap < 0.14
    assert 3 <= near.sum() < 0.01 * len(gap)


def height(line: Row) -> float:
    size = line["管径或断面尺寸"]
    if "φ" in size and "×" in size:
        rows_ = int(size.split("φ")[0].split("×")[1])
        return rows_ * 0.11 + (rows_ - 1) * 0.03 + 0.1
    return float(re.findall(r"\d+", size)[-1]) / 1000


def test_older_pipes_are_of_older_materials(surveys: dict[str, Survey]) -> None:
    years = defaultdict(list)
    for line in surveys["water"].lines:
        years[line["材质"]].append(int(line["建设年代"]))
    assert max(years["铸铁"]) < min(years["球墨铸铁"])
    assert max(years["钢"]) < min(years["PE"])
    every = [float(line["建设年代"]) for survey in surveys.values() for line in survey.lines]
    assert 1990 <= min(every) < 2000 < max(every) <= 2024
    assert {line["压力"] for line in surveys["gas"].lines} == {"低压", "中压A"}


def test_customers_and_valves_stand_at_points_of_the_water_mains(
    surveys: dict[str, Survey], district: Path
) -> None:
    water = surveys["water"]
    users = rows(district / "survey-water/用户表.csv", "utf-8-sig")
    assert {water.word(user["物探点号"]) for user in users} == {"水表"}
    assert sum(int(user["户数"]) for user in users) > 5_000
    assert min(float(user["日用水量(m3/d)"]) for user in users) > 0
    valves = rows(district / "survey-water/阀门表.csv", "utf-8-sig")
    closing = {number for number in water.at if water.word(number) == "阀门"}
    assert {valve["物探点号"] for valve in valves} == closing
    assert len(closing) > 150


def test_pipes_run_below_the_office_building(surveys: dict[str, Survey]) -> None:
    (site,) = (site for site in plan().sites if site.zh == "示例地块B")
    ground = shapely.transform(site.outline, lambda xy: xy + plan().origin)
    hit = {
        name: sum(survey.shape(line).intersects(ground) for line in survey.lines)
        for name, survey in surveys.items()
    }
    assert hit["water"] >= 2
    assert hit["gas"] >= 1


def test_the_second_set_differs_from_the_first_by_its_errors_only(district: Path) -> None:
    folder = district / "survey-with-errors"
    key = rows(folder / "answer-key.csv", "utf-8-sig")
    assert [int(row["number"]) for row in key] == list(range(1, 41))
    assert len({row["rule"] for row in key}) >= 35
    wrong = Counter(row["file"] for row in key)
    for network in NETWORKS:
        for path in (district / f"survey-{network}").iterdir():
            other = folder / network / path.name
            if network == "telecom":
                assert other.read_bytes() == path.read_bytes()
                continue
            before, after = (p.read_bytes().splitlines() for p in (path, other))
            known = set(before)
            changed = sum(line not in known for line in after)
            count = wrong[f"{network}/{path.name}"]
            # A doubled row is no new line, an error in a header changes one line however many there are.
            assert (changed > 0) == (count > 0)
            assert changed <= count + 1

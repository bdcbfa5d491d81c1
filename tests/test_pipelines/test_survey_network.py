"""From survey tables to a network: each row used as it should be, or named with the reason it is not."""

import math
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cim_core.network import NodeKind, Profile, Reference
from pipelines.dictionary import feature_code, node_kind
from pipelines.survey import SurveyTable
from pipelines.survey_classes import classes_of
from pipelines.survey_network import PlacedSurvey, said, survey_network
from pipelines.survey_values import JoinedRows, Notes, numbers, years


def table(kind: str, name: str, system: str, **columns: list[object]) -> SurveyTable:
    texts = {key: np.array([str(v) for v in values], object) for key, values in columns.items()}
    count = len(next(iter(texts.values())))
    return SurveyTable(name, kind, system, tuple(texts), texts, {}, np.arange(2, count + 2))


def plane(survey: np.ndarray, _tables: np.ndarray) -> np.ndarray:
    """A stand-in for a reference system: a few metres of it are a few of a degree's millionths."""
    places = survey[:, ::-1] / 1e5
    places[np.abs(survey).max(axis=1) > 1e6] = np.nan
    return places


def network_of(*tables: SurveyTable, **more: object) -> tuple[PlacedSurvey, Notes]:
    notes = Notes()
    return survey_network(tables, plane, notes, **more), notes


def points(name: str = "JSPoint.csv", system: str = "JS", **columns: list[object]) -> SurveyTable:
    count = len(columns["point"])
    usual = {"x": [10 * n for n in range(count)], "y": [0] * count, "ground": [10] * count}
    return table("point", name, system, **{**usual, **columns})


def lines(name: str = "JSLine.csv", system: str = "JS", **columns: list[object]) -> SurveyTable:
    return table("line", name, system, **columns)


CLASSES = {"JS": Reference.TOP, "YS": Reference.INVERT, "DL": Reference.TOP}


def random_tables(seed: int) -> list[SurveyTable]:
    """Tables of three classes with whatever goes wrong in surveys."""
    rng = random.Random(seed)
    found = []
    for system in CLASSES:
        count = rng.randint(2, 12)
        names = [f"{system}{rng.randint(1, count)}" if rng.random() < 0.15 else f"{system}{n + 1}" for n in range(count)]  # fmt: skip
        found.append(
            points(
                f"{system}Point.csv", system,
                point=["" if rng.random() < 0.05 else name for name in names],
                x=[rng.choice(["", "abc", 9e6]) if rng.random() < 0.1 else rng.uniform(0, 99) for _ in names],
                ground=["" if rng.random() < 0.2 else rng.uniform(5, 9) for _ in names],
                depth=["" if rng.random() < 0.8 else rng.uniform(0, 3) for _ in names],
            )
        )  # fmt: skip
        ends = [[f"{system}{rng.randint(1, count + 1)}" for _ in range(15)] for _ in range(2)]
        numbers = {
            name: ["" if rng.random() < 0.4 else rng.uniform(0, 5) for _ in range(15)]
            for name in ("start_depth", "end_depth", "start_elevation", "end_elevation")
        }
        found.append(lines(f"{system}Line.csv", system, start=ends[0], end=ends[1], **numbers))
    return found


def number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def expected(tables: list[SurveyTable]) -> tuple[set[str], dict[int, list[tuple]]]:
    """Row by row, as a person would do it: the ids of the nodes, and by table what lines become."""
    sound: dict[str, tuple[float, float]] = {}
    for item in (t for t in tables if t.kind == "point"):
        for row in range(len(item)):
            name, x = item.columns["point"][row], number(item.columns["x"][row])
            if name and math.isfinite(x) and x < 1e6 and name not in sound:
                sound[name] = (number(item.columns["ground"][row]), number(item.columns["depth"][row]))  # fmt: skip
    made: dict[int, list[tuple]] = {}
    for at, item in enumerate(tables):
        if item.kind != "line":
            continue
        made[at] = []
        for row in range(len(item)):
            names = item.columns["start"][row], item.columns["end"][row]
            if not all(name in sound for name in names) or names[0] == names[1]:
                continue
            ends = []
            for side, name in zip(("start", "end"), names, strict=True):
                ground, depth = sound[name]
                options = (
                    number(item.columns[f"{side}_elevation"][row]),
                    ground - number(item.columns[f"{side}_depth"][row]),
                    ground - depth,
                )
                ends.append(next((value for value in options if math.isfinite(value)), math.nan))
            made[at].append((row, *names, *ends))
    return set(sound), made


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6))
def test_every_row_is_used_as_a_person_would_or_named_with_its_reason(seed: int) -> None:
    tables = random_tables(seed)
    placed, notes = network_of(*tables)
    nodes, segments = placed.network.nodes, placed.network.segments
    ids, made = expected(tables)
    assert set(nodes.ids.tolist()) == ids
    found: dict[int, list[tuple]] = {at: [] for at in made}
    for row in range(len(segments)):
        at = int(placed.segment_tables[row])
        ends = nodes.ids[segments.starts[row]], nodes.ids[segments.ends[row]]
        found[at].append((int(placed.segment_rows[row]), *ends, *segments.elevations[row].tolist()))
        assert segments.references[row] == CLASSES[tables[at].system]
        assert segments.classes.text(row) == tables[at].system
    for at, rows in made.items():
        assert [row[:3] for row in found[at]] == [row[:3] for row in rows]
        assert np.allclose(
            [r[3:] for r in found[at]] or [[]], [r[3:] for r in rows] or [[]], equal_nan=True
        )
    assert len(nodes) + len(segments) + len(notes.dropped) == sum(map(len, tables))
    assert all(item.reason for item in notes.dropped)
    for row in range(len(nodes)):
        place = placed.places[placed.node_tables[row]][placed.node_rows[row]]
        assert place.tolist() == nodes.places[row].tolist()
    assert len({*nodes.ids.tolist(), *segments.ids.tolist()}) == len(nodes) + len(segments)


def test_broken_rows_say_what_is_wrong_with_them() -> None:
    bad = points(
        point=["A", "A", "B", "", "C"], x=[0, 1, "abc", 3, 9e6], ground=[1, 2, 3, 4, 5]
    )  # fmt: skip
    pipes = lines(start=["A", "", "A", "B"], end=["A", "A", "", "A"])
    placed, notes = network_of(bad, pipes)
    assert len(placed.network.nodes) == 1
    assert [(item.id, item.feature_class, item.reason) for item in notes.dropped] == [
        ("A", "JSPoint.csv:3", "its point number stands before, in JSPoint.csv:2"),
        ("B", "JSPoint.csv:4", "its X and Y cannot be read"),
        ("JSPoint.csv:5", "JSPoint.csv:5", "it has no point number"),
        ("C", "JSPoint.csv:6", "it lies outside the area of its reference system"),
        ("A-A", "JSLine.csv:2", "it begins and ends at the same point"),
        ("-A", "JSLine.csv:3", "it names no start point"),
        ("A-", "JSLine.csv:4", "it names no end point"),
        ("B-A", "JSLine.csv:5", "its point B is in no point table, or was left out there"),
    ]
    assert placed.places[0][0].tolist() == [0, 0]
    assert np.isnan(placed.places[1]).all()


def test_depths_are_to_the_top_outside_or_the_invert_inside_by_class() -> None:
    columns = {"start": ["1"], "end": ["2"], "start_depth": [1.0], "end_depth": [1.5], "size": ["1000"], "material": ["混凝土"]}  # fmt: skip
    placed, _ = network_of(
        points("JSPoint", "JS", point=["1", "2"]), lines("JSLine", "JS", **columns),
        points("WSPoint", "WS", point=["1", "2"]), lines("WSLine", "WS", **columns),
    )  # fmt: skip
    segments = placed.network.segments
    assert segments.walls.tolist() == pytest.approx([0.1, 0.1])  # a tenth of a concrete pipe
    assert segments.axes.tolist() == pytest.approx(
        np.array([[9 - 0.6, 8.5 - 0.6], [9 + 0.5, 8.5 + 0.5]])
    )
    assert segments.starts.tolist() == [0, 2]  # each class has points 1 and 2 of its own
    assert placed.network.nodes.ids.tolist() == ["JS.1", "JS.2", "WS.1", "WS.2"]


def test_a_header_that_says_top_or_invert_counts_before_the_class() -> None:
    placed, _ = network_of(
        points(point=["1", "2"], invert=["", 7.0]),
        lines(start=["1", "1"], end=["2", "2"], start_invert=[8, 8], start_top=["", 8.4], end_top=["", 8.2]),
    )  # fmt: skip
    segments = placed.network.segments
    assert segments.references.tolist() == [Reference.INVERT, Reference.TOP]
    assert segments.elevations.tolist() == [[8, 7], [8.4, 8.2]]


def test_a_cable_going_up_a_pole_has_a_negative_depth_at_its_upper_end() -> None:
    placed, _ = network_of(
        points("DLPoint", "DL", point=["1", "2"]),
        lines("DLLine", "DL", start=["1"], end=["2"], start_depth=[0.7], end_depth=[-6], burial=["SJ"]),
    )  # fmt: skip
    segments = placed.network.segments
    assert segments.elevations.tolist() == [[9.3, 16]]
    assert segments.burials.text(0) == "上架"


def test_ground_that_is_not_surveyed_is_that_of_the_terrain() -> None:
    class Hill:
        paths = ()

        def __call__(self, places: np.ndarray) -> np.ndarray:
            return np.where(places[:, 1] > 0.00015, np.nan, 20.0)

    placed, notes = network_of(
        points(point=["1", "2", "3"], ground=["", 10, ""], bottom_depth=[2, "", 2]),
        lines(start=["1", "2"], end=["2", "3"], start_depth=[1, 1], end_depth=[1, 1]),
        ground=Hill(),
    )
    nodes = placed.network.nodes
    assert nodes.ground[:2].tolist() == [20, 10]
    assert nodes.bottom.tolist() == pytest.approx([18, np.nan, np.nan], nan_ok=True)
    assert np.isnan(nodes.ground[2])
    assert placed.network.segments.elevations.tolist()[0] == [19, 9]
    assert len(notes.warnings) == 3
    assert notes.warnings[0].startswith("1 points have no ground elevation; that of the city's")


def test_sizes_ducts_and_holes_become_cross_sections() -> None:
    sizes = ["DN300", "400×600", "3×4φ110", "φ110", "500×300", "?", "0", ""]
    placed, notes = network_of(
        points("DLPoint", "DL", point=["1", "2"]),
        lines(
            "DLLine", "DL", start=["1"] * 8, end=["2"] * 8, size=sizes,
            holes=["", "", 12, 6, 6, "", "", ""], burial=["", "", "GK", "", "管块", "", "", ""],
        ),
    )  # fmt: skip
    segments = placed.network.segments
    circle, box, ducts = Profile.CIRCLE, Profile.BOX, Profile.DUCTS
    assert segments.profiles.tolist() == [circle, box, ducts, ducts, ducts, circle, circle, circle]
    assert segments.ducts.tolist()[2:5] == [[3, 4], [3, 2], [3, 2]]
    assert segments.duct_sizes[2:4].tolist() == [0.11, 0.11]
    # 3 ducts of 110 mm, 30 mm between them and 50 mm around.
    assert segments.widths[:5].tolist() == pytest.approx([0.3, 0.4, 0.49, 0.49, 0.5])
    assert segments.heights[:5].tolist() == pytest.approx([0.3, 0.6, 0.63, 0.35, 0.3])
    assert np.isnan(segments.widths[5:]).all()
    assert notes.warnings[0] == (
        "1 sizes cannot be read and were left out; the first is '?' in DLLine:7"
    )


def test_words_of_dictionaries_and_other_columns_are_kept() -> None:
    pipes = lines(
        start=["1", "2"], end=["2", "3"], material=["QM", "竹"], status=[1, "在用"], year=["2008年", "x"],
        pressure=["0.4", ""], voltage=["", "10kV"], road=["一路", ""], holes=["4", ""], line=["L7", ""],
        casing=["", "钢"], owner=["区供水公司", ""], wall=[8, ""], length=[12.5, ""],
    )  # fmt: skip
    tables = [points(point=["1", "2", "3"], note=["", "路口", ""]), pipes]
    placed, _ = network_of(*tables)
    segments = placed.network.segments
    assert segments.ids.tolist() == ["L7", "2-3"]
    assert segments.materials.texts().tolist() == ["球墨铸铁", "竹"]
    assert segments.statuses.texts().tolist() == ["废弃", "在用"]
    assert segments.closed.tolist() == [True, False]  # nothing passes what is abandoned
    assert segments.years.tolist() == [2008, 0]
    assert segments.pressures.texts().tolist() == ["0.4", "10kV"]
    assert segments.walls[0] == 0.008
    assert segments.lengths[0] == 12.5
    assert said(tables, placed) == {
        "L7": {"holes": 4},
        "2-3": {"casing": "钢"},
        "2": {"note": "路口"},
    }


def test_what_points_say_of_themselves_is_kept_and_codes_of_points_and_lines() -> None:
    own = {"code": "51042204", "owner": "区供水公司", "road": "一路", "status": "在用", "year": "2010"}  # fmt: skip
    tables = [
        points(point=["1", "2"], depth=[1, 1], **{name: [text, ""] for name, text in own.items()}),
        lines(start=["1"], end=["2"], code=["51041000"], owner=["市政"], year=["2008"]),
    ]
    placed, _ = network_of(*tables)
    assert said(tables, placed) == {"1": {**own, "year": 2010}, "1-2": {"code": "51041000"}}


def test_flow_is_as_surveyed_and_else_down_in_drains() -> None:
    for system, flows in (("WS", [1, -1, 1, 0]), ("JS", [1, -1, 0, 0])):
        placed, _ = network_of(
            points("p", system, point=["1", "2"]),
            lines(
                "l", system, start=["1"] * 4, end=["2"] * 4, flow=["+", "反向", "", ""],
                start_elevation=[5, 5, 5, 5], end_elevation=[6, 4, 4, ""],
            ),
        )  # fmt: skip
        assert placed.network.segments.flows.tolist() == flows


def cuts(placed: PlacedSurvey) -> set[tuple[str, str, str]]:
    valves, network = placed.network.valves, placed.network
    return {
        (valves.ids[valve], network.segments.ids[segment], network.nodes.ids[node])
        for valve, segment, node in zip(valves.valves, valves.segments, valves.nodes, strict=True)
    }


def test_a_valve_cuts_all_its_pipes_unless_a_table_says_which() -> None:
    pts = points(point=["1", "2", "3", "4"], appurtenance=["阀门", "阀门井", "排气阀", "检修井"])
    pipes = lines(start=["1", "2", "3"], end=["2", "3", "4"])
    placed, _ = network_of(pts, pipes)
    kinds = [NodeKind.VALVE, NodeKind.VALVE, NodeKind.DEVICE, NodeKind.WELL]
    assert placed.network.nodes.kinds.tolist() == kinds
    assert cuts(placed) == {("1", "1-2", "1"), ("2", "1-2", "2"), ("2", "2-3", "2")}
    valves = table(
        "valve", "阀门表.csv", "JS", valve=["V1", "V2", "V3", "V4", ""], point=["2", "2", "4", "9", "3"],
        connected=["1", "3", "", "", "4"], line=["", "", "3-4", "", ""],
    )  # fmt: skip
    placed, notes = network_of(pts, pipes, valves)
    assert cuts(placed) == {
        ("1", "1-2", "1"), ("V1", "1-2", "2"), ("V2", "2-3", "2"), ("V3", "3-4", "4"), ("3", "3-4", "3"),
    }  # fmt: skip
    assert placed.network.nodes.kinds.tolist() == [NodeKind.VALVE] * 4
    assert said([pts, pipes, valves], placed) == {"2": {"valve": "V1; V2"}, "4": {"valve": "V3"}}
    assert [item.reason for item in notes.dropped] == [
        "its point 9 is in no point table, or was left out there"
    ]
    wrong = table("valve", "v", "JS", valve=["V"], point=["1"], line=["3-4"])
    placed, notes = network_of(pts, pipes, wrong)
    assert ("V", "1-2", "1") in cuts(placed)
    assert "does not touch its point" in notes.warnings[-1]


def test_users_and_what_they_draw_are_summed_at_their_points() -> None:
    users = table(
        "user", "u", "JS", point=["1", "1", "2", "8"], users=[3, 4, "", 1], demand_m3d=[86.4, "", "", 1],
        demand=["", 2, "", 1],
    )  # fmt: skip
    placed, notes = network_of(points(point=["1", "2"]), lines(start=["1"], end=["2"]), users)
    nodes = placed.network.nodes
    assert nodes.users.tolist() == pytest.approx([7, np.nan], nan_ok=True)
    assert nodes.demand.tolist() == pytest.approx([3, np.nan], nan_ok=True)
    assert len(notes.dropped) == 1
    each = table("user", "u", "JS", point=["1", "1"], demand=[1, 2])
    placed, _ = network_of(points(point=["1", "2"]), lines(start=["1"], end=["2"]), each)
    assert placed.network.nodes.users[0] == 2


def test_the_class_of_a_row_is_the_finest_that_is_said() -> None:
    mixed = lines(
        "PSLine", "PS", start=["YS1", "1", "1", "1", "JS1"], end=["2"] * 5,
        **{"class": ["", "污水", "", "", ""]}, code=["", "", "52031000", "51041000", ""],
    )  # fmt: skip
    rows = JoinedRows.of([mixed], "line")
    found = classes_of(rows, rows.texts("start"))
    assert found.texts().tolist() == ["YS", "WS", "HS", "JP", "PS"]
    plain = lines("Line", "", start=["1"], end=["2"])
    rows = JoinedRows.of([plain], "line")
    assert classes_of(rows, rows.texts("start")).texts().tolist() == [""]
    assert classes_of(rows, rows.texts("start"), "RQ").texts().tolist() == ["RQ"]
    _, notes = network_of(points("p", "", point=["1", "2"]), plain)
    assert "say it with the option pipe_class" in notes.warnings[0]


@pytest.mark.parametrize(
    ("code", "letters", "element", "name"),
    [
        ("52011000", "YS", "line", "雨水管段"), ("52012204", "YS", "point", "雨水箅"),
        ("52012205", "YS", "point", "雨水井"), ("52012201", "YS", "point", "窨井"),
        ("52012219", "YS", "point", "泵站"), ("52022205", "WS", "point", "污水井"),
        ("52032204", "HS", "point", "雨水井"), ("52032208", "HS", "point", "溢流井"),
        ("51041000", "JP", "line", "配水管线"), ("51042202", "JP", "point", "消防栓"),
        ("51042204", "JP", "point", "阀门"), ("51042215", "JP", "point", "泵站"),
        ("51990000", "JS", "other", ""), ("52990000", "PS", "other", ""),
    ],
)  # fmt: skip
def test_published_feature_codes_are_read(code: str, letters: str, element: str, name: str) -> None:
    found = feature_code(code)
    assert found is not None
    assert (found.pipe_class, found.element, found.name) == (letters, element, name)
    assert found.is_appurtenance == (element == "point")


@pytest.mark.parametrize("code", ["", "5201100", "62011000", "52091000", "52011200", "52012000"])
def test_what_has_not_the_structure_of_a_feature_code_is_none(code: str) -> None:
    assert feature_code(code) is None


@pytest.mark.parametrize(
    ("word", "system", "kind"),
    [
        ("闸阀", "JS", NodeKind.VALVE), ("消防栓", "JS", NodeKind.HYDRANT),
        ("水表井", "JS", NodeKind.WELL), ("水厂", "JS", NodeKind.SOURCE),
        ("出水口", "PS", NodeKind.OUTFALL), ("雨水箅", "PS", NodeKind.WELL),
        ("减压阀", "JS", NodeKind.DEVICE), ("人孔", "TX", NodeKind.WELL),
        ("分支箱", "DL", NodeKind.DEVICE), ("变电站", "DL", NodeKind.SOURCE),
        ("Gate valve", "JS", NodeKind.VALVE), ("steel plate", "JS", NodeKind.DEVICE),
    ],
)  # fmt: skip
def test_appurtenances_do_what_their_names_say(word: str, system: str, kind: NodeKind) -> None:
    assert node_kind("", word, "", system) == kind


@given(st.lists(st.one_of(st.floats(allow_nan=False, allow_infinity=False), st.just(""))))
def test_numbers_are_read_back(values: list[object]) -> None:
    found = numbers(np.array([repr(v) if v != "" else "" for v in values], object))
    assert np.array_equal(found, [math.nan if v == "" else v for v in values], equal_nan=True)


def test_years_are_found_in_dates() -> None:
    texts = ["2008", "2008-05-01", "2008年5月", "199", "", "建于1987年", "200805"]
    assert years(np.array(texts, object)).tolist() == [2008, 2008, 2008, 0, 0, 1987, 2008]

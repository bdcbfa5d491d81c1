"""OpenDRIVE files become road maps: every curve, widths, junctions and lights.

The file is written here, piece by piece; where its curves lead is found by walking along them in
steps of a millimetre.
"""

import math
import re
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest

from cim_core.errors import InvalidInput, TooLarge
from cim_core.mesh import Floats
from cim_core.traffic.road_file import check
from cim_core.traffic.roads import Line, RoadMap
from pipelines import roads_opendrive, roads_xml
from pipelines.roads_geometry import level
from pipelines.roads_opendrive import opendrive_roads
from pipelines.roads_opendrive_shapes import Geometry
from pipelines.roads_place import MapFile

ORIGIN = (113.45, 23.0)
CRS = f"+proj=tmerc +lat_0={ORIGIN[1]} +lon_0={ORIGIN[0]} +k=1 +x_0=0 +y_0=0 +ellps=WGS84 +units=m"
STEP = 0.001


@dataclass
class Curve:
    """A reference line, walked along as it is written down."""

    x: float
    y: float
    hdg: float
    s: float = 0.0
    xml: str = ""
    track: list[tuple[float, float, float]] = field(default_factory=list)

    def add(self, length: float, first: float, last: float, shape: str) -> None:
        """A piece whose curvature goes evenly from first to last."""
        self.begin(length, shape)
        for n in range(round(length / STEP)):
            self.track.append((self.x, self.y, self.hdg))
            here = (n + 0.5) * STEP
            turn = first + (last - first) * here / length
            self.hdg += turn * STEP
            self.x += math.cos(self.hdg - turn * STEP / 2) * STEP
            self.y += math.sin(self.hdg - turn * STEP / 2) * STEP
        self.track.append((self.x, self.y, self.hdg))

    def begin(self, length: float, shape: str) -> None:
        self.xml += (
            f'<geometry s="{self.s}" x="{self.x!r}" y="{self.y!r}" hdg="{self.hdg!r}" '
            f'length="{length}">{shape}</geometry>'
        )
        self.s += length

    def bulge(self, height: float) -> None:
        """A paramPoly3: 40 m ahead and `height` to the left, ending as it began."""
        b = [0.0, 40.0, 0.0, 0.0], [0.0, 0.0, 3 * height, -2 * height]
        p = np.linspace(0, 1, 40_001)
        u = 40 * p
        v = 3 * height * p**2 - 2 * height * p**3
        length = float(np.hypot(np.diff(u), np.diff(v)).sum())
        words = [f'{k}{axis}="{value}"' for axis, row in zip("UV", b, strict=True)
                 for k, value in zip("abcd", row, strict=True)]  # fmt: skip
        self.begin(length, f'<paramPoly3 pRange="normalized" {" ".join(words)}/>')
        cosine, sine = math.cos(self.hdg), math.sin(self.hdg)
        slope = np.arctan2(np.gradient(v), np.gradient(u)) + self.hdg
        xs, ys = self.x + cosine * u - sine * v, self.y + sine * u + cosine * v
        self.track += list(zip(xs.tolist(), ys.tolist(), slope.tolist(), strict=True))
        self.x, self.y = float(xs[-1]), float(ys[-1])


def widths(a: float, b: float = 0.0) -> str:
    return f'<width sOffset="0" a="{a}" b="{b}" c="0" d="0"/>'


def lane(id_: int, kind: str, width: str, before: int | None, after: int | None) -> str:
    link = "".join(
        f'<{word} id="{to}"/>'
        for word, to in (("predecessor", before), ("successor", after))
        if to is not None
    )
    return f'<lane id="{id_}" type="{kind}" level="false"><link>{link}</link>{width}</lane>'


def section(start: float, left: str, right: str) -> str:
    sides = "".join(f"<{k}>{v}</{k}>" for k, v in (("left", left), ("right", right)) if v)
    return f'<laneSection s="{start}">{sides}</laneSection>'


def road(
    id_: str,
    curve: str,
    length: float,
    sections: str,
    link: str,
    junction: str = "-1",
    more: str = "",
) -> str:
    return (
        f'<road id="{id_}" name="Road {id_}" length="{length}" junction="{junction}">'
        f'<link>{link}</link><type s="0" type="townArterial"><speed max="60" unit="km/h"/></type>'
        f"<planView>{curve}</planView><lanes>{sections}</lanes>{more}</road>"
    )


@dataclass
class Made:
    path: Path
    main: Curve


def write(folder: Path) -> Made:
    """A bent road into a junction, from there one straight on and one to the right."""
    main = Curve(-300.0, 20.0, 0.1)
    main.add(60.0, 0, 0, "<line/>")
    main.add(40.0, 0, 0.01, '<spiral curvStart="0" curvEnd="0.01"/>')
    main.add(30.0, 0.01, 0.01, '<arc curvature="0.01"/>')
    main.add(40.0, 0.01, 0, '<spiral curvStart="0.01" curvEnd="0"/>')
    main.bulge(-4.0)
    onward = Curve(main.x, main.y, main.hdg)
    onward.add(20.0, 0, 0, "<line/>")
    right = Curve(main.x, main.y, main.hdg)
    right.add(15.0, -math.pi / 30, -math.pi / 30, f'<arc curvature="{-math.pi / 30!r}"/>')
    ahead = Curve(onward.x, onward.y, onward.hdg)
    ahead.add(50.0, 0, 0, "<line/>")
    side = Curve(right.x, right.y, right.hdg)
    side.add(50.0, 0, 0, "<line/>")
    first = section(
        0, lane(1, "driving", widths(3.5), 1, 1), lane(-1, "driving", widths(3.5), -1, -1)
    )
    # From 100 m on a second lane opens beside the first, 3 m wide after 30 m, and a footway.
    second = section(
        100, lane(1, "driving", widths(3.5), 1, None),
        lane(-1, "driving", widths(3.5), -1, None)
        + lane(-2, "driving", widths(3.0), None, None) + lane(-3, "sidewalk", widths(2.0), None, None),
    )  # fmt: skip
    lights = (
        '<signals><signal id="s1" s="200" t="-5" dynamic="yes" orientation="+" type="1000001"/>'
        '<signal id="s2" s="200" t="-5" dynamic="yes" orientation="+" type="1000002"/></signals>'
        '<objects><object id="z" type="crosswalk" s="205" t="0" hdg="0"><outline>'
        '<cornerRoad s="203" t="-7"/><cornerRoad s="207" t="-7"/><cornerRoad s="207" t="4"/>'
        '<cornerRoad s="203" t="4"/></outline></object></objects>'
    )
    one = section(0, "", lane(-1, "driving", widths(3.5), -1, -1))
    two = section(0, "", lane(-1, "driving", widths(3.0), -2, -1))
    end = section(0, "", lane(-1, "driving", widths(3.5), -1, None))
    to = '<predecessor elementType="road" elementId="1" contactPoint="end"/>'
    text = (
        '<OpenDRIVE><header revMajor="1" revMinor="6"><geoReference><![CDATA[' + CRS
        + ']]></geoReference><offset x="100" y="-50" z="0" hdg="0"/></header>'
        + road("1", main.xml, main.s, first + second,
               '<successor elementType="junction" elementId="J"/>', more=lights)
        + road("2", ahead.xml, 50, end, '<predecessor elementType="junction" elementId="J"/>')
        + road("3", side.xml, 50, end, '<predecessor elementType="junction" elementId="J"/>')
        + road("10", onward.xml, 20, one,
               to + '<successor elementType="road" elementId="2" contactPoint="start"/>', "J")
        + road("11", right.xml, 15, two,
               to + '<successor elementType="road" elementId="3" contactPoint="start"/>', "J")
        + '<controller id="5"><control signalId="s1" type="0"/></controller>'
        '<junction id="J" name="Kaichuang">'
        '<connection id="0" incomingRoad="1" connectingRoad="10" contactPoint="start">'
        '<laneLink from="-1" to="-1"/></connection>'
        '<connection id="1" incomingRoad="1" connectingRoad="11" contactPoint="start">'
        '<laneLink from="-2" to="-1"/></connection></junction></OpenDRIVE>'
    )  # fmt: skip
    path = folder / "made.xodr"
    path.write_text(text)
    return Made(path, main)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return write(tmp_path_factory.mktemp("xodr"))


@pytest.fixture(scope="module")
def roads(made: Made) -> RoadMap:
    found, place, _ = opendrive_roads(MapFile.plain(made.path))
    check(found, "made")
    assert place.georeference.method == "file"
    return found


def plane(line: Line) -> Floats:
    """Metres of the file: its origin is that of the projection, less the header's offset."""
    found: Floats = level(line, ORIGIN) - np.array([100.0, -50.0])
    return found


def offsets(track: list[tuple[float, float, float]], line: Floats) -> Floats:
    """How far to the left of a walked line places lie, and how far from it, (n, 2)."""
    walked = np.array(track)
    found = []
    for x, y in line:
        away = np.hypot(walked[:, 0] - x, walked[:, 1] - y)
        near = walked[int(np.argmin(away))]
        left = -math.sin(near[2]) * (x - near[0]) + math.cos(near[2]) * (y - near[1])
        found.append((left, float(away.min())))
    return np.array(found)


def test_lanes_run_beside_the_reference_line_all_the_way(roads: RoadMap, made: Made) -> None:
    track = made.main.track
    for id_, t in (("1.0.-1", -1.75), ("1.1.-1", -1.75), ("1.1.-2", -5.0), ("1.1.1", 1.75)):
        found = offsets(track, plane(roads.lane_by_id[id_].line))
        assert np.abs(found[:, 0] - t).max() < 0.01
        assert np.abs(found[:, 1] - abs(t)).max() < 0.01
    last = plane(roads.lane_by_id["1.1.-1"].line)[-1]
    x, y, heading = track[-1]
    end = (x + 1.75 * math.sin(heading), y - 1.75 * math.cos(heading))
    assert np.hypot(*(last - end)) < 0.01
    # The opposite lane is driven the other way: it begins where the others end.
    opposite = plane(roads.lane_by_id["1.1.1"].line)
    assert np.hypot(*(opposite[0] - (x, y))) < 2.0


def test_a_lane_between_its_points_is_no_more_than_a_finger_off_the_curve(
    roads: RoadMap, made: Made
) -> None:
    line = plane(roads.lane_by_id["1.1.-1"].line)
    halves = (line[1:] + line[:-1]) / 2
    assert np.abs(offsets(made.main.track, halves)[:, 0] + 1.75).max() < 0.03


def test_a_junction_is_an_intersection_with_ways_lights_and_a_crosswalk(roads: RoadMap) -> None:
    node = roads.intersection_by_id["J"]
    assert (node.name, node.control) == ("Kaichuang", "signal")
    ways = {
        (way.from_lane, way.to_lane): (way.turn, way.group) for way in roads.connections_of("J")
    }
    assert ways == {
        ("1.1.-1", "2.0.-1"): ("straight", "5"), ("1.1.-2", "3.0.-1"): ("right", "5"),
    }  # fmt: skip
    [group] = roads.groups
    assert (group.intersection, group.number) == ("J", 5)
    assert [arm.link for arm in node.approaches] == ["1.1.-1"]
    assert set(node.exits) == {"2.0.-1", "3.0.-1"}
    [walk] = roads.crosswalks
    assert walk.intersection == "J"
    lanes = roads.lanes_of("1.1.-1")
    assert [(x.number, x.id, x.type, x.width) for x in lanes] == [
        (1, "1.1.-1", "driving", 3.5), (2, "1.1.-2", "driving", 3.0),
    ]  # fmt: skip
    assert roads.lane_by_id["1.1.-3"].type == "sidewalk"
    assert lanes[0].speed == pytest.approx(60 / 3.6)
    assert roads.link_by_id["1.1.-1"].road_class == "arterial"


def test_a_road_whose_lanes_change_goes_on_behind_a_joint(roads: RoadMap) -> None:
    joint = roads.intersection_by_id[roads.link_by_id["1.0.-1"].end or ""]
    assert joint.control == "none"
    assert [(x.from_lane, x.to_lane) for x in roads.connections_of(joint.id)] == [
        ("1.0.-1", "1.1.-1")
    ]
    # The lane the other way has the same lanes in both sections, and is one.
    assert "1.0.1" not in roads.lane_by_id
    whole = roads.link_by_id["1.1.1"].length
    assert whole > 205


def test_a_cubic_is_followed_by_its_length() -> None:
    cubic = Geometry("poly3", 0, 0, 0, 0, 50.0, (0.0, 0.0, 0.01, 0.0))
    x, y, heading = cubic.at(np.array([0.0, 20.0, 40.0]))[2]
    assert y == pytest.approx(0.01 * x * x, abs=0.01)
    fine = np.linspace(0, x, 100_000)
    assert np.hypot(np.diff(fine), np.diff(0.01 * fine**2)).sum() == pytest.approx(40.0, abs=0.02)
    assert math.tan(heading) == pytest.approx(0.02 * x)


LIGHT = '<signals><signal id="9" s="0"><validity fromLane="{}" toLane="1"/></signal></signals>'


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (CRS, "", "--crs"),
        ("<line/>", "<helix/>", "made.xodr, road 1: a geometry is none of line, arc"),
        ('curvature="0.01"', 'curvature="bent"', "curvature is 'bent' and must be a number"),
        ('elementId="2"', 'elementId="20"', "the road '20' is named and not there"),
        ('z="0" hdg="0"', 'z="0" hdg="1"', "turned by the offset's hdg"),
        ("</lanes>", f"</lanes>{LIGHT.format('x')}", "fromLane is 'x' and must be a number"),
        (
            "</lanes>",
            f"</lanes>{LIGHT.format('0.5')}",
            "fromLane is '0.5' and must be a whole number",
        ),
    ],
)
def test_what_is_wrong_with_a_file_is_named(
    made: Made, tmp_path: Path, old: str, new: str, said: str
) -> None:
    path = tmp_path / "made.xodr"
    path.write_text(made.path.read_text().replace(old, new, 1))
    with pytest.raises(InvalidInput, match=re.escape(said)):
        opendrive_roads(MapFile.plain(path))


@pytest.mark.parametrize("of", ["road", "geometry", "both"])
def test_a_road_longer_than_any_is_refused_before_it_is_drawn(
    made: Made, tmp_path: Path, of: str
) -> None:
    text = made.path.read_text()
    if of in ("road", "both"):
        text = re.sub(r'(<road [^>]*?)length="[^"]*"', r'\1length="1e12"', text, count=1)
    if of in ("geometry", "both"):
        text = re.sub(r'(<geometry [^>]*?)length="[^"]*"', r'\1length="1e12"', text, count=1)
    path = tmp_path / "made.xodr"
    path.write_text(text)
    with pytest.raises(TooLarge, match=r"made\.xodr, road .*: length is more than 1000 km"):
        opendrive_roads(MapFile.plain(path))


def test_more_places_than_a_map_can_hold_are_refused_on_the_way(
    made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = replace(roads_xml.limits(), points=50)
    monkeypatch.setattr(roads_opendrive, "limits", lambda: few)
    with pytest.raises(TooLarge, match="the map holds more than 50 places"):
        opendrive_roads(MapFile.plain(made.path))

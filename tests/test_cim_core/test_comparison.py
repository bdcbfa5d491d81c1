"""Comparing versions: against edits that know what they did, and against the files themselves."""

import json
from dataclasses import dataclass, field, replace
from pathlib import Path

import ifcopenshell
import ifcopenshell.geom
import ifcopenshell.util.element
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cim_core.city import City
from cim_core.comparison import Comparison, compare_versions
from cim_core.errors import NotFound
from cim_core.feature import Feature, Instance, Property, PropertySet
from cim_core.frame import Frame
from cim_core.layer import Features, Georeference, Layer
from cim_core.mesh import Material, Mesh, transformed
from cim_core.progress import Progress
from cim_core.property_changes import PropertyChange
from cim_core.receipt import write_receipt
from tests.conftest import EditedCity
from tests.support.ifc_edits import SHIFT

HERE = Frame(113.46, 23.1, 10.0)
GREY, RED = Material("grey", (0.5, 0.5, 0.5, 1.0)), Material("red", (0.8, 0.0, 0.0, 1.0))
LAMP = np.array([0.1, 0.0, 0.5])
KINDS = ("move", "turn", "reshape", "reproperty", "recolour")


def box(size: tuple[float, float, float], material: Material = GREY) -> Mesh:
    corners = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)], float) * size
    faces = [[0, 1, 3], [0, 3, 2], [4, 6, 7], [4, 7, 5], [0, 4, 5], [0, 5, 1],
             [2, 3, 7], [2, 7, 6], [0, 2, 6], [0, 6, 4], [1, 5, 7], [1, 7, 3]]  # fmt: skip
    return Mesh(corners, np.array(faces, np.uint32), material)


@dataclass(frozen=True)
class Thing:
    """A feature in the making: boxes in its own coordinates, and where these stand."""

    id: str
    meshes: tuple[Mesh, ...]
    matrix: np.ndarray
    value: float = 1.0
    turned: bool = False
    extra: dict = field(default_factory=dict)

    def feature(self, keys: tuple[str, ...], matrix: np.ndarray) -> Feature:
        sets = (PropertySet("Pset_A", "property", (Property("V", self.value, "m"),)),)
        placed = tuple(Instance(key, matrix) for key in keys)
        return Feature(self.id, "IfcWall", f"name {self.id}", None, self.extra, sets, placed)


def layer_of(things: list[Thing], frame: Frame = HERE, noise: int | None = None) -> Layer:
    """A layer; with `noise`, as another kernel would make it: baked, renumbered, a little off."""
    meshes: dict[str, Mesh] = {}
    features = []
    random = np.random.default_rng(noise)
    for thing in things:
        matrix = thing.matrix
        made = thing.meshes
        if noise is not None or frame != HERE:
            made = tuple(
                Mesh(baked(m.positions, matrix, frame), m.triangles, m.material) for m in made
            )
            matrix = np.eye(4)
        if noise is not None:
            # A turned shape is recognised by the order of its vertices alone.
            made = tuple(disturbed(mesh, random, shuffle=not thing.turned) for mesh in made)
        keys = tuple(mesh.key() for mesh in made)
        meshes |= dict(zip(keys, made, strict=True))
        features.append(thing.feature(keys, matrix))
    georeference = Georeference("test", None, {"en": "", "zh": ""})
    return Layer("things", "Things", frame, Features(tuple(features), meshes), georeference)


def baked(positions: np.ndarray, matrix: np.ndarray, frame: Frame) -> np.ndarray:
    """Through longitude, latitude and height, not through the matrices under test."""
    points = transformed(positions, matrix)
    return points if frame == HERE else frame.from_geographic(HERE.to_geographic(points))


def disturbed(mesh: Mesh, random: np.random.Generator, *, shuffle: bool) -> Mesh:
    count = len(mesh.positions)
    order = random.permutation(count) if shuffle else np.arange(count)
    place = np.argsort(order).astype(np.uint32)
    off = random.uniform(-1e-4, 1e-4, mesh.positions.shape)
    turned = random.permutation(place[mesh.triangles])
    return Mesh(mesh.positions[order] + off, turned, replace(mesh.material, name="made up"))


def publish(city: City, layer: Layer) -> int:
    with city.draft(layer.id, layer.title, Progress()) as draft:
        draft.save(layer, 0.0, Progress())
        (draft.folder / "tileset.json").write_text(json.dumps({"root": {}}))
        receipt = write_receipt("test", (), {}, {"version": draft.version})
        draft.publish(layer, {"bytes": 0, "tiles": 0, "triangles": 0}, receipt)
        return draft.version


def rotation(degrees: float) -> np.ndarray:
    angle = np.radians(degrees)
    matrix = np.eye(4)
    matrix[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    return matrix


def at(x: float, y: float, z: float) -> np.ndarray:
    matrix = np.eye(4)
    matrix[:3, 3] = x, y, z
    return matrix


@st.composite
def two_versions(draw) -> tuple[list[Thing], list[Thing], dict[str, set[str]]]:
    """Things before, things after, and what was done to each."""
    before, after, done = [], [], {}
    for number in range(draw(st.integers(1, 8))):
        name = f"thing {number}"
        # No side equals another and none is half of it, so that no turn leaves a box as it was.
        size = (draw(st.sampled_from([1.0, 1.3])), draw(st.sampled_from([2.9, 3.7])), 0.37)
        lamp = box((0.2, 0.3, 0.11), RED)
        meshes = (box(size), Mesh(lamp.positions + LAMP, lamp.triangles, RED))
        turned = rotation(draw(st.floats(0, 360)))
        place = at(10.0 * number, draw(st.floats(-50, 50)), draw(st.floats(0, 30)))
        thing = Thing(name, meshes[: draw(st.integers(1, 2))], place @ turned)
        fate = draw(st.sampled_from(["edited", "edited", "edited", "added", "removed"]))
        if fate == "added":
            after.append(thing)
            done[name] = {"added"}
            continue
        before.append(thing)
        if fate == "removed":
            done[name] = {"removed"}
            continue
        edits = draw(st.sets(st.sampled_from(KINDS)))
        if "reshape" in edits:
            edits -= {"move", "turn"}  # a new shape has no place it moved from
        after.append(edited(thing, edits, draw))
        done[name] = edits
    return before, after, done


def edited(thing: Thing, edits: set[str], draw) -> Thing:
    if "move" in edits:
        shift = draw(st.sampled_from([(0.002, 0, 0), (0, -3.0, 0.5), (120.0, 40.0, 0)]))
        thing = replace(thing, matrix=at(*shift) @ thing.matrix)
    if "turn" in edits:
        angle = draw(st.sampled_from([1.0, 90.0, 135.0]))
        thing = replace(thing, matrix=thing.matrix @ rotation(angle), turned=True)
    if "reshape" in edits:
        first = thing.meshes[0]
        grown = Mesh(first.positions * [1.0, 1.0, 1.02], first.triangles, first.material)
        thing = replace(thing, meshes=(grown, *thing.meshes[1:]))
    if "reproperty" in edits:
        thing = replace(thing, value=2.5)
    if "recolour" in edits:
        first = thing.meshes[0]
        thing = replace(thing, meshes=(replace(first, material=RED), *thing.meshes[1:]))
    return thing


def expected(done: dict[str, set[str]]) -> dict[str, set[str]]:
    means = {
        "move": "moved", "turn": "moved", "reshape": "geometry", "reproperty": "properties",
        "recolour": "properties", "added": "added", "removed": "removed",
    }  # fmt: skip
    return {name: {means[edit] for edit in edits} for name, edits in done.items() if edits}


def found(comparison: Comparison) -> dict[str, set[str]]:
    return {change.id: set(change.kinds) for change in comparison.changes}


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory):
    return lambda: City.open_or_create(tmp_path_factory.mktemp("c") / "city")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    versions=two_versions(),
    noise=st.none() | st.integers(0, 1000),
    moved_frame=st.booleans(),
)
def test_what_was_done_is_what_is_found(versions, noise, moved_frame: bool, fresh) -> None:
    before, after, done = versions
    city = fresh()
    publish(city, layer_of(before))
    frame = Frame(113.49, 23.13, -4.0) if moved_frame else HERE
    publish(city, layer_of(after, frame, noise))
    comparison = compare_versions(city, "things", 1, 2)
    assert found(comparison) == expected(done)
    counts = comparison.counts()
    assert counts["unchanged"] == sum(not edits for edits in done.values())
    assert sum(comparison.unchanged.values()) == counts["unchanged"]
    for kind in ("added", "removed", "moved", "geometry", "properties"):
        assert counts[kind] == sum(kind in kinds for kinds in expected(done).values())
    # Read the other way round, what came went, and what changed changed.
    swap = {"added": "removed", "removed": "added"}
    turned_round = {n: {swap.get(k, k) for k in kinds} for n, kinds in expected(done).items()}
    assert found(compare_versions(city, "things", 2, 1)) == turned_round
    city.database.close()


@settings(max_examples=40, deadline=None)
@given(
    shift=st.tuples(*[st.floats(-200, 200)] * 3),
    angle=st.floats(-179, 179),
    start=st.floats(0, 360),
    noise=st.booleans(),
)
def test_a_motion_is_told_in_metres_and_degrees(shift, angle, start, noise, fresh) -> None:
    city = fresh()
    first = Thing("a", (box((1.0, 3.0, 0.4)),), at(7, 8, 9) @ rotation(start))
    motion = at(*shift) @ first.matrix @ rotation(angle)
    publish(city, layer_of([first]))
    second = replace(first, matrix=motion, turned=True)
    publish(city, layer_of([second], noise=3 if noise else None))
    middle = np.array([[0.5, 1.5, 0.2]])
    moved = (transformed(middle, motion) - transformed(middle, first.matrix))[0]
    changes = compare_versions(city, "things", 1, 2).changes
    city.database.close()
    if not changes:
        assert np.linalg.norm(moved) < 1.2e-3
        assert abs(angle) < 0.08
        return
    assert changes[0].motion is not None
    assert changes[0].motion.displacement == pytest.approx(moved, abs=3e-4)
    assert changes[0].motion.rotation == pytest.approx(abs(angle), abs=0.02)


def test_less_than_a_millimetre_is_no_motion(city: City) -> None:
    thing = Thing("a", (box((1, 2, 3)),), np.eye(4))
    publish(city, layer_of([thing]))
    publish(city, layer_of([replace(thing, matrix=at(0.0009, 0, 0))]))
    publish(city, layer_of([replace(thing, matrix=at(0.0011, 0, 0))]))
    assert compare_versions(city, "things", 1, 2).changes == ()
    assert found(compare_versions(city, "things", 1, 3)) == {"a": {"moved"}}


def test_a_scaled_or_mirrored_instance_has_another_shape(city: City) -> None:
    thing = Thing("a", (box((1, 2, 3)),), np.eye(4))
    publish(city, layer_of([thing]))
    publish(city, layer_of([replace(thing, matrix=np.diag([1.1, 1.0, 1.0, 1.0]))]))
    publish(city, layer_of([replace(thing, matrix=np.diag([-1.0, 1.0, 1.0, 1.0]))]))
    assert found(compare_versions(city, "things", 1, 2)) == {"a": {"geometry"}}
    assert found(compare_versions(city, "things", 1, 3)) == {"a": {"geometry"}}


def test_a_face_that_is_missing_is_another_shape(city: City) -> None:
    whole = box((1, 2, 3))
    publish(city, layer_of([Thing("a", (whole,), np.eye(4))]))
    open_box = Mesh(whole.positions, whole.triangles[2:], GREY)
    publish(city, layer_of([Thing("a", (open_box,), np.eye(4))]))
    assert found(compare_versions(city, "things", 1, 2)) == {"a": {"geometry"}}


def test_geometry_that_came_or_went_is_another_shape(city: City) -> None:
    publish(city, layer_of([Thing("a", (box((1, 2, 3)),), np.eye(4)), Thing("b", (), np.eye(4))]))
    publish(city, layer_of([Thing("a", (), np.eye(4)), Thing("b", (box((1, 2, 3)),), np.eye(4))]))
    assert found(compare_versions(city, "things", 1, 2)) == {"a": {"geometry"}, "b": {"geometry"}}


def test_property_changes_name_set_values_and_units(city: City) -> None:
    def described(sets: tuple[PropertySet, ...], parent: str, **attributes) -> Layer:
        storeys = [Feature(f"S{n}", "IfcBuildingStorey", f"{n}F") for n in (1, 2)]
        wall = Feature("w", "IfcWall", "Wall", parent, attributes, sets)
        base = layer_of([])
        return replace(base, content=Features((*storeys, wall), {}))

    def pset(name: str, *properties: Property) -> PropertySet:
        return PropertySet(name, "property", properties)

    publish(city, described(
        (pset("A", Property("width", 200, "mm"), Property("fire", "EI 30"), Property("gone", None)),
         pset("B", Property("area", 12.5, "m2"), Property("twice", 1), Property("twice", 2))),
        "S1", storey="S1", material=["brick", "plaster"],
    ))  # fmt: skip
    publish(city, described(
        (pset("B", Property("twice", 2), Property("twice", 3), Property("area", 12.500000000001, "m2")),
         pset("A", Property("fire", "EI 60"), Property("width", 0.2, "m"), Property("new", True))),
        "S2", storey="S2", material=["plaster", "brick"],
    ))  # fmt: skip
    (change,) = compare_versions(city, "things", 1, 2).changes
    assert change.kinds == ("properties",)

    def changed(name: str | None, prop: str, before: object, after: object) -> PropertyChange:
        old, new = (
            None if value is ... else Property(prop, *value) if isinstance(value, tuple)
            else Property(prop, value)
            for value in (before, after)
        )  # fmt: skip
        return PropertyChange(name, prop, old, new)

    one, two = {"id": "S1", "name": "1F"}, {"id": "S2", "name": "2F"}
    assert sorted(change.properties, key=lambda c: (c.pset or "", c.name)) == [
        changed(None, "material", ["brick", "plaster"], ["plaster", "brick"]),
        changed(None, "parent", one, two),
        changed(None, "storey", one, two),
        changed("A", "fire", "EI 30", "EI 60"),
        changed("A", "gone", None, ...),
        changed("A", "new", ..., True),
        changed("A", "width", (200, "mm"), (0.2, "m")),
        changed("B", "twice", 1, 3),
    ]


def test_classes_and_counts_add_up_and_a_version_equals_itself(city: City) -> None:
    things = [Thing(str(n), (box((1, 2, 3)),), at(5 * n, 0, 0)) for n in range(6)]
    publish(city, layer_of(things))
    publish(city, layer_of([*things[1:], Thing("x", (box((1, 1, 2)),), np.eye(4))]))
    comparison = compare_versions(city, "things", 1, 2)
    assert comparison.classes() == {
        "IfcWall": {
            "added": 1,
            "removed": 1,
            "moved": 0,
            "geometry": 0,
            "properties": 0,
            "unchanged": 5,
        }
    }
    same = compare_versions(city, "things", 2, 2)
    assert same.changes == ()
    assert same.counts()["unchanged"] == 6


def test_a_version_that_is_not_kept_is_named(city: City) -> None:
    publish(city, layer_of([]))
    with pytest.raises(NotFound, match="no version 7 of the layer 'things'"):
        compare_versions(city, "things", 1, 7)
    with pytest.raises(NotFound, match="no layer 'nothing'"):
        compare_versions(city, "nothing", 1, 2)


# --- against the files, by way of ifcopenshell's own geometry and property functions


def shapes_in(path: Path) -> dict[str, np.ndarray]:
    """World vertices (n, 3) of every product by GlobalId, sorted and rounded to 0.1 mm."""
    model = ifcopenshell.open(str(path))
    chosen = ifcopenshell.geom.settings()
    chosen.set("use-world-coords", True)
    iterator = ifcopenshell.geom.iterator(chosen, model, 1)
    shapes = {}
    more = iterator.initialize()
    while more:
        shape = iterator.get()
        points = np.array(shape.geometry.verts).reshape(-1, 3)
        shapes[shape.guid] = np.unique(np.round(points, 4), axis=0)
        more = iterator.next()
    return shapes


def psets_in(path: Path) -> dict[str, dict]:
    model = ifcopenshell.open(str(path))

    def plain(values: dict) -> dict:
        return {s: {k: v for k, v in ps.items() if k != "id"} for s, ps in values.items()}

    return {
        element.GlobalId: {
            "name": element.Name,
            **plain(ifcopenshell.util.element.get_psets(element)),
        }
        for element in model.by_type("IfcObject")
    }


def test_a_comparison_agrees_with_the_two_files(edited: EditedCity) -> None:
    edits, (first, second) = edited.edits, edited.files
    comparison = compare_versions(edited.city, "community_centre", 1, 2)
    assert found(comparison) == {
        edits.added: {"added"}, edits.removed: {"removed"}, edits.moved: {"moved"},
        edits.turned: {"moved"}, edits.reshaped: {"geometry"}, edits.repropertied: {"properties"},
        edits.renamed: {"properties"},
    }  # fmt: skip

    old, new = psets_in(first), psets_in(second)
    assert {c.id for c in comparison.changes if c.kinds[0] in ("added", "removed")} == {
        *(old.keys() ^ new.keys())
    }
    assert {c.id for c in comparison.changes if "properties" in c.kinds} == {
        name for name in old.keys() & new.keys() if old[name] != new[name]
    }
    was, now = shapes_in(first), shapes_in(second)
    differing = {
        name
        for name in was.keys() & now.keys()
        if was[name].shape != now[name].shape or np.abs(was[name] - now[name]).max() > 5e-4
    }
    assert {c.id for c in comparison.changes if {"moved", "geometry"} & {*c.kinds}} == differing

    motions = {c.id: c.motion for c in comparison.changes if c.motion}
    assert np.linalg.norm(motions[edits.moved].displacement) == pytest.approx(
        np.linalg.norm(SHIFT), rel=1e-3
    )
    assert motions[edits.moved].displacement[2] == pytest.approx(SHIFT[2], abs=1e-3)
    assert motions[edits.moved].rotation == pytest.approx(0, abs=1e-3)
    assert motions[edits.turned].rotation == pytest.approx(90, abs=1e-3)

"""What every layer can be asked for, a layer of pipes can be asked for too."""

import io
from dataclasses import replace

import ezdxf
import numpy as np
import pytest
import trimesh

from cim_core.city import City
from cim_core.comparison import compare_versions
from cim_core.errors import NotFound
from cim_core.layer import Layer
from cim_core.network import Labels, Network, NodeKind, Profile, Reference
from cim_core.progress import Progress
from cim_core.store.features import Query
from server.extraction import extract
from server.ingest import retile
from server.sections import Where, section
from tests.support.layers import publish
from tests.support.pipes import network_layer_of, network_of

PLACES = np.array([[0.0, 0], [40, 0], [40, 30]])


def pipes(widths: tuple[float, float] = (0.3, 1.0), shift: float = 0.0) -> Layer:
    """A round pipe and a box, a well between them, and a pipe of which no height is known."""
    sizes = np.array([*widths, 0.2])
    network = network_of(
        np.vstack([PLACES, [[200, 0], [220, 0]]]) + np.array([0.0, shift]), [[0, 1], [1, 2], [3, 4]],
        [[5.0, 4.8], [4.8, 4.6], [np.nan, np.nan]], widths=sizes, heights=sizes,
        references=np.full(3, Reference.INVERT, np.int8),
        profiles=np.array([Profile.CIRCLE, Profile.BOX, Profile.CIRCLE], np.int8),
        classes=Labels.of(["WS", "YS", "JP"]), ground=np.array([7.0, 7, 7, np.nan, np.nan]),
        bottom=np.array([np.nan, 4.7, np.nan, np.nan, np.nan]),
        kinds=np.array([0, NodeKind.WELL, 0, 0, 0], np.int8),
    )  # fmt: skip
    return network_layer_of(network)


@pytest.fixture
def piped(city: City) -> City:
    publish(city, pipes())
    return city


def test_chosen_pipes_come_as_files_of_every_format(piped: City) -> None:
    version = piped.layers.get("pipes")
    [(name, data)] = extract(piped, version, Query(ids=("s0",)), "glb").items()
    assert name == "pipes-s0.glb"
    body = trimesh.load(io.BytesIO(data), file_type="glb").to_geometry()
    body.merge_vertices(merge_norm=True, merge_tex=True)
    assert body.is_watertight
    assert body.volume == pytest.approx(np.pi * 0.15**2 * np.hypot(40, 0.2), rel=0.01)
    whole = extract(piped, version, Query(), "ply")["pipes.ply"]
    assert len(whole) > 1000
    assert set(extract(piped, version, Query(), "obj")) == {"pipes.obj", "pipes.mtl"}
    with pytest.raises(NotFound, match=r"'s2' .* is not drawn in 3D"):
        extract(piped, version, Query(ids=("s2",)), "glb")
    with pytest.raises(NotFound, match="no feature"):
        extract(piped, version, Query(ids=("s9",)), "glb")


def test_pipes_are_cut_by_a_section(piped: City) -> None:
    version = piped.layers.get("pipes")
    plan = section(piped, version, Where(height=5.1), "dxf")
    [data] = plan.values()
    drawing = ezdxf.read(io.StringIO(data.decode()))
    layers = {item.dxf.layer for item in drawing.modelspace()}
    assert any("WS" in name for name in layers) and any("Well" in name for name in layers)


def test_tiling_again_needs_no_file(piped: City) -> None:
    report = retile(piped, "pipes", Progress())
    assert report["tileset"] == "/t/pipes/2/tileset.json"
    # Three segments, five nodes; what has no height is left out of the tiles, not of the layer.
    assert piped.layers.get("pipes").summary["tileset"]["tiles"] > 0


def test_versions_of_a_network_are_compared_pipe_by_pipe(piped: City) -> None:
    publish(piped, pipes((0.3, 1.2)))
    found = {c.id: c.kinds for c in compare_versions(piped, "pipes", 1, 2).changes}
    assert set(found) >= {"s1"} and "geometry" in found["s1"] and "s0" not in found
    publish(piped, pipes((0.3, 1.2), shift=2.0))
    moved = {c.id: c for c in compare_versions(piped, "pipes", 2, 3).changes}
    assert "moved" in moved["s0"].kinds
    assert moved["s0"].motion is not None
    assert moved["s0"].motion.displacement == pytest.approx((0, 2, 0), abs=0.01)


def test_pipes_without_any_height_are_refused_with_a_sentence(city: City) -> None:
    layer = pipes()
    content = layer.content
    segments = replace(content.network.segments, elevations=np.full((3, 2), np.nan))
    nodes = replace(content.network.nodes, ground=np.full(5, np.nan), bottom=np.full(5, np.nan))
    publish(city, network_layer_of(Network(nodes, segments)))
    with pytest.raises(NotFound, match="no element of the layer 'pipes' matches"):
        extract(city, city.layers.get("pipes"), Query(), "glb")
    report = retile(city, "pipes", Progress())
    assert report["tileset"] is None

"""The codec's door: what goes in comes out, and tiles do without it where it is missing."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.readback import ROOT, VIEWER, node
from tiles import meshopt


@given(st.integers(0, 2**32 - 1), st.integers(1, 400), st.sampled_from([4, 8, 12]))
@settings(max_examples=60, deadline=None)
def test_vertices_come_back_as_they_were(seed: int, count: int, stride: int) -> None:
    rows = np.random.default_rng(seed).integers(0, 256, (count, stride), np.uint8)
    assert meshopt.decode_vertices(meshopt.encode_vertices(rows), count, stride) == rows.tobytes()


@given(st.integers(0, 2**32 - 1), st.integers(1, 300), st.sampled_from([2, 4]))
@settings(max_examples=60, deadline=None)
def test_triangles_come_back_turning_the_same_way(seed: int, count: int, size: int) -> None:
    triangles = np.random.default_rng(seed).integers(0, 500, (count, 3)).astype(np.uint32)
    data = meshopt.decode_triangles(meshopt.encode_triangles(triangles.ravel()), 3 * count, size)
    back = np.frombuffer(data, f"<u{size}").reshape(-1, 3)
    turns = np.array([np.roll(triangles, turn, axis=1) == back for turn in range(3)])
    assert turns.all(axis=2).any(axis=0).all()


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
def test_normals_come_back_within_a_degree_and_a_half(seed: int) -> None:
    normals = np.random.default_rng(seed).normal(size=(200, 3))
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    data = meshopt.decode_octahedral(meshopt.encode_octahedral(normals).tobytes())
    back = np.frombuffer(data, np.int8).reshape(-1, 4)[:, :3].astype(float)
    back /= np.linalg.norm(back, axis=1, keepdims=True)
    assert (normals * back).sum(axis=1).min() > np.cos(np.radians(1.5))


@given(st.integers(0, 2**32 - 1), st.integers(0, 40))
@settings(max_examples=40, deadline=None)
def test_ordering_loses_no_triangle_and_keeps_the_first_ones_first(seed: int, first: int) -> None:
    triangles = np.random.default_rng(seed).integers(0, 60, (40, 3)).astype(np.uint32)
    ordered, old = meshopt.ordered(triangles, 60, first)
    assert len(old) == len(np.unique(triangles))

    def kinds(part: np.ndarray) -> list[tuple[int, ...]]:
        return sorted(tuple(sorted(row)) for row in part.tolist())

    assert kinds(old[ordered[:first]]) == kinds(triangles[:first])
    assert kinds(old[ordered[first:]]) == kinds(triangles[first:])


_WITHOUT = """
import sys
sys.modules["meshoptimizer"] = None
from pathlib import Path
from cim_core.progress import Progress
from tests.support.models import town
from tiles import build_tileset, check_tileset, meshopt
assert not meshopt.AVAILABLE
folder = Path(sys.argv[1])
(folder / "content").mkdir()
(folder / "1").mkdir()
layer = town(400, blocks=2, kinds=40)
build_tileset(layer, folder / "content", folder / "1" / "tileset.json", Progress())
check_tileset(folder / "1" / "tileset.json", [f.id for f in layer.content.features], Progress())
"""


def test_without_the_codec_tiles_are_larger_but_right(tmp_path: Path) -> None:
    """As on a machine without a compiler."""
    done = subprocess.run(
        [sys.executable, "-c", _WITHOUT, tmp_path], cwd=ROOT, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    paths = [str(path) for path in tmp_path.rglob("*.glb")]
    script = Path(__file__).parent / "validate.mjs"
    report = json.loads(node(script, VIEWER / "package.json", text="\n".join(paths)))
    assert report["checked"] == len(paths) > 0
    assert report["wrong"] == []

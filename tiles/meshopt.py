"""The one door to meshoptimizer: order, compress, decode and simplify triangle meshes.

The package is an alpha and has no wheels, so it may be missing: then `AVAILABLE` is false, nothing
here but `AVAILABLE` may be used, and tiles are written uncompressed. Its Python layer does not
declare the argument types of every function, so the functions of its library are declared here.
"""

import ctypes
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cim_core.mesh import Floats, Indices

try:
    from meshoptimizer import _loader
except ImportError:  # built from source only, and there was no compiler
    _library: Any = None
else:
    _library = ctypes.CDLL(_loader.lib_path)

AVAILABLE: bool = _library is not None
"""Whether the library was built on this machine."""

_ERROR_ABSOLUTE, _PRUNE = 4, 8
_size, _pointer, _float = ctypes.c_size_t, ctypes.c_void_p, ctypes.c_float

_SIGNATURES: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "optimizeVertexCache": (None, (_pointer, _pointer, _size, _size)),
    "optimizeVertexFetchRemap": (_size, (_pointer, _pointer, _size, _size)),
    "encodeVertexBufferBound": (_size, (_size, _size)),
    "encodeVertexBuffer": (_size, (_pointer, _size, _pointer, _size, _size)),
    "encodeIndexBufferBound": (_size, (_size, _size)),
    "encodeIndexBuffer": (_size, (_pointer, _size, _pointer, _size)),
    "decodeVertexBuffer": (ctypes.c_int, (_pointer, _size, _size, _pointer, _size)),
    "decodeIndexBuffer": (ctypes.c_int, (_pointer, _size, _size, _pointer, _size)),
    "encodeFilterOct": (None, (_pointer, _size, _size, ctypes.c_int, _pointer)),
    "decodeFilterOct": (None, (_pointer, _size, _size)),
    "simplifyScale": (_float, (_pointer, _size, _size)),
    "simplifyWithAttributes": (
        _size,
        (_pointer, _pointer, _size, _pointer, _size, _size, _pointer, _size, _pointer, _size,
         _pointer, _size, _float, ctypes.c_uint, _pointer),
    ),
}  # fmt: skip

if AVAILABLE:
    for _name, (_result, _arguments) in _SIGNATURES.items():
        _function = getattr(_library, f"meshopt_{_name}")
        _function.restype, _function.argtypes = _result, _arguments
    # What EXT_meshopt_compression can hold; the other versions are for its successor.
    _library.meshopt_encodeVertexVersion(0)
    _library.meshopt_encodeIndexVersion(1)


def ordered(triangles: Indices, vertices: int, first: int) -> tuple[Indices, NDArray[np.int64]]:
    """Put triangles (m, 3) and their vertices in an order that draws fast and compresses well.

    The `first` triangles stay before the others. Returns the triangles with new numbers, and the
    old number of each new vertex, (n,); vertices no triangle uses are left out.
    """
    flat = np.ascontiguousarray(triangles, np.uint32).ravel()
    cached = np.empty_like(flat)
    for part in (slice(0, 3 * first), slice(3 * first, len(flat))):
        if part.start < part.stop:
            source, target = flat[part], cached[part]
            _library.meshopt_optimizeVertexCache(
                target.ctypes.data, source.ctypes.data, len(source), vertices
            )
    remap = np.empty(vertices, np.uint32)
    used = _library.meshopt_optimizeVertexFetchRemap(
        remap.ctypes.data, cached.ctypes.data, len(cached), vertices
    )
    old = np.empty(used, np.int64)
    kept = np.flatnonzero(remap < used)
    old[remap[kept]] = kept
    return remap[cached].reshape(-1, 3), old


def encode_vertices(data: NDArray[Any]) -> bytes:
    """Compress rows (n, stride / itemsize) whose stride is a multiple of four bytes."""
    rows = np.ascontiguousarray(data)
    stride = rows.itemsize * rows.shape[1]
    out = np.empty(_library.meshopt_encodeVertexBufferBound(len(rows), stride), np.uint8)
    size = _library.meshopt_encodeVertexBuffer(
        out.ctypes.data, len(out), rows.ctypes.data, len(rows), stride
    )
    return out[:size].tobytes()


def encode_triangles(indices: NDArray[np.uint32]) -> bytes:
    """Compress a list of triangles, (3 m,); the first corner of each may change, not the turn."""
    flat = np.ascontiguousarray(indices, np.uint32)
    bound = _library.meshopt_encodeIndexBufferBound(len(flat), int(flat.max(initial=0)) + 1)
    out = np.empty(bound, np.uint8)
    size = _library.meshopt_encodeIndexBuffer(
        out.ctypes.data, len(out), flat.ctypes.data, len(flat)
    )
    return out[:size].tobytes()


def decode_vertices(data: bytes, count: int, stride: int) -> bytes:
    """What `encode_vertices` compressed; raises `ValueError` when the data is damaged."""
    out = np.empty(count * stride, np.uint8)
    source = np.frombuffer(data, np.uint8)
    if _library.meshopt_decodeVertexBuffer(
        out.ctypes.data, count, stride, source.ctypes.data, len(source)
    ):
        raise ValueError("a compressed vertex buffer is damaged")
    return out.tobytes()


def decode_triangles(data: bytes, count: int, size: int) -> bytes:
    """What `encode_triangles` compressed, as indices of `size` bytes; raises `ValueError`."""
    out = np.empty(count * size, np.uint8)
    source = np.frombuffer(data, np.uint8)
    if _library.meshopt_decodeIndexBuffer(
        out.ctypes.data, count, size, source.ctypes.data, len(source)
    ):
        raise ValueError("a compressed index buffer is damaged")
    return out.tobytes()


def encode_octahedral(normals: Floats) -> NDArray[np.int8]:
    """Unit vectors (n, 3) as (n, 4) bytes for the OCTAHEDRAL filter."""
    wide = np.zeros((len(normals), 4), np.float32)
    wide[:, :3] = normals
    out = np.empty((len(normals), 4), np.int8)
    _library.meshopt_encodeFilterOct(out.ctypes.data, len(out), 4, 8, wide.ctypes.data)
    return out


def decode_octahedral(data: bytes) -> bytes:
    """The (n, 4) signed bytes that the OCTAHEDRAL filter makes of encoded ones."""
    out = np.frombuffer(data, np.int8).copy()
    _library.meshopt_decodeFilterOct(out.ctypes.data, len(out) // 4, 4)
    return out.tobytes()


def simplified(
    positions: Floats,
    attributes: Floats,
    weights: Floats,
    triangles: Indices,
    error: float,
) -> Indices:
    """Fewer triangles over the same vertices, none farther than about `error` metres from before.

    positions (n, 3), attributes (n, k) with a weight (k,) each in metres per unit, triangles
    (m, 3). Vertices at one place move together, so that no crack opens between surfaces. The bound
    is the library's estimate: measure what came out.
    """
    points = np.ascontiguousarray(positions, np.float32)
    scale = _library.meshopt_simplifyScale(points.ctypes.data, len(points), 12)
    values = np.ascontiguousarray(attributes, np.float32)
    # Attributes are weighed against positions scaled to the unit cube.
    relative = np.ascontiguousarray(weights / max(scale, 1e-9), np.float32)
    flat = np.ascontiguousarray(triangles, np.uint32).ravel()
    out = np.empty_like(flat)
    count = _library.meshopt_simplifyWithAttributes(
        out.ctypes.data, flat.ctypes.data, len(flat), points.ctypes.data, len(points), 12,
        values.ctypes.data, 4 * values.shape[1], relative.ctypes.data, values.shape[1],
        None, 0, error, _ERROR_ABSOLUTE | _PRUNE, None,
    )  # fmt: skip
    return out[:count].reshape(-1, 3)

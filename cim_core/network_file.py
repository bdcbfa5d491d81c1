"""A pipe network as a file of a version: what analyses ask, apart from the registry.

The door of pyarrow for networks: one Arrow file for each of nodes, segments, bends and valves, in
a folder.
"""

from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import feather

from cim_core.network import Labels, Network, Nodes, Segments, Valves

FOLDER = "network"
"""The folder of a network, below that of its version."""

SEGMENTS = f"{FOLDER}/segments.arrow"
"""Its largest part."""

_CUTS = ("segments", "nodes", "valves")


def save_network(folder: Path, network: Network) -> None:
    """Write a network into a new folder."""
    folder.mkdir()
    segments = network.segments
    _write(folder / "nodes.arrow", _columns(network.nodes))
    _write(
        folder.parent / SEGMENTS,
        {
            **_columns(segments, without=("bends", "bend_starts")),
            "bends": np.diff(segments.bend_starts),
        },
    )
    _write(folder / "bends.arrow", {"places": segments.bends})
    _write(folder / "valves.arrow", {"ids": network.valves.ids})
    _write(folder / "cuts.arrow", {name: getattr(network.valves, name) for name in _CUTS})


def load_network(folder: Path) -> Network:
    """The network `save_network` wrote."""
    nodes, segments = _read(folder / "nodes.arrow"), _read(folder.parent / SEGMENTS)
    counts = segments.pop("bends")
    return Network(
        Nodes(**nodes),
        Segments(
            **segments,
            bends=_read(folder / "bends.arrow")["places"],
            bend_starts=np.concatenate([[0], np.cumsum(counts)]),
        ),
        Valves(_read(folder / "valves.arrow")["ids"], **_read(folder / "cuts.arrow")),
    )


def _columns(table: Nodes | Segments, without: tuple[str, ...] = ()) -> dict[str, Any]:
    return {f.name: getattr(table, f.name) for f in fields(table) if f.name not in without}


def _write(path: Path, columns: dict[str, Any]) -> None:
    arrays = {name: _array(values) for name, values in columns.items()}
    feather.write_feather(pa.table(arrays), str(path), compression="lz4")


def _array(values: Any) -> pa.Array:
    if isinstance(values, Labels):
        codes = pa.array(values.codes, mask=values.codes < 0)
        return pa.DictionaryArray.from_arrays(codes, pa.array(values.names, pa.string()))
    if values.dtype == object:
        return pa.array(values, pa.string())
    if values.ndim == 2:
        return pa.FixedSizeListArray.from_arrays(pa.array(values.ravel()), values.shape[1])
    return pa.array(values)


def _read(path: Path) -> dict[str, Any]:
    table = feather.read_table(str(path), memory_map=False)
    return {name: _values(table.column(name)) for name in table.column_names}


def _values(column: pa.ChunkedArray) -> Any:
    array = column.combine_chunks()
    if isinstance(array, pa.ChunkedArray):  # of no rows
        array = pa.array([], column.type)
    if pa.types.is_dictionary(array.type):
        codes = array.indices.fill_null(-1).to_numpy(zero_copy_only=False)
        return Labels(tuple(array.dictionary.to_pylist()), codes.astype(np.int32))
    if pa.types.is_fixed_size_list(array.type):
        width = array.type.list_size
        return array.flatten().to_numpy(zero_copy_only=False).reshape(-1, width)
    return array.to_numpy(zero_copy_only=False)

"""Models of water and drainage networks as imports: EPANET's and SWMM's .inp files."""

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from cim_core.archives import default_limits, opened
from cim_core.errors import CimError, InvalidInput
from cim_core.importers.placing import Place, corners_of, place_of
from cim_core.layer import Dropped, Layer, Placement, Source
from cim_core.mesh import Floats
from cim_core.network import Network, Reference
from cim_core.progress import Progress
from pipelines import epanet, inp
from pipelines.inp_text import InpText, Program, program_of, read_text
from pipelines.model import Model, chosen_class
from pipelines.model_files import ENDING, files_of, valves_of
from pipelines.network_layer import network_layer
from pipelines.network_parts import drawn_lengths, lengths_of, part_of
from pipelines.swmm import read_swmm
from pipelines.water_model import FOOT, WaterModel, water_network

_DEGREES = "EPSG:4326"
_MAP_UNITS = {"FEET": FOOT, "METERS": 1.0}
_KNOWN_SCALES = (1.0, FOOT)
_NEAR = 0.02
"""How near to metres or feet the scale of a drawing must be to be taken for them."""
_WATER = "JP"
_GLANCE = 1 << 26
"""So many bytes of a file are looked at to tell whose model it is: it may be none, and huge."""
_LONGEST = 1 << 12
_SECTIONS = 1000


@dataclass(frozen=True, slots=True)
class EpanetImporter:
    """Reads models of EPANET 2.2.

    Options: `pipe_class` (the class of CJJ 61 its pipes are of, JP without it), `depth` (the model's
    elevations are those of the ground, and the tops of pipes lie so many metres below).
    """

    def recognises(self, path: Path) -> bool:
        """Whether it is a model of EPANET, or a folder or .zip with one."""
        return _program(path) == "epanet"

    def __call__(self, source: Source, placement: Placement, progress: Progress) -> Layer:
        """Import a model; raises `InvalidInput` when it cannot be read or has no place."""

        def read(text: InpText, chosen: str | None) -> Model:
            model, warnings = _water_model(text, progress)
            found = water_network(model, chosen or _WATER)
            found.warnings += warnings
            return found

        return _layer(source, placement, progress, read)


@dataclass(frozen=True, slots=True)
class SwmmImporter:
    """Reads models of SWMM 5.

    Options: `pipe_class` (as for models of EPANET; without it, what flows in decides).
    """

    def recognises(self, path: Path) -> bool:
        """Whether it is a model of SWMM, or a folder or .zip with one."""
        return _program(path) == "swmm"

    def __call__(self, source: Source, placement: Placement, progress: Progress) -> Layer:
        """Import a model; raises `InvalidInput` when it cannot be read or has no place."""

        def read(text: InpText, chosen: str | None) -> Model:
            return read_swmm(text, chosen, progress)

        return _layer(source, placement, progress, read)


def _water_model(text: InpText, progress: Progress) -> tuple[WaterModel, list[str]]:
    """A model and what is to be said of its reading; raises `InvalidInput`.

    EPANET refuses models it could not compute, such as those without a tank. Their network may be
    sound for all that: then it is read without EPANET, and its refusal is said.
    """
    if not epanet.INSTALLED:
        return inp.read_water_model(text), []
    try:
        return epanet.read_water_model(text, progress), []
    except InvalidInput as refusal:
        try:
            model = inp.read_water_model(text)
        except InvalidInput:
            raise refusal from None
        return model, [f"{refusal.sentence}; its network was read without it"]


def _program(path: Path) -> Program | None:
    """Whose model a file, folder or .zip holds; None where it holds none."""
    if path.is_dir():
        found = [p for p in path.rglob("*") if p.suffix.lower() == ENDING]
        return _program_of_file(found[0]) if found else None
    if path.suffix.lower() != ".zip":
        return _program_of_file(path)
    try:
        with opened(path, path.name, default_limits()) as archive:
            names = [name for name in archive.namelist() if name.lower().endswith(ENDING)]
            if not names:
                return None
            with archive.open(names[0]) as file:
                return program_of(_headers(file))
    except (CimError, BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError, zlib.error):
        return None  # damaged or encrypted: whoever is to read it says so


def _program_of_file(path: Path) -> Program | None:
    with path.open("rb") as file:
        return program_of(_headers(file))


def _headers(file: IO[bytes]) -> bytes:
    """The lines that begin sections, of as much of a file as is looked at to tell whose it is.

    The sections that tell it may stand behind long ones; of these nothing is kept.
    """
    found: list[bytes] = []
    read = 0
    while read < _GLANCE and len(found) < _SECTIONS and (line := file.readline(_LONGEST)):
        read += len(line)
        if line.lstrip().startswith(b"["):
            found.append(line)
    return b"".join(found)


def _layer(
    source: Source, placement: Placement, progress: Progress,
    read: Callable[[InpText, str | None], Model],
) -> Layer:  # fmt: skip
    chosen = chosen_class(source.options)
    with files_of(source, progress) as files:
        model = read(read_text(files.model, files.name), chosen)
        if not len(model.network.nodes):
            raise InvalidInput(f"{files.name} holds no node; give a model with a network in it")
        place = _put(model, source, placement)
        valves, dropped, warnings = valves_of(files, model.network, model.said)
    network = _sunk(model.network, source.options)
    if valves is not None:
        network = replace(network, valves=valves)
    return network_layer(
        source, placement, place, network, progress,
        said=model.said,
        dropped=(*model.dropped, *dropped),
        warnings=(*place.warnings, *model.warnings, *warnings),
    )  # fmt: skip


def _put(model: Model, source: Source, placement: Placement) -> Place:
    """Put a model's network on earth; what cannot be is left out. Raises `InvalidInput`."""
    declared = _DEGREES if model.map_unit == "DEGREES" else None
    if placement.crs is None and placement.anchor is None and declared is None:
        raise InvalidInput(
            f"{source.filename} does not say where on earth it lies, as models never do; say with "
            "--crs in which system its coordinates are (of a system in feet the code in feet, as "
            "EPSG:3547), or with --anchor lon,lat where its origin stands if they are a drawing's own"
        )
    network = model.network
    known = _known(network.nodes.places)
    _leave_out(model, known, "its file gives it no coordinates")
    if not known.any():
        raise InvalidInput(
            f"{source.filename} gives none of its nodes coordinates; draw the network in the program "
            "it was made with and save it again"
        )
    network = model.network
    scale = 1.0
    if placement.anchor is not None and placement.crs is None:
        scale = _scale(model)
    points = np.vstack([network.nodes.places, network.segments.bends]) * scale
    corners = corners_of(np.column_stack([points, np.zeros(len(points))]))
    place = place_of(source, placement, declared, corners, heights=False)
    found = place.to_geographic(points)[:, :2]
    count = len(network.nodes)
    model.network = replace(
        network,
        nodes=replace(network.nodes, places=found[:count]),
        segments=replace(network.segments, bends=found[count:]),
    )
    _leave_out(model, _known(found[:count]), "it lies outside the area of its reference system")
    segments = model.network.segments
    unknown = np.isnan(segments.lengths)
    lengths = np.where(unknown, drawn_lengths(model.network), segments.lengths)
    model.network = replace(model.network, segments=replace(segments, lengths=lengths))
    return place


def _known(places: Floats) -> NDArray[np.bool_]:
    """(n,) which places are numbers."""
    return np.asarray(np.isfinite(places).all(axis=1), np.bool_)


def _leave_out(model: Model, kept: NDArray[np.bool_], reason: str) -> None:
    """Leave out nodes, and the links that then lack an end."""
    if kept.all():
        return
    network = model.network
    segments = network.segments
    whole = kept[segments.starts] & kept[segments.ends]
    for name in network.nodes.ids[~kept].tolist():
        model.dropped.append(Dropped(name, "Node", reason))
    for name in segments.ids[~whole].tolist():
        model.dropped.append(Dropped(name, "Link", "a node at its end was left out"))
    model.network = part_of(network, kept, whole)


def _scale(model: Model) -> float:
    """Metres for one unit of a drawing's coordinates.

    What the file says of its map, else what makes the drawn links as long, in the middle, as the
    model says they are: a schematic drawing comes out about as large as its network.
    """
    if model.map_unit in _MAP_UNITS:
        return _MAP_UNITS[model.map_unit]
    network = model.network
    drawn = _drawn(network)
    both = (drawn > 0) & (network.segments.lengths > 0)
    if not both.any():
        return 1.0
    scale = float(np.median(network.segments.lengths[both] / drawn[both]))
    near = next((known for known in _KNOWN_SCALES if abs(scale / known - 1) < _NEAR), None)
    if near is None:
        model.warnings.append(
            f"its coordinates are a drawing's own; one unit of it was taken for {scale:.4g} m, so that "
            "its pipes are about as long as the model says"
        )
    return near or scale


def _drawn(network: Network) -> Floats:
    """(m,) the lengths of links in the units of the drawing."""
    pieces = network.pieces()
    steps = np.linalg.norm(pieces.ends[:, 1, :2] - pieces.ends[:, 0, :2], axis=1)
    return lengths_of(pieces.segments, steps, len(network.segments))


def _sunk(network: Network, options: Mapping[str, str]) -> Network:
    """A network whose elevations are those of the ground, put as deep as the option `depth` says."""
    if "depth" not in options:
        return network
    try:
        depth = float(options["depth"])
    except ValueError as error:
        raise InvalidInput(
            f"depth={options['depth']} is no number; give metres, as in depth=1.2"
        ) from error
    segments, nodes = network.segments, network.nodes
    axis = segments.references == Reference.AXIS
    ground = np.full(len(nodes), np.nan)
    for rows, heights in ((segments.starts, segments.elevations[:, 0]), (segments.ends, segments.elevations[:, 1])):  # fmt: skip
        np.fmax.at(ground, rows[axis], heights[axis])
    return replace(
        network,
        nodes=replace(nodes, ground=np.where(np.isnan(nodes.ground), ground, nodes.ground)),
        segments=replace(
            segments,
            elevations=np.where(axis[:, None], segments.elevations - depth, segments.elevations),
            references=np.where(axis, Reference.TOP, segments.references).astype(np.int8),
        ),
    )

"""The pipe networks of a city, asked as one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from cim_core.city import City
from cim_core.errors import InvalidInput, NotFound
from cim_core.frame import Frame
from cim_core.kept import kept
from cim_core.mesh import Floats
from cim_core.network import Network, Pieces, Rows, flat
from cim_core.networks_joined import joined
from cim_core.sight import needs_whole
from cim_core.store.layers import LayerVersion
from cim_core.vicinity import FARTHEST


@dataclass(frozen=True, eq=False)
class Underground:
    """Several networks as one.

    versions
        The layers they are by their id, in the order of their rows.
    node_layers, segment_layers
        (n,) and (m,) the row in `versions` of each node and segment.
    frame
        In whose plane distances are measured.
    pieces, flat
        The straight pieces of all segments, and (p, 2, 3) where they lie in that plane, metres.
    """

    network: Network
    versions: tuple[LayerVersion, ...]
    node_layers: Rows
    segment_layers: Rows
    frame: Frame
    pieces: Pieces
    flat: Floats

    def layer_of(self, segment: int) -> str:
        """The id of the layer of a segment."""
        return self.versions[int(self.segment_layers[segment])].layer

    def layer_of_node(self, node: int) -> str:
        """The id of the layer of a node."""
        return self.versions[int(self.node_layers[node])].layer

    def segment(self, layer: str | None, identity: str) -> int:
        """The row of a segment by its id, and its layer where several have it; raises `NotFound`."""
        rows = np.flatnonzero(self.network.segments.ids == identity)
        if layer is not None:
            rows = rows[[self.layer_of(row) == layer for row in rows.tolist()]]
        if len(rows) == 0:
            raise NotFound(f"no pipe network has a segment {identity!r}; give the id of one")
        if len(rows) > 1:
            raise InvalidInput(
                f"several layers have a segment {identity!r}; name the layer as well"
            )
        return int(rows[0])

    def nearest_segment(self, place: Floats, within: float, layer: str | None = None) -> int:
        """The segment nearest to a place, (2,) degrees, seen from above; raises `NotFound`.

        With a layer, the nearest one in it.
        """
        point = flat(place[None, :], self.frame)[0]
        starts, ends = self.flat[:, 0, :2], self.flat[:, 1, :2]
        near = (np.minimum(starts, ends) - within <= point) & (
            np.maximum(starts, ends) + within >= point
        )
        rows = np.flatnonzero(near[:, 0] & near[:, 1])
        if layer is not None:
            layers = self.segment_layers[self.pieces.segments[rows]].tolist()
            rows = rows[[self.versions[number].layer == layer for number in layers]]
        away = shapely.distance(shapely.linestrings(self.flat[rows, :, :2]), shapely.Point(point))
        best = int(away.argmin()) if len(away) else -1
        if best < 0 or away[best] > within:
            raise NotFound(
                f"no pipe lies within {within:g} m of {place[0]:.6f}, {place[1]:.6f}; choose a place "
                "on one"
            )
        return int(self.pieces.segments[rows[best]])


def underground(city: City, layers: Sequence[str] = ()) -> Underground:
    """The pipe networks of a city, or those of some layers; raises `NotFound` without any.

    What is planned counts only where it is named. Raises `Forbidden` where networks are seen only in
    part: half a network answers wrongly.
    """
    if layers:
        versions = [city.layers.get(layer) for layer in dict.fromkeys(layers)]
    else:
        versions = [
            version
            for version in city.layers.current()
            if version.summary.get("kind") == "network" and version.about.lifecycle == "present"
        ]
    if not versions:
        raise NotFound("the city has no pipe network; import one first")
    if not layers and any(version.part.whole for version in versions):
        versions = [version for version in versions if version.part.whole]
    for version in versions:
        needs_whole(version.layer, version.part)
    # A whole city is large: in whatever order its layers are named, it is kept once.
    versions.sort(key=lambda version: version.layer)
    return _joined(tuple(_Loaded(city, version) for version in versions))


@dataclass(frozen=True)
class _Loaded:
    """A version of a layer, the same as any other object of that version in that city."""

    city: City
    version: LayerVersion

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Loaded) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def _key(self) -> tuple[Any, ...]:
        # The receipt is told apart from that of any other version, of whichever city.
        return (self.city.folder, self.version.layer, self.version.version, self.version.receipt)


@kept(2)
def _joined(loaded: tuple[_Loaded, ...]) -> Underground:
    networks = [item.city.network(item.version) for item in loaded]
    network = networks[0] if len(networks) == 1 else joined(networks)
    numbers = np.arange(len(networks))
    places = network.nodes.places
    middle = (places.min(axis=0) + places.max(axis=0)) / 2 if len(places) else np.zeros(2)
    frame = Frame(float(middle[0]), float(middle[1]), 0.0)
    pieces = network.pieces()
    if len(places) and np.abs(flat(places, frame)).max() > FARTHEST:
        names = ", ".join(item.version.layer for item in loaded)
        raise InvalidInput(
            f"the pipe networks {names} lie too far apart to be measured in one plane; name those "
            "that belong together as layers"
        )
    return Underground(
        network,
        tuple(item.version for item in loaded),
        np.repeat(numbers, [len(item.nodes) for item in networks]),
        np.repeat(numbers, [len(item.segments) for item in networks]),
        frame,
        pieces,
        pieces.flat(frame),
    )

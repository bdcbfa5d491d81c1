"""What a version of a layer says of itself: the shapes of its summary."""

from typing import NotRequired, TypedDict

from cim_core.layer import Kind, Level, Lifecycle, Sensitivity


class ClassSummary(TypedDict):
    """A class in a layer, as the legend shows it."""

    title: dict[str, str]
    count: int
    color: str
    visible: bool


class StoreySummary(TypedDict):
    """A storey in a layer with the number of features on it."""

    id: str | None
    name: str
    elevation: float | None
    count: int


class GeoreferenceSummary(TypedDict):
    """How the layer found its place."""

    method: str
    crs: str | None
    note: dict[str, str]


class TilesetSummary(TypedDict):
    """What a version's tiles amount to.

    bytes, leaf_bytes
        Of all contents as they lie on disk; of the leaves as they travel, compressed.
    tiles, reused_tiles
        How many, and how many of them the version before had already.
    triangles
        Drawn by the leaves.
    deviation
        How far a point of a leaf may be from where its source has it, metres.
    """

    bytes: int
    leaf_bytes: int
    tiles: int
    reused_tiles: int
    triangles: int
    deviation: float


class Summary(TypedDict):
    """What a version says of itself; stored as JSON, served in the collection."""

    kind: NotRequired[Kind]
    lifecycle: Lifecycle
    level: Level
    cim_level: int
    sensitivity: Sensitivity
    frame: list[float]
    bbox: list[float] | None
    features: int
    georeference: GeoreferenceSummary
    classes: dict[str, ClassSummary]
    storeys: list[StoreySummary]
    tile_attributes: list[str]
    tileset: TilesetSummary
    checkin: NotRequired[dict[str, int] | None]

"""A layer: what an importer makes, a city keeps, `tiles` draws and `analysis` asks."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from cim_core.checkin import Finding, Rules, default_rules
from cim_core.errors import InvalidInput
from cim_core.feature import Feature
from cim_core.frame import Frame
from cim_core.mesh import Floats, Mesh
from cim_core.network import Network
from cim_core.progress import Progress
from cim_core.tessellations import Effort, Tessellations
from cim_core.traffic.roads import RoadMap
from cim_core.work import Crew

Lifecycle = Literal["present", "planned"]
Level = Literal["above", "surface", "under"]
Sensitivity = Literal["public", "internal", "sensitive"]

FILES = "files"
"""The folder of a version for all that is served as it is: rasters, points, foreign tiles."""

SURFACE = "surface.tif"
"""The heights of a terrain layer, below `FILES`."""

IMAGE = "image.tif"
"""The picture of an imagery layer, below `FILES`."""

LAYER_ID = r"^[a-z0-9][a-z0-9_-]{0,62}$"
"""What the id of a layer looks like; `check_layer_id` says it in words."""

_ID_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-_")


def check_layer_id(layer_id: str) -> str:
    """Return the id if it can stand in a URL, a folder name and a table name.

    >>> check_layer_id("office-2")
    'office-2'
    """
    if not (0 < len(layer_id) <= 63 and set(layer_id) <= _ID_LETTERS and layer_id[0].isalnum()):
        raise InvalidInput(
            f"the layer id {layer_id!r} cannot be used: take 1 to 63 of a–z, 0–9, - and _, "
            "beginning with a letter or digit"
        )
    return layer_id


@dataclass(frozen=True, slots=True)
class Georeference:
    """How a model found its place: the method used and a sentence for people, by language."""

    method: str
    crs: str | None
    note: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Dropped:
    """A thing of the source that is not in the layer, and why."""

    id: str
    feature_class: str
    reason: str


@dataclass(frozen=True, slots=True)
class ClassStyle:
    """How a class is named ({"en": …, "zh": …}), coloured ("#rrggbb") and whether it is shown."""

    title: Mapping[str, str]
    color: str
    visible: bool


@dataclass(frozen=True, slots=True)
class Features:
    """The content of a layer of things: features and the meshes they place, by mesh key."""

    features: tuple[Feature, ...]
    meshes: Mapping[str, Mesh]


@dataclass(frozen=True, slots=True)
class Terrain:
    """Heights of the ground, as one GeoTIFF in the version's folder.

    features
        One for each source file, with its outline; as in all that follows.
    surface
        A Cloud-Optimised GeoTIFF, float32 metres in the city's vertical datum, NaN where unknown.
    heights
        Its lowest and its highest, metres in the city's vertical datum.
    geoid_separation
        Ellipsoidal height minus height in the city's vertical datum, metres.
    below
        The surfaces that show where this one is unknown: the present ground around a planned one.
    """

    features: tuple[Feature, ...]
    surface: Path
    heights: tuple[float, float]
    geoid_separation: float = 0.0
    below: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class Imagery:
    """A picture of the ground, as one Cloud-Optimised GeoTIFF in the version's folder."""

    features: tuple[Feature, ...]
    image: Path


@dataclass(frozen=True, slots=True)
class PointCloud:
    """Points measured by laser: LAS files in the layer's frame, working copies that tiling uses up."""

    features: tuple[Feature, ...]
    points: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class ExternalTileset:
    """A tileset somebody else made, below the version's folder; `root` is its tileset.json."""

    features: tuple[Feature, ...]
    root: Path


@dataclass(frozen=True, slots=True)
class TexturedModel:
    """A model with pictures on it, as one GLB (y up) in the layer's frame."""

    features: tuple[Feature, ...]
    model: Path


@dataclass(frozen=True, slots=True)
class PipeNetwork:
    """Pipes, cables and their wells: a feature for each segment and each node of a network.

    geoid_separation
        Ellipsoidal height minus height in the city's vertical datum, metres.
    """

    features: tuple[Feature, ...]
    network: Network
    geoid_separation: float = 0.0


Content = Features | Terrain | Imagery | PointCloud | ExternalTileset | TexturedModel | PipeNetwork
"""The closed union of what a layer can hold; `tiles.build_tileset` matches on it."""

Kind = Literal["model", "vector", "terrain", "imagery", "points", "tileset", "textured", "network"]
"""What a layer is to those who draw it: a model has bodies, a vector layer outlines only."""


class Ground(Protocol):
    """The height of the ground as the city's terrain has it."""

    @property
    def paths(self) -> tuple[Path, ...]:
        """The surfaces it is made of, each a GeoTIFF as `Terrain` has it, the first on top."""

    def __call__(self, lon_lat: Floats) -> Floats:
        """(n, 2) degrees → (n,) metres in the city's vertical datum, NaN where unknown."""


@dataclass(frozen=True, slots=True)
class Layer:
    """An OGC collection: features of one source in one frame.

    `tile_attributes` names the feature attributes that travel with the tiles, to style by.
    `cim_level` is None where the importer does not know it; then it follows from the kind.
    `tessellations` is what the next version may take over, `effort` how much of it this one took
    over itself; None where the importer does not know. `roads` is the road map its features draw.
    """

    id: str
    title: str
    frame: Frame
    content: Content
    georeference: Georeference
    tile_attributes: tuple[str, ...] = ()
    class_styles: Mapping[str, ClassStyle] = field(default_factory=dict)
    lifecycle: Lifecycle = "present"
    level: Level = "above"
    cim_level: int | None = None
    sensitivity: Sensitivity = "internal"
    dropped: tuple[Dropped, ...] = ()
    warnings: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    tessellations: Tessellations = field(default_factory=Tessellations)
    effort: Effort | None = None
    roads: RoadMap | None = None

    @property
    def features(self) -> tuple[Feature, ...]:
        """The features it holds, whatever kind it is of."""
        return self.content.features

    @property
    def placed(self) -> Features:
        """Its features with the meshes they place; no meshes where it is not made of such."""
        if isinstance(self.content, Features):
            return self.content
        return Features(self.content.features, {})

    @property
    def meshes(self) -> Mapping[str, Mesh]:
        """The meshes its features place."""
        return self.placed.meshes

    @property
    def kind(self) -> Kind:
        """What those who draw it have to do with."""
        if isinstance(self.content, Features):
            return "model" if self.content.meshes else "vector"
        return _KINDS[type(self.content)]


_KINDS: Mapping[type, Kind] = {
    Terrain: "terrain",
    Imagery: "imagery",
    PointCloud: "points",
    ExternalTileset: "tileset",
    TexturedModel: "textured",
    PipeNetwork: "network",
}


@dataclass(frozen=True, slots=True)
class Placement:
    """Where an import is to stand, as far as the city and the user say.

    city_frame
        The city's own frame, None while the city has no place yet.
    city_crs
        The city's projected reference system.
    crs, anchor
        What the user gave with the file; both outrank what the file says of itself.
    layer_frame
        The frame of the version before, kept so that unchanged tiles keep their bytes.
    geoid_separation
        Ellipsoidal height minus height in the city's vertical datum, metres.
    """

    city_frame: Frame | None = None
    city_crs: str | None = None
    crs: str | None = None
    anchor: tuple[float, float, float] | None = None
    layer_frame: Frame | None = None
    geoid_separation: float = 0.0
    pipeline: str | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """The file to import, what its layer shall be called, with what means and by which rules.

    earlier
        The tessellations of the version that is served, to be taken over where nothing changed.
    scratch
        The version's own folder, if there is one: for temporary files that all of the crew can see,
        and, below `FILES`, for what is published with the version.
    ground
        Where the terrain lies, None in a city without one.
    options
        What the person said about the file beyond its place, by name; importers know theirs.
    """

    path: Path
    filename: str
    layer_id: str
    title: str
    crew: Crew = field(default_factory=Crew)
    rules: Rules = field(default_factory=default_rules)
    earlier: Tessellations = field(default_factory=Tessellations)
    scratch: Path | None = None
    ground: Ground | None = None
    options: Mapping[str, str] = field(default_factory=dict)


class Importer(Protocol):
    """Turns a file into a layer: `importer(source, placement, progress)`."""

    @property
    def kind(self) -> str:
        """What a person calls it to choose between importers of one ending: "terrain"."""

    @property
    def extensions(self) -> tuple[str, ...]:
        """The file name endings it answers for, lower case, with the dot."""

    def recognises(self, path: Path) -> bool:
        """Whether the content is for this importer; asked where several answer for an ending."""

    def __call__(self, source: Source, placement: Placement, progress: Progress) -> Layer:
        """Import a file; raises `InvalidInput` or `UnsupportedFormat` when it cannot be."""

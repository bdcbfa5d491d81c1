"""A city: a folder with its settings, its registry and the files of its layers."""

import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from cim_core.checkin import Rules, city_rules
from cim_core.city_file import (
    FILE_NAME,
    CityFile,
    default_crs,
    read_city_file,
    read_pipeline,
    write_city_file,
    write_place,
)
from cim_core.draft import GEOMETRY, Draft, drafted, remove_layer, sweep_unfinished
from cim_core.errors import InvalidInput, NotFound
from cim_core.feature import Feature, Value
from cim_core.frame import Frame, Projection, projection
from cim_core.geometry_changes import PlacedMeshes
from cim_core.geometry_file import UNREADABLE, Geometry, load_geometry, load_tessellations
from cim_core.ground import Surface, Surfaces
from cim_core.layer import (
    FILES,
    SURFACE,
    ClassStyle,
    Features,
    Georeference,
    Ground,
    Layer,
    PipeNetwork,
    Placement,
    check_layer_id,
)
from cim_core.locks import locked
from cim_core.network import Network
from cim_core.network_file import FOLDER, load_network
from cim_core.progress import Progress
from cim_core.receipt import Receipt, write_receipt
from cim_core.reference import is_plane
from cim_core.roll_back import roll_back
from cim_core.sight import EVERYTHING, Doer, Sight, needs_whole
from cim_core.store.checkup import Checkups
from cim_core.store.database import Database
from cim_core.store.drawn_features import DrawnFeatures
from cim_core.store.feature_columns import FeatureColumns
from cim_core.store.feature_pairs import FeaturePairs
from cim_core.store.feature_places import FeaturePlaces
from cim_core.store.features import FeatureStore, Query
from cim_core.store.history import History
from cim_core.store.jobs import Jobs
from cim_core.store.layers import LayerStore, LayerVersion, describe_layer
from cim_core.store.live import Live
from cim_core.store.observed import Observed
from cim_core.store.office import Office
from cim_core.store.receipts import Receipts
from cim_core.store.registry import REGISTRY_LAYOUT
from cim_core.store.renewal import Renewal
from cim_core.store.traffic import Traffic
from cim_core.sweep_scene import swept_features
from cim_core.tessellations import Tessellations
from cim_core.traffic.road_file import load_roads
from cim_core.traffic.roads import RoadMap

REGISTRY = "city.gpkg"

_log = logging.getLogger(__name__)


class City:
    """The one door to a city; several processes may hold it open at once.

    sight, doer
        What of it is seen, and who does what is done with it; the system's user if None.
    layers, features, feature_columns, feature_pairs, feature_places, jobs, receipts
        The registry by concern, each plain SQL.
    office
        Who may do what in it, and what was done.
    live
        Its things, and the newest of what they observed.
    history
        What was observed before that; whoever asks for observations asks `observed`, which has both.
    renewal
        Its renewal projects, and all that was recorded of them.
    traffic
        What moves on its roads.
    checkups
        Its check-ups: sets of indicators, runs, and what they found wrong.
    """

    def __init__(
        self, folder: Path, database: Database, sight: Sight = EVERYTHING, doer: Doer | None = None
    ) -> None:
        self.folder = folder
        self.sight = sight
        self.doer = doer
        self.layers_folder = folder / "layers"
        self.uploads_folder = folder / "uploads"
        self.refused_folder = folder / "refused"
        self.database = database
        self.office = Office(folder)
        whole = Live(folder)
        self.live = whole.seen_by(sight)
        self.history = History(folder, whole)
        self.renewal = Renewal(folder).seen_by(sight)
        self.traffic = Traffic(folder, self.history).seen_by(sight)
        self.checkups = Checkups(folder).seen_by(sight)
        self.layers = LayerStore(database, sight)
        self.features = FeatureStore(database, sight)
        self.feature_columns = FeatureColumns(database, sight)
        self.feature_pairs = FeaturePairs(database)
        self.drawn_features = DrawnFeatures(database, sight)
        self.feature_places = FeaturePlaces(database, sight)
        self.jobs = Jobs(database, doer)
        self.receipts = Receipts(database, sight)

    @classmethod
    def open(cls, folder: Path) -> "City":
        """Open a city that exists; raises `NotFound` where there is none."""
        if not (folder / FILE_NAME).is_file():
            raise NotFound(
                f"{folder} is not a city: it has no {FILE_NAME}; `cim import FILE --city {folder}` "
                "begins one"
            )
        read_city_file(folder)
        registry = folder / REGISTRY
        if not registry.is_file():
            with locked(folder / ".locks" / "city.lock"):
                if not registry.is_file():
                    return cls(folder, Database.create(registry, REGISTRY_LAYOUT))
        return cls(folder, Database.open(registry, REGISTRY_LAYOUT))

    @classmethod
    def open_or_create(cls, folder: Path, name: str | None = None) -> "City":
        """Open a city, beginning one in a folder that is new or empty."""
        folder.mkdir(parents=True, exist_ok=True)
        with locked(folder / ".locks" / "city.lock"):
            if not (folder / FILE_NAME).is_file():
                strangers = [entry.name for entry in folder.iterdir() if entry.name != ".locks"]
                if strangers:
                    raise InvalidInput(
                        f"{folder} is neither empty nor a city (it holds {strangers[0]}); "
                        "name another folder"
                    )
                write_city_file(folder, name or folder.resolve().name)
        return cls.open(folder)

    def seen_by(self, sight: Sight, doer: Doer | None) -> "City":
        """The city as somebody sees it, whose name what they do is kept under."""
        seen = City(self.folder, self.database, sight, doer)
        seen.office = self.office
        seen.live = self.live.seen_by(sight)
        seen.history = self.history
        seen.renewal = self.renewal.seen_by(sight)
        seen.traffic = self.traffic.seen_by(sight)
        seen.checkups = self.checkups.seen_by(sight)
        seen.drawn_features = self.drawn_features.seen_by(sight)
        return seen

    @property
    def observed(self) -> Observed:
        """All observations, hot or history, of datastreams that `live` has."""
        return Observed(self.live, self.history)

    @property
    def who(self) -> str | None:
        """The name that receipts have; the system's user if None."""
        return self.doer.name if self.doer else None

    @property
    def settings(self) -> CityFile:
        """What `city.toml` says now."""
        return read_city_file(self.folder)

    @property
    def rules(self) -> Rules:
        """The check-in rules as the city tightens them now; raises `InvalidInput`."""
        return city_rules(self.folder, self.folder / FILE_NAME)

    def placement(
        self, layer_id: str, crs: str | None, anchor: tuple[float, float, float] | None
    ) -> Placement:
        """Where a layer is to stand, as far as the city and the user say."""
        settings = self.settings
        known = {version.layer: version for version in self.layers.current()}.get(layer_id)
        pipeline = read_pipeline(settings.crs_pipeline) if settings.crs_pipeline else None
        return Placement(
            city_frame=settings.frame,
            city_crs=settings.crs,
            crs=crs,
            anchor=anchor,
            layer_frame=Frame(*known.summary["frame"]) if known else None,
            geoid_separation=settings.geoid_separation,
            pipeline=pipeline,
        )

    def projection(self, crs: str) -> Projection:
        """A projected system by name, the city's own pipeline included; raises `InvalidInput`."""
        settings = self.settings
        own = settings.crs_pipeline if crs == settings.crs else None
        return projection(
            crs,
            geoid_separation=settings.geoid_separation,
            pipeline=read_pipeline(own) if own else None,
            local_to=settings.frame if own else None,
        )

    def ground(self, *, planned: bool = False, without: str | None = None) -> Ground | None:
        """The ground as all terrain layers have it, the finer over the coarser; None without any.

        `planned` lays what is planned over what is there, `without` leaves a layer out. A terrain whose
        heights are not shown is not there.
        """
        surfaces = []
        for version in self.layers.current():
            lifecycle = version.about.lifecycle
            counts = version.layer != without and (planned or lifecycle == "present")
            if counts and version.part.whole and version.summary.get("kind") == "terrain":
                folder = self.layers_folder / version.layer / str(version.version)
                surface = Surface(folder / FILES / SURFACE)
                surfaces.append((lifecycle == "present", surface.pixel, version.layer, surface))
        surfaces.sort(key=lambda item: item[:3])
        return Surfaces(tuple(item[3] for item in surfaces)) if surfaces else None

    def settle(self, frame: Frame, crs: str | None) -> None:
        """Give the city its place, if it has none yet."""
        with locked(self.folder / ".locks" / "city.lock"):
            if read_city_file(self.folder).frame is None:
                own = crs if crs and is_plane(crs) else default_crs(frame)
                write_place(self.folder, frame, own, None)

    @contextmanager
    def draft(self, layer_id: str, title: str, progress: Progress) -> Iterator[Draft]:
        """Build a new version of a layer; see `cim_core.draft`."""
        check_layer_id(layer_id)
        keep = self.settings.keep_versions
        with drafted(self.database, self.layers_folder, layer_id, title, keep, progress) as draft:
            yield draft

    def sweep(self) -> None:
        """Clear away what died half done."""
        sweep_unfinished(self.database, self.layers_folder, self.settings.keep_versions)
        if made := self.checkups.jobs():
            for job in self.jobs.in_vain(made):
                self.checkups.take_back(job)

    def remove(self, layer_id: str) -> None:
        """Forget a layer and delete its files; raises `NotFound`."""
        remove_layer(self.database, self.layers_folder, layer_id)
        self.traffic.forget(layer_id)

    def roll_back(self, layer_id: str, number: int) -> Receipt | None:
        """Serve a kept version of a layer from now on; see `cim_core.roll_back`."""
        return roll_back(self.database, self.layers_folder, layer_id, number, self.who)

    def describe(self, layer_id: str, changes: Mapping[str, Value]) -> Receipt:
        """Keep what is said about a layer from now on, see `cim_core.about`; its receipt.

        Raises `NotFound`. It takes no new version.
        """
        self.layers.get(layer_id)
        parameters: dict[str, Value] = {"layer": layer_id, "about": dict(changes)}
        receipt = write_receipt("about", (), parameters, {"layer": layer_id}, who=self.who)
        with self.database.transaction() as connection:
            describe_layer(connection, layer_id, changes, receipt)
        return receipt

    def placed_meshes(self, version: LayerVersion) -> PlacedMeshes:
        """The geometry of a kept version in the frame of that version; of a network, its tubes.

        Raises `Forbidden` for one that is seen only in part, as do all that take out geometry.
        """
        needs_whole(version.layer, version.part)
        instances, meshes = self._geometry(version)
        if version.summary.get("kind") == "network":
            layer = self.select(version, Query())
            assert isinstance(layer.content, PipeNetwork)
            swept = swept_features(layer.content, layer.frame, layer.class_styles)
            instances = {feature.id: feature.instances for feature in swept.features}
            meshes = dict(swept.meshes)
        return PlacedMeshes(Frame(*version.summary["frame"]), instances, meshes)

    def tessellations(self, layer_id: str) -> Tessellations:
        """What the version that is served knows of geometry; nothing for a new layer."""
        served = {item.layer: item for item in self.layers.current()}.get(layer_id)
        if served is None or served.summary.get("kind", "model") != "model":
            return Tessellations()
        path = self.layers_folder / layer_id / str(served.version) / GEOMETRY
        try:
            return load_tessellations(path)
        except UNREADABLE as error:
            _log.warning("%s is of no use (%s): all geometry is made anew", path, error)
            return Tessellations()

    def network(self, version: LayerVersion) -> Network:
        """The pipe network of a version; raises `InvalidInput` for a layer that is none."""
        if version.summary.get("kind") != "network":
            raise InvalidInput(
                f"the layer {version.layer!r} is no pipe network; name one that is, or leave the "
                "layers out"
            )
        needs_whole(version.layer, version.part)
        return load_network(self.layers_folder / version.layer / str(version.version) / FOLDER)

    def roads(self, version: LayerVersion) -> RoadMap | None:
        """The road map of a version; None for a layer that has none, or is seen only in part."""
        if version.summary.get("kind") != "vector" or not version.part.whole:
            return None
        return load_roads(self.layers_folder / version.layer / str(version.version))

    def road_maps(self) -> dict[str, tuple[LayerVersion, RoadMap]]:
        """Every road map that is served and seen, by its layer."""
        found = ((version, self.roads(version)) for version in self.layers.current())
        return {version.layer: (version, roads) for version, roads in found if roads is not None}

    def load(self, layer_id: str) -> Layer:
        """The layer as its importer made it, from the registry and the saved geometry."""
        return self.load_version(self.layers.get(layer_id))

    def load_version(self, known: LayerVersion) -> Layer:
        """A kept version of a layer as its importer made it."""
        rows = self.features.all(known.layer, known.version)
        return self._layer(known, (row.feature for row in rows))

    def select(self, known: LayerVersion, query: Query) -> Layer:
        """The features of a version that have geometry and match, without their property sets."""
        if not known.part.heights:
            needs_whole(known.layer, known.part)
        return self._layer(
            known, self.features.without_properties(known.layer, known.version, query)
        )

    def _geometry(self, known: LayerVersion) -> Geometry:
        if known.summary.get("kind", "model") != "model":
            return {}, {}
        return load_geometry(self.layers_folder / known.layer / str(known.version) / GEOMETRY)

    def _layer(self, known: LayerVersion, features: Iterable[Feature]) -> Layer:
        summary = known.summary
        instances, meshes = self._geometry(known)
        placed = tuple(replace(item, instances=instances.get(item.id, ())) for item in features)
        reference = summary["georeference"]
        return Layer(
            id=known.layer,
            title=known.title,
            frame=Frame(*summary["frame"]),
            content=(
                PipeNetwork(placed, self.network(known), self.settings.geoid_separation)
                if summary.get("kind") == "network"
                else Features(placed, meshes)
            ),
            georeference=Georeference(reference["method"], reference["crs"], reference["note"]),
            tile_attributes=tuple(summary["tile_attributes"]),
            class_styles={
                name: ClassStyle(style["title"], style["color"], style["visible"])
                for name, style in summary["classes"].items()
            },
            lifecycle=summary["lifecycle"],
            level=summary["level"],
            cim_level=summary["cim_level"],
            sensitivity=summary["sensitivity"],
        )

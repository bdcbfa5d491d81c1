"""A city: a folder with its settings, its registry and the files of its layers."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

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
from cim_core.feature import Feature
from cim_core.frame import Frame
from cim_core.geometry_file import load_geometry
from cim_core.layer import ClassStyle, Features, Georeference, Layer, Placement, check_layer_id
from cim_core.locks import locked
from cim_core.progress import Progress
from cim_core.store.database import Database
from cim_core.store.features import FeatureStore
from cim_core.store.jobs import Jobs
from cim_core.store.layers import LayerStore
from cim_core.store.receipts import Receipts

REGISTRY = "city.gpkg"


class City:
    """The one door to a city; several processes may hold it open at once.

    layers, features, jobs, receipts
        The registry by concern, each plain SQL.
    """

    def __init__(self, folder: Path, database: Database) -> None:
        self.folder = folder
        self.layers_folder = folder / "layers"
        self.uploads_folder = folder / "uploads"
        self.database = database
        self.layers = LayerStore(database)
        self.features = FeatureStore(database)
        self.jobs = Jobs(database)
        self.receipts = Receipts(database)

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
                    return cls(folder, Database.create(registry))
        return cls(folder, Database.open(registry))

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

    @property
    def settings(self) -> CityFile:
        """What `city.toml` says now."""
        return read_city_file(self.folder)

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

    def settle(self, frame: Frame, crs: str | None) -> None:
        """Give the city its place, if it has none yet."""
        with locked(self.folder / ".locks" / "city.lock"):
            if read_city_file(self.folder).frame is None:
                write_place(self.folder, frame, crs or default_crs(frame), None)

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

    def remove(self, layer_id: str) -> None:
        """Forget a layer and delete its files; raises `NotFound`."""
        remove_layer(self.database, self.layers_folder, layer_id)

    def load(self, layer_id: str) -> Layer:
        """The layer as its importer made it, from the registry and the saved geometry."""
        known = self.layers.get(layer_id)
        summary = known.summary
        instances, meshes = load_geometry(
            self.layers_folder / layer_id / str(known.version) / GEOMETRY
        )
        features = tuple(
            Feature(
                row.feature.id, row.feature.feature_class, row.feature.name, row.feature.parent,
                row.feature.attributes, row.feature.property_sets,
                instances.get(row.feature.id, ()),
            )
            for row in self.features.all(layer_id, known.version)
        )  # fmt: skip
        reference = summary["georeference"]
        return Layer(
            id=layer_id,
            title=known.title,
            frame=Frame(*summary["frame"]),
            content=Features(features, meshes),
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

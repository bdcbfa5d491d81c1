"""The registry of importers of the city's base: adding one is one file and one line here."""

from cim_core.importers.buildings import BuildingImporter
from cim_core.importers.cityjson import CityJsonImporter
from cim_core.importers.imagery import ImageryImporter
from cim_core.importers.osm import OsmImporter
from cim_core.importers.points import PointsImporter
from cim_core.importers.tables import TableImporter
from cim_core.importers.terrain import TerrainImporter
from cim_core.importers.textured import TexturedImporter
from cim_core.importers.tileset import TilesetImporter
from cim_core.layer import Importer

IMPORTERS: tuple[Importer, ...] = (
    TerrainImporter(),
    ImageryImporter(),
    PointsImporter(),
    TilesetImporter(),
    CityJsonImporter(),
    BuildingImporter(),
    TableImporter(),
    OsmImporter(),
    TexturedImporter(),
)

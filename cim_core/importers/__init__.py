"""The registry of importers of the city's base: adding one is one file and one line here."""

from cim_core.deferred import Deferred
from cim_core.layer import Importer

_HERE = "cim_core.importers"
_RASTERS = (".tif", ".tiff", ".zip")
_TABLES = (".gpkg", ".geojson", ".json", ".fgb", ".parquet", ".geoparquet", ".shp", ".zip")

IMPORTERS: tuple[Importer, ...] = (
    Deferred("terrain", _RASTERS, f"{_HERE}.terrain:TerrainImporter"),
    Deferred("imagery", _RASTERS, f"{_HERE}.imagery:ImageryImporter"),
    Deferred("points", (".las", ".laz"), f"{_HERE}.points:PointsImporter"),
    Deferred("tileset", (".zip", ".3tz"), f"{_HERE}.tileset:TilesetImporter"),
    Deferred("cityjson", (".json", ".jsonl"), f"{_HERE}.cityjson:CityJsonImporter"),
    Deferred("buildings", _TABLES, f"{_HERE}.buildings:BuildingImporter"),
    Deferred("vector", _TABLES, f"{_HERE}.tables:TableImporter"),
    Deferred("osm", (".pbf",), f"{_HERE}.osm:OsmImporter"),
    Deferred(
        "textured", (".obj", ".glb", ".gltf", ".ply", ".zip"), f"{_HERE}.textured:TexturedImporter"
    ),
)

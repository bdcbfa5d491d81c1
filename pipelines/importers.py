"""The registry of importers of pipe networks and road maps: adding one is one file and one line here."""

from cim_core.deferred import Deferred
from cim_core.layer import Importer

IMPORTERS: tuple[Importer, ...] = (
    Deferred(
        "pipes",
        (".csv", ".txt", ".xls", ".xlsx", ".ods", ".dbf", ".zip", ".gpkg", ".shp"),
        "pipelines.survey_importer:SurveyImporter",
    ),
    Deferred("epanet", (".inp", ".zip"), "pipelines.model_importer:EpanetImporter"),
    Deferred("swmm", (".inp", ".zip"), "pipelines.model_importer:SwmmImporter"),
    Deferred(
        "pipe-lines",
        (".gpkg", ".geojson", ".json", ".fgb", ".parquet", ".geoparquet", ".shp", ".zip"),
        "pipelines.edges:EdgeImporter",
    ),
    Deferred(
        "roads",
        (".xml", ".gz", ".xodr", ".osm", ".json", ".jsonl", ".ndjson"),
        "pipelines.roads_importer:RoadsImporter",
    ),
)

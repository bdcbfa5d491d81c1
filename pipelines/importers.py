"""The registry of importers of pipe networks: adding one is one file and one line here."""

from cim_core.deferred import Deferred
from cim_core.layer import Importer

IMPORTERS: tuple[Importer, ...] = (
    Deferred(
        "pipes",
        (".csv", ".txt", ".xls", ".xlsx", ".ods", ".dbf", ".zip", ".gpkg", ".shp"),
        "pipelines.survey_importer:SurveyImporter",
    ),
)

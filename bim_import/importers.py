"""The registry of importers of building models: adding one is one file and one line here."""

from bim_import.ifc import IfcImporter
from cim_core.layer import Importer

IMPORTERS: tuple[Importer, ...] = (IfcImporter(),)

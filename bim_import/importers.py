"""The registry of importers of building models: adding one is one file and one line here."""

from cim_core.deferred import Deferred
from cim_core.layer import Importer

IMPORTERS: tuple[Importer, ...] = (Deferred("ifc", (".ifc",), "bim_import.ifc:IfcImporter"),)

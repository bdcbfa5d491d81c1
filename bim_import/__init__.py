"""Building models: files of a designer's software become layers of elements.

`IMPORTERS` is the registry: adding an importer is one file and one line here.
"""

from bim_import.ifc import IfcImporter
from cim_core.layer import Importer

IMPORTERS: tuple[Importer, ...] = (IfcImporter(),)

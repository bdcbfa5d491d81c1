"""The registry of importers of the city's base: adding one is one file and one line here."""

from cim_core.layer import Importer

IMPORTERS: tuple[Importer, ...] = ()

"""The words of the city, its base importers and its store: floor 1, which imports no other floor."""

from cim_core.gdal import confine

confine()  # before any module imports GDAL

__version__ = "0.1.0"

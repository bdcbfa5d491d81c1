"""IFC to GLB by ifcopenshell alone, as its IfcConvert does; run in an environment of its own.

With the geometry kernel that CIM Twin uses, which is faster than IfcConvert's.
"""

import sys
from typing import Any

import ifcopenshell
import ifcopenshell.geom

_geom: Any = ifcopenshell.geom

KERNEL = "hybrid-cgal-simple-opencascade"
LEFT_OUT = ["IfcOpeningElement", "IfcSpace"]  # as IfcConvert does


def convert(source: str, target: str) -> None:
    """Write one GLB of all elements."""
    model, settings = ifcopenshell.open(source), _geom.settings()
    serializer = _geom.serializers.gltf(target, settings)
    serializer.setFile(model)
    serializer.setUnitNameAndMagnitude("METER", 1.0)
    serializer.writeHeader()
    iterator = _geom.iterator(settings, model, 1, exclude=LEFT_OUT, geometry_library=KERNEL)
    more = iterator.initialize()
    while more:
        serializer.write(iterator.get())
        more = iterator.next()
    serializer.finalize()


if __name__ == "__main__":
    convert(*sys.argv[1:])

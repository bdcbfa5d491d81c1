"""A drawing as JSON: the numbers behind it, for programs."""

import json

import shapely

from analysis.drawing import Drawing, fill
from analysis.plain_text import allowed


def write_json(drawing: Drawing) -> bytes:
    """The cuts with their outlines (GeoJSON geometries), areas and lengths; metres of the drawing."""
    plane = drawing.plane
    document = {
        **drawing.about,
        "plane": {
            "origin": plane.origin.tolist(), "right": plane.right.tolist(),
            "up": plane.up.tolist(), "normal": plane.normal.tolist(), "height": drawing.level,
        },
        "unit": "m",
        "bounds": list(drawing.bounds),
        "cuts": [
            {
                "id": item.feature.id, "class": item.feature.feature_class,
                "name": item.feature.name, "material": item.material.name, "color": fill(item),
                "area": item.face.area, "length": item.face.length + item.lines.length,
                "face": shapely.geometry.mapping(item.face),
                "lines": shapely.geometry.mapping(item.lines),
            }
            for item in drawing.cuts
        ],
    }  # fmt: skip
    return allowed(json.dumps(document, ensure_ascii=False)).encode()

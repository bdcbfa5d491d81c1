"""Where a city is, so that what observes elsewhere is not believed."""

import numpy as np

from cim_core.city import City
from server.sifting import Box, KnownStreams

_DEGREE_METRES = 111_320.0


def city_box(city: City, known: KnownStreams, margin_km: float) -> Box | None:
    """Where the city is: its layers and its things, degrees, with a margin; None if nobody knows."""
    boxes = [label.box for label in city.layers.labels() if label.box is not None]
    lon, lat = known.streams.lon, known.streams.lat
    if len(lon) and not np.isnan(lon).all():
        places = np.nanmin(lon), np.nanmin(lat), np.nanmax(lon), np.nanmax(lat)
        boxes.append((float(places[0]), float(places[1]), float(places[2]), float(places[3])))
    if not boxes:
        return None
    sides = np.array(boxes)
    west, south = sides[:, :2].min(axis=0).tolist()
    east, north = sides[:, 2:].max(axis=0).tolist()
    up = 1000.0 * margin_km / _DEGREE_METRES
    wide = up / max(0.05, float(np.cos(np.radians(max(abs(south), abs(north))))))
    return west - wide, south - up, east + wide, north + up

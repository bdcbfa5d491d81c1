"""The outlines an earlier version found, for the features that still stand where they stood."""

import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np

from cim_core.extent import Outline
from cim_core.feature import Feature
from cim_core.frame import Frame
from cim_core.geometry_file import UNREADABLE, load_geometry
from cim_core.store.database import Database
from cim_core.store.features import FeatureStore
from cim_core.store.layers import LayerVersion

_log = logging.getLogger(__name__)


def outlines_of(
    database: Database, version: LayerVersion, geometry: Path, frame: Frame
) -> Callable[[Feature], Outline | None]:
    """Answers a feature's outline if a version had it in the same frame with the same instances.

    `geometry` is that version's geometry file; without it nothing is known.
    """
    if version.summary["frame"] != [frame.lon, frame.lat, frame.height]:
        return lambda _: None
    try:
        instances, _ = load_geometry(geometry)
    except UNREADABLE as error:
        _log.warning("%s is of no use (%s): all outlines are found anew", geometry, error)
        return lambda _: None
    outlines = FeatureStore(database).outlines(version.layer, version.version)

    def known(feature: Feature) -> Outline | None:
        before, now = instances.get(feature.id, ()), feature.instances
        same = len(before) == len(now) and all(
            a.mesh_key == b.mesh_key and np.array_equal(a.transform, b.transform)
            for a, b in zip(before, now, strict=True)
        )
        return outlines.get(feature.id) if same else None

    return known

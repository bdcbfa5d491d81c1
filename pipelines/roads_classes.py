"""The rank of a road by what maps call it; the words are in `road_classes.toml`."""

import tomllib
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from typing import cast, get_args

from cim_core.traffic.roads import RoadClass


def road_class(word: str) -> RoadClass:
    """The rank of a road by a word of SUMO's types, OpenDRIVE's or OpenStreetMap's.

    >>> road_class("highway.primary|railway.tram"), road_class("townLocal"), road_class("")
    ('arterial', 'local', 'other')
    """
    first = word.partition("|")[0].removeprefix("highway.").removesuffix("_link").lower()
    return _words().get(first, "other")


@lru_cache
def _words() -> Mapping[str, RoadClass]:
    table = tomllib.loads(files("pipelines").joinpath("road_classes.toml").read_text("utf-8"))
    ranks = cast("tuple[RoadClass, ...]", get_args(RoadClass))
    return {word.lower(): rank for rank in ranks for word in table.get(rank, [])}

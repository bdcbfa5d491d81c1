"""Signs that are indicators of the check-up, measured on the layers as they are now."""

import time

from analysis.checkup.digests import inputs_of
from analysis.checkup.examine import measure
from analysis.checkup.indicator import Indicator
from analysis.checkup.measured import Measured
from analysis.checkup.roles import city_roles
from analysis.checkup.scene import Scene
from analysis.checkup.sets import set_named
from analysis.checkup.words import words
from analysis.vital_signs.moments import Asked
from analysis.vital_signs.reading import Part, Reading, Total, titled, unavailable
from cim_core.errors import NotFound
from cim_core.kept import kept

_NOW = 300_000
"""Layers as they are now tell of a moment that is no further from now, milliseconds."""


class _Indicator:
    """An indicator of a city; equal as long as its formula, the roles and the layers are the same."""

    def __init__(self, asked: Asked, indicator: Indicator) -> None:
        self.city, self.indicator, self.roles = asked.city, indicator, city_roles(asked.city)
        said = indicator.model_dump_json(), repr(sorted(self.roles.items()))
        self.key = asked.seen, asked.city.layers.state(), said

    def __hash__(self) -> int:
        return hash(self.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Indicator) and self.key == other.key


def indicator(asked: Asked, at: int, *, set: str, code: str) -> Reading:  # noqa: A002 – as the file calls it
    """An indicator of the whole city as its layers are; of the past nothing is told."""
    if asked.city.settings.frame is None:
        return unavailable("no-place")
    if abs(time.time_ns() // 1_000_000 - at) > _NOW:
        return unavailable("only-now")
    try:
        known = {one.code: one for one in set_named(set, asked.city.folder).indicators}
    except NotFound:
        known = {}
    if code not in known:
        return unavailable("no-indicator")
    return _reading(_Indicator(asked, known[code].model_copy(update={"by": ()})))


@kept(16)
def _reading(of: _Indicator) -> Reading:
    scene, one = Scene(of.city, of.roles), of.indicator
    found: Measured = measure(scene, one)["district"]
    layers = tuple(
        sorted({used.layer for used in inputs_of(scene, one) if used.version is not None})
    )
    if not found.status:  # nothing says where the city is
        return Reading(
            {}, _fixed(float("nan")), "unavailable", words()["reasons"]["no-layer"], layers
        )
    status, reason = found.status[0], found.reason[0]
    part = Part(titled(one.name), float(found.numerator[0]), float(found.denominator[0]))
    said = words()["reasons"][reason] if reason else None
    return Reading({"district": part}, _fixed(float(found.value[0])), status, said, layers)


def _fixed(value: float) -> Total:
    """The value as the operator has it, which knows its own scale."""
    return lambda numerator, denominator: value

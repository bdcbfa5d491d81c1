"""All indicators of a set over a city, each at its levels; what did not change is not computed again."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from analysis.checkup.checked import check_formula
from analysis.checkup.digests import InputUsed, digest_of, inputs, inputs_of, whole_inputs
from analysis.checkup.indicator import Indicator, IndicatorSet
from analysis.checkup.measured import By, Measured, Units
from analysis.checkup.operators import OPERATORS
from analysis.checkup.packed import pack, unpack
from analysis.checkup.scene import Scene
from cim_core.progress import Progress

Known = Callable[[str], bytes | None]
"""What was packed before under a digest; None where nothing was."""


@dataclass(frozen=True, slots=True, eq=False)
class Examined:
    """A check-up of a city.

    set
        As it was examined: of what is made of layers that only stand for something, each a proxy.
    values
        What was measured by each indicator's code and kind of units: "district" always, then those
        that the indicator names.
    units
        Of every kind that occurs.
    digests
        By code, what all values of an indicator follow from: its formula and kinds of units, and the
        content of its inputs and units. Equal digests have equal values.
    inputs
        Every role that was looked at, whole.
    inputs_of
        By code, what its formula picks.
    computed
        The codes whose values were not known before.
    """

    set: IndicatorSet
    values: Mapping[str, Mapping[By, Measured]]
    units: Mapping[By, Units]
    digests: Mapping[str, str]
    inputs: tuple[InputUsed, ...]
    inputs_of: Mapping[str, tuple[InputUsed, ...]]
    computed: tuple[str, ...]
    _packed: dict[str, bytes] = field(default_factory=dict)

    def packed(self, code: str) -> bytes:
        """The values of an indicator as bytes, which `unpack` makes them of again."""
        if code not in self._packed:
            self._packed[code] = pack(self.values[code])
        return self._packed[code]


def kinds_of(indicator: Indicator) -> tuple[By, ...]:
    """The kinds of units that an indicator is told of, the district first."""
    return ("district", *indicator.by)


def examine(
    scene: Scene, which: IndicatorSet, known: Known, progress: Progress | None = None
) -> Examined:
    """Measure every indicator of a set; raises `CimError`.

    `known` gives what was packed before under a digest, so that nothing is computed twice. What is made
    of a layer that only stands for what is meant is a proxy, whatever the set says.
    """
    progress = progress or Progress()
    which = which.model_copy(
        update={"indicators": tuple(_as_it_is(scene, one) for one in which.indicators)}
    )
    values: dict[str, Mapping[By, Measured]] = {}
    digests: dict[str, str] = {}
    packed: dict[str, bytes] = {}
    computed = []
    for done, indicator in enumerate(which.indicators):
        progress(done, len(which.indicators), indicator.code)
        code = indicator.code
        digests[code] = digest_of(scene, indicator)
        before = known(digests[code])
        if before is not None:
            packed[code], values[code] = before, unpack(before)
        else:
            values[code] = measure(scene, indicator)
            computed.append(code)
    kinds = sorted({by for measured in values.values() for by in measured})
    return Examined(
        which, values, {by: scene.units(by) for by in kinds}, digests, whole_inputs(scene),
        {one.code: inputs_of(scene, one) for one in which.indicators}, tuple(computed), packed,
    )  # fmt: skip


def _as_it_is(scene: Scene, indicator: Indicator) -> Indicator:
    roles = {what.input for what, _ in inputs(indicator.formula)} & set(scene.roles)
    stands = any(scene.roles[role].proxy for role in roles)
    return indicator.model_copy(update={"proxy": indicator.proxy or stands})


def measure(scene: Scene, indicator: Indicator) -> Mapping[By, Measured]:
    """The values of one indicator for each of its kinds of units; raises `InvalidInput`."""
    check_formula(indicator.formula, scene.roles)
    operator = OPERATORS[indicator.formula.operator]
    return {by: operator(indicator.formula, scene, scene.units(by)) for by in kinds_of(indicator)}

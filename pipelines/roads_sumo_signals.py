"""The signal programs of a SUMO net as signal groups and plans.

Source: SUMO user documentation, "Traffic Lights", the table of signal state definitions.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from cim_core.errors import InvalidInput
from cim_core.traffic.roads import Connection, Crosswalk, Lane, Light, Phase, Plan, SignalGroup
from pipelines.roads_sumo_file import Net, NetLogic

_LIGHTS: Mapping[str, Light] = {
    "r": "red",
    "u": "red",  # red with yellow: nobody may drive yet
    "y": "yellow",
    "Y": "yellow",
    "g": "permissive-green",
    "s": "permissive-green",  # a green arrow: stop, then give way
    "G": "protected-green",
    "o": "flashing-yellow",
    "O": "dark",
}

Kind = Literal["vehicle", "pedestrian", "bike", "tram"]
_KINDS: Mapping[str, Kind] = {"bike": "bike", "tram": "tram", "sidewalk": "pedestrian"}


def groups_of(
    net: Net,
    name: str,
    connections: Sequence[Connection],
    crosswalks: Sequence[Crosswalk],
    lanes: Mapping[str, Lane],
) -> tuple[SignalGroup, ...]:
    """A group for each link of a controller that something obeys, in the order of their numbers."""
    kinds: dict[tuple[str, str], set[Kind]] = defaultdict(set)
    for way in connections:
        if way.group is not None:
            kind = _KINDS.get(lanes[way.from_lane].type, "vehicle")
            kinds[way.intersection, way.group].add(kind)
    for walk in crosswalks:
        if walk.group is not None:
            kinds[walk.intersection, walk.group].add("pedestrian")
    numbers = {logic.id: _numbers(logic) for logic in net.logics}
    sizes = {logic.id: min(len(p.state) for p in logic.phases) for logic in net.logics}
    for owner, group in kinds:
        if owner in sizes and int(group) >= sizes[owner]:
            raise InvalidInput(
                f"{name}: the program of {owner!r} has {sizes[owner]} signals, and a connection "
                f"obeys number {group}; build the net again with netconvert"
            )
    return tuple(
        SignalGroup(
            id=group, intersection=owner, number=numbers.get(owner, {}).get(group),
            kind=found.pop() if len(found) == 1 else "vehicle",
        )
        for (owner, group), found in sorted(kinds.items(), key=lambda x: (x[0][0], int(x[0][1])))
    )  # fmt: skip


def plans_of(
    net: Net,
    name: str,
    known: Iterable[str],
    connections: Sequence[Connection],
    crosswalks: Sequence[Crosswalk],
) -> tuple[Plan, ...]:
    """A plan for each program of a controller that there is; its id is "controller:program"."""
    used: dict[str, set[str]] = defaultdict(set)
    obeying: tuple[Connection | Crosswalk, ...] = (*connections, *crosswalks)
    for one in obeying:
        if one.group is not None:
            used[one.intersection].add(one.group)
    there = set(known)
    plans = []
    for logic in net.logics:
        if logic.id not in there:
            continue
        phases = tuple(
            Phase(
                duration=phase.duration, name=phase.name, shortest=phase.shortest,
                longest=phase.longest, lights=_lights(name, logic, phase.state, used[logic.id]),
            )
            for phase in logic.phases
        )  # fmt: skip
        cycle = sum(phase.duration for phase in phases)
        plans.append(
            Plan(
                id=f"{logic.id}:{logic.program}", intersection=logic.id, phases=phases,
                offset=logic.offset % cycle if cycle else 0.0,
            )
        )  # fmt: skip
    return tuple(plans)


def _lights(name: str, logic: NetLogic, state: str, used: set[str]) -> dict[str, Light]:
    """What each signal shows that is not red."""
    lights: dict[str, Light] = {}
    for number, letter in enumerate(state):
        light = _LIGHTS.get(letter)
        if light is None:
            raise InvalidInput(
                f"{name}: the program {logic.program!r} of {logic.id!r} shows {letter!r}, which is "
                f"no signal state; take one of {''.join(_LIGHTS)}"
            )
        if light != "red" and str(number) in used:
            lights[str(number)] = light
    return lights


def _numbers(logic: NetLogic) -> dict[str, int]:
    """The numbers of signals in the controller's own count, where the net says them."""
    found = {}
    for key, value in logic.params.items():
        if key.startswith("linkSignalID:") and value.isdigit():
            found[key.partition(":")[2]] = int(value)
    return found

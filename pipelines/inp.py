"""EPANET's .inp read without EPANET, for machines on which its library cannot be had.

What is read, and how it is meant, is what EPANET 2.2 documents of its input file.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from cim_core.errors import InvalidInput
from pipelines.inp_text import InpText, tags_of
from pipelines.model import rows_by_name
from pipelines.water_model import LINK_TYPES, LITRES_PER_SECOND, NODE_TYPES, WaterModel

_LINK_WORDS = {"LINK", "PIPE", "PUMP", "VALVE"}
_NOT_A_NUMBER = float("nan")


def read_water_model(text: InpText) -> WaterModel:
    """The model of an .inp file; raises `InvalidInput` with the line that is wrong."""
    options = text.options()
    nodes, node_types, elevations, tanks = _nodes(text)
    rows = rows_by_name(np.array(nodes, object))
    if len(rows) < len(nodes):
        raise InvalidInput(f"{text.name} has two nodes called {_twice(nodes)}; rename one of them")
    links = _Links(text, rows)
    link_rows = rows_by_name(np.array(links.names, object))
    if len(link_rows) < len(links.names):
        raise InvalidInput(
            f"{text.name} has two links called {_twice(links.names)}; rename one of them"
        )
    bends, bend_starts = _bends(text, link_rows)
    count = len(nodes)
    return WaterModel(
        flow_unit=_flow_unit(text, options),
        nodes=np.array(nodes, object),
        node_types=np.array(node_types, np.int64),
        places=_places(text, rows),
        elevations=np.array(elevations, float),
        demands=_demands(text, rows, options),
        tanks=np.array(tanks, float).reshape(count, 3),
        links=np.array(links.names, object),
        link_types=np.array(links.types, np.int64),
        starts=np.array(links.starts, np.int64),
        ends=np.array(links.ends, np.int64),
        lengths=np.array(links.lengths, float),
        diameters=np.array(links.diameters, float),
        roughness=np.array(links.roughness, float),
        minor=np.array(links.minor, float),
        settings=np.array(links.settings, float),
        closed=_closed(text, links, link_rows),
        controlled=_controlled(text, link_rows),
        bends=bends,
        bend_starts=bend_starts,
        map_unit=text.options("BACKDROP").get("UNITS", "").upper(),
        tags=tags_of(text),
    )


def _flow_unit(text: InpText, options: Mapping[str, str]) -> str:
    unit = options.get("UNITS", options.get("FLOW", "GPM")).upper()
    unit = {"SI": "LPS"}.get(unit, unit)
    if unit not in LITRES_PER_SECOND:
        raise InvalidInput(
            f"{text.name} counts its flows in {unit}, which is no unit of EPANET; give one of "
            f"{', '.join(LITRES_PER_SECOND)}"
        )
    return unit


def _nodes(text: InpText) -> tuple[list[str], list[int], list[float], list[Sequence[float]]]:
    """Names, types, elevations and tanks of nodes: junctions first, the others as they are listed.

    EPANET counts reservoirs and tanks in the order of the file, whichever section comes first.
    """
    names: list[str] = []
    types: list[int] = []
    elevations: list[float] = []
    tanks: list[Sequence[float]] = []
    for line in text["JUNCTIONS"]:
        names.append(line[1][0])
        types.append(0)
        elevations.append(text.number("JUNCTIONS", line, 1, 0.0))
        tanks.append((0.0, 0.0, 0.0))
    stored = [("RESERVOIRS", line) for line in text["RESERVOIRS"]]
    stored += [("TANKS", line) for line in text["TANKS"]]
    for section, line in sorted(stored, key=lambda item: item[1][0]):
        # A tank of which only a level and perhaps a pattern is said is a reservoir.
        is_tank = section == "TANKS" and len(line[1]) > 3
        names.append(line[1][0])
        types.append(NODE_TYPES.index("tank" if is_tank else "reservoir"))
        elevations.append(text.number(section, line, 1))
        sizes = (text.number(section, line, place, 0.0) for place in (5, 3, 4))
        tanks.append(tuple(sizes) if is_tank else (0.0, 0.0, 0.0))
    return names, types, elevations, tanks


class _Links:
    """Pipes, pumps and valves, in the order of the file."""

    def __init__(self, text: InpText, rows: Mapping[str, int]) -> None:
        self.names: list[str] = []
        self.types: list[int] = []
        self.starts: list[int] = []
        self.ends: list[int] = []
        self.lengths: list[float] = []
        self.diameters: list[float] = []
        self.roughness: list[float] = []
        self.minor: list[float] = []
        self.settings: list[float] = []
        self.shut: list[bool] = []
        found = [(name, line) for name in ("PIPES", "PUMPS", "VALVES") for line in text[name]]
        for section, line in sorted(found, key=lambda item: item[1][0]):
            at, words = line
            if len(words) < 3:
                raise text.wrong(section, at, "it names no two nodes")
            for name in words[1:3]:
                if name not in rows:
                    raise text.wrong(section, at, f"there is no node {name}")
            self.names.append(words[0])
            self.starts.append(rows[words[1]])
            self.ends.append(rows[words[2]])
            size = self._sizes(text, section, line)
            for values, value in zip(
                (self.lengths, self.diameters, self.roughness, self.minor, self.settings),
                size, strict=True,
            ):  # fmt: skip
                values.append(value)
            self.types.append(self._type(text, section, line))
            self.shut.append(section == "PIPES" and "CLOSED" in _last(words, 6))

    def _sizes(self, text: InpText, section: str, line: tuple[int, tuple[str, ...]]) -> list[float]:
        """Length, diameter, roughness, minor loss and setting."""
        if section == "PUMPS":
            return [_NOT_A_NUMBER] * 5
        if section == "VALVES":
            setting = line[1][5] if len(line[1]) > 5 else "0"
            number = _NOT_A_NUMBER if _type_of(line[1]) == "GPV" else text.number(section, (line[0], (setting,)), 0)  # fmt: skip
            minor = text.number(section, line, 6, 0.0)
            return [_NOT_A_NUMBER, text.number(section, line, 3), _NOT_A_NUMBER, minor, number]
        numbers = [text.number(section, line, place) for place in (3, 4, 5)]
        said = line[1][6] if len(line[1]) > 6 else "0"
        minor = 0.0 if said.upper() in ("OPEN", "CLOSED", "CV") else text.number(section, line, 6, 0.0)  # fmt: skip
        return [*numbers, minor, _NOT_A_NUMBER]

    def _type(self, text: InpText, section: str, line: tuple[int, tuple[str, ...]]) -> int:
        if section == "PUMPS":
            return LINK_TYPES.index("pump")
        if section == "PIPES":
            return LINK_TYPES.index("CV" if "CV" in _last(line[1], 6) else "pipe")
        if _type_of(line[1]) not in LINK_TYPES[3:]:
            raise text.wrong(section, line[0], f"{_type_of(line[1])!r} is no kind of valve")
        return LINK_TYPES.index(_type_of(line[1]))


def _type_of(words: Sequence[str]) -> str:
    return words[4].upper() if len(words) > 4 else ""


def _last(words: Sequence[str], first: int) -> list[str]:
    return [word.upper() for word in words[first:]]


def _twice(names: Sequence[str]) -> str:
    """A name that stands more than once."""
    return Counter(names).most_common(1)[0][0]


def _places(text: InpText, rows: Mapping[str, int]) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:  # fmt: skip
    places = np.full((len(rows), 2), np.nan)
    for line in text["COORDINATES"]:
        if (row := rows.get(line[1][0])) is not None:
            places[row] = [text.number("COORDINATES", line, place) for place in (1, 2)]
    return places


def _bends(text: InpText, rows: Mapping[str, int]) -> tuple[np.ndarray[tuple[int, int], np.dtype[np.float64]], np.ndarray[tuple[int], np.dtype[np.int64]]]:  # fmt: skip
    owners, points = [], []
    for line in text["VERTICES"]:
        if (row := rows.get(line[1][0])) is not None:
            owners.append(row)
            points.append([text.number("VERTICES", line, place) for place in (1, 2)])
    order = np.argsort(np.array(owners, np.int64), kind="stable")
    counts = np.bincount(np.array(owners, np.int64), minlength=len(rows))
    starts = np.concatenate([[0], np.cumsum(counts)])
    return np.array(points, float).reshape(-1, 2)[order], starts


def _demands(text: InpText, rows: Mapping[str, int], options: Mapping[str, str]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:  # fmt: skip
    """What is drawn at each node on average; a section [DEMANDS] replaces a junction's own."""
    means = _pattern_means(text)
    usual = options.get("PATTERN", "1")
    times = 1.0
    for line in text["OPTIONS"]:  # there are options DEMAND MODEL and DEMAND CHARGE as well
        if [word.upper() for word in line[1][:2]] == ["DEMAND", "MULTIPLIER"]:
            times = text.number("OPTIONS", line, 2)
    demands = np.zeros(len(rows))
    for line in text["JUNCTIONS"]:
        pattern = line[1][3] if len(line[1]) > 3 else usual
        demands[rows[line[1][0]]] = text.number("JUNCTIONS", line, 2, 0.0) * means.get(pattern, 1.0)
    junctions = {line[1][0] for line in text["JUNCTIONS"]}
    replaced: set[str] = set()
    for line in text["DEMANDS"]:
        name = line[1][0]
        if name.upper() == "MULTIPLY":
            times = text.number("DEMANDS", line, 1)
        elif name in junctions:
            if name not in replaced:
                demands[rows[name]] = 0.0
            replaced.add(name)
            pattern = line[1][2] if len(line[1]) > 2 else usual
            demands[rows[name]] += text.number("DEMANDS", line, 1) * means.get(pattern, 1.0)
    return demands * times


def _pattern_means(text: InpText) -> dict[str, float]:
    patterns: dict[str, list[float]] = {}
    for line in text["PATTERNS"]:
        numbers = (text.number("PATTERNS", line, place) for place in range(1, len(line[1])))
        patterns.setdefault(line[1][0], []).extend(numbers)
    return {name: sum(values) / len(values) for name, values in patterns.items() if values}


def _closed(text: InpText, links: _Links, rows: Mapping[str, int]) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:  # fmt: skip
    closed = np.array(links.shut, bool)
    for _, words in text["STATUS"]:
        row = rows.get(words[0])
        if row is None or len(words) < 2 or links.types[row] == LINK_TYPES.index("CV"):
            continue
        said = words[1].upper()
        is_pump = links.types[row] == LINK_TYPES.index("pump")
        closed[row] = said == "CLOSED" or (is_pump and said.replace(".", "").strip("0") == "")
    return closed


def _controlled(text: InpText, rows: Mapping[str, int]) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:  # fmt: skip
    """Which links a control or a rule names."""
    controlled = np.zeros(len(rows), bool)
    named = [words[1] for _, words in text["CONTROLS"] if len(words) > 1 and words[0].upper() in _LINK_WORDS]  # fmt: skip
    named += [words[2] for _, words in text["RULES"] if len(words) > 2 and words[1].upper() in _LINK_WORDS]  # fmt: skip
    for name in named:
        if name in rows:
            controlled[rows[name]] = True
    return controlled

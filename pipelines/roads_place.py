"""How the lines of a map file come to their place on earth, all at once."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from cim_core.errors import InvalidInput, TooLarge
from cim_core.importers.placing import Place, corners_of, place_of
from cim_core.layer import Placement, Source
from cim_core.mesh import Floats
from cim_core.traffic.roads import Line
from pipelines.roads_geometry import places
from pipelines.roads_xml import limits


@dataclass(frozen=True, slots=True)
class MapFile:
    """A file to be read, what it is called, and what people said about its place."""

    source: Source
    placement: Placement

    @classmethod
    def plain(cls, path: Path) -> "MapFile":
        """A file about whose place nobody said anything."""
        return cls(Source(path, path.name, "roads", path.stem), Placement())

    @property
    def path(self) -> Path:
        """Where it lies."""
        return self.source.path

    @property
    def name(self) -> str:
        """What people call it."""
        return self.source.filename


@dataclass(slots=True)
class Sheet:
    """Lines in the plane of a file, metres; numbered as they are put down."""

    lines: list[Floats] = field(default_factory=list)
    count: int = 0

    def put(self, line: Floats) -> int:
        """Keep a line (n, 2) or (n, 3) and return its number."""
        self.count += len(line)
        if self.count > limits().points:
            raise TooLarge(
                f"the map holds more than {limits().points} places; bring it in in parts"
            )
        self.lines.append(line)
        return len(self.lines) - 1

    def placed(
        self, file: MapFile, declared: str | None, shift: Floats
    ) -> tuple[list[Line], Place]:
        """All lines in longitude and latitude, and how the file found its place.

        `declared` is the reference system the file names, `shift` (2,) what is added to its
        coordinates to be in that system. Heights are those of the file where a line has them.
        """
        if not self.lines:
            raise InvalidInput(f"{file.name} holds no road; export the map again with its lanes")
        points = np.vstack([_upright(line) for line in self.lines])
        heights = any(line.shape[1] == 3 for line in self.lines)
        anchored = file.placement.anchor is not None and file.placement.crs is None
        if not anchored:
            points[:, :2] += shift
        place = place_of(file.source, file.placement, declared, corners_of(points), heights=heights)
        return _cut(place.to_city(points), self.lines), place


def _upright(line: Floats) -> Floats:
    if line.shape[1] == 3:
        return line.astype(np.float64)
    return np.column_stack([line, np.zeros(len(line))])


def _cut(points: Floats, lines: Sequence[Floats]) -> list[Line]:
    ends = np.cumsum([len(line) for line in lines])[:-1]
    return [
        places(part, heights=line.shape[1] == 3)
        for part, line in zip(np.split(points, ends), lines, strict=True)
    ]

"""What one request takes out of the city: counted by the guard, noted for the log."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from cim_core.cells import Cells
from cim_core.errors import Forbidden
from cim_core.store.layers import LayerVersion
from server.access.access import Access
from server.access.exports import ExportGuard, named_features
from server.access.notes import Note
from tiles.mercator import MapTile

Taken = Callable[[Sequence[str]], str | None]
"""Told the ids of the features of an answer before it is written; the id of the export, if it is a
file to be kept."""


@dataclass(frozen=True, slots=True)
class Taking:
    """Asked by routes before they answer; each raises `Forbidden` for more than is allowed."""

    guard: ExportGuard
    access: Access
    note: Note

    def require(self, *layers: str) -> None:
        """Raise what says why not, unless the person may take out files of all these layers."""
        self.note.verb = "export"
        for layer in layers:
            self.access.require("export", layer)

    def shows(self, known: LayerVersion, ids: Sequence[str]) -> None:
        """Features of a version are shown, with their places."""
        self.shows_all({(known.layer, known.version): ids})

    def shows_all(self, wanted: Mapping[tuple[str, int], Sequence[str]]) -> None:
        """Features are shown, by their layers and versions."""
        self.note.looked_at(layer for layer, _ in wanted)
        self.guard.take(self.access.person, wanted, self.note)

    def answers(
        self, document: Mapping[str, Any], versions: Iterable[tuple[str, int]], *, kept: bool
    ) -> None:
        """The outputs of an analysis of some versions of layers are shown, or `kept` as files."""
        looked_at = dict(versions)
        self.note.looked_at(looked_at)
        if kept:
            self.require(*looked_at)
            self.file()
        grids = [output for output in document.values() if _is_grid(output)]
        cells = [int(name, 16) for grid in grids for name in grid["cells"]]
        self.guard.take_cells(self.access.person, looked_at, np.array(cells, np.uint64), self.note)
        named = named_features(document)
        self.shows_all({(la, looked_at[la]): ids for la, ids in named.items() if la in looked_at})

    def map_tile(self, known: LayerVersion, tile: MapTile, ending: str) -> None:
        """A map tile of a version is shown."""
        self.guard.take_map_tile(self.access.person, known, tile, ending, self.note)

    def of(self, known: LayerVersion, *, shown: bool = False) -> Taken:
        """For what makes files of a version's features, to be kept or just shown."""

        def taken(ids: Sequence[str]) -> str | None:
            export = None if shown else self.file()
            self.shows(known, ids)
            return export

        return taken

    def shows_places(self, layer: str, lon_lat: Sequence[tuple[float, float]]) -> None:
        """Places in a layer are shown, longitude and latitude."""
        points = np.array(lon_lat, np.float64).reshape(-1, 2)
        self.guard.take_places(self.access.person, layer, points, self.note)

    def require_renewal(self) -> None:
        """Raise what says why not, unless the person may take out renewal of any town as files."""
        self.note.verb = "export"
        towns = self.access.export_sight.towns
        if towns is not None and not towns:
            self.access.require_known()
            raise Forbidden(
                "your roles do not let you take renewal out as files; ask the city's security "
                "administrator"
            )

    def shows_lines(self, lines: Sequence[shapely.Geometry]) -> None:
        """Lines that belong to no layer are shown, degrees: outlines of renewal, which is internal."""
        self.guard.take_lines(self.access.person, lines, self.note)

    def shows_cells(self, layers: Iterable[str], cells: Cells) -> None:
        """Cells, (n,), are shown in which there is something of some layers."""
        known = set(layers)
        self.note.looked_at(known)
        self.guard.take_cells(self.access.person, known, cells, self.note)

    def file(self) -> str:
        """What is shown is handed out as a file; the id of the export, if nothing forbids it."""
        self.note.verb = "export"
        return self.note.exported()


def _is_grid(output: Any) -> bool:
    return isinstance(output, Mapping) and "cells" in output and "values" in output

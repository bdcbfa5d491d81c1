"""EPANET's own reading of a model's .inp file, through its toolkit: the door of the library.

Source: EPANET 2.2 toolkit, the functions named here.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from cim_core.errors import InvalidInput
from cim_core.progress import Progress
from pipelines.inp_text import InpText, tags_of
from pipelines.water_model import LINK_TYPES, LITRES_PER_SECOND, NODE_TYPES, WaterModel

try:
    from epanet import toolkit as en
except ImportError:  # there is no wheel of it for ARM64
    en = None

INSTALLED = en is not None


def read_water_model(text: InpText, progress: Progress) -> WaterModel:
    """The model of an .inp file as EPANET understands it.

    Raises `InvalidInput` with what EPANET says where it refuses the file.
    """
    with _opened(text) as project:
        nodes = range(1, en.getcount(project, en.NODECOUNT) + 1)
        links = range(1, en.getcount(project, en.LINKCOUNT) + 1)

        def of_nodes(what: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
            return np.array([en.getnodevalue(project, row, what) for row in nodes], float)

        def of_links(what: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
            return np.array([en.getlinkvalue(project, row, what) for row in links], float)

        progress(0, 0, "reading")
        node_types = np.array([en.getnodetype(project, row) for row in nodes], np.int64)
        link_types = np.array([en.getlinktype(project, row) for row in links], np.int64)
        between = np.array([en.getlinknodes(project, row) for row in links]).reshape(-1, 2) - 1
        tanks = np.column_stack([of_nodes(what) for what in (en.TANKDIAM, en.MINLEVEL, en.MAXLEVEL)])  # fmt: skip
        pipes = np.isin(link_types, (LINK_TYPES.index("CV"), LINK_TYPES.index("pipe")))
        pumps = link_types == LINK_TYPES.index("pump")
        valves = ~pipes & ~pumps
        curve = link_types == LINK_TYPES.index("GPV")
        names = [en.getnodeid(project, row) for row in nodes]
        called = [en.getlinkid(project, row) for row in links]
        counts = [en.getvertexcount(project, row) for row in links]
        return WaterModel(
            flow_unit=tuple(LITRES_PER_SECOND)[en.getflowunits(project)],
            nodes=np.array(names, object),
            node_types=node_types,
            places=np.array([_place(project, row) for row in nodes]).reshape(-1, 2),
            elevations=of_nodes(en.ELEVATION),
            demands=np.array([_demand(project, row) for row in nodes], float),
            tanks=np.where((node_types == NODE_TYPES.index("tank"))[:, None], tanks, 0.0),
            links=np.array(called, object),
            link_types=link_types,
            starts=between[:, 0].astype(np.int64),
            ends=between[:, 1].astype(np.int64),
            lengths=np.where(pipes, of_links(en.LENGTH), np.nan),
            diameters=np.where(pumps, np.nan, of_links(en.DIAMETER)),
            roughness=np.where(pipes, of_links(en.ROUGHNESS), np.nan),
            minor=np.where(pumps, np.nan, of_links(en.MINORLOSS)),
            settings=np.where(valves & ~curve, of_links(en.INITSETTING), np.nan),
            closed=of_links(en.INITSTATUS) == en.CLOSED,
            controlled=of_links(en.LINK_INCONTROL) > 0,
            bends=np.array(
                [
                    en.getvertex(project, row, vertex)
                    for row, count in zip(links, counts, strict=True)
                    for vertex in range(1, count + 1)
                ],
                float,
            ).reshape(-1, 2),
            bend_starts=np.concatenate([[0], np.cumsum(counts, dtype=np.int64)]),
            map_unit=text.options("BACKDROP").get("UNITS", "").upper(),
            tags=tags_of(text),
        )


@contextmanager
def _opened(text: InpText) -> Iterator[Any]:
    """A project with the model in it; raises `InvalidInput` where EPANET refuses it.

    EPANET is given a copy: it knows neither encodings nor names of files that are not plain.
    """
    with tempfile.TemporaryDirectory(prefix="cim-") as folder:
        copy, said = Path(folder) / "model.inp", Path(folder) / "model.rpt"
        copy.write_text(text.text, encoding="utf-8")
        project = en.createproject()
        try:
            try:
                en.open(project, str(copy), str(said), "")
            except Exception as error:
                # The toolkit raises nothing more particular; what it found stands in its report.
                en.close(project)
                raise InvalidInput(
                    f"EPANET cannot read {text.name}: {_first_error(said) or error}; correct that "
                    "and run it in EPANET once"
                ) from error
            yield project
            en.close(project)
        finally:
            en.deleteproject(project)


def _first_error(report: Path) -> str:
    """The first thing EPANET reports of a file it refuses, with the line it means."""
    lines = [line.strip() for line in report.read_text("utf-8", "replace").splitlines()]
    for number, line in enumerate(lines):
        if line.startswith("Error "):
            beside = lines[number + 1] if number + 1 < len(lines) else ""
            return f"{line.rstrip(':')}: {beside}" if line.endswith(":") and beside else line
    return ""


def _place(project: Any, row: int) -> tuple[float, float]:
    try:
        x, y = en.getcoord(project, row)
    except Exception:  # it has none; the toolkit has one kind of exception for everything
        return np.nan, np.nan
    return x, y


def _demand(project: Any, row: int) -> float:
    """What is drawn at a node on average, in the project's flow units."""
    total = 0.0
    usual = int(en.getoption(project, en.DEMANDPATTERN))
    for number in range(1, en.getnumdemands(project, row) + 1):
        pattern = en.getdemandpattern(project, row, number) or usual
        mean = en.getaveragepatternvalue(project, pattern) if pattern else 1.0
        total += en.getbasedemand(project, row, number) * mean
    return float(total * en.getoption(project, en.DEMANDMULT))

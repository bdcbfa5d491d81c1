"""What of a file the geometry kernel has to make, and what an earlier version knows already."""

import hashlib
import logging
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypedDict

import ifcopenshell
from ifcopenshell import entity_instance

from bim_import import ifc_geometry
from bim_import.ifc_content import Contents
from bim_import.ifc_text import OddText, StepText
from cim_core import canonical, mesh, work
from cim_core.crew import Crew, Failure, Limits
from cim_core.layer import Source
from cim_core.mesh import Floats
from cim_core.progress import Progress
from cim_core.tessellations import Tessellations

_DECIDING = (
    "content", "geometry", "mapped", "placement", "plan", "shapes", "statements", "text"
)  # fmt: skip
"""The modules of ours from a file to its shapes."""

_ASIDE = 32_000_000
"""Bytes; for a smaller file a process of its own would cost more time than it saves memory."""

_READING_SECONDS = 3600.0
_ANY = 1 << 44

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Plan:
    """What of a file has to be tessellated.

    path
        What the kernel is to open: an extract, or the file itself where it could not be read as
        text.
    contents
        The content of each product by STEP id; empty in that second case, and all that follows too.
    placements
        (4, 4) from each product to the model, in the file's unit; None where only the kernel knows.
    known
        The tessellations of an earlier version, as far as the same programs made them.
    leaders
        For each content that is not known, the product to tessellate.
    counts
        How many instances of some entities there are, to be compared with what the parser finds.
    """

    path: Path
    contents: Mapping[int, str] = field(default_factory=dict)
    placements: Mapping[int, Floats | None] = field(default_factory=dict)
    known: Tessellations = field(default_factory=Tessellations)
    leaders: Mapping[str, int] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)

    def agrees_with(self, model: ifcopenshell.file, products: Sequence[entity_instance]) -> bool:
        """Whether the parser found the same in the file as its text told."""
        return (
            all(product.id() in self.contents for product in products)
            and all(len(model.by_type(entity)) == count for entity, count in self.counts.items())
            # Of several units of length readers take different ones.
            and all(_lengths(units) == 1 for units in model.by_type("IfcUnitAssignment"))
        )


def _lengths(assigned: entity_instance) -> int:
    return sum(getattr(unit, "UnitType", None) == "LENGTHUNIT" for unit in assigned.Units)


@contextmanager
def planned(source: Source, schema: str, progress: Progress) -> Iterator[Plan]:
    """What is to be tessellated of a file, with an extract for the kernel until the block ends."""
    known = source.earlier if source.earlier.maker == maker() else Tessellations()
    # The machines of a cluster see the city's folders, not the temporary ones of this machine.
    seen = source.scratch is not None or source.crew.scheduler is None
    with tempfile.TemporaryDirectory(prefix="geometry-", dir=source.scratch) as folder:
        extract = Path(folder) / "extract.ifc" if seen else None
        order = (source.path, schema, frozenset({*known.shapes, *known.refusals}), extract)
        aside = source.path.stat().st_size > _ASIDE
        found = _read_aside(order, progress) if aside else _read(*order)
        if isinstance(found, OddText | Failure):
            _log.info("%s is tessellated whole: %s", source.filename, found)
            yield Plan(source.path)
        else:
            yield Plan(extract or source.path, known=known, **found)


class _Found(TypedDict):
    """What the text tells, under the names of `Plan`."""

    contents: Mapping[int, str]
    placements: Mapping[int, Floats | None]
    leaders: Mapping[str, int]
    counts: Mapping[str, int]


_Order = tuple[Path, str, frozenset[str], Path | None]


def _read(path: Path, schema: str, known: frozenset[str], extract: Path | None) -> _Found | OddText:
    """Read a file as text; leaders of contents that are not known go to `extract`, if there are."""
    try:
        contents = Contents(StepText(path.read_bytes()), schema)
        leaders: dict[str, int] = {}
        for step, content in contents.of.items():
            if content not in known:
                leaders.setdefault(content, step)
        if leaders and extract is not None:
            extract.write_bytes(contents.extract(leaders.values()))
    except OddText as odd:
        return odd
    return _Found(
        contents=contents.of,
        placements=contents.placements,
        leaders=leaders,
        counts=contents.counts,
    )


def _read_aside(order: _Order, progress: Progress) -> _Found | OddText | Failure:
    """The same in a process of its own, which gives all its memory back."""
    crew = Crew(1, Limits(seconds=_READING_SECONDS, memory=_ANY))
    [(_, found)] = work.stream(make_reading, order, [["text"]], crew=crew, progress=progress)
    answer: _Found | OddText | Failure = found
    return answer


def make_reading(*order: Any) -> work.Task:
    """What reads one text, for a worker."""

    def task(batch: Sequence[str]) -> Iterator[tuple[str, _Found | OddText]]:
        for item in batch:
            yield item, _read(*order)

    return task


def maker() -> str:
    """What decides how a content becomes a shape: the library, its kernels and our own code."""
    code = hashlib.sha256()
    ours = [Path(__file__).with_name(f"ifc_{name}.py") for name in _DECIDING]
    for path in (*ours, Path(canonical.__file__), Path(mesh.__file__)):
        code.update(path.read_bytes())
    kernels = ", ".join(ifc_geometry.KERNELS)
    return f"ifcopenshell {ifcopenshell.version}, {kernels}, {code.hexdigest()[:16]}"

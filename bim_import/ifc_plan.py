"""What of a file the geometry kernel has to make, and what an earlier version knows already."""

import hashlib
import logging
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import ifcopenshell
from ifcopenshell import entity_instance

from bim_import import ifc_geometry
from bim_import.ifc_content import Contents
from bim_import.ifc_text import OddText, StepText
from cim_core import canonical, mesh
from cim_core.layer import Source
from cim_core.memory import give_back
from cim_core.mesh import Floats
from cim_core.tessellations import Tessellations

_DECIDING = (
    "content", "geometry", "mapped", "placement", "plan", "shapes", "statements", "text"
)  # fmt: skip
"""The modules of ours from a file to its shapes."""

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
        return all(product.id() in self.contents for product in products) and all(
            len(model.by_type(entity)) == count for entity, count in self.counts.items()
        )


@contextmanager
def planned(source: Source, schema: str) -> Iterator[Plan]:
    """What is to be tessellated of a file, with an extract for the kernel until the block ends."""
    with tempfile.TemporaryDirectory(prefix="geometry-", dir=source.scratch) as folder:
        try:
            plan = _plan(source, schema, Path(folder) / "extract.ifc")
        except OddText as odd:
            _log.info("%s is tessellated whole: %s", source.filename, odd)
            plan = Plan(source.path)
        give_back()
        yield plan


def _plan(source: Source, schema: str, extract: Path) -> Plan:
    contents = Contents(StepText(source.path.read_bytes()), schema)
    known = source.earlier if source.earlier.maker == maker() else Tessellations()
    leaders: dict[str, int] = {}
    for step, content in contents.of.items():
        if content not in known.shapes and content not in known.refusals:
            leaders.setdefault(content, step)
    # The machines of a cluster see the city's folders, not the temporary ones of this machine.
    seen = source.scratch is not None or source.crew.scheduler is None
    if leaders and seen:
        extract.write_bytes(contents.extract(leaders.values()))
    path = extract if seen else source.path
    return Plan(path, contents.of, contents.placements, known, leaders, contents.counts)


def maker() -> str:
    """What decides how a content becomes a shape: the library, its kernels and our own code."""
    code = hashlib.sha256()
    ours = [Path(__file__).with_name(f"ifc_{name}.py") for name in _DECIDING]
    for path in (*ours, Path(canonical.__file__), Path(mesh.__file__)):
        code.update(path.read_bytes())
    kernels = ", ".join(ifc_geometry.KERNELS)
    return f"ifcopenshell {ifcopenshell.version}, {kernels}, {code.hexdigest()[:16]}"

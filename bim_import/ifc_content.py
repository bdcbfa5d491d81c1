"""What the geometry of each product depends on, as a hash that no renumbering changes.

A statement's digest is made of its own text without STEP ids and of the digests of what it refers
to, as in a Merkle tree; styles, which refer to what they colour, are turned round first. A
product's content is the digest of its representation with those of its openings, its materials,
the units and the contexts: not its name, its properties or its own placement.

The geometry kernel is given an extract of the file that holds these statements. What is not part of
a product's content it cannot see.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from hashlib import blake2b
from operator import add

import numpy as np
from numpy.typing import NDArray

from bim_import.ifc_placement import LocalPlacements
from bim_import.ifc_statements import Statements
from bim_import.ifc_text import OddText, Rows, StepText
from cim_core.mesh import Floats

_SHORT = 64
"""Bytes; a text that is no longer stands for itself, since hashing it would save nothing."""

_AT_ONCE = 20_000
"""Statements whose numbers are Python objects at one time; these are large."""

_LINE_BREAK = re.compile(rb"[\r\n]+ *")

_LARGEST_ID = 2**31 - 1

Group = tuple[bytes, list[int]]


class Contents:
    """The contents of the products of a file, by STEP id.

    of
        A hash of 32 hex digits for each product with a shape, in an order that no renumbering
        changes.
    placements
        (4, 4) from a product to the model, in the file's unit of length; None where it takes the
        geometry kernel to know. The content of these products includes their placement.
    counts
        How many instances of the entities that matter were found, by entity.
    """

    def __init__(self, text: StepText, schema: str) -> None:
        """Find what each product depends on; raises `OddText`."""
        self._text = text
        self._schema = schema
        self._known = known = Statements(text, schema)
        self.counts: Mapping[str, int] = known.counts
        self._placements = LocalPlacements(text, known.named("IfcObjectPlacement"))
        products = sorted(known.shapes, key=text.bare)  # by class and GlobalId
        groups = {product: list(self._groups(product)) for product in products}
        general = [*known.contexts, *known.units]
        rows = [row for several in groups.values() for _, group in several for row in group]
        digests = _digests(text, known, [*rows, *general])
        shared = _hash([schema.encode(), *sorted(digests[row] for row in general)])
        self.of: dict[int, str] = {}
        self.placements: dict[int, Floats | None] = {}
        for product, several in groups.items():
            step = int(text.ids[product])
            self.placements[step] = self._placements.matrix(known.placements.get(product))
            parts = [_hash([label, *(digests[row] for row in group)]) for label, group in several]
            self.of[step] = _hash([shared, *sorted(parts)]).hex()

    def extract(self, steps: Iterable[int]) -> bytes:
        """A STEP file of all that the geometry of these products depends on, by their own ids.

        Raises `OddText` when the file leaves no numbers for its relations.
        """
        known, text = self._known, self._text
        products = text.rows_of(np.array(list(steps), np.int64)).tolist()
        related = dict.fromkeys(r for product in products for r in self._related(product))
        rows = {row for _, *ends in related for row in ends}
        needed = np.flatnonzero(
            _reached(known, len(text.ids), [*products, *rows, *known.contexts, *known.projects])
        )
        free = int(text.ids.max()) + 1
        if free + len(related) > _LARGEST_ID:
            raise OddText("its numbers are too large")
        relations = [
            b"#%d=" % number
            + form % (b"'%022d',$,$,$" % number, text.ids[one], text.ids[other])
            + b";"
            for number, (form, one, other) in enumerate(related, start=free)
        ]
        head = b"ISO-10303-21;\nHEADER;\nFILE_DESCRIPTION((''),'2;1');\n"
        head += b"FILE_NAME('','',(''),(''),'','','');\n"
        head += b"FILE_SCHEMA(('%s'));\nENDSEC;\nDATA;" % self._schema.encode()
        tail = b"ENDSEC;\nEND-ISO-10303-21;\n"
        return b"\n".join([head, text.copied(needed), *relations, tail])

    def _related(self, product: int) -> Iterator[tuple[bytes, int, int]]:
        """The relations that decide about a product's geometry: how they are written, both ends."""
        known = self._known
        ancestors = known.ancestors(product)
        for element in ancestors:
            for opening in known.openings.get(element, ()):
                yield b"IFCRELVOIDSELEMENT(%s,#%d,#%d)", element, opening
        if any(element in known.openings for element in ancestors[1:]):
            for element in ancestors:
                for whole in known.wholes.get(element, ()):
                    yield b"IFCRELAGGREGATES(%s,#%d,(#%d))", whole, element
        for material in known.materials.get(product, ()):
            yield b"IFCRELASSOCIATESMATERIAL(%s,(#%d),#%d)", product, material
        for element_type in known.types.get(product, ()):
            for material in known.materials.get(element_type, ()):
                yield b"IFCRELDEFINESBYTYPE(%s,(#%d),#%d)", product, element_type
                yield b"IFCRELASSOCIATESMATERIAL(%s,(#%d),#%d)", element_type, material

    def _groups(self, product: int) -> Iterator[Group]:
        """What decides about a product's geometry: rows in order, under a label."""
        known = self._known
        yield self._text.keyword(product), [known.shapes[product]]
        placement = known.placements.get(product)
        if placement is not None and self._placements.matrix(placement) is None:
            yield b"placement", [placement]
        for element in known.ancestors(product):
            for opening in known.openings.get(element, ()):
                yield self._opening(opening, placement)
        for material in known.materials.get(product, ()):
            yield b"material", [material]
        for element_type in known.types.get(product, ()):
            for material in known.materials.get(element_type, ()):
                yield b"material of the type", [material]

    def _opening(self, opening: int, placement: int | None) -> Group:
        """An opening, where it stands relative to the placement of what it is cut from."""
        known, places = self._known, self._placements
        label = self._text.keyword(opening)
        shape = [known.shapes[opening]] if opening in known.shapes else []
        own = known.placements.get(opening)
        if places.matrix(own) is None or places.matrix(placement) is None:
            rows = [row for row in (own, placement) if row is not None]
            return b"%s placed %d" % (label, len(shape)), [*shape, *rows]
        ours, theirs = places.between(own, placement)
        return b"%s %d %d" % (label, len(shape), len(ours)), [*shape, *ours, *theirs]


def _reached(known: Statements, count: int, rows: Iterable[int]) -> NDArray[np.bool_]:
    """Which of `count` statements can be reached from these, themselves included, (count,)."""
    sources, targets = known.edges
    reached = np.zeros(count, np.bool_)
    reached[list(rows)] = True
    while len(sources):
        new = targets[reached[sources]]
        reached[new] = True
        left = ~reached[targets]
        if not len(new):
            break
        sources, targets = sources[left], targets[left]
    return reached


def _digests(text: StepText, known: Statements, rows: Iterable[int]) -> list[bytes]:
    """The digests of these statements and of all they refer to, by row; the last is of nothing."""
    sources, targets = known.edges
    needed = _reached(known, len(text.ids), rows)
    if (text.refs[needed[text.owners]] < 0).any():
        raise OddText("a statement refers to one that is not there")
    done = ~needed
    wanted = ~done[sources]
    sources, targets = sources[wanted], targets[wanted]
    digests = [b""] * (len(text.ids) + 1)
    while not done.all():
        ready = ~done
        ready[sources] = False
        if not ready.any():
            raise OddText("its statements refer to each other in a circle")
        rows_ready = np.flatnonzero(ready)
        for first in range(0, len(rows_ready), _AT_ONCE):
            _digest(text, known, rows_ready[first : first + _AT_ONCE], digests)
        done |= ready
        waiting = ~done[targets]
        sources, targets = sources[waiting], targets[waiting]
    return digests


def _digest(text: StepText, known: Statements, rows: Rows, digests: list[bytes]) -> None:
    """Fill in the digests of rows whose references have theirs."""
    counts = text.starts[rows + 1] - text.starts[rows]
    digest_of = digests.__getitem__
    for few in range(3):  # no reference, one, several: most have one, and those are soon done
        some = rows[np.minimum(counts, 2) == few]
        said = text.bares(some)
        if b"\n" in b"".join(said):
            said = [_LINE_BREAK.sub(b"", bare) for bare in said]
        if few == 1:
            said = list(map(add, said, map(digest_of, known.refs[text.starts[some]].tolist())))
        elif few == 2:
            said = list(map(add, said, _joined(text, known, some, digests)))
        for row, whole in zip(some.tolist(), said, strict=True):
            if len(whole) > _SHORT:
                digests[row] = blake2b(whole, digest_size=16).digest()
            else:
                digests[row] = whole
    for row in known.turned.keys() & set(rows.tolist()):
        styled = [digests[row], *sorted(map(digest_of, known.turned[row]))]
        digests[row] = blake2b(b"".join(styled), digest_size=16).digest()


def _joined(text: StepText, known: Statements, rows: Rows, digests: list[bytes]) -> Iterator[bytes]:
    """The digests of what each of these refers to, in order, as one."""
    counts = text.starts[rows + 1] - text.starts[rows]
    ends = np.cumsum(counts)
    places = np.arange(counts.sum()) + np.repeat(text.starts[rows] - ends + counts, counts)
    found = list(map(digests.__getitem__, known.refs[places].tolist()))
    first = 0
    for last in ends.tolist():
        yield b"".join(found[first:last])
        first = last


def _hash(parts: Iterable[bytes]) -> bytes:
    marked = b"".join([b"%d:%b" % (len(part), part) for part in parts])
    return blake2b(marked, digest_size=16).digest()

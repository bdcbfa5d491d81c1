"""Which statements of an IFC file decide about geometry, and how they hang together."""

from collections import defaultdict
from collections.abc import Iterator

import ifcopenshell
import numpy as np

from bim_import.ifc_text import StepText

Many = dict[int, list[int]]

_ENTITIES = (
    "IfcOwnerHistory", "IfcRepresentationContext", "IfcContext", "IfcProject", "IfcUnitAssignment",
    "IfcProductDefinitionShape", "IfcObjectPlacement", "IfcRelVoidsElement", "IfcRelAggregates",
    "IfcRelDefinesByType", "IfcRelAssociatesMaterial", "IfcStyledItem", "IfcIndexedColourMap",
    "IfcMaterialDefinitionRepresentation",
)  # fmt: skip
"""What is looked for: in the geometry kernel's source, these lead from a product to its shape."""


class Statements:
    """The products of a file and their relations, by the rows of a `StepText`.

    shapes, placements
        Product → its IfcProductDefinitionShape, its IfcObjectPlacement.
    openings, wholes, types, materials
        Element → what is cut from it; part → what it is a part of; object → its types;
        object or type → its materials.
    contexts, projects, units
        The representation contexts, the projects, and what these measure in.
    turned
        Representation item or material → the styles that refer to it. Of these references only the
        reverse is followed, as a geometry kernel does.
    refs
        (m,) int32, as `StepText.refs`, -1 for those that are turned.
    edges
        Both ends of all references to follow, (e,) int32 each.
    counts
        How many instances were found, by entity: what another reader of the file should agree to.
    """

    def __init__(self, text: StepText, schema: str) -> None:
        """Find them; raises `OddText`."""
        self._text = text
        self._schema = ifcopenshell.schema_by_name(schema)
        kinds = {entity: self._subtypes(entity) for entity in _ENTITIES}
        rows = text.rows_by_keyword({name for names in kinds.values() for name in names})
        self._rows = {
            entity: sorted(row for name in names for row in rows[name])
            for entity, names in kinds.items()
        }
        self.counts = {entity: len(self._rows[entity]) for entity, names in kinds.items() if names}
        self._owners = set(self.named("IfcOwnerHistory"))
        self.contexts = self.named("IfcRepresentationContext")
        self.projects = self.named("IfcContext") or self.named("IfcProject")
        assignments = set(self.named("IfcUnitAssignment"))
        self.units = [t for p in self.projects for t in text.refs_of(p) if t in assignments]
        self.refs = text.refs.copy()
        self.turned: Many = defaultdict(list)
        self._turn_round()
        styles = [(target, row) for target, rows in self.turned.items() for row in rows]
        hanging = np.array(styles, np.int32).reshape(-1, 2)
        kept = self.refs >= 0
        self.edges = (
            np.concatenate([text.owners[kept], hanging[:, 0]]),
            np.concatenate([self.refs[kept], hanging[:, 1]]),
        )
        self.shapes, self.placements = self._products()
        self.openings: Many = defaultdict(list)
        for element, opening in self._ends("IfcRelVoidsElement"):
            self.openings[element].append(opening)
        self.wholes: Many = defaultdict(list)
        for whole, *parts in self._ends("IfcRelAggregates"):
            for part in parts:
                self.wholes[part].append(whole)
        self.types: Many = defaultdict(list)
        self.materials: Many = defaultdict(list)
        for relation, found in (
            ("IfcRelDefinesByType", self.types),
            ("IfcRelAssociatesMaterial", self.materials),
        ):
            for *related, relating in self._ends(relation):
                for item in related:
                    found[item].append(relating)

    def named(self, entity: str) -> list[int]:
        """The rows of one of these entities and its subtypes; none if the schema has it not."""
        return self._rows[entity]

    def ancestors(self, element: int) -> list[int]:
        """What an element is a part of, directly or not; itself comes first."""
        found = [element]
        for item in found:
            found += [whole for whole in self.wholes.get(item, ()) if whole not in found]
        return found

    def _subtypes(self, entity: str) -> list[str]:
        try:
            names = [self._schema.declaration_by_name(entity).name()]
        except RuntimeError:  # the library's word for a name the schema does not have
            return []
        for name in names:
            declared = self._schema.declaration_by_name(name).as_entity()
            names += [subtype.name() for subtype in declared.subtypes()] if declared else []
        return names

    def _products(self) -> tuple[dict[int, int], dict[int, int]]:
        kinds = {name.upper().encode() for name in self._subtypes("IfcProduct")}
        found: list[dict[int, int]] = []
        for entity in ("IfcProductDefinitionShape", "IfcObjectPlacement"):
            meant = np.zeros(len(self._text.ids) + 1, np.bool_)  # the last one is for -1
            meant[self.named(entity)] = True
            places = np.flatnonzero(meant[self._text.refs])
            referring = self._text.owners[places].tolist()
            pairs = zip(referring, self._text.refs[places].tolist(), strict=True)
            found.append({row: to for row, to in pairs if self._text.keyword(row) in kinds})
        return found[0], found[1]

    def _ends(self, relation: str) -> Iterator[list[int]]:
        """What each relation of a kind refers to, but for its owner history."""
        for row in self.named(relation):
            yield [t for t in self._text.refs_of(row) if t >= 0 and t not in self._owners]

    def _turn_round(self) -> None:
        """Let styles hang on what they style instead of the other way round."""
        firsts = [*self.named("IfcStyledItem"), *self.named("IfcIndexedColourMap")]
        styled = [row for row in firsts if self._text.arguments(row).startswith(b"#")]
        places = [int(self._text.starts[row]) for row in styled]
        defined = self.named("IfcMaterialDefinitionRepresentation")
        places += [int(self._text.starts[row + 1]) - 1 for row in defined]
        for row, place in zip([*styled, *defined], places, strict=True):
            target = int(self.refs[place])
            if target >= 0:
                self.turned[target].append(row)
                self.refs[place] = -1

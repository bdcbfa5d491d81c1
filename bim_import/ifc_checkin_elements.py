"""The rules that look at elements and storeys."""

from collections import defaultdict
from itertools import pairwise

import numpy as np
import shapely
from ifcopenshell import entity_instance

from bim_import.ifc_checkin_model import CheckedModel, Findings, label
from cim_core.checkin import Rule
from cim_core.extent import footprint
from cim_core.feature import Feature
from cim_core.mesh import transformed
from cim_core.shell import Surface, open_lengths

_NO_BODY = ("Axis", "Box", "FootPrint", "Annotation", "Profile", "Reference", "CoG")
"""Representations beside the one that is drawn."""


def no_geometry(checked: CheckedModel, rule: Rule) -> Findings:
    """Elements that have no shape and no parts."""
    wholes = {feature.parent for feature in checked.elements}
    failed = {item.id for item in checked.layer.dropped}
    for feature in checked.elements:
        if not feature.instances and feature.id not in wholes and feature.id not in failed:
            yield checked.found(rule, feature)


def geometry_failed(checked: CheckedModel, rule: Rule) -> Findings:
    """Elements and spaces of which nothing can be drawn; drawings in the model are not meant."""
    for item in checked.layer.dropped:
        if checked.is_element(item.feature_class) or item.feature_class == "IfcSpace":
            yield checked.found_on_dropped(rule, item, reason=item.reason)


def shell_open(checked: CheckedModel, rule: Rule) -> Findings:
    """Solids with open edges; each geometry is measured once, however often it is placed."""
    users: dict[tuple[object, ...], list[Feature]] = defaultdict(list)
    for feature in checked.features:
        if feature.instances:
            users[_geometry_key(feature)].append(feature)
    bodies = [_body(checked, features[0]) for features in users.values()]
    lengths = open_lengths(bodies, rule.number("weld"))
    for length, features in zip(lengths, users.values(), strict=True):
        if length > rule.number("max"):
            for feature in features:
                product = checked.product(feature.id)
                if product is not None and _meant_closed(product):
                    yield checked.found(rule, feature, float(length), "max")


def _geometry_key(feature: Feature) -> tuple[object, ...]:
    """What tells geometries apart, wherever they stand."""
    first = feature.instances[0].transform
    return tuple(
        (item.mesh_key, None if np.array_equal(item.transform, first) else item.transform.tobytes())
        for item in feature.instances
    )


def _body(checked: CheckedModel, feature: Feature) -> list[Surface]:
    """The surfaces of a feature in one system of coordinates."""
    meshes = [checked.layer.meshes[item.mesh_key] for item in feature.instances]
    first = feature.instances[0].transform
    if all(np.array_equal(item.transform, first) for item in feature.instances):
        return [(mesh.positions, mesh.triangles) for mesh in meshes]
    return [
        (transformed(mesh.positions, item.transform), mesh.triangles)
        for mesh, item in zip(meshes, feature.instances, strict=True)
    ]


def _meant_closed(product: entity_instance) -> bool:
    """Whether everything a product is drawn of claims to be a solid."""
    items = [
        item
        for representation in product.Representation.Representations or ()
        if representation.RepresentationIdentifier not in _NO_BODY
        for item in representation.Items or ()
    ]
    return bool(items) and all(_is_solid(item) for item in items)


def _is_solid(item: entity_instance) -> bool:
    if item.is_a("IfcMappedItem"):
        return all(_is_solid(part) for part in item.MappingSource.MappedRepresentation.Items or ())
    kinds = ("IfcSolidModel", "IfcBooleanResult", "IfcCsgPrimitive3D", "IfcClosedShell")
    return any(item.is_a(kind) for kind in kinds) or bool(getattr(item, "Closed", False))


def element_doubled(checked: CheckedModel, rule: Rule) -> Findings:
    """Elements of one class, with the same meshes at the same place."""
    step = rule.number("max")
    first: dict[tuple[object, ...], Feature] = {}
    transforms = [item.transform for feature in checked.drawn for item in feature.instances]
    cells = np.round(np.array(transforms).reshape(-1, 4, 4) / step).astype(np.int64)
    row = 0
    for feature in checked.drawn:
        count = len(feature.instances)
        meshes = tuple(item.mesh_key for item in feature.instances)
        key = (feature.feature_class, meshes, cells[row : row + count].tobytes())
        row += count
        other = first.setdefault(key, feature)
        if other is not feature:
            yield checked.found(rule, feature, text=label(other))


def outside_site(checked: CheckedModel, rule: Rule) -> Findings:
    """Elements whose middle lies off the outline of the site, where it has one."""
    meshes = checked.layer.meshes
    outlines = [
        footprint(
            [
                (transformed(meshes[i.mesh_key].positions, i.transform), meshes[i.mesh_key].triangles)
                for i in feature.instances
            ]
        )
        for feature in checked.features
        if feature.feature_class == "IfcSite" and feature.instances
    ]  # fmt: skip
    if not outlines or not checked.drawn:
        return
    # Terrain often has a hole where the building stands.
    site = shapely.union_all([_filled(part) for part in shapely.get_parts(outlines)])
    distances = shapely.distance(site, shapely.points(checked.middles[:, :2]))
    for feature, distance in zip(checked.drawn, distances, strict=True):
        if distance > rule.number("max"):
            yield checked.found(rule, feature, float(distance), "max")


def _filled(outline: shapely.Geometry) -> shapely.Geometry:
    rings = shapely.get_exterior_ring(outline)
    return outline if rings is None else shapely.Polygon(rings)


def far_from_model(checked: CheckedModel, rule: Rule) -> Findings:
    """Elements far from the middle of all, measured by how far the others are."""
    if not checked.drawn:
        return
    middle = np.median(checked.middles, axis=0)
    distances = np.linalg.norm(checked.middles - middle, axis=1)
    limit = max(rule.number("max"), rule.number("spread") * float(np.median(distances)))
    for feature, distance in zip(checked.drawn, distances, strict=True):
        if distance > limit:
            yield checked.found(rule, feature, float(distance), "max")


def element_too_large(checked: CheckedModel, rule: Rule) -> Findings:
    """Elements larger than any of their kind."""
    for feature, size in zip(checked.drawn, checked.sizes, strict=True):
        if size > rule.number("max") and feature.feature_class not in rule.names("except"):
            yield checked.found(rule, feature, float(size), "max")


def element_too_small(checked: CheckedModel, rule: Rule) -> Findings:
    """Elements nobody could build."""
    for feature, size in zip(checked.drawn, checked.sizes, strict=True):
        if size < rule.number("min"):
            yield checked.found(rule, feature, float(size), "min")


def element_without_storey(checked: CheckedModel, rule: Rule) -> Findings:
    """Elements of a building, or of nothing, that no storey holds; a file without storeys is another rule's."""
    if not _storeys(checked):
        return
    for feature in checked.elements:
        if feature.attributes.get("storey") is None:
            holder = checked.spatial_holder(feature)
            if holder is None or checked.is_a(holder.feature_class, "IfcBuilding"):
                yield checked.found(rule, feature, text=label(holder) if holder else "–")


def no_storey(checked: CheckedModel, rule: Rule) -> Findings:
    """Buildings in a file without any storey."""
    if checked.elements and not _storeys(checked):
        for feature in checked.features:
            if feature.feature_class == "IfcBuilding":
                yield checked.found(rule, feature)


def storey_without_elevation(checked: CheckedModel, rule: Rule) -> Findings:
    """Storeys whose elevation is not given."""
    for storey in _storeys(checked):
        if storey.attributes.get("elevation") is None:
            yield checked.found(rule, storey)


def storeys_at_one_elevation(checked: CheckedModel, rule: Rule) -> Findings:
    """Storeys of one building that follow each other too closely."""
    buildings: dict[str | None, list[tuple[float, Feature]]] = defaultdict(list)
    for storey in _storeys(checked):
        elevation = storey.attributes.get("elevation")
        if isinstance(elevation, int | float):
            buildings[storey.parent].append((float(elevation), storey))
    for storeys in buildings.values():
        storeys.sort(key=lambda pair: (pair[0], pair[1].id))
        for (below, lower), (above, upper) in pairwise(storeys):
            if above - below < rule.number("min"):
                yield checked.found(rule, upper, above - below, "min", text=label(lower))


def _storeys(checked: CheckedModel) -> list[Feature]:
    return [f for f in checked.features if f.feature_class == "IfcBuildingStorey"]


def no_name(checked: CheckedModel, rule: Rule) -> Findings:
    """Elements and storeys without a name."""
    for feature in (*_storeys(checked), *checked.elements):
        if not feature.name.strip():
            yield checked.found(rule, feature)


def no_property_set(checked: CheckedModel, rule: Rule) -> Findings:
    """Elements of which nothing is said."""
    for feature in checked.elements:
        if not any(pset.kind == "property" for pset in feature.property_sets):
            yield checked.found(rule, feature)


def proxy(checked: CheckedModel, rule: Rule) -> Findings:
    """Elements that do not say what they are."""
    for feature in checked.elements:
        if feature.feature_class == "IfcBuildingElementProxy":
            yield checked.found(rule, feature)

"""The rules that look at the file as a whole: schema, identity, place and units."""

import math
import re

import ifcopenshell.util.unit
import numpy as np
from ifcopenshell import entity_instance

from bim_import.ifc_checkin_model import CheckedModel, Findings
from bim_import.ifc_file import complaints
from bim_import.ifc_georeference import site_frame, site_origin
from cim_core.checkin import Finding, Rule
from cim_core.feature import Feature

_GLOBAL_ID = re.compile(r"[0-3][0-9A-Za-z_$]{21}")
_NOT_UNIQUE = "non-unique GlobalId"
_HAS_ANGLES = ("IfcRevolvedAreaSolid", "IfcTrimmedCurve")
_SEARCHED = 1000
"""How many entities are looked at to find the product a piece of geometry belongs to."""


def schema_not_accepted(checked: CheckedModel, rule: Rule) -> Findings:
    """A schema the city does not take."""
    accepted = rule.names("accepted")
    if not {checked.model.schema, checked.model.schema_identifier} & set(accepted):
        yield Finding(rule.id, checked.model.schema_identifier, "accepted")


def schema_violation(checked: CheckedModel, rule: Rule) -> Findings:
    """What the parser complained of since the file was opened; shared GlobalIds are another rule's."""
    for text in dict.fromkeys(complaints()):
        if _NOT_UNIQUE in text:
            continue
        named = re.search(r"#(\d+)", text)
        feature = _feature_of(checked, int(named[1])) if named is not None else None
        if feature is not None:
            yield checked.found(rule, feature, text=text)
        else:
            yield Finding(rule.id, words={"text": text})


def several_projects(checked: CheckedModel, rule: Rule) -> Findings:
    """More IfcProject than the one a file may have."""
    projects = len(checked.model.by_type("IfcProject"))
    if projects > 1:
        yield Finding(rule.id, projects)


def globalid_malformed(checked: CheckedModel, rule: Rule) -> Findings:
    """Products whose GlobalId no program could have made."""
    for feature in checked.features:
        global_id = feature.id.partition("~")[0]
        if _GLOBAL_ID.fullmatch(global_id) is None:
            yield checked.found(rule, feature, global_id)


def globalid_duplicate(checked: CheckedModel, rule: Rule) -> Findings:
    """GlobalIds of several products, each once."""
    for global_id, products in checked.products.items():
        if len(products) > 1:
            feature = checked.by_id.get(global_id)
            value = len(products)
            if feature is not None:
                yield checked.found(rule, feature, value, text=global_id)
            else:
                first = products[0]
                yield Finding(
                    rule.id, value, None, global_id, first.is_a(), str(first.Name or ""),
                    words={"text": global_id},
                )  # fmt: skip


def not_georeferenced(checked: CheckedModel, rule: Rule) -> Findings:
    """Nothing in the file or from the user says where the model stands."""
    if checked.place.reference.method == "none":
        yield _on_model(checked, rule)


def georeference_coarse(checked: CheckedModel, rule: Rule) -> Findings:
    """The site's latitude and longitude are all there is."""
    if checked.place.reference.method == "site":
        yield _on_model(checked, rule)


def georeference_unused(checked: CheckedModel, rule: Rule) -> Findings:
    """What the importer could not use of what the file says of its place."""
    for reason in checked.place.warnings:
        yield _on_model(checked, rule, reason=reason)


def site_elsewhere(checked: CheckedModel, rule: Rule) -> Findings:
    """A site whose latitude and longitude are not where the map system puts it."""
    site = site_frame(checked.model, checked.placement)
    if site is None or checked.place.reference.method in ("site", "none"):
        return
    where = checked.place.to_geographic(site_origin(checked.model)[None, :])
    distance = float(np.linalg.norm(site.from_geographic(where)[0, :2]))
    if distance > rule.number("max"):
        yield _on_model(checked, rule, distance, "max")


def far_from_city(checked: CheckedModel, rule: Rule) -> Findings:
    """A model too far away to be of this city."""
    city = checked.placement.city_frame
    if city is None:
        return
    here = checked.layer.frame
    where = np.array([[here.lon, here.lat, here.height]])
    distance = float(np.linalg.norm(city.from_geographic(where)))
    if distance > rule.number("max"):
        yield _on_model(checked, rule, distance, "max")


def height_implausible(checked: CheckedModel, rule: Rule) -> Findings:
    """A model under the sea or in the sky."""
    if not checked.boxes or checked.place.reference.method == "none":
        return
    lowest = np.array([box[0] for box in checked.boxes.values()])
    point = lowest[np.argmin(lowest[:, 2])]
    height = float(checked.geographic(point[None, :])[0, 2])
    for limit in ("min", "max"):
        off = height < rule.number(limit) if limit == "min" else height > rule.number(limit)
        if off:
            yield _on_model(checked, rule, height, limit)


def unit_scale(checked: CheckedModel, rule: Rule) -> Findings:
    """Half of the elements larger, or smaller, than elements are."""
    if not checked.drawn:
        return
    median = float(np.median(checked.sizes))
    for limit in ("min", "max"):
        off = median < rule.number(limit) if limit == "min" else median > rule.number(limit)
        if off:
            yield _on_model(checked, rule, median, limit)


def no_length_unit(checked: CheckedModel, rule: Rule) -> Findings:
    """A project without a unit for its lengths."""
    if ifcopenshell.util.unit.get_project_unit(checked.model, "LENGTHUNIT") is None:
        yield Finding(rule.id)


def no_angle_unit(checked: CheckedModel, rule: Rule) -> Findings:
    """A project without a unit for angles that stand in its geometry."""
    if ifcopenshell.util.unit.get_project_unit(checked.model, "PLANEANGLEUNIT") is None and any(
        checked.model.by_type(name) for name in _HAS_ANGLES
    ):
        yield Finding(rule.id)


def unit_twice(checked: CheckedModel, rule: Rule) -> Findings:
    """Quantities with several units in one assignment."""
    for assignment in checked.model.by_type("IfcUnitAssignment"):
        kinds: dict[str, list[str]] = {}
        for unit in assignment.Units or ():
            kind = str(getattr(unit, "UnitType", "MONETARYUNIT"))
            if kind != "USERDEFINED":
                kinds.setdefault(kind, []).append(_unit_name(unit))
        for kind, names in kinds.items():
            if len(names) > 1:
                yield Finding(rule.id, len(names), words={"text": f"{kind} ({', '.join(names)})"})


def unit_factor(checked: CheckedModel, rule: Rule) -> Findings:
    """Units by name whose factor is not the one their name means."""
    for unit in checked.model.by_type("IfcConversionBasedUnit"):
        expected = ifcopenshell.util.unit.si_conversions.get(str(unit.Name).lower())
        measure = unit.ConversionFactor
        if expected is None or measure is None:
            continue
        base = ifcopenshell.util.unit.get_unit_scale(measure.UnitComponent)
        factor = float(measure.ValueComponent.wrappedValue) * base
        if not math.isclose(factor, expected, rel_tol=rule.number("tolerance")):
            words = {"text": str(unit.Name), "expected": f"{expected:.6g}"}
            yield Finding(rule.id, factor, "tolerance", words=words)


def angle_implausible(checked: CheckedModel, rule: Rule) -> Findings:
    """Solids revolved by more than a full turn: their angle is in another unit than it says."""
    scale = ifcopenshell.util.unit.calculate_unit_scale(checked.model, "PLANEANGLEUNIT")
    for solid in checked.model.by_type("IfcRevolvedAreaSolid"):
        degrees = math.degrees(abs(solid.Angle) * scale)
        if degrees > rule.number("max") * (1 + 1e-6):
            text = f"{solid.is_a()} #{solid.id()}"
            feature = _feature_of(checked, solid.id())
            if feature is not None:
                yield checked.found(rule, feature, degrees, "max", text=text)
            else:
                yield Finding(rule.id, degrees, "max", words={"text": text})


def _on_model(
    checked: CheckedModel, rule: Rule, value: float | None = None, limit: str | None = None,
    **words: str,
) -> Finding:  # fmt: skip
    """A finding on the model as a whole, at its middle."""
    middle = np.median(checked.middles, axis=0) if len(checked.middles) else np.zeros(3)
    lon, lat, height = (float(number) for number in checked.geographic(middle[None, :])[0])
    return Finding(rule.id, value, limit, place=(lon, lat, height), words=words)


def _unit_name(unit: entity_instance) -> str:
    prefix = getattr(unit, "Prefix", None) or ""
    return (
        f"{prefix}{getattr(unit, 'Name', None) or getattr(unit, 'Currency', None) or unit.is_a()}"
    )


def _feature_of(checked: CheckedModel, step: int) -> Feature | None:
    """The feature an entity is, or is a piece of the geometry of; None if that is far to seek."""
    try:
        queue = [checked.model.by_id(step)]
    except RuntimeError:  # the parser names entities it did not keep
        return None
    seen: set[int] = set()
    while queue and len(seen) < _SEARCHED:
        entity = queue.pop(0)
        if entity.id() in seen:
            continue
        seen.add(entity.id())
        if entity.is_a("IfcProduct"):
            return checked.by_id.get(str(entity.GlobalId))
        queue.extend(checked.model.get_inverse(entity))
    return None

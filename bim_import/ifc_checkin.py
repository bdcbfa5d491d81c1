"""The check of an imported IFC file against the rules of `cim_core/checkin.toml`."""

import logging
from collections.abc import Callable, Mapping

import ifcopenshell

from bim_import import ifc_checkin_elements as elements
from bim_import import ifc_checkin_file as file
from bim_import.ifc_checkin_model import CheckedModel, Findings
from bim_import.ifc_georeference import Georeferencing
from cim_core.checkin import Finding, Rule, Rules
from cim_core.layer import Layer, Placement

_log = logging.getLogger(__name__)

NOT_CHECKED = "not-checked"
"""The rule of the rules that cannot be checked."""

CHECKS: Mapping[str, Callable[[CheckedModel, Rule], Findings]] = {
    "schema-not-accepted": file.schema_not_accepted,
    "schema-violation": file.schema_violation,
    "several-projects": file.several_projects,
    "globalid-malformed": file.globalid_malformed,
    "globalid-duplicate": file.globalid_duplicate,
    "not-georeferenced": file.not_georeferenced,
    "georeference-coarse": file.georeference_coarse,
    "georeference-unused": file.georeference_unused,
    "site-elsewhere": file.site_elsewhere,
    "far-from-city": file.far_from_city,
    "height-implausible": file.height_implausible,
    "no-geometry": elements.no_geometry,
    "geometry-failed": elements.geometry_failed,
    "shell-open": elements.shell_open,
    "element-doubled": elements.element_doubled,
    "outside-site": elements.outside_site,
    "far-from-model": elements.far_from_model,
    "no-storey": elements.no_storey,
    "element-without-storey": elements.element_without_storey,
    "storey-without-elevation": elements.storey_without_elevation,
    "storeys-at-one-elevation": elements.storeys_at_one_elevation,
    "no-length-unit": file.no_length_unit,
    "unit-twice": file.unit_twice,
    "unit-factor": file.unit_factor,
    "no-angle-unit": file.no_angle_unit,
    "angle-implausible": file.angle_implausible,
    "unit-scale": file.unit_scale,
    "element-too-large": elements.element_too_large,
    "element-too-small": elements.element_too_small,
    "no-name": elements.no_name,
    "no-property-set": elements.no_property_set,
    "proxy": elements.proxy,
}
"""What each rule measures, in the order of the rule file."""


def findings(
    model: ifcopenshell.file,
    layer: Layer,
    place: Georeferencing,
    placement: Placement,
    rules: Rules,
) -> tuple[Finding, ...]:
    """Everything the rules find in a file and in the layer made of it; rules that are off cost nothing.

    A rule that the file's data break is a finding, too: it must not fail what can be imported.
    """
    checked = CheckedModel(model, layer, place, placement, rules)
    found: list[Finding] = []
    for name, check in CHECKS.items():
        if rules[name].severity == "off":
            continue
        try:
            found += check(checked, rules[name])
        except Exception as error:
            _log.warning("the rule %s cannot be checked", name, exc_info=error)
            found.append(Finding(NOT_CHECKED, words={"text": name}))
    return tuple(finding for finding in found if rules[finding.rule].severity != "off")

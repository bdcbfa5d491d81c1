"""The check of survey tables against the rules of `cim_core/checkin_pipes.toml`."""

from collections.abc import Callable, Mapping, Sequence

from cim_core.checkin import Finding, Rule, Rules
from cim_core.frame import Frame
from pipelines import quality_joints as joints
from pipelines import quality_lines as lines
from pipelines import quality_points as points
from pipelines import quality_tables as cells
from pipelines.quality_networks import isolated_network
from pipelines.quality_survey import CheckedSurvey, Findings
from pipelines.survey import SurveyTable
from pipelines.survey_network import PlacedSurvey

CHECKS: Mapping[str, Callable[[CheckedSurvey, Rule], Findings]] = {
    "table-header-empty": cells.header_empty,
    "table-header-twice": cells.header_twice,
    "table-column-missing": cells.column_missing,
    "cell-empty": cells.cell_empty,
    "not-a-number": cells.not_a_number,
    "size-unreadable": cells.size_unreadable,
    "not-in-dictionary": cells.not_in_dictionary,
    "year-implausible": cells.year_implausible,
    "map-number-differs": points.map_number_differs,
    "point-repeated": points.point_repeated,
    "point-number-twice": points.point_number_twice,
    "points-at-one-place": points.points_at_one_place,
    "feature-and-appurtenance": points.feature_and_appurtenance,
    "feature-missing": points.feature_missing,
    "code-malformed": cells.code_malformed,
    "code-disagrees": cells.code_disagrees,
    "point-orphan": points.point_orphan,
    "point-elsewhere": points.point_elsewhere,
    "survey-far-from-city": points.survey_far_from_city,
    "line-end-missing": lines.line_end_missing,
    "line-to-itself": lines.line_to_itself,
    "line-twice": lines.line_twice,
    "line-point-missing": lines.line_point_missing,
    "depth-over-limit": lines.depth_over_limit,
    "depth-negative": lines.depth_negative,
    "ground-disagrees": lines.ground_disagrees,
    "length-implausible": lines.length_implausible,
    "slope-too-steep": lines.slope_too_steep,
    "pressure-missing": lines.pressure_missing,
    "pressure-unreadable": lines.pressure_unreadable,
    "material-against-class": lines.material_against_class,
    "section-against-class": lines.section_against_class,
    "heights-differ": joints.heights_differ,
    "material-changes": joints.material_changes,
    "section-changes": joints.section_changes,
    "flows-uphill": joints.flows_uphill,
    "steps-up-in-well": joints.steps_up_in_well,
    "drops-in-well": joints.drops_in_well,
    "narrows-downstream": joints.narrows_downstream,
    "isolated-network": isolated_network,
}
"""What each rule measures, in the order of the rule file."""

OF_LAYERS = ("pipe-end-unconnected", "pipe-snapped")
"""Rules whose findings arise while a layer of nodes and edges is joined."""


def quality_findings(
    tables: Sequence[SurveyTable], placed: PlacedSurvey, rules: Rules, city: Frame | None = None
) -> list[Finding]:
    """Everything the rules find in survey tables and in the network made of them.

    `city` is where the city has its anchor, if it has a place. Rules that are off cost nothing.
    """
    checked = CheckedSurvey(tables, placed, city)
    return [
        finding
        for name, check in CHECKS.items()
        if rules[name].severity != "off"
        for finding in check(checked, rules[name])
    ]

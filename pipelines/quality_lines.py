"""What the check finds in single lines of line tables."""

import numpy as np

from cim_core.checkin import Finding, Rule
from cim_core.mesh import Floats
from cim_core.network import Profile
from pipelines.dictionary import is_word
from pipelines.network_layer import size_text
from pipelines.quality_points import first_of
from pipelines.quality_rows import Mask
from pipelines.quality_survey import GRAVITY, CheckedSurvey, Findings
from pipelines.quality_tables import header_of
from pipelines.rule_kinds import pressure_class
from pipelines.survey_classes import classes_of

_ENDS = ("start", "end")


def line_end_missing(checked: CheckedSurvey, rule: Rule) -> Findings:
    """Lines of which an end is not written."""
    lines = checked.lines
    for at, field in enumerate(_ENDS):
        for row in np.flatnonzero(~lines.filled(field)).tolist():
            header = header_of(lines.table(row), field)
            yield checked.on_line(rule, row, header, at=1 - at)


def line_to_itself(checked: CheckedSurvey, rule: Rule) -> Findings:
    """Lines that end where they begin."""
    for row in np.flatnonzero(_closed(checked)).tolist():
        yield checked.on_line(rule, row, str(checked.lines.texts("start")[row]))


def _closed(checked: CheckedSurvey) -> Mask:
    lines = checked.lines
    same = lines.texts("start") == lines.texts("end")
    return np.asarray(same & lines.filled("start"), bool)


def line_twice(checked: CheckedSurvey, rule: Rule) -> Findings:
    """Lines between the points of an earlier one of the same sub-class, whichever way round."""
    lines = checked.lines
    classes = classes_of(lines.joined, lines.texts("start")).codes
    rows = np.flatnonzero((checked.ends >= 0).all(axis=1) & ~_closed(checked))
    low, high = np.sort(checked.ends[rows], axis=1).T
    between = first_of(low * len(checked.points) + high)
    first = first_of(between * (int(classes.max(initial=0)) + 2) + classes[rows])
    for at in np.flatnonzero(first != np.arange(len(rows))).tolist():
        yield checked.on_line(rule, int(rows[at]), lines.place(int(rows[first[at]])))


def line_point_missing(checked: CheckedSurvey, rule: Rule) -> Findings:
    """Numbers of points that no point table of the class has."""
    lines = checked.lines
    for at, field in enumerate(_ENDS):
        missing = lines.filled(field) & (checked.ends[:, at] < 0)
        for row in np.flatnonzero(missing).tolist():
            yield checked.on_line(rule, row, str(lines.texts(field)[row]), at=1 - at)
    for stack in (checked.valves, checked.users):
        missing = stack.filled("point") & (checked.point_of(stack, "point") < 0)
        for row in np.flatnonzero(missing).tolist():
            yield checked.on_row(rule, stack, row, str(stack.texts("point")[row]))


# --- depths and heights


def depth_over_limit(checked: CheckedSurvey, rule: Rule) -> Findings:
    """Ends of lines that lie too deep."""
    gravity = checked.line_systems == GRAVITY
    for limit, which in (("gravity", gravity), ("other", ~gravity)):
        for at, depths in enumerate(checked.depths):
            deep = which & (depths > rule.number(limit))
            for row in np.flatnonzero(deep).tolist():
                yield _at_end(checked, rule, row, at, float(depths[row]), limit)


def depth_negative(checked: CheckedSurvey, rule: Rule) -> Findings:
    """Ends of lines above the ground that are not overhead."""
    may = np.isin(checked.line_burials.astype(str), rule.names("except"))
    for at, depths in enumerate(checked.depths):
        for row in np.flatnonzero((depths < 0) & ~may).tolist():
            yield _at_end(checked, rule, row, at, float(depths[row]))


def ground_disagrees(checked: CheckedSurvey, rule: Rule) -> Findings:
    """Ends of lines, and points, whose depth and elevation do not make the ground's."""
    most = rule.number("max")
    points = checked.points
    ground = points.values("ground")
    for row in np.flatnonzero(
        _off(ground, checked.point_depth, checked.point_level, most)
    ).tolist():
        off = float(checked.point_depth[row] + checked.point_level[row] - ground[row])
        yield checked.on_point(rule, row, abs(off), "max", text=str(checked.point_numbers[row]))
    padded = np.append(ground, np.nan)
    for at in (0, 1):
        above, depths, levels = padded[checked.ends[:, at]], checked.depths[at], checked.levels[at]
        for row in np.flatnonzero(_off(above, depths, levels, most)).tolist():
            off = float(depths[row] + levels[row] - above[row])
            yield _at_end(checked, rule, row, at, abs(off), "max")


def _off(ground: Floats, depths: Floats, levels: Floats, most: float) -> Mask:
    # What is written to the centimetre may be a hair's breadth over the limit.
    return np.asarray(np.abs(depths + levels - ground) > most + 1e-9, bool)


def _at_end(
    checked: CheckedSurvey, rule: Rule, row: int, at: int, value: float, limit: str | None = None
) -> Finding:
    point = str(checked.lines.texts(_ENDS[at])[row])
    return checked.on_line(rule, row, value, limit, at=at, text=point)


def length_implausible(checked: CheckedSurvey, rule: Rule) -> Findings:
    """Lines that are too short or too long, in space."""
    along, rise = _runs(checked)
    lengths = np.hypot(along, np.nan_to_num(rise))
    for limit, wrong in (
        ("min", lengths < rule.number("min")), ("max", lengths > rule.number("max")),
    ):  # fmt: skip
        for row in np.flatnonzero(wrong & ~_closed(checked)).tolist():
            yield checked.on_line(rule, row, float(lengths[row]), limit)


def slope_too_steep(checked: CheckedSurvey, rule: Rule) -> Findings:
    """Lines that rise or fall too steeply."""
    along, rise = _runs(checked)
    slopes = np.degrees(np.arctan2(np.abs(rise), along))
    may = np.isin(checked.line_burials.astype(str), rule.names("except")) | _closed(checked)
    gravity = checked.line_systems == GRAVITY
    for limit, which in (("gravity", gravity), ("other", ~gravity)):
        steep = which & ~may & (slopes > rule.number(limit))
        for row in np.flatnonzero(steep).tolist():
            yield checked.on_line(rule, row, float(slopes[row]), limit)


def _runs(checked: CheckedSurvey) -> tuple[Floats, Floats]:
    """(l,) how far each line goes in the plane and how far up, metres; NaN where not known."""
    ends = checked.ends
    places = np.vstack([checked.point_metres, np.full(2, np.nan)])
    along = np.linalg.norm(places[ends[:, 1]] - places[ends[:, 0]], axis=1)
    return along, checked.heights[:, 1] - checked.heights[:, 0]


# --- attributes


def pressure_missing(checked: CheckedSurvey, rule: Rule) -> Findings:
    """Lines of classes that must say their pressure, and do not."""
    lines, systems = checked.lines, checked.line_systems
    asked = np.isin(systems.astype(str), rule.names("systems"))
    missing = asked & ~lines.filled("pressure") & ~lines.filled("voltage")
    for row in np.flatnonzero(missing).tolist():
        yield checked.on_line(rule, row, str(systems[row]))


def pressure_unreadable(checked: CheckedSurvey, rule: Rule) -> Findings:
    """Lines of gas whose pressure is filled and tells no class."""
    systems = checked.line_systems
    texts = checked.lines.joined.texts("pressure", "voltage")
    asked = np.isin(systems.astype(str), rule.names("systems")) & (texts != "")
    for row in np.flatnonzero(asked).tolist():
        if not pressure_class(str(texts[row])):
            yield checked.on_line(rule, row, str(texts[row]))


def material_against_class(checked: CheckedSurvey, rule: Rule) -> Findings:
    """Lines of a material their class is not made of; words the dictionary lacks are not asked."""
    materials = checked.placed.network.segments.materials
    known = np.isin(
        materials.codes,
        [at for at, name in enumerate(materials.names) if is_word("materials", name)],
    )
    texts = materials.texts()
    for system in rule.thresholds:
        fits = materials.are(*rule.names(system))
        wrong = (checked.systems == system) & known & ~fits & (checked.line_of >= 0)
        for segment in np.flatnonzero(wrong).tolist():
            yield checked.on_line(
                rule, int(checked.line_of[segment]), str(texts[segment]), system, system=system
            )


def section_against_class(checked: CheckedSurvey, rule: Rule) -> Findings:
    """Lines of a cross-section their class does not have."""
    segments, systems = checked.placed.network.segments, checked.systems.astype(str)
    round_only = np.isin(systems, rule.names("round"))
    no_ducts = ~np.isin(systems, rule.names("ducts")) & (systems != "")
    profiles = segments.profiles
    wrong = (profiles != Profile.CIRCLE) & round_only | (profiles == Profile.DUCTS) & no_ducts
    for segment in np.flatnonzero(wrong & (checked.line_of >= 0)).tolist():
        row = int(checked.line_of[segment])
        yield checked.on_line(rule, row, size_text(segments, segment), system=str(systems[segment]))

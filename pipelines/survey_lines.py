"""The lines of survey tables as segments between the points they name."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cim_core.frame import Frame
from cim_core.importers.attributes import unique_ids
from cim_core.layer import Dropped
from cim_core.mesh import Floats
from cim_core.network import Labels, Nodes, Profile, Reference, Rows, Segments, Texts, flat
from pipelines.dictionary import (
    ABANDONED,
    flow_sign,
    pipe_class,
    standard_word,
    usual_blocks,
    usual_wall,
)
from pipelines.sizes import Size, laid_out, parse_size
from pipelines.survey_classes import classes_of, systems_of
from pipelines.survey_points import Points
from pipelines.survey_values import JoinedRows, Notes, standard_words, years

_BLOCK = standard_word("burials", "GK")
_CABLES = ("DL", "TX")


@dataclass(frozen=True, slots=True)
class Lines:
    """The segments, and the rows they come from."""

    segments: Segments
    rows: JoinedRows


def lines_of(points: Points, notes: Notes, said: str) -> Lines:
    """The sound rows of all line tables as segments; `said` as in `classes_of`."""
    rows = JoinedRows.of(points.rows.all_tables, "line")
    starts, ends = rows.texts("start"), rows.texts("end")
    found = _found(points, rows, starts), _found(points, rows, ends)
    sound = (found[0] >= 0) & (found[1] >= 0) & (found[0] != found[1])
    for row in np.flatnonzero(~sound).tolist():
        notes.dropped.append(
            Dropped(
                f"{starts[row]}-{ends[row]}", rows.line(row),
                _reason(starts[row], ends[row], int(found[0][row]), int(found[1][row])),
            )
        )  # fmt: skip
    used = np.flatnonzero(sound)
    rows, starts, ends = rows[used], starts[used], ends[used]
    classes = classes_of(rows, starts, said)
    _note_classes(classes, notes)
    ids = _ids(points.nodes.ids, rows.texts("line"), starts, ends)
    segments = Segments.bare(ids, found[0][used], found[1][used])
    segments = _words(segments, rows, classes, points)
    segments = _sizes(segments, rows, notes)
    segments = _heights(segments, rows, points, notes)
    segments = replace(segments, flows=flows_of(rows.texts("flow"), classes, segments.elevations))
    surveyed = rows.numbers("length", notes)
    lengths = np.where(surveyed > 0, surveyed, _lengths(points.nodes, segments))
    return Lines(replace(segments, lengths=lengths), rows)


def _found(points: Points, rows: JoinedRows, numbers: Texts) -> Rows:
    """The node each row names, -1 for none."""
    found = np.full(len(rows), -1, np.int64)
    for number in np.unique(rows.tables).tolist():
        own = np.flatnonzero(rows.tables == number)
        found[own] = points.find(numbers[own], rows.all_tables[number].system)
    return found


def _reason(start: str, end: str, first: int, last: int) -> str:
    if not start or not end:
        return "it names no start point" if not start else "it names no end point"
    if first < 0 or last < 0:
        return (
            f"its point {start if first < 0 else end} is in no point table, or was left out there"
        )
    return "it begins and ends at the same point"


def _note_classes(classes: Labels, notes: Notes) -> None:
    unknown = int((classes.codes < 0).sum())
    if unknown:
        notes.warnings.append(
            f"{unknown} lines do not say of which class of pipes they are, so their elevations count "
            "as those of their middle; say it with the option pipe_class, as in pipe_class=JS"
        )


def _ids(nodes: Texts, own: Texts, starts: Texts, ends: Texts) -> list[str]:
    """An id of each segment that no node has: what its table calls it, else its two points."""
    wanted = [
        line or f"{start}-{end}"
        for line, start, end in zip(own.tolist(), starts.tolist(), ends.tolist(), strict=True)
    ]
    return unique_ids([*nodes.tolist(), *wanted])[len(nodes) :]


def _words(segments: Segments, rows: JoinedRows, classes: Labels, points: Points) -> Segments:
    def of(name: str) -> Texts:
        """What lines say; where their tables say nothing of it, what their start points do."""
        return rows.texts(name) if rows.has(name) else points.rows.texts(name)[segments.starts]

    statuses = standard_words("statuses", rows.texts("status"))
    return replace(
        segments,
        classes=classes,
        references=_by_label(classes, lambda name: pipe_class(name).reference, Reference.AXIS),
        materials=standard_words("materials", rows.texts("material")),
        burials=standard_words("burials", rows.texts("burial")),
        statuses=statuses,
        closed=statuses.are(ABANDONED),
        owners=Labels.of(of("owner").tolist()),
        roads=Labels.of(of("road").tolist()),
        pressures=Labels.of(rows.texts("pressure", "voltage").tolist()),
        years=years(of("year")),
    )


def _by_label(labels: Labels, value: Callable[[str], int], otherwise: int) -> NDArray[np.int8]:
    return np.array([*(value(name) for name in labels.names), otherwise], np.int8)[labels.codes]


def _sizes(segments: Segments, rows: JoinedRows, notes: Notes) -> Segments:
    """The segments with their cross-section; what cannot be read is noted and left out."""
    texts = rows.texts("size")
    across, down = rows.texts("width"), rows.texts("height")
    both = (texts == "") & (across != "")
    texts[both] = [
        f"{a}×{b}" if b else a for a, b in zip(across[both].tolist(), down[both].tolist(), strict=True)
    ]  # fmt: skip
    labels = Labels.of(texts.tolist())
    known = [parse_size(name) for name in labels.names]
    unread = [code for code, size in enumerate(known) if size is None and labels.names[code] != "0"]
    if unread:
        rest = np.flatnonzero(np.isin(labels.codes, unread))
        notes.warnings.append(
            f"{len(rest)} sizes cannot be read and were left out; the first is "
            f"{labels.text(int(rest[0]))!r} in {rows.line(int(rest[0]))}"
        )
    nothing = Size(Profile.CIRCLE, np.nan, np.nan)
    sizes = [*(size or nothing for size in known), nothing]

    def of(name: str) -> Floats:
        return np.array([getattr(size, name) for size in sizes], float)[labels.codes]

    segments = replace(
        segments,
        profiles=of("profile").astype(np.int8),
        widths=of("width"),
        heights=of("height"),
        walls=of("wall"),
        ducts=np.column_stack([of("columns"), of("rows")]).astype(np.int16),
        duct_sizes=of("duct"),
    )
    segments = _with_holes(segments, rows, notes)
    return replace(segments, walls=_walls(segments, rows, notes))


def _with_holes(segments: Segments, rows: JoinedRows, notes: Notes) -> Segments:
    """Blocks of ducts where the number of holes stands in a column of its own; their outsides."""
    holes = rows.numbers("holes", notes)
    system = systems_of(segments.classes).are(*_CABLES)
    single = (segments.profiles == Profile.CIRCLE) & (holes > 1) & system & (segments.widths <= 0.3)
    block = (segments.profiles == Profile.BOX) & (holes >= 1) & segments.burials.are(_BLOCK)
    ducts, duct_sizes = segments.ducts.copy(), segments.duct_sizes.copy()
    many = np.flatnonzero(single | block)
    counts = {count: laid_out(count) for count in np.unique(holes[many]).tolist()}
    if len(many):
        ducts[many] = [counts[count] for count in holes[many].tolist()]
    duct_sizes[single] = segments.widths[single]
    profiles = segments.profiles.copy()
    profiles[many] = Profile.DUCTS
    widths, heights = segments.widths.copy(), segments.heights.copy()
    bare = (profiles == Profile.DUCTS) & (single | np.isnan(widths))
    usual = usual_blocks()
    each = np.where(np.isfinite(duct_sizes), duct_sizes, usual["duct"])
    for sides, counted in ((widths, ducts[:, 0]), (heights, ducts[:, 1])):
        outside = counted * (each + usual["between"]) - usual["between"] + 2 * usual["around"]
        sides[bare] = outside[bare]
    return replace(
        segments, profiles=profiles, widths=widths, heights=heights, ducts=ducts, duct_sizes=duct_sizes
    )  # fmt: skip


def _walls(segments: Segments, rows: JoinedRows, notes: Notes) -> Floats:
    """How thick walls are: as surveyed, as the size says, or as is usual for the material."""
    surveyed = rows.numbers("wall", notes) / 1000
    usual = [*(usual_wall(name) for name in segments.materials.names), None]
    parts = np.array([part or (np.nan, np.nan, np.nan) for part in usual])[segments.materials.codes]
    table = np.maximum(parts[:, 0] + parts[:, 1] * segments.widths, parts[:, 2])
    table[segments.profiles != Profile.CIRCLE] = np.nan
    walls = np.where(surveyed > 0, surveyed, segments.walls)
    return np.where(np.isfinite(walls), walls, table)


def _heights(segments: Segments, rows: JoinedRows, points: Points, notes: Notes) -> Segments:
    """The segments with the elevations of their ends, and of what of them these are.

    At each end the first that there is counts: the line's elevation, the ground less the line's
    depth, the point's elevation of its pipe, the ground less the point's depth of it. Elevations
    and depths whose header says top or invert count as such; where a segment has only those of the
    other than its class is measured by, they are its reference.
    """
    own = {
        "": np.empty((len(rows), 2)), "top": np.empty((len(rows), 2)), "invert": np.empty((len(rows), 2)),
    }  # fmt: skip
    for side, (end, nodes) in enumerate((("start", segments.starts), ("end", segments.ends))):
        ground = points.nodes.ground[nodes]
        for what, found in own.items():
            of_line = f"{end}_{what or 'elevation'}", f"{end}_{what}_depth" if what else f"{end}_depth"  # fmt: skip
            of_point = what or "elevation", f"{what}_depth" if what else "depth"
            known = rows.numbers(of_line[0], notes)
            known = _else(known, ground - rows.numbers(of_line[1], notes))
            for name, sign in zip(of_point, (0, 1), strict=True):
                if name in points.measures:
                    said = points.measures[name][nodes]
                    known = _else(known, ground - said if sign else said)
            found[:, side] = known
    inverted = segments.references == Reference.INVERT
    same = np.where(inverted[:, None], own["invert"], own["top"])
    other = np.where(inverted[:, None], own["top"], own["invert"])
    axis = segments.references == Reference.AXIS
    same[axis] = np.nan
    elevations = _else(own[""], same)
    turned = np.isnan(elevations).all(axis=1) & np.isfinite(other).any(axis=1)
    elevations[turned] = other[turned]
    flipped = np.where(inverted, Reference.TOP, Reference.INVERT).astype(np.int8)
    references = np.where(turned, flipped, segments.references).astype(np.int8)
    unknown = int(np.isnan(elevations).any(axis=1).sum())
    if unknown:
        notes.warnings.append(
            f"{unknown} lines have neither elevation nor usable depth at one of their ends; how deep "
            "they lie is not known"
        )
    return replace(segments, elevations=elevations, references=references)


def _else(first: Floats, then: Floats) -> Floats:
    return np.where(np.isfinite(first), first, then)


def flows_of(texts: Texts, classes: Labels, elevations: Floats) -> NDArray[np.int8]:
    """(m,) which way it flows: as its text says, else down where pipes are laid to fall.

    `elevations` (m, 2) are those of its ends; 1 is from its start to its end, 0 is not known.
    """
    surveyed = _by_label(Labels.of(texts.tolist()), flow_sign, 0)
    fall = np.nan_to_num(elevations[:, 0] - elevations[:, 1])
    falls = _by_label(classes, lambda name: pipe_class(name).reference == Reference.INVERT, 0)
    return np.where(surveyed != 0, surveyed, np.sign(fall) * falls).astype(np.int8)


def _lengths(nodes: Nodes, segments: Segments) -> Floats:
    """How long each segment is between its ends, metres; level where a height is not known."""
    if not len(segments):
        return np.empty(0)
    middle = (nodes.places.min(axis=0) + nodes.places.max(axis=0)) / 2
    plane = flat(nodes.places, Frame(float(middle[0]), float(middle[1]), 0.0))
    across = plane[segments.ends] - plane[segments.starts]
    rise = np.nan_to_num(segments.axes[:, 1] - segments.axes[:, 0])
    found: Floats = np.sqrt((across**2).sum(axis=1) + rise**2)
    return found

"""Clearance: pipes and cables that lie nearer to one another than tables of distances allow."""

from collections import Counter
from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from analysis.analysis import Answer, Text, parameter
from analysis.areas import area_of, laid_out, lon_lat
from analysis.network_question import ID, LAYER, NetworkQuestion, layers_of, numbers
from analysis.underground import Underground, underground
from cim_core.city import City
from cim_core.feature import Value
from cim_core.network import Rows
from cim_core.progress import Progress
from cim_core.table import Column, Table
from pipelines.clearance import Checked, too_near
from pipelines.clearance_rules import Source, sources
from pipelines.distances import solids, touching
from pipelines.network_layer import segment_classes
from pipelines.rule_kinds import kind_title

Rules = Literal["all", "legacy", "gb50289-2016"]
"""Every source of `clearances.toml`, or all of them."""

KIND = Column("kind", {"en": "Kind", "zh": "类型"}, "text")
LON = Column("lon", {"en": "Longitude", "zh": "经度"}, "number", "°")
LAT = Column("lat", {"en": "Latitude", "zh": "纬度"}, "number", "°")
BROKEN = Column("broken", {"en": "Broken rules", "zh": "不满足的规则"}, "text")
WHAT = Column("what", {"en": "What", "zh": "项目"}, "text")
TITLE = Column("title", {"en": "Title", "zh": "中文名称"}, "text")
COUNT = Column("count", {"en": "Count", "zh": "数量"}, "integer")

_FINDING = (
    LAYER,
    ID,
    Column("other_layer", {"en": "Other layer", "zh": "对方图层"}, "text"),
    Column("other_id", {"en": "Other id", "zh": "对方标识"}, "text"),
    KIND,
    Column("class", {"en": "Class", "zh": "类别"}, "text"),
    Column("other_class", {"en": "Other class", "zh": "对方类别"}, "text"),
    Column("measured", {"en": "Net distance", "zh": "净距"}, "number", "m"),
)
_FOUND = (
    BROKEN,
    Column("doubtful", {"en": "Broken in the stricter reading only", "zh": "仅按较严取值不满足"}, "text"),
    Column("distance", {"en": "Distance in space", "zh": "空间距离"}, "number", "m"),
    LON,
    LAT,
)  # fmt: skip


class Clearance(NetworkQuestion):
    """Pairs of pipes and cables that are too near to one another, by each source of rules.

    What is measured, and what is no conflict, is said in `pipelines.clearance`.
    """

    name: ClassVar[str] = "clearance"
    title: ClassVar[Text] = {"en": "Clearance", "zh": "管线净距"}
    description: ClassVar[Text] = {
        "en": "Pipes and cables that lie nearer to one another than rules allow: the horizontal net "
        "distance of those beside one another, the vertical one of those that cross.",
        "zh": "查找净距小于规则要求的管线：并行管线检查水平净距，交叉管线检查垂直净距。",
    }
    outputs: ClassVar[dict[str, Text]] = {
        "findings": {"en": "Findings", "zh": "检查结果"},
        "pairs": {"en": "Findings by kinds of pipes", "zh": "按管线类型统计"},
        "sources": {"en": "Sources of the rules", "zh": "规则来源"},
        "totals": {"en": "What was checked", "zh": "检查概况"},
    }

    area: dict[str, Any] | None = parameter(
        None,
        {"en": "Area", "zh": "范围"},
        {
            "en": "Check only what touches this area, against all around: a GeoJSON Polygon.",
            "zh": "仅检查与该范围相交的管线（与其周围全部管线比较）；GeoJSON 面。",
        },
        format="geojson-geometry", geometries=("Polygon", "MultiPolygon"),
    )  # fmt: skip
    rules: Rules = parameter(
        "all",
        {"en": "Rules", "zh": "规则"},
        {
            "en": "The source of the rules; all shows what is broken by which.",
            "zh": "规则来源；选 all 时分别列出各来源是否满足。",
        },
    )

    def __call__(self, city: City, progress: Progress) -> Answer:
        """The pairs that are too near, those that fall short most first.

        Raises `NotFound` without a pipe network.
        """
        known = underground(city, self.layers)
        bodies = solids(known.network, known.pieces, known.flat)
        within = None
        if self.area is not None:
            within = touching(bodies, laid_out(area_of(self.area, "area"), known.frame))
        chosen = tuple(sources()) if self.rules == "all" else (self.rules,)
        checked = too_near(known.network, known.pieces.segments, bodies, chosen, progress, within)
        outputs = {
            "findings": self._findings(known, checked, chosen),
            "pairs": _pairs(checked),
            "sources": source_rows(sources()),
            "totals": _totals(known, checked),
        }
        return Answer(outputs, known.versions)

    def _findings(self, known: Underground, checked: Checked, chosen: tuple[str, ...]) -> Table:
        conflicts = checked.conflicts
        strict = [conflicts.required[name].strict for name in chosen]
        short = np.fmax.reduce(strict) - conflicts.measured
        columns = [*_FINDING, *(required_column(sources()[name]) for name in chosen), *_FOUND]
        classes = segment_classes(known.network.segments)

        def say(rows: Rows) -> list[list[Value]]:
            some = conflicts.taken(rows)
            place = lon_lat(some.places, known.frame)
            mild = {name: r.mild for name, r in some.required.items()}
            broken = {name: some.broken(name) for name in chosen}
            doubtful = {name: broken[name] & (some.measured >= mild[name]) for name in chosen}
            return [
                *_named(known, some.segments),
                *_named(known, some.others),
                ["vertical" if crossing else "horizontal" for crossing in some.crossing.tolist()],
                classes[some.segments].texts().tolist(),
                classes[some.others].texts().tolist(),
                numbers(some.measured),
                *(numbers(some.required[name].strict) for name in chosen),
                named(broken),
                named(doubtful),
                numbers(some.apart),
                place[:, 0].round(8).tolist(),
                place[:, 1].round(8).tolist(),
            ]

        return self.paged(columns, np.argsort(-short, kind="stable"), say)


def _named(known: Underground, segments: Rows) -> list[list[Value]]:
    return [
        layers_of(known, known.segment_layers[segments]),
        known.network.segments.ids[segments].tolist(),
    ]


def named(true: dict[str, NDArray[np.bool_]]) -> list[Value]:
    """The names of what is true of each row, (n,) each, as one text."""
    columns = [value.tolist() for value in true.values()]
    return [
        ", ".join(name for name, says in zip(true, row, strict=True) if says)
        for row in zip(*columns, strict=True)
    ]


def required_column(source: Source) -> Column:
    """What a source demands, metres."""
    return Column(
        f"required_{source.name}",
        {"en": f"Required: {source.title['en']}", "zh": f"要求：{source.title['zh']}"},
        "number",
        "m",
    )


def _pairs(checked: Checked) -> Table:
    """How many findings there are of each pair of kinds."""
    conflicts, of = checked.conflicts, checked.kinds.of
    ends = np.sort(np.column_stack([of[conflicts.segments], of[conflicts.others]]), axis=1)
    counts = Counter(zip(*ends.T.tolist(), conflicts.crossing.tolist(), strict=True))
    names = checked.kinds.names
    rows = [
        (
            "vertical" if crossing else "horizontal", names[a], names[b],
            f"{kind_title(names[a], 'zh')}–{kind_title(names[b], 'zh')}", count,
        )
        for (a, b, crossing), count in sorted(counts.items())
    ]  # fmt: skip
    columns = (
        KIND,
        Column("first", {"en": "Kind of pipe", "zh": "管线类型"}, "text"),
        Column("second", {"en": "Other kind", "zh": "对方类型"}, "text"),
        TITLE,
        COUNT,
    )
    return Table(columns, tuple(rows))


def source_rows(known: Mapping[str, Source]) -> Table:
    """Where rules are from and how sure that is."""
    columns = (
        Column("rules", {"en": "Rules", "zh": "规则"}, "text"),
        TITLE,
        Column("source", {"en": "Source", "zh": "来源"}, "text"),
        Column("confidence", {"en": "Confidence", "zh": "可信度"}, "text"),
    )
    rows = tuple((k.name, k.title["zh"], k.source, k.confidence) for k in known.values())
    return Table(columns, rows)


def _totals(known: Underground, checked: Checked) -> Table:
    segments, kinds = known.network.segments, checked.kinds
    ruled = kinds.of >= 0
    unsized = ruled & ~np.isfinite(segments.outer).all(axis=1)
    no_height = ruled & ~np.isfinite(segments.elevations).all(axis=1)
    said = (
        ("segments", "管段", len(segments)),
        ("segments of kinds without rules", "无规则的管段", int((~ruled).sum())),
        ("segments of unknown size, counted as nothing", "规格未知（按零计）的管段", int(unsized.sum())),
        ("segments of unknown elevation, not checked vertically", "高程未知（不检查垂直净距）的管段", int(no_height.sum())),
        ("gas pipes of unknown pressure, counted as low", "压力未知（按低压计）的燃气管段", int(kinds.pressure_unknown.sum())),
        ("pairs of pieces measured", "量测的管段对", checked.compared),
        ("near pairs left out as one run", "属同一管路而不计的管段对", checked.one_run),
        ("near pairs left out for a crossing beside", "由相邻交叉处判断的管段对", checked.decided),
        ("findings", "检查结果", len(checked.conflicts)),
    )  # fmt: skip
    return Table((WHAT, TITLE, COUNT), said)

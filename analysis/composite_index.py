"""A composite index of a city's own definition, as a question with a receipt."""

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from analysis.analysis import Analysis, Answer, Text, parameter
from analysis.checkup.examine import Examined, examine
from analysis.checkup.indicator import Indicator, IndicatorSet
from analysis.checkup.measured import Measured, Units
from analysis.checkup.roles import city_roles
from analysis.checkup.scene import Scene
from analysis.checkup.sets import set_named
from analysis.composite.definition import Definition, definition_named
from analysis.composite.index import Composite, Sensitivity, composite, sensitivity
from analysis.composite.scores import Known
from cim_core.city import City
from cim_core.errors import InvalidInput
from cim_core.feature import Value
from cim_core.mesh import Floats
from cim_core.progress import Progress
from cim_core.sketch import Scale, Sketch, SketchClass, SketchShape
from cim_core.store.layers import LayerVersion
from cim_core.table import Column, ColumnType, Table

_COLORS = ("#d7191c", "#fdae61", "#ffffbf", "#a6d96a", "#1a9641")
_LIMITS = (20.0, 40.0, 60.0, 80.0)


def _column(name: str, en: str, zh: str, kind: ColumnType, unit: str | None = None) -> Column:
    return Column(name, {"en": en, "zh": zh}, kind, unit)


_NAME = (
    _column("name", "Name", "名称（英文）", "text"),
    _column("name_zh", "Name (Chinese)", "名称", "text"),
)
_UNIT = (_column("id", "Unit", "单元", "text"), *_NAME)
_INDEX = (
    _column("rank", "Rank", "排名", "integer"),
    *_UNIT,
    _column("index", "Index", "指数", "number"),
    _column("known", "Known weight", "已知权重", "number", "%"),
    _column("lacking", "Lacks", "缺少指标", "text"),
)
_SCORES = (
    *_UNIT,
    _column("code", "Indicator", "指标", "text"),
    _column("value", "Value", "指标值", "number"),
    _column("status", "Status", "数据状态", "text"),
    _column("surveyed", "Surveyed", "调查比例", "number", "%"),
    _column("score", "Score", "得分", "number"),
)
_MEMBERS = (
    _column("code", "Indicator", "指标", "text"),
    *_NAME,
    _column("dimension", "Dimension", "维度", "text"),
    _column("direction", "Better", "方向", "text"),
    _column("unit", "Unit of values", "计量单位", "text"),
    _column("weight", "Weight", "权重", "number"),
    _column("fewer", "Ranks that change with less weight", "权重减小时排名变化数", "integer"),
    _column("more", "Ranks that change with more weight", "权重增大时排名变化数", "integer"),
    _column("target", "Target", "目标值", "number"),
    _column("confidence", "Confidence of the target", "目标值可信程度", "text"),
)
_HOLD = (
    *_UNIT,
    _column("rank", "Rank", "排名", "integer"),
    _column("holds", "Keeps it in", "排名保持比例", "number", "%"),
    _column("best", "Best rank", "最好排名", "integer"),
    _column("worst", "Worst rank", "最差排名", "integer"),
)
_ABOUT = (
    _column("id", "Definition", "定义", "text"),
    _column("version", "Version", "版本", "integer"),
    *_NAME,
    _column("source", "Source", "来源", "text"),
    _column("set", "Set of indicators", "指标体系", "text"),
    _column("by", "Units", "评价单元", "text"),
    _column("normalisation", "Normalisation", "标准化方法", "text"),
    _column("weights", "Weights", "赋权方法", "text"),
    _column("consistency", "Consistency ratio", "一致性比例", "number"),
    _column("aggregation", "Aggregation", "合成方法", "text"),
    _column("ranked", "With an index", "有指数的单元数", "integer"),
    _column("left_out", "Without", "无指数的单元数", "integer"),
    _column("seed", "Seed", "随机种子", "integer"),
    _column("draws", "Draws", "抽样次数", "integer"),
)


class CompositeIndex(Analysis):
    """Several indicators as one index, by a definition that the city keeps."""

    name: ClassVar[str] = "composite-index"
    title: ClassVar[Text] = {"en": "Composite index", "zh": "综合指数"}
    description: ClassVar[Text] = {
        "en": "An index of several indicators by the city's own definition, the ranks, and how far they hang on the weights.",
        "zh": "按本城市自行定义的公式，由多项指标计算综合指数和排名，并分析权重敏感性。",
    }
    outputs: ClassVar[Mapping[str, Text]] = {
        "index": {"en": "Index by unit", "zh": "各单元指数"},
        "members": {"en": "What it is made of", "zh": "指标与权重"},
        "scores": {"en": "Values and scores", "zh": "指标值与得分"},
        "sensitivity": {"en": "How far ranks hold", "zh": "排名稳定性"},
        "drawing": {"en": "On the map", "zh": "图示"},
        "about": {"en": "The definition", "zh": "指数定义"},
    }

    definition: str = parameter(
        "",
        {"en": "Index", "zh": "指数"},
        {
            "en": "The id of a definition in the city's folder checkup/composites.",
            "zh": "城市目录 checkup/composites 中指数定义的标识。",
        },
    )
    spread: float = parameter(
        20.0,
        {"en": "Weights differ by", "zh": "权重变动幅度"},
        {"en": "So far each weight is made less or more.", "zh": "敏感性分析中各权重增减的幅度。"},
        unit="%", gt=0, lt=100, rare=True,
    )  # fmt: skip
    draws: int = parameter(
        1000,
        {"en": "Draws", "zh": "抽样次数"},
        {"en": "With so many sets of weights ranks are compared.", "zh": "随机权重方案的数量。"},
        ge=1, le=100_000, rare=True,
    )  # fmt: skip
    seed: int = parameter(
        1,
        {"en": "Seed", "zh": "随机种子"},
        {"en": "Of the draws; the same seed gives the same answer.", "zh": "抽样的随机种子，相同则结果相同。"},
        ge=0, rare=True,
    )  # fmt: skip

    def __call__(self, city: City, progress: Progress) -> Answer:
        """The index of every unit; raises `NotFound`, `InvalidInput`."""
        told = definition_named(city.folder, self.definition)
        which = _members(told, set_named(told.set, city.folder))
        scene = Scene(city, city_roles(city))
        examined = examine(scene, which, lambda _: None, progress)
        measured = [examined.values[member.code][told.by] for member in told.members]
        units = examined.units[told.by]
        if not units.ids:
            raise InvalidInput(
                f"composite index {told.id}: the city has no units of the kind {told.by!r}; "
                "import their layer, or choose others"
            )
        by_code = {indicator.code: indicator for indicator in which.indicators}
        about = tuple(_known(told, by_code[member.code]) for member in told.members)
        values = np.column_stack([one.value for one in measured])
        surveyed = np.column_stack([one.surveyed for one in measured])
        enough = surveyed >= told.least_surveyed - 1e-9
        found = composite(told, np.where(enough, values, np.nan), about)
        held = sensitivity(found, self.spread / 100, self.draws, self.seed, progress)
        return Answer(
            {
                "index": _index(found, units),
                "members": _weighed(found, held, by_code, about),
                "scores": _scores(found, units, values, measured),
                "sensitivity": _held(found, held, units),
                "drawing": _drawing(found, units, scene),
                "about": Table(_ABOUT, (self._about(found),)),
            },
            _versions(scene, examined),
        )

    def _about(self, found: Composite) -> tuple[Value, ...]:
        told = found.definition
        ranked = int(np.count_nonzero(found.ranks))
        consistency = found.weighed.consistency
        return (
            told.id, told.version, told.name.en, told.name.zh, told.source, told.set, told.by,
            told.normalisation, told.weights.method,
            None if consistency is None else round(consistency, 4), told.aggregation, ranked,
            len(found.ranks) - ranked, self.seed, self.draws,
        )  # fmt: skip


def _members(told: Definition, known: IndicatorSet) -> IndicatorSet:
    """The set with the members alone, each told of the units of the index."""
    by_code = {indicator.code: indicator for indicator in known.indicators}
    for member in told.members:
        if member.code not in by_code:
            raise InvalidInput(
                f"composite index {told.id}: the set {told.set} has no indicator {member.code!r}; "
                f"it has {', '.join(by_code)}"
            )
    chosen = (by_code[member.code] for member in told.members)
    return known.model_copy(
        update={"indicators": tuple(one.model_copy(update={"by": (told.by,)}) for one in chosen)}
    )


def _known(told: Definition, indicator: Indicator) -> Known:
    member = next(one for one in told.members if one.code == indicator.code)
    direction = member.direction or indicator.direction
    if direction == "none":
        raise InvalidInput(
            f"composite index {told.id}: the indicator {member.code} only describes; say by "
            "`direction` which values are better"
        )
    target = None if indicator.target is None else indicator.target.value
    return Known(direction, target)


def _short(value: float, digits: int = 4) -> float | None:
    return round(value, digits) if np.isfinite(value) else None


def _named(units: Units, row: int) -> tuple[str, str, str]:
    return units.ids[row], units.names[row]["en"], units.names[row]["zh"]


def _index(found: Composite, units: Units) -> Table:
    """The best first, those without an index at the end."""
    dimensions = found.definition.dimensions
    columns = [
        _column(f"part_{key}", said.en, said.zh, "number") for key, said in dimensions.items()
    ]
    codes = [member.code for member in found.definition.members]
    order = sorted(range(len(units.ids)), key=lambda row: (found.ranks[row] or np.inf, row))
    rows = []
    for row in order:
        lacking = [
            code for code, there in zip(codes, np.isfinite(found.scores[row]), strict=True) if not there
        ]  # fmt: skip
        rows.append(
            (
                int(found.ranks[row]) or None, *_named(units, row), _short(float(found.index[row])),
                round(100 * float(found.known[row]), 2), ", ".join(lacking),
                *map(_short, found.parts[row].tolist()),
            )
        )  # fmt: skip
    return Table((*_INDEX, *columns), tuple(rows))


def _weighed(
    found: Composite, held: Sensitivity, by_code: Mapping[str, Indicator], about: tuple[Known, ...]
) -> Table:
    rows = []
    for row, (member, known) in enumerate(zip(found.definition.members, about, strict=True)):
        indicator = by_code[member.code]
        target = indicator.target
        rows.append(
            (
                member.code, indicator.name.en, indicator.name.zh, member.dimension, known.direction, indicator.unit,
                round(float(found.weighed.weights[row]), 6), *map(int, held.moved[row]),
                known.target, target.confidence if target else None,
            )
        )  # fmt: skip
    return Table(_MEMBERS, tuple(rows))


def _scores(found: Composite, units: Units, values: Floats, measured: list[Measured]) -> Table:
    rows = tuple(
        (
            *_named(units, row), member.code, _short(float(values[row, column])),
            measured[column].status[row], round(100 * float(measured[column].surveyed[row]), 2),
            _short(float(found.scores[row, column])),
        )
        for row in range(len(units.ids))
        for column, member in enumerate(found.definition.members)
    )  # fmt: skip
    return Table(_SCORES, rows)


def _held(found: Composite, held: Sensitivity, units: Units) -> Table:
    order = sorted(np.flatnonzero(found.ranks).tolist(), key=lambda row: int(found.ranks[row]))
    rows = tuple(
        (
            *_named(units, row), int(found.ranks[row]), round(100 * float(held.holds[row]), 2),
            int(held.best[row]), int(held.worst[row]),
        )
        for row in order
    )  # fmt: skip
    return Table(_HOLD, rows)


def _drawing(found: Composite, units: Units, scene: Scene) -> Sketch:
    shapes = scene.lon_lat(units.shapes)
    drawn = tuple(
        SketchShape(
            units.ids[row], "unit" if found.ranks[row] else "unknown", shapes[row],
            units.names[row], value=_short(float(found.index[row])),
        )
        for row in range(len(units.ids))
    )  # fmt: skip
    classes = {
        "unit": SketchClass({"en": "With an index", "zh": "有指数"}, _COLORS[2]),
        "unknown": SketchClass({"en": "Without: too little is known", "zh": "数据不足"}, "#9a9a9a"),
    }
    name = found.definition.name
    return Sketch(drawn, classes, Scale({"en": name.en, "zh": name.zh}, "1", _LIMITS, _COLORS))


def _versions(scene: Scene, examined: Examined) -> tuple[LayerVersion, ...]:
    used = {one.layer for one in examined.inputs} | {unit.layer for unit in examined.units.values()}
    return tuple(version for version in scene.city.layers.current() if version.layer in used)

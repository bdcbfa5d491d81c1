"""How much pipe there is, by whatever is asked, and which of it is due for renewal."""

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import shapely
from numpy.typing import NDArray
from pydantic import field_validator

from analysis.analysis import Answer, Text, parameter
from analysis.network_question import (
    CLASS,
    ID,
    LAYER,
    LENGTH,
    VOLUME,
    NetworkQuestion,
    layers_of,
    numbers,
    whole,
)
from analysis.underground import Underground, underground
from cim_core.city import City
from cim_core.errors import InvalidInput
from cim_core.feature import Value
from cim_core.network import Labels, Rows
from cim_core.progress import Progress
from cim_core.store.features import Query
from cim_core.store.layers import LayerVersion
from cim_core.table import Column, Table
from pipelines.dictionary import pipe_class
from pipelines.network_layer import segment_classes
from pipelines.service_lives import Due, Life, due, service_lives
from pipelines.statistics import (
    Groups,
    Shares,
    age_bands,
    ages,
    grouped_sums,
    shares_by_area,
    size_bands,
)

Property = Literal[
    "system", "class", "material", "age", "town", "owner", "diameter", "road", "burial", "status"
]
_PROPERTIES: Mapping[Property, Text] = {
    "system": {"en": "System", "zh": "大类"},
    "class": {"en": "Class", "zh": "小类"},
    "material": {"en": "Material", "zh": "材质"},
    "age": {"en": "Age", "zh": "管龄"},
    "town": {"en": "Town", "zh": "镇街"},
    "owner": {"en": "Owner", "zh": "权属单位"},
    "diameter": {"en": "Diameter", "zh": "管径"},
    "road": {"en": "Road", "zh": "道路"},
    "burial": {"en": "Laying", "zh": "埋设方式"},
    "status": {"en": "Status", "zh": "使用状态"},
}
_UNITS: Mapping[str, str] = {"age": "a", "diameter": "mm"}
_SUMS = (
    Column("length", {"en": "Length", "zh": "长度"}, "number", "m"),
    Column("count", {"en": "Segments", "zh": "管段数"}, "integer"),
    VOLUME,
    Column("mean_age", {"en": "Mean age", "zh": "平均管龄"}, "number", "a"),
    Column("unsized", {"en": "Length of unknown size", "zh": "规格未知长度"}, "number", "m"),
    Column("undated", {"en": "Length of unknown age", "zh": "管龄未知长度"}, "number", "m"),
)
_DUE = (
    LAYER,
    ID,
    CLASS,
    Column("material", {"en": "Material", "zh": "材质"}, "text"),
    Column("year", {"en": "Laid", "zh": "建设年份"}, "integer"),
    Column("age", {"en": "Age", "zh": "管龄"}, "integer", "a"),
    Column("life", {"en": "Service life", "zh": "使用年限"}, "integer", "a"),
    Column("overdue", {"en": "Overdue", "zh": "超期"}, "integer", "a"),
    LENGTH,
    Column("owner", {"en": "Owner", "zh": "权属单位"}, "text"),
    Column("road", {"en": "Road", "zh": "道路"}, "text"),
    Column("source", {"en": "Source of the life", "zh": "年限依据"}, "text"),
    Column("confidence", {"en": "Confidence", "zh": "依据可信度"}, "text"),
)


class PipeStatistics(NetworkQuestion):
    """Length, number, volume and mean age of pipes by any properties, and those due for renewal."""

    name: ClassVar[str] = "pipe-statistics"
    title: ClassVar[Text] = {"en": "Pipe statistics", "zh": "管线统计"}
    description: ClassVar[Text] = {
        "en": "How much pipe there is by class, material, age, town and more, and which pipes are due "
        "for renewal.",
        "zh": "按类别、材质、管龄、镇街等统计管线，并列出应更新改造的老旧管线。",
    }
    outputs: ClassVar[dict[str, Text]] = {
        "groups": {"en": "Groups", "zh": "分组统计"},
        "due": {"en": "Due for renewal", "zh": "应更新的管线"},
    }

    by: tuple[Property, ...] = parameter(
        ("class", "material", "age"),
        {"en": "Grouped by", "zh": "分组方式"},
        {"en": "The properties to group by, in their order.", "zh": "分组所用的属性，按顺序。"},
        min_length=1,
    )
    date: datetime.date | None = parameter(
        None,
        {"en": "Date", "zh": "统计日期"},
        {"en": "The day to reckon ages for; today if not given.", "zh": "计算管龄的日期；不填则为今天。"},
    )  # fmt: skip
    areas: str | None = parameter(
        None,
        {"en": "Areas", "zh": "区域图层"},
        {
            "en": "A layer of areas with names, for grouping by town.",
            "zh": "带名称的面图层，用于按镇街分组。",
        },
        format="layer-id",
    )
    age_limits: tuple[int, ...] = parameter(
        (10, 20, 30, 40, 50),
        {"en": "Age bands", "zh": "管龄分段"},
        {"en": "Where a band of ages begins.", "zh": "管龄分段的起点。"},
        unit="a", min_length=1,
    )  # fmt: skip
    diameter_limits: tuple[int, ...] = parameter(
        (100, 200, 300, 500, 800, 1200),
        {"en": "Diameter bands", "zh": "管径分段"},
        {"en": "Where a band of diameters ends.", "zh": "管径分段的终点。"},
        unit="mm", min_length=1,
    )  # fmt: skip

    @field_validator("age_limits", "diameter_limits")
    @classmethod
    def _rising(cls, limits: tuple[int, ...]) -> tuple[int, ...]:
        if list(limits) != sorted(set(limits)) or limits[0] <= 0:
            raise InvalidInput(f"the limits of bands {list(limits)} do not rise from above 0; give them so")  # fmt: skip
        return limits

    def __call__(self, city: City, progress: Progress) -> Answer:
        """The sums by group, the longest first; what is due, the longest overdue first.

        Raises `NotFound` for a layer that is not there, `InvalidInput` where towns are asked for
        without areas.
        """
        known = underground(city, self.layers)
        lives = service_lives(city.folder)
        year = (self.date or datetime.datetime.now(datetime.UTC).date()).year
        segments = known.network.segments
        years = ages(segments, year)
        areas = _areas(city, self.areas) if "town" in self.by else None
        shares = _shares(known, areas, progress)
        properties = [self._labels(known, name, areas, shares, year) for name in self.by]
        groups = grouped_sums(segments, years, shares, properties)
        found = due(segments, years, lives)
        columns = [Column(name, _PROPERTIES[name], "text", _UNITS.get(name)) for name in self.by]
        outputs = {
            "groups": Table((*columns, *_SUMS), _group_rows(groups)),
            "due": self.paged(
                _DUE,
                np.arange(len(found.segments)),
                lambda rows: _due_cells(known, found, lives, rows, year),
            ),
        }
        return Answer(outputs, (*known.versions, *((areas.version,) if areas else ())))

    def _labels(
        self, known: Underground, name: Property, areas: "_Areas | None", shares: Shares, year: int
    ) -> Labels:
        """A property of each share, (k,)."""
        segments, rows = known.network.segments, shares.segments
        if name == "town":
            assert areas is not None
            return Labels(
                areas.names.names, np.append(areas.names.codes, np.int32(-1))[shares.areas]
            )
        if name == "age":
            return age_bands(ages(segments, year)[rows], self.age_limits)
        if name == "diameter":
            return size_bands(segments, self.diameter_limits)[rows]
        if name == "system":
            return _systems(segment_classes(segments))[rows]
        return {
            "class": segment_classes(segments), "material": segments.materials,
            "owner": segments.owners, "road": segments.roads, "burial": segments.burials,
            "status": segments.statuses,
        }[name][rows]  # fmt: skip


@dataclass(frozen=True, eq=False)
class _Areas:
    """The areas of a layer, (a,) polygons in degrees, and what each is called."""

    version: LayerVersion
    shapes: NDArray[np.object_]
    names: Labels


def _areas(city: City, layer: str | None) -> _Areas:
    if layer is None:
        raise InvalidInput("grouping by town needs areas; name a layer of areas, or leave town out")
    version = city.layers.get(layer)
    features = city.features.without_properties(layer, version.version, Query())
    areas = [f for f in features if f.shape is not None and shapely.area(f.shape) > 0]
    if not areas:
        raise InvalidInput(f"the layer {layer!r} has no areas; name one that has")
    shapes = shapely.force_2d(np.array([feature.shape for feature in areas], object))
    return _Areas(version, shapes, Labels.of(feature.name or feature.id for feature in areas))


def _shares(known: Underground, areas: _Areas | None, progress: Progress) -> Shares:
    """How much of each segment lies where; without areas all of it in one place."""
    if areas is None:
        every = np.arange(len(known.network.segments))
        return Shares(every, np.full(len(every), -1), np.ones(len(every)))
    across = known.flat[:, 1, :2] - known.flat[:, 0, :2]
    lengths = np.hypot(across[:, 0], across[:, 1])
    return shares_by_area(known.pieces, lengths, areas.shapes, progress)


def _systems(classes: Labels) -> Labels:
    """The system of each class; a class of no system stands for itself."""
    systems = Labels.of(pipe_class(name).system or name for name in classes.names)
    return Labels(systems.names, systems.codes[classes.codes])


def _group_rows(groups: Groups) -> tuple[tuple[Value, ...], ...]:
    order = np.argsort(-groups.lengths, kind="stable")
    names = [[name or None for name in np.array(own, object)[order]] for own in groups.names]
    sums = [
        numbers(groups.lengths[order]), groups.counts[order].tolist(),
        numbers(groups.volumes[order]), numbers(groups.ages[order]),
        numbers(groups.unsized[order]), numbers(groups.undated[order]),
    ]  # fmt: skip
    return tuple(zip(*names, *sums, strict=True))


def _due_cells(
    known: Underground, found: Due, lives: Sequence[Life], places: Rows, year: int
) -> list[list[Value]]:
    segments, rows = known.network.segments, found.segments[places]
    its = [lives[life] for life in found.lives[places].tolist()]
    laid = segments.years[rows].astype(float)
    return [
        layers_of(known, known.segment_layers[rows]),
        segments.ids[rows].tolist(),
        segment_classes(segments)[rows].texts().tolist(),
        [text or None for text in segments.materials[rows].texts().tolist()],
        whole(np.where(laid > 0, laid, np.nan)),
        whole(ages(segments, year)[rows]),
        [life.years for life in its],
        whole(found.overdue[places]),
        numbers(segments.lengths[rows]),
        [text or None for text in segments.owners[rows].texts().tolist()],
        [text or None for text in segments.roads[rows].texts().tolist()],
        [life.source for life in its],
        [life.confidence for life in its],
    ]

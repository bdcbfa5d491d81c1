"""What an analysis is: a question about a city whose parameters are the fields of its class."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from analysis.chart import Chart
from cim_core.cell_grid import CellGrid
from cim_core.city import City
from cim_core.errors import InvalidInput
from cim_core.progress import Progress
from cim_core.sketch import Sketch
from cim_core.store.layers import LayerVersion
from cim_core.table import Table

Output = Table | CellGrid | Chart | Sketch
"""What an analysis answers with; each of its outputs is one of these."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What an analysis found: every output by its name, and the versions of layers it looked at."""

    outputs: Mapping[str, Output]
    versions: tuple[LayerVersion, ...]


Text = Mapping[str, str]
"""Something said in English and Chinese, by "en" and "zh"."""


class Analysis(BaseModel, ABC):
    """A question about a city, asked with its parameters: `WhatIsHere(place=…)(city, progress)`.

    name, title, description
        What it is called in addresses and on the command line, and to people.
    outputs
        The title of each of its outputs by name, in their order.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: ClassVar[str]
    title: ClassVar[Text]
    description: ClassVar[Text]
    outputs: ClassVar[Mapping[str, Text]]

    @abstractmethod
    def __call__(self, city: City, progress: Progress) -> Answer:
        """Ask the city; raises `CimError`."""


def parameter(
    default: Any, title: Text, description: Text, *, unit: str | None = None,
    format: str | None = None,  # noqa: A002 – as JSON Schema calls it
    geometries: Sequence[str] = (), rare: bool = False, **limits: Any,
) -> Any:  # fmt: skip
    """A parameter of an analysis with all that a form has to know.

    `geometries` are the GeoJSON types a place may have, the usual one first; `rare` says that it is
    seldom given.
    """
    extra: dict[str, JsonValue] = {"title_zh": title["zh"], "description_zh": description["zh"]}
    extra |= {"unit": unit} if unit else {}
    extra |= {"format": format} if format else {}
    extra |= {"geometries": list(geometries)} if geometries else {}
    extra |= {"rare": True} if rare else {}
    return Field(
        default, title=title["en"], description=description["en"], json_schema_extra=extra, **limits
    )


def asked(kind: type[Analysis], values: Mapping[str, Any]) -> Analysis:
    """An analysis with its parameters; raises `InvalidInput` naming the one that is wrong."""
    try:
        return kind.model_validate(dict(values))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            known = ", ".join(kind.model_fields)
            raise InvalidInput(
                f"{kind.name} has no parameter {place}; give one of {known}"
            ) from None
        raise InvalidInput(f"{place}: {first['msg']}") from None

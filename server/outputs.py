"""Outputs of analyses as files: which each kind of output can be had as, and how it is written."""

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from analysis.analysis import Output
from analysis.chart import DXF, PNG, SVG, Chart
from cim_core.errors import InvalidInput
from cim_core.sketch import Sketch
from cim_core.table import Table
from server.spreadsheet import as_csv

JSON, CSV, GEOJSON = "application/json", "text/csv", "application/geo+json"

ENDINGS: Mapping[str, str] = {
    ".json": JSON,
    ".csv": CSV,
    ".geojson": GEOJSON,
    ".svg": SVG,
    ".png": PNG,
    ".dxf": DXF,
}
"""The media type that the ending of a file stands for."""


KEPT = frozenset({CSV, DXF, GEOJSON})
"""Media types of files that people keep: who asks for one takes something out of the city."""


def media_types(output: Output) -> tuple[str, ...]:
    """What an output can be had as, the usual one first."""
    match output:
        case Chart():
            return (JSON, SVG, PNG, DXF)
        case Table():
            return (JSON, CSV)
        case Sketch():
            return (JSON, GEOJSON)
    return (JSON,)


def written(name: str, output: Output, media_type: str) -> bytes:
    """An output as a file; raises `InvalidInput` for a media type it cannot be had as.

    A table in CSV has the names of its columns with their units. Raises `MissingDependency` where
    this machine cannot paint.
    """
    match output, media_type:
        case Chart(), "image/svg+xml":
            return output.svg()
        case Chart(), "image/png":
            from analysis.drawing_png import write_chart_png  # noqa: PLC0415 – of a second to load

            return write_chart_png(output)
        case Chart(), "image/vnd.dxf":
            from analysis.drawing_dxf import write_chart_dxf  # noqa: PLC0415 – of a second to load

            return write_chart_dxf(output)
        case Table(), "text/csv":
            header = [f"{c.name} ({c.unit})" if c.unit else c.name for c in output.columns]
            rows = (["" if value is None else value for value in row] for row in output.rows)
            return as_csv(header, rows)
        case (Sketch(), "application/geo+json") | (_, "application/json"):
            return json.dumps(output.as_dict(), ensure_ascii=False).encode()
    raise InvalidInput(
        f"the output {name!r} cannot be had as {media_type}; ask for one of "
        f"{', '.join(media_types(output))}"
    )


def qualified(name: str, output: Output, media_type: str) -> dict[str, Any]:
    """An output in a format of its own inside a JSON document, as OGC API – Processes has it."""
    content = written(name, output, media_type)
    if media_type == PNG:
        value = base64.b64encode(content).decode()
        return {"mediaType": media_type, "encoding": "base64", "value": value}
    return {"mediaType": media_type, "value": content.decode("utf-8-sig")}


def asked_formats(outputs: Mapping[str, Any] | None) -> dict[str, str]:
    """The media types that some outputs are asked in, by name; raises `InvalidInput`.

    >>> asked_formats({"drawing": {"format": {"mediaType": "image/png"}}, "pipes": {}})
    {'drawing': 'image/png'}
    """
    asked = {}
    for name, wanted in (outputs or {}).items():
        format_ = wanted.get("format") if isinstance(wanted, dict) else None
        if not isinstance(format_, dict):
            continue
        media_type = format_.get("mediaType", JSON)
        if not isinstance(media_type, str):
            raise InvalidInput(
                f"outputs.{name}: the media type is no text; write one such as text/csv"
            )
        asked[name] = media_type.partition(";")[0].strip().lower()
    return asked


def media_type_of(path: Path) -> str:
    """What a file is to be written as, by its ending; raises `InvalidInput`."""
    ending = path.suffix.lower()
    if ending not in ENDINGS:
        raise InvalidInput(
            f"{path}: an output cannot be saved under this ending; end the name with one of "
            f"{', '.join(ENDINGS)}"
        )
    return ENDINGS[ending]

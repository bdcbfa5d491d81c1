"""`cim demo`: a folder with a manifest, such as the sample district, becomes a city."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from cim_core import errors
from cim_core.city import City
from cim_core.city_file import FILE_NAME
from server.cli_import import report_of, run
from server.cli_parts import CityOption, err
from server.folder_import import is_served
from server.ingest import Upload
from server.worker import owner_name

MANIFEST = "manifest.json"


def demo(
    folder: Annotated[Path, typer.Argument(help="A folder with a manifest.json.")],
    city: CityOption,
) -> None:
    """Import the layers a manifest lists, in its order; what did not change is not done again."""
    document = _read(folder / MANIFEST)
    begun = (city / FILE_NAME).is_file()
    opened = City.open(city) if begun else City.open_or_create(city, document["name"])
    layers = document["layers"]
    for number, layer in enumerate(layers, 1):
        upload = Upload(
            (folder / layer["file"]).resolve(), layer["file"], layer["id"], layer["title"],
            layer["crs"], kind=layer["kind"], options=layer["options"],
        )  # fmt: skip
        step = f"{number}/{len(layers)} {layer['title']}"
        if is_served(opened, upload):
            _say(f"{step}: unchanged")
            continue
        job = opened.jobs.add(
            "import", upload.layer_id, upload.filename, upload.as_parameters(),
            owner=(owner := owner_name()),
        )  # fmt: skip
        report = report_of(run(opened, job, owner, step))
        _say(f"{step}: {report['features']} features")
        for warning in report["warnings"]:
            _say(f"  note: {warning}")


def _say(text: str) -> None:
    err.print(escape(text), highlight=False, soft_wrap=True)


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise errors.NotFound(
            f"there is no {path}; write the sample district with `python -m sample_data FOLDER`"
        )
    document: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return document

"""`cim demo`: a folder with a manifest, such as the sample district, becomes a city."""

import json
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import shapely
import typer
from rich.markup import escape

from cim_core import errors
from cim_core.city import City
from cim_core.city_file import FILE_NAME
from cim_core.progress import Progress
from cim_core.receipt import operating_system_user
from cim_core.store.office_account import ADMINISTRATOR
from server.access.policy import public_policy
from server.cli_audited import audited
from server.cli_import import done
from server.cli_parts import CityOption, err, progress_bar
from server.cli_people import new_account
from server.demo_checkup import examine_years, superseded
from server.demo_renewal import renew
from server.demo_sensing import feel
from server.demo_traffic import drive
from server.folder_import import is_served
from server.ingest import Upload
from server.worker import owner_name

MANIFEST = "manifest.json"

_NAME = "admin"
_ROLES = [ADMINISTRATOR, "data-manager", "supervisor"]


def demo(
    folder: Annotated[Path, typer.Argument(help="A folder with a manifest.json.")],
    city: CityOption,
) -> None:
    """Import the layers a manifest lists, in its order; what did not change is not done again.

    A city that has nobody gets the towns and departments of the manifest, a policy that lets
    strangers read public layers, and somebody who may administer it, with a password made up now.
    """
    document = _read(folder / MANIFEST)
    begun = (city / FILE_NAME).is_file()
    opened = City.open(city) if begun else City.open_or_create(city, document["name"])
    layers = document["layers"]
    years = document.get("checkup", ())
    later = superseded(opened, years)
    for number, layer in enumerate(layers, 1):
        if layer["id"] in later:
            _say(f"{number}/{len(layers)} {layer['title']}: unchanged")
        else:
            _bring_in(opened, folder, layer, f"{number}/{len(layers)}")
    with progress_bar("sensors") as steps:
        feel(opened, folder, document, Progress(steps), _say)
    if document.get("renewal"):
        with progress_bar("renewal") as steps:
            renew(opened, folder, document, Progress(steps), _say)
    if document.get("traffic"):
        with progress_bar("traffic") as steps:
            drive(opened, folder, document["traffic"], Progress(steps), _say)
    examine_years(opened, years, partial(_bring_in, opened, folder), _say)
    if not opened.office.people.all():
        _begin_office(opened, document)


def _bring_in(city: City, folder: Path, layer: Mapping[str, Any], which: str) -> None:
    """Import a layer as the manifest lists it, unless that is what the city serves."""
    upload = Upload(
        (folder / layer["file"]).resolve(), layer["file"], layer["id"], layer["title"],
        layer["crs"], kind=layer["kind"], options=layer["options"],
    )  # fmt: skip
    step = f"{which} {layer['title']}"
    if is_served(city, upload):
        _say(f"{step}: unchanged")
        return
    job = city.jobs.add(
        "import", upload.layer_id, upload.filename, upload.as_parameters(),
        owner=(owner := owner_name()),
    )  # fmt: skip
    report = done(city, job, owner, step, command="cim demo")
    _say(f"{step}: {report['features']} features")
    for warning in report["warnings"]:
        _say(f"  note: {warning}")


def _begin_office(city: City, document: dict[str, Any]) -> None:
    """The account comes last: where it stands the rest is whole."""
    with audited(city, "administer", "cim demo") as said:
        for department in _departments(document) - {d.id for d in city.office.people.departments()}:
            city.office.people.add_department(department, {"en": department})
        known = {town.id for town in city.office.people.towns()}
        for town, title, boundary in _towns(city, document):
            if town not in known:
                city.office.people.add_town(town, title, boundary)
        if city.office.policies.current() is None:
            city.office.policies.put(public_policy().document(), 0, operating_system_user())
        account, password = new_account(city, _NAME, _ROLES)
        said |= {"account": account.id, "name": account.name, "roles": list(account.roles)}
    err.print(
        f"sign in as [bold]{account.name}[/] with the password [bold]{password}[/] (shown only now; "
        "`cim user password` makes another)",
        highlight=False, soft_wrap=True,
    )  # fmt: skip


def _departments(document: dict[str, Any]) -> set[str]:
    """Whom the layers belong to."""
    years = document.get("checkup", ())
    listed = [*document["layers"], *(layer for year in years for layer in year["layers"])]
    named = {layer["options"].get("department") for layer in listed}
    return {department for department in named if department}


def _towns(
    city: City, document: dict[str, Any]
) -> Iterator[tuple[str, dict[str, str], shapely.Geometry]]:
    """The areas of the layers that the manifest names as those of the towns, of those it lists."""
    listed = {listed["id"] for listed in document["layers"]}
    for layer in document.get("towns", ()):
        if layer not in listed:
            continue
        known = city.layers.get(str(layer))
        for row in city.features.all(known.layer, known.version):
            feature = row.feature
            english = str(feature.attributes.get("name_en", feature.name))
            yield feature.id, {"zh": feature.name, "en": english}, feature.shape


def _say(text: str) -> None:
    err.print(escape(text), highlight=False, soft_wrap=True)


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise errors.NotFound(
            f"there is no {path}; write the sample district with `python -m sample_data FOLDER`"
        )
    document: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return document

"""`cim town` and `cim department`: what people and layers belong to."""

from pathlib import Path
from typing import Annotated

import shapely
import typer
from rich.console import Console
from rich.markup import escape

from cim_core.city import City
from cim_core.errors import InvalidInput, NotFound
from server.cli_audited import audited
from server.cli_parts import CityOption, JsonOption, folding_table, print_json
from server.people import department_entry, town_entry

towns = typer.Typer(no_args_is_help=True, help="Towns: parts of the city with people of their own.")
departments = typer.Typer(no_args_is_help=True, help="Departments: whom layers belong to.")

EnOption = Annotated[str | None, typer.Option(help="The title in English.")]
ZhOption = Annotated[str | None, typer.Option(help="The title in Chinese.")]
TownArgument = Annotated[str, typer.Argument(help="The town's id: a–z, 0–9, - and _.")]
DepartmentArgument = Annotated[
    str, typer.Argument(help="The department's id: just what layers have as their department.")
]


@towns.command("add")
def add_town(
    town: TownArgument,
    city: CityOption,
    boundary: Annotated[
        Path | None,
        typer.Option(help="A GeoJSON file with its area; without one it has no layers."),
    ] = None,
    en: EnOption = None,
    zh: ZhOption = None,
) -> None:
    """Begin a town."""
    opened = City.open(city)
    area = None if boundary is None else read_area(boundary)
    with audited(opened, "administer", "cim town add", town=town):
        opened.office.people.add_town(town, _title(en, zh, town), area)


@towns.command("list")
def list_towns(city: CityOption, as_json: JsonOption = False) -> None:
    """List the towns."""
    found = City.open(city).office.people.towns()
    if as_json:
        print_json({"towns": [town_entry(town) for town in found]})
        return
    table = folding_table("id", "title", "boundary")
    for town in found:
        known = (
            "" if town.boundary is None else f"{shapely.get_num_coordinates(town.boundary)} points"
        )
        table.add_row(town.id, escape(" ".join(town.title.values())), known)
    Console().print(table)


@towns.command("remove")
def remove_town(town: TownArgument, city: CityOption) -> None:
    """Forget a town nobody is in."""
    opened = City.open(city)
    with audited(opened, "administer", "cim town remove", town=town):
        opened.office.people.remove_town(town)


@departments.command("add")
def add_department(
    department: DepartmentArgument, city: CityOption, en: EnOption = None, zh: ZhOption = None
) -> None:
    """Begin a department."""
    opened = City.open(city)
    with audited(opened, "administer", "cim department add", department=department):
        opened.office.people.add_department(department, _title(en, zh, department))


@departments.command("list")
def list_departments(city: CityOption, as_json: JsonOption = False) -> None:
    """List the departments."""
    found = City.open(city).office.people.departments()
    if as_json:
        print_json({"departments": [department_entry(item) for item in found]})
        return
    table = folding_table("id", "title")
    for item in found:
        table.add_row(escape(item.id), escape(" ".join(item.title.values())))
    Console().print(table)


@departments.command("remove")
def remove_department(department: DepartmentArgument, city: CityOption) -> None:
    """Forget a department nobody is in."""
    opened = City.open(city)
    with audited(opened, "administer", "cim department remove", department=department):
        opened.office.people.remove_department(department)


def read_area(path: Path) -> shapely.Geometry:
    """All areas of a GeoJSON file as one, degrees; raises `NotFound` or `InvalidInput`."""
    if not path.is_file():
        raise NotFound(f"there is no file {path}; check the path")
    try:
        found = shapely.from_geojson(path.read_bytes())
    except (shapely.GEOSException, UnicodeDecodeError) as error:
        raise InvalidInput(f"{path} is not GeoJSON ({error}); write it as GeoJSON") from error
    areas = [part for part in shapely.get_parts(found) if shapely.get_dimensions(part) == 2]
    if not areas:
        raise InvalidInput(f"{path} has no area in it; give a Polygon or MultiPolygon")
    broken = [area for area in areas if not area.is_valid]
    return (
        broken[0] if broken else shapely.union_all(areas)
    )  # the broken one is refused with its reason


def _title(en: str | None, zh: str | None, otherwise: str) -> dict[str, str]:
    given = {"en": en, "zh": zh}
    return {language: text for language, text in given.items() if text} or {"en": otherwise}

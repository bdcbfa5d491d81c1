"""The command line: everything the server does, without the server."""

import logging
import sqlite3
import sys
from collections import Counter
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.logging import RichHandler
from rich.markup import escape
from rich.table import Table

from cim_core import __version__, errors
from cim_core.city import City
from cim_core.city_file import FILE_NAME
from cim_core.progress import Progress as Steps
from cim_core.store.jobs import Job
from server import cli_check, cli_geometry, cli_versions
from server.checkin import Refused, counted
from server.cli_parts import EXIT_CODES, CityOption, JsonOption, err, print_json, progress_bar
from server.describe import collection, version_entry
from server.importers import importer_for
from server.ingest import Upload, layer_id_for, parse_anchor, retile
from server.problems import foreseen_as, problem_of
from server.settings import load_settings
from server.worker import owner_name, run_job

app = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False,
    help="CIM Twin: a city's models as 3D Tiles, with everything known of them.",
)  # fmt: skip

app.command()(cli_check.check)
app.command()(cli_check.rules)
app.command()(cli_versions.versions)
app.command()(cli_versions.compare)
app.command()(cli_versions.rollback)
app.command("extract")(cli_geometry.extract_elements)
app.command("section")(cli_geometry.cut_section)


def main() -> None:
    """The entry point of the `cim` command."""
    logging.basicConfig(
        level=logging.INFO,
        format="%(message)s",
        handlers=[RichHandler(console=err, show_path=False)],
    )
    try:
        app()
    except (errors.CimError, OSError, sqlite3.Error) as error:
        foreseen = foreseen_as(error)
        if foreseen is None:
            raise
        _fail(foreseen)


def _fail(error: errors.CimError) -> NoReturn:
    if "--json" in sys.argv:
        print_json(problem_of(error))
    err.print(f"[bold red]error:[/] {escape(error.sentence)}", highlight=False, soft_wrap=True)
    raise SystemExit(
        next((code for kind, code in EXIT_CODES.items() if isinstance(error, kind)), 1)
    )


@app.command()
def create(
    city: CityOption,
    name: Annotated[
        str | None, typer.Option(help="The city's name; the folder's if not given.")
    ] = None,
) -> None:
    """Begin a city in a new folder; its first georeferenced import will give it its place."""
    if (city / FILE_NAME).is_file():
        raise errors.Conflict(f"{city} is a city already; its name is in {city / FILE_NAME}")
    City.open_or_create(city, name)


@app.command("import")
def import_files(
    files: Annotated[list[Path], typer.Argument(help="The files to import.")],
    city: CityOption,
    layer: Annotated[
        str | None, typer.Option(help="The layer's id; from the file's name if not given.")
    ] = None,
    title: Annotated[
        str | None, typer.Option(help="The layer's title; the file's name if not given.")
    ] = None,
    crs: Annotated[
        str | None, typer.Option(help="The reference system of the coordinates, EPSG:4547.")
    ] = None,
    anchor: Annotated[
        str | None, typer.Option(help="Where the model's origin stands: lon,lat,height.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Import files, each as a layer or as a new version of one; begins the city if it is new."""
    if layer is not None and len(files) > 1:
        raise errors.InvalidInput(
            "--layer names one layer, but several files were given; import them one by one"
        )
    place = parse_anchor(anchor)
    for path in files:
        if not path.is_file():
            raise errors.NotFound(f"there is no file {path}; check the path")
        importer_for(path.name)
    reports = _import_all(City.open_or_create(city), files, layer, title, crs, place)
    if as_json:
        print_json(reports[0] if len(files) == 1 else reports)
        return
    for path, report in zip(files, reports, strict=True):
        _show_report(path, report)


def _import_all(
    city: City,
    files: list[Path],
    layer: str | None,
    title: str | None,
    crs: str | None,
    anchor: tuple[float, float, float] | None,
) -> list[dict[str, Any]]:
    reports = []
    for path in files:
        layer_id = layer or layer_id_for(path.name)
        upload = Upload(path.resolve(), path.name, layer_id, title or path.stem, crs, anchor)
        job = _run_import(city, upload)
        if job.report is None:
            _report_failure(job)
        reports.append(dict(job.report))
    return reports


def _run_import(city: City, upload: Upload) -> Job:
    """As a job like the server's, so that viewers see it and a lost one is found again."""
    settings = load_settings()
    owner = owner_name()
    job = city.jobs.add(
        "import", upload.layer_id, upload.filename, upload.as_parameters(), owner=owner
    )
    with progress_bar(upload.filename) as listener:
        try:
            return run_job(city, job, owner, settings.crew(), listener)
        except KeyboardInterrupt:
            city.jobs.dismissed(job.id, owner)
            raise errors.Cancelled("cancelled; the city is as it was before") from None


def _report_failure(job: Job) -> NoReturn:
    problem = dict(job.problem or {})
    detail = str(problem.get("detail", f"the job ended as {job.status}"))
    if "checkin" in problem:
        raise Refused.told_by(problem)
    by_title = {kind.__name__: kind for kind in EXIT_CODES}
    kind = by_title.get(str(problem.get("title", "")).title().replace(" ", ""), errors.CimError)
    raise kind(detail)


def _show_report(path: Path, report: dict[str, Any]) -> None:
    out = Console()
    out.print(
        f"[bold]{escape(path.name)}[/] → layer [bold]{report['layer']}[/], version {report['version']}: "
        f"{report['features']} features, {report['bytes'] / 1024:.0f} kB of tiles"
    )
    out.print(f"  {escape(report['georeference']['note']['en'])}", highlight=False)
    if report["tessellated"] is not None:
        out.print(
            f"  geometry: {report['tessellated']} elements tessellated, {report['reused']} unchanged"
        )
    found = counted(report["checkin"]["counts"])
    out.print(f"  check-in: {found}; `cim check` names them", highlight=False)
    for warning in report["warnings"]:
        out.print(f"  [yellow]note:[/] {escape(warning)}", highlight=False)
    reasons = Counter((item["class"], item["reason"]) for item in report["dropped"])
    for (name, reason), count in sorted(reasons.items()):
        out.print(
            f"  [yellow]left out:[/] {count} × {escape(name)}: {escape(reason)}", highlight=False
        )
    if reasons:
        out.print("  --json names each of them")


@app.command()
def layers(city: CityOption, as_json: JsonOption = False) -> None:
    """List the layers of a city."""
    versions = City.open(city).layers.current()
    if as_json:
        print_json({"collections": [collection(version) for version in versions]})
        return
    table = Table("layer", "title", "version", "features", "published", "georeference")
    for item in versions:
        table.add_row(
            item.layer, escape(item.title), str(item.version), str(item.summary["features"]),
            item.published, str(item.summary["georeference"]["method"]),
        )  # fmt: skip
    Console().print(table)


@app.command()
def tile(
    layer: Annotated[str, typer.Argument(help="The layer's id.")],
    city: CityOption,
    as_json: JsonOption = False,
) -> None:
    """Tile a layer again from what the city keeps of it, as a new version."""
    opened = City.open(city)
    with progress_bar(layer) as listener:
        report = retile(opened, layer, Steps(listener))
    if as_json:
        print_json(report)
    else:
        Console().print(
            f"layer {layer}, version {report['version']}: {report['bytes']} bytes of tiles"
        )


@app.command()
def info(
    city: CityOption,
    layer: Annotated[
        str | None, typer.Argument(help="A layer's id; the whole city without.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Say what a city, or one of its layers, is."""
    opened = City.open(city)
    settings = opened.settings
    if layer is None:
        frame = settings.frame
        document: dict[str, Any] = {
            "name": settings.name,
            "folder": str(opened.folder.resolve()),
            "anchor": {"lon": frame.lon, "lat": frame.lat, "height": frame.height}
            if frame
            else None,
            "crs": settings.crs,
            "vertical_datum": settings.vertical_datum,
            "layers": [version.layer for version in opened.layers.current()],
            "software": f"cim-twin {__version__}",
        }
    else:
        document = {
            **collection(opened.layers.get(layer)),
            "versions": [version_entry(version) for version in opened.layers.versions(layer)],
        }
    if as_json:
        print_json(document)
        return
    table = Table(show_header=False)
    for key, value in document.items():
        if key not in ("links", "classes", "storeys", "versions"):
            table.add_row(key, escape(str(value)))
    Console().print(table)


@app.command()
def remove(layer: Annotated[str, typer.Argument(help="The layer's id.")], city: CityOption) -> None:
    """Remove a layer and its files."""
    City.open(city).remove(layer)


@app.command()
def serve(
    city: CityOption,
    port: Annotated[
        int | None, typer.Option(help="The port on 127.0.0.1; 0 takes a free one.")
    ] = None,
) -> None:
    """Serve a city and its viewer on this machine."""
    from server.serve import serve_city  # brings the web framework, which nothing else here needs

    given = {"city": city} if port is None else {"city": city, "port": port}
    settings = load_settings(**given)
    serve_city(settings, lambda address: err.print(f"[bold]{address}[/]", highlight=False))

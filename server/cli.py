"""The command line: everything the server does, without the server."""

import logging
import sqlite3
import sys
from contextlib import ExitStack
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
from server import (
    cli_alarms,
    cli_analyse,
    cli_audit,
    cli_catalogue,
    cli_check,
    cli_checkup,
    cli_demo,
    cli_geometry,
    cli_history,
    cli_import,
    cli_keys,
    cli_people,
    cli_places,
    cli_policy,
    cli_renewal,
    cli_replay,
    cli_simulate,
    cli_versions,
)
from server.cli_audited import audited
from server.cli_parts import EXIT_CODES, CityOption, JsonOption, err, print_json, progress_bar
from server.describe import collection, version_entry
from server.ingest import retile
from server.people import signs_in_by_link
from server.problems import foreseen_as, problem_of
from server.settings import load_settings
from server.simulating import simulating

app = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False,
    help="CIM Twin: a city's models as 3D Tiles, with everything known of them.",
)  # fmt: skip

app.command("import")(cli_import.import_files)
app.command()(cli_demo.demo)
app.command()(cli_check.check)
app.command()(cli_check.rules)
app.command()(cli_versions.versions)
app.command()(cli_versions.compare)
app.command()(cli_versions.rollback)
app.command()(cli_analyse.analyse)
app.command("analyses")(cli_analyse.list_analyses)
app.command()(cli_catalogue.about)
app.command("extract")(cli_geometry.extract_elements)
app.command("section")(cli_geometry.cut_section)
app.command()(cli_simulate.simulate)
app.command()(cli_replay.replay)
app.add_typer(cli_simulate.things, name="things")
app.add_typer(cli_alarms.alarms, name="alarms")
app.add_typer(cli_history.history, name="history")
app.add_typer(cli_people.users, name="user")
app.add_typer(cli_keys.keys, name="key")
app.add_typer(cli_places.towns, name="town")
app.add_typer(cli_places.departments, name="department")
app.add_typer(cli_policy.policies, name="policy")
app.add_typer(cli_audit.log, name="audit")
app.add_typer(cli_renewal.renewal, name="renewal")
app.add_typer(cli_checkup.checkup, name="checkup")


def main() -> None:
    """The entry point of the `cim` command."""
    logging.basicConfig(
        level=logging.INFO,
        format="%(message)s",
        handlers=[RichHandler(console=err, show_path=False)],
    )
    logging.getLogger("numexpr").setLevel(logging.WARNING)  # tells how many threads it takes
    logging.getLogger("httpx2").setLevel(logging.WARNING)  # tells every request it makes
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
    with audited(opened, "manage", "cim tile", [layer]) as said, progress_bar(layer) as listener:
        report = retile(opened, layer, Steps(listener))
        said["version"] = report["version"]
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
    opened = City.open(city)
    with audited(opened, "manage", "cim remove", [layer]):
        opened.remove(layer)


@app.command()
def serve(
    city: CityOption,
    host: Annotated[
        list[str] | None,
        typer.Option(
            help="Listen on this address, repeatable; 0.0.0.0 is all, CIM_HOST if not given."
        ),
    ] = None,
    port: Annotated[int | None, typer.Option(help="The port; 0 takes a free one.")] = None,
    tls_cert: Annotated[
        Path | None, typer.Option(help="Serve https with this certificate, PEM.")
    ] = None,
    tls_key: Annotated[
        Path | None, typer.Option(help="The certificate's private key, PEM.")
    ] = None,
    mqtt: Annotated[
        str | None, typer.Option(help="Take observations from this broker, mqtt://user@host:1883.")
    ] = None,
    sign_in: Annotated[
        str | None, typer.Option(help="Print an address that signs this person in, once.")
    ] = None,
    simulate: Annotated[
        Path | None,
        typer.Option(help="Play this recording to it in the name of the person of --sign-in."),
    ] = None,
    play: Annotated[
        str | None, typer.Option(help="Play this recording of traffic over and over, LAYER=FILE.")
    ] = None,
) -> None:
    """Serve a city and its viewer: on this machine, or with a policy to a network."""
    from server.serve import serve_city  # brings the web framework, which nothing else here needs

    said = {
        "host": host, "port": port, "tls_cert": tls_cert, "tls_key": tls_key, "mqtt_url": mqtt,
        "play": play,
    }  # fmt: skip
    given = {name: value for name, value in said.items() if value is not None}
    settings = load_settings(city=city, **given)
    if simulate and not sign_in:
        raise errors.InvalidInput(
            "--simulate plays in somebody's name; say whose with --sign-in, as in --sign-in admin"
        )
    opened = City.open(city) if sign_in else None
    account = cli_people.named(opened, sign_in) if opened and sign_in else None

    def announce(address: str) -> None:
        err.print(f"[bold]{address}[/]", highlight=False)
        if opened and account and signs_in_by_link(account):
            link = cli_people.sign_in_address(opened, account, address)
            err.print(
                f"sign in as {escape(account.name)} (once, within an hour): {link}",
                highlight=False, soft_wrap=True,
            )  # fmt: skip
        if opened and account and simulate:
            beside.enter_context(simulating(opened, account, simulate, address))

    with ExitStack() as beside:
        serve_city(settings, announce)

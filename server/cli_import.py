"""`cim import`: files, and folders of them, become layers."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cim_core import errors
from cim_core.city import City
from cim_core.store.jobs import Job
from server.checkin import Refused, counted
from server.cli_audited import audited
from server.cli_parts import (
    EXIT_CODES,
    PARTLY,
    CityOption,
    JsonOption,
    err,
    print_json,
    progress_bar,
)
from server.folder_import import FOLDER, FolderUpload
from server.folder_plan import Item, plan_folder
from server.importers import importer_for
from server.ingest import Upload, layer_id_for, parse_anchor, parse_options
from server.settings import load_settings
from server.worker import owner_name, run_job

Document = dict[str, Any]


def import_files(
    files: Annotated[list[Path], typer.Argument(help="The files or folders to import.")],
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
    kind: Annotated[
        str | None,
        typer.Option("--as", help="What it is, where its name says too little: terrain, points, …"),
    ] = None,
    option: Annotated[
        list[str] | None,
        typer.Option(help="What else is to be said of it, name=value; repeatable."),
    ] = None,
    mosaic: Annotated[
        bool, typer.Option("--mosaic", help="All rasters, or points, of a folder as one layer.")
    ] = False,
    plan: Annotated[
        bool, typer.Option("--plan", help="Only show what a folder would become.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Import files, each as a layer or as a new version of one; begins the city if it is new.

    A folder becomes a layer for each file in it; a folder with a tileset.json, or one given --as,
    is one layer.
    """
    if layer is not None and len(files) > 1:
        raise errors.InvalidInput(
            "--layer names one layer, but several files were given; import them one by one"
        )
    for path in files:
        if not path.exists():
            raise errors.NotFound(f"there is no file {path}; check the path")
    mixed = [path for path in files if path.is_dir() and not _is_one_layer(path, kind)]
    if mixed and (anchor is not None or layer is not None or title is not None):
        raise errors.InvalidInput(
            f"--layer, --title and --anchor are for one file, and {mixed[0]} is a folder of many; "
            "import that file by itself"
        )
    if plan:
        _show_plan(files, mosaic=mosaic, as_json=as_json)
        return
    place, options = parse_anchor(anchor), parse_options(option or ())
    for path in files:
        if path not in mixed:
            importer_for(path.name, path if path.is_dir() else None, kind)
    opened = City.open_or_create(city)
    reports = []
    for path in files:
        if path in mixed:
            order = FolderUpload(path.resolve(), crs, options, mosaic)
            reports.append(_import_folder(opened, order, quiet=as_json))
            continue
        name = path.resolve().name
        layer_id = layer or layer_id_for(f"{name}.d" if path.is_dir() else name)
        upload = Upload(
            path.resolve(), name, layer_id, title or (name if path.is_dir() else path.stem), crs,
            place, kind, options,
        )  # fmt: skip
        job = opened.jobs.add(
            "import", layer_id, name, upload.as_parameters(), owner=(owner := owner_name())
        )
        report = done(opened, job, owner, name)
        reports.append(report)
        if not as_json:
            _show_report(path, report)
    if as_json:
        print_json(reports[0] if len(files) == 1 else reports)
    if any(_is_partly(report) for report in reports):
        raise SystemExit(PARTLY)


def _is_one_layer(folder: Path, kind: str | None) -> bool:
    return kind is not None or (folder / "tileset.json").is_file()


def _is_partly(report: Document) -> bool:
    """Whether a folder's files were not all imported that could have been."""
    counts = report.get("counts")
    return counts is not None and (
        counts["failed"] > 0 or not counts["imported"] + counts["unchanged"]
    )


def _import_folder(city: City, order: FolderUpload, *, quiet: bool) -> Document:
    items = plan_folder(order.path, mosaic=order.mosaic)
    if not quiet:
        _print_table(order.path, items)
    owner = owner_name()
    name = order.path.name
    job = city.jobs.add(FOLDER, None, name, order.as_parameters(), owner=owner)
    report = done(city, job, owner, name, folder=True)
    if not quiet:
        _show_summary(report)
    return report


def done(
    city: City,
    job: Job,
    owner: str,
    name: str,
    *,
    folder: bool = False,
    command: str = "cim import",
) -> Document:
    """Do an import as a job like the server's, so that viewers see it and a lost one is found again.

    Returns its report, or raises the `CimError` it failed with; either stands in the log.
    """
    layers = [job.layer]
    with audited(city, "manage", command, layers, job=job.id, file=job.filename) as said:
        ended = _run(city, job, owner, name, folder=folder)
        if ended.report is None:
            _report_failure(ended)
        report: Document = dict(ended.report)
        said |= {key: report[key] for key in ("version", "counts") if key in report}
        layers += [item["report"]["layer"] for item in report.get("items", ()) if "report" in item]
    return report


def _run(city: City, job: Job, owner: str, name: str, *, folder: bool) -> Job:
    settings = load_settings()
    with progress_bar(name) as listener:
        try:
            return run_job(city, job, owner, settings.crew(), listener, _tell if folder else None)
        except KeyboardInterrupt:
            city.jobs.dismissed(job.id, owner)
            if folder:
                raise errors.Cancelled(
                    "cancelled; the layers that were done stay, and the same command goes on"
                ) from None
            raise errors.Cancelled("cancelled; the city is as it was before") from None


def _report_failure(job: Job) -> NoReturn:
    problem = dict(job.problem or {})
    detail = str(problem.get("detail", f"the job ended as {job.status}"))
    if "checkin" in problem:
        raise Refused.told_by(problem)
    by_title = {kind.__name__: kind for kind in EXIT_CODES}
    kind = by_title.get(str(problem.get("title", "")).title().replace(" ", ""), errors.CimError)
    raise kind(detail)


def _show_plan(paths: Sequence[Path], *, mosaic: bool, as_json: bool) -> None:
    plans = {path: plan_folder(path, mosaic=mosaic) for path in paths if path.is_dir()}
    if len(plans) < len(paths):
        raise errors.InvalidInput("--plan is for folders; a file becomes one layer")
    if as_json:
        documents = [
            {"folder": str(path.resolve()), "items": [item.as_dict() for item in items]}
            for path, items in plans.items()
        ]
        print_json(documents[0] if len(documents) == 1 else documents)
        return
    for path, items in plans.items():
        _print_table(path, items)


def _print_table(path: Path, items: Sequence[Item]) -> None:
    table = Table(title=str(path))
    for name in ("file", "kind", "layer", "reference system", "files", "size"):
        table.add_column(name, overflow="fold")
    for item in items:
        if item.refusal is not None:
            table.add_row(escape(item.name), "[yellow]not read[/]", "", "", "1", _size(item.bytes))
            continue
        system = "[yellow]missing[/]" if item.needs_crs else escape(item.crs or "its own")
        table.add_row(
            escape(item.name), item.kind, item.layer, system, str(item.files), _size(item.bytes)
        )
    Console().print(table)


def _size(count: int) -> str:
    return f"{count / 2**20:.1f} MB" if count >= 100_000 else f"{count / 1024:.1f} kB"


def _tell(entry: Mapping[str, Any]) -> None:
    """One line on stderr for each file of a folder as it is done."""
    name = escape(str(entry["file"]))
    match entry["status"]:
        case "imported":
            report = entry["report"]
            line = (
                f"[green]imported[/] {name} → layer {report['layer']}, version {report['version']}"
            )
        case "failed":
            line = f"[red]failed[/] {name}: {escape(str(entry['problem']['detail']))}"
        case "refused":
            line = f"[yellow]not read[/] {name}: {escape(str(entry['refusal']))}"
        case status:
            line = f"{status} {name}"
    err.print(line, highlight=False, soft_wrap=True)


def _show_summary(report: Document) -> None:
    counts = report["counts"]
    Console().print(
        f"{counts['imported']} imported, {counts['unchanged']} unchanged, {counts['failed']} failed, "
        f"{counts['refused']} not read",
        highlight=False,
    )


def _show_report(path: Path, report: Document) -> None:
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

"""Write the district into a folder, with a manifest of its layers."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from sample_data.district import files
from sample_data.district.checkup import (
    YEARS,
    checkup_manifest,
    checkup_tables,
    file_of,
    folder_of,
)
from sample_data.district.checkup_truth import truth
from sample_data.district.district import District, district
from sample_data.district.intersections import Intersection, intersections
from sample_data.district.picture import picture
from sample_data.district.pipe_error_kinds import forty
from sample_data.district.pipe_errors import with_errors
from sample_data.district.pipes import pipes
from sample_data.district.pipes_tables import survey_files
from sample_data.district.plan import Floats, plan
from sample_data.district.points import points
from sample_data.district.relief import Relief, relief
from sample_data.district.renewal import lines, renewal
from sample_data.district.renewal_sites import campaign_table
from sample_data.district.signals import END, write_observations
from sample_data.district.streets import Network
from sample_data.district.tables import Table, tables
from sample_data.district.things import Thing, document, sensors_table, things
from sample_data.district.traffic import (
    KEY_VEHICLES,
    RECORDING,
    ROADS,
    TRUTH,
    simulate,
    write_recording,
    write_register,
    write_roads,
    write_truth,
)
from sample_data.district.trees import trees

Progress = Callable[[int, int, str], None]
MANIFEST = "manifest.json"
OBSERVATIONS = "observations.parquet"
THINGS = "things.json"
RENEWAL = "renewal.jsonl"
CHECKUP_TRUTH = "checkup_truth.json"
TRAFFIC = {
    "layer": "digital-intersections", "recording": RECORDING, "key_vehicles": KEY_VEHICLES,
    "truth": TRUTH,
}  # fmt: skip
STAGES = (
    "streets and buildings", "relief", "picture", "points", "tables", "pipes", "things", "renewal",
    "traffic", "check-up", "",
)  # fmt: skip


def generate(
    folder: Path, seed: int = 2026, progress: Progress | None = None, *, observed: bool = True,
    renewed: bool = True, driven: bool = True, examined: bool = True,
) -> Path:  # fmt: skip
    """Write the files of the district and return the path of their manifest.

    observed
        Also a month of what the things of the district observed.
    renewed
        Also two years of a renewal campaign, and the towns around the district it goes on in.
    driven
        Also half an hour on its roads.
    examined
        Also what two years of its check-up look at, and what they find.

    Equal seeds give equal bytes with the same versions of the libraries. The manifest is written
    last, so where it stands the rest is whole. `progress` is called with the stage that begins.
    """
    folder.mkdir(parents=True, exist_ok=True)
    manifest = folder / MANIFEST
    manifest.unlink(missing_ok=True)
    stages = iter(range(len(STAGES)))

    def begin() -> None:
        stage = next(stages)
        if progress is not None:
            progress(stage, len(STAGES) - 1, STAGES[stage])

    begin()
    whole = district(seed)
    crossings = intersections(whole.main)
    begin()
    ground = relief(whole)
    _write_relief(folder, ground)
    begin()
    planted = trees(whole)
    image = picture(whole, ground, crossings, planted)
    with _beside(folder / "orthophoto.tif") as path:
        files.write_image(path, image, whole.plan)
    begin()
    cloud = points(whole, ground, image, planted)
    with _beside(folder / "points.las") as path:
        files.write_points(path, cloud, whole.plan)
    begin()
    base = tables(whole, crossings)
    for name, table in base.items():
        with _beside(folder / f"{name}.gpkg") as path:
            files.write_table(path, table, whole.plan)
    begin()
    nets = pipes(whole, ground)
    _write_surveys(folder, dict(survey_files(nets)), seed)
    begin()
    found = things(whole, ground, nets)
    _write_things(folder, found)
    if observed:
        with _beside(folder / OBSERVATIONS) as path:
            write_observations(path, found, seed)
    begin()
    if renewed:
        add_renewal(folder, seed)
    begin()
    add_traffic(folder, whole.main, crossings, seed, driven=driven)
    begin()
    if examined:
        add_checkup(folder, whole, base)
    with _beside(manifest) as path:
        text = _manifest(seed, observed=observed, renewed=renewed, driven=driven, examined=examined)
        path.write_text(text, "utf-8")
    begin()
    return manifest


def _write_relief(folder: Path, ground: Relief) -> None:
    for name, heights in (("dem_present", ground.present), ("dem_planned", changed(ground))):
        with _beside(folder / f"{name}.tif") as path:
            files.write_heights(path, heights, plan())


def _write_surveys(folder: Path, surveys: dict[str, bytes], seed: int) -> None:
    for name, content in {**surveys, **with_errors(surveys, seed, forty)}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        with _beside(folder / name) as path:
            path.write_bytes(content)


def _write_things(folder: Path, found: list[Thing]) -> None:
    with _beside(folder / "sensors.gpkg") as path:
        files.write_table(path, sensors_table(found), plan())
    with _beside(folder / THINGS) as path:
        path.write_text(json.dumps(document(found, plan().origin), ensure_ascii=False), "utf-8")


def add_renewal(folder: Path, seed: int) -> None:
    """Write the campaign, and the towns around, beside the other files of the district."""
    events, around = renewal(folder, seed)
    for name, table in around.items():
        with _beside(folder / f"{name.replace('-', '_')}.gpkg") as path:
            files.write_table(path, table, plan())
    with _beside(folder / RENEWAL) as path:
        path.write_text("".join(f"{line}\n" for line in lines(events)), "utf-8")


def add_traffic(
    folder: Path, main: Network, crossings: Sequence[Intersection], seed: int, *, driven: bool
) -> None:
    """Write the road map, and if `driven` what moves on it, beside the other files of the district."""
    with _beside(folder / ROADS) as path:
        ways = write_roads(path, main, crossings)
    if not driven:
        return
    course = simulate(ways, seed)
    for name, write in (
        (RECORDING, write_recording), (TRUTH, write_truth), (KEY_VEHICLES, write_register),
    ):  # fmt: skip
        with _beside(folder / name) as path:
            write(path, course)


def add_checkup(folder: Path, whole: District, base: Mapping[str, Table]) -> None:
    """Write what two years of a check-up look at, and what is to come out."""
    found = {}
    for year in YEARS:
        made = checkup_tables(whole, year)
        (folder / folder_of(year)).mkdir(exist_ok=True)
        for layer, table in made.items():
            with _beside(folder / folder_of(year) / file_of(layer)) as path:
                files.write_table(path, table, whole.plan)
        found[str(year)] = truth(base, made)
    with _beside(folder / CHECKUP_TRUTH) as path:
        path.write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", "utf-8")


def changed(ground: Relief) -> Floats:
    """The planned surface (n, n) where it differs from the present one, with a rim; else NaN."""
    differs = np.abs(ground.planned - ground.present) > 0.005
    rim = differs.copy()
    for axis in (0, 1):
        for step in range(1, 5):
            rim |= np.roll(differs, step, axis) | np.roll(differs, -step, axis)
    result: Floats = np.where(rim, ground.planned, np.nan)
    return result


def _manifest(seed: int, *, observed: bool, renewed: bool, driven: bool, examined: bool) -> str:
    """What to import in which order, and what is known about each layer."""
    table = tomllib.loads(Path(__file__).with_name("manifest.toml").read_text("utf-8"))
    left_out = () if renewed else table["renewal"]
    layers = [
        {
            "id": layer["id"], "file": layer["file"], "kind": layer["kind"],
            "title": f"{layer['zh']} {layer['en']}", "zh": layer["zh"], "en": layer["en"],
            "crs": "EPSG:4547", "options": {**table["defaults"], **layer["about"]},
        }
        for layer in table["layer"]
        if layer["id"] not in left_out
    ]  # fmt: skip
    whole: dict[str, Any] = {
        "name": "示范区 Sample district", "fictional": True, "seed": seed,
        "towns": [layer for layer in table["towns"] if layer not in left_out],
        "layers": layers, "things": THINGS, "observations": OBSERVATIONS if observed else None,
        "observations_end": END,
        "renewal": RENEWAL if renewed else None, "renewal_day": campaign_table()["day"].isoformat(),
        "traffic": TRAFFIC if driven else None,
        "checkup": checkup_manifest(table["defaults"]) if examined else [],
        "checkup_truth": CHECKUP_TRUTH if examined else None,
    }  # fmt: skip
    return json.dumps(whole, ensure_ascii=False, indent=2) + "\n"


@contextmanager
def _beside(path: Path) -> Iterator[Path]:
    """A path to write to that takes its place when it is whole.

    The name inside a GeoPackage is that of its file, so a folder and not a name is temporary.
    """
    folder = path.parent / ".unfinished"
    folder.mkdir(exist_ok=True)
    temporary = folder / path.name
    temporary.unlink(missing_ok=True)
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
        folder.rmdir()

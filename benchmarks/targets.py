"""Which figure is held against which target, and whether it is met."""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median
from typing import Any

from benchmarks import FOLDER

PRODUCT, PY3DTILES = "CIM Twin", "py3dtiles 12.1.1"


@dataclass(frozen=True, slots=True)
class Verdict:
    """A figure beside its target, in words for a table."""

    what: str
    where: str
    figure: str
    target: str
    met: bool


def verdicts(results: dict[str, Any]) -> list[Verdict]:
    """A verdict for each target that the results speak of."""
    limits = tomllib.loads((FOLDER / "targets.toml").read_text(encoding="utf-8"))
    found = [v for record in results.get("files", []) for v in _file(record, limits)]
    for record in results.get("reimport", []):
        for what, key, limit in (
            ("second version, geometry and tiling", "geometry_and_tiling", "geometry_and_tiling"),
            ("second version, all work", "work", "reimport_work"),
        ):
            found.append(_share(what, record["file"], record[key], limits[limit]))
    if railway := results.get("railway"):
        where = f"{railway['elements']:,} sleepers"
        seconds, size = limits["railway_seconds"], limits["railway_bytes"]
        figure = railway["tiling"]
        found.append(Verdict("tiling, CPU s", where, f"{figure:.2f}", f"≤ {seconds:g}", figure <= seconds))  # fmt: skip
        found.append(_kilobytes("tileset, kB", where, railway["bytes"], size))
    if town := results.get("town"):
        where = f"{town['elements']:,} elements"
        found.append(
            _kilobytes("first tile, kB", where, town["root_bytes"], limits["town_root_bytes"])
        )
    if buildings := results.get("buildings"):
        where, figure = f"{buildings['elements']:,} buildings", buildings["tiling"]
        seconds, size = limits["buildings_seconds"], limits["buildings_root_bytes"]
        found.append(Verdict("tiling, CPU s", where, f"{figure:.0f}", f"≤ {seconds:g}", figure <= seconds))  # fmt: skip
        found.append(_kilobytes("first tile, kB", where, buildings["root_bytes"], size))
    if pipes := results.get("pipes"):
        where, figure = f"{pipes['elements']:,} segments of pipe", pipes["tiling"]
        seconds, size = limits["pipes_seconds"], limits["pipes_leaf_bytes"]
        found.append(Verdict("tiling, CPU s", where, f"{figure:.0f}", f"≤ {seconds:g}", figure <= seconds))  # fmt: skip
        found.append(_kilobytes("leaves gzipped, kB", where, pipes["leaf_gzipped"], size))
        found.append(_kilobytes("first tile gzipped, kB", where, pipes["root_gzipped"], limits["pipes_root_gzipped"]))  # fmt: skip
    if queries := results.get("queries"):
        found += _queries(queries, limits)
    if networks := results.get("networks"):
        found += _networks(networks, limits)
    for name, judged in (
        ("history", _history),
        ("ingest", _ingest),
        ("live", _live),
        ("traffic-live", _traffic_live),
        ("measures", _measures),
        ("checkup", _checkup),
        ("light", _light),
    ):
        if results.get(name):
            found += judged(results[name], limits)
    if memory := results.get("memory"):
        times, limit = memory["times_the_file"], limits["memory_times_file"]
        found.append(
            Verdict("peak memory, × the file", memory["file"], f"{times:.1f}", f"≤ {limit:g}", times <= limit)
        )  # fmt: skip
    return found


def _file(record: dict[str, Any], limits: dict[str, Any]) -> Iterator[Verdict]:
    name, ours = record["file"], record["product"]
    yield _share("tiling, leaves only, of the kernel's CPU", name, ours["share_leaves"], limits["share_leaves"])  # fmt: skip
    yield _share("tiling, all levels, of the kernel's CPU", name, ours["share_all"], limits["share_all"])  # fmt: skip
    if name in limits["leaf_gzipped_bytes"]:
        limit = limits["leaf_gzipped_bytes"][name]
        yield _kilobytes("leaves gzipped, kB", name, ours["leaf_gzipped"], limit)
    kept, wanted = ours["kept"], record["elements"]
    yield Verdict("GlobalIds kept", name, str(kept), str(wanted), kept == wanted)
    off, limit = ours["deviation"], min(ours["stated_deviation"], limits["deviation_metres"])
    yield Verdict("deviation, mm", name, f"{1000 * off:.2f}", f"≤ {1000 * limit:.2f}", off <= limit)
    cpu, peer = record["contenders"][PRODUCT], record["contenders"][PY3DTILES]
    if "failed" not in peer:
        mine, theirs = ours["work"], median(peer["cpu"]) - peer["start"]
        said = f"{mine:.2f} (whole {median(cpu['cpu']):.2f})"
        limit = f"< {theirs:.2f} (whole {median(peer['cpu']):.2f}, {PY3DTILES})"
        yield Verdict(
            "import without starting and properties, CPU s", name, said, limit, mine < theirs
        )


def _queries(record: dict[str, Any], limits: dict[str, Any]) -> Iterator[Verdict]:
    where = f"{record['footprints']:,} footprints"
    for what, limit in (
        ("a box", limits["box_milliseconds"]),
        ("a point", limits["point_milliseconds"]),
        ("the 10 nearest", limits["nearest_milliseconds"]),
    ):
        figure = record["queries"][what]["p50"]
        yield Verdict(f"{what}, ms", where, f"{figure:.2f}", f"≤ {limit:g}", figure <= limit)
    deep = record["pages"]["100%"]["p50"] / record["pages"]["0%"]["p50"]
    limit = limits["deep_page"]
    yield Verdict("the last page, of the first's time", where, f"{deep:.2f}", f"≤ {limit:g}", deep <= limit)  # fmt: skip


def _history(record: dict[str, Any], limits: dict[str, Any]) -> Iterator[Verdict]:
    where = f"{record['observations']:,} observations"
    for name, limit in limits["history_milliseconds"].items():
        figure = record["questions"][name]["p50"]
        yield Verdict(f"{name}, ms", where, f"{figure:.2f}", f"≤ {limit:g}", figure <= limit)  # fmt: skip


def _ingest(record: dict[str, Any], limits: dict[str, Any]) -> Iterator[Verdict]:
    for one in record["ways"]:
        where = f"{one['way']}, {one['rows']} at a time"
        figure, limit = (
            one["per_second"],
            limits["ingest_per_second"][f"{one['way']} {one['rows']}"],
        )
        yield Verdict("observations/s", where, f"{figure:,}", f"≥ {limit:,}", figure >= limit)
    share = sum(record["stages"].values()) / record["sqlite_us"]
    limit = limits["ingest_of_rows"]
    yield Verdict("CPU, of rows in SQLite", "batches of 500", f"{share:.0%}", f"≤ {limit:.0%}", share <= limit)  # fmt: skip


def _live(record: dict[str, Any], limits: dict[str, Any]) -> Iterator[Verdict]:
    where, ways = f"{record['clients']} clients", record["ways"]
    own, limit = ways["live"]["cpu_share"], limits["live_cpu_share"]
    yield Verdict("live values, of a core", where, f"{own:.1%}", f"≤ {limit:.0%}", own <= limit)
    for way in ("json", "orjson"):
        share = ways["live"]["cpu_us_per_frame"] / ways[way]["cpu_us_per_frame"]
        limit = limits[f"live_of_{way}"]
        yield Verdict(
            f"CPU of a frame, of the same with {way}",
            where,
            f"{share:.1%}",
            f"≤ {limit:.0%}",
            share <= limit,
        )
    late, limit = ways["live"]["p99_ms"] / ways["json"]["p99_ms"], limits["live_late_of_json"]
    yield Verdict("late at 99 %, of the same with json", where, f"{late:.0%}", f"≤ {limit:.0%}", late <= limit)  # fmt: skip


def _traffic_live(record: dict[str, Any], limits: dict[str, Any]) -> Iterator[Verdict]:
    where, limit = f"{record['clients']} clients", limits["traffic_live_milliseconds"]
    late = record["measuring"]["frame_p99_ms"]
    yield Verdict("live traffic while measuring, ms late at 99 %", where, f"{late:.0f}", f"≤ {limit:g}", late <= limit)  # fmt: skip


def _measures(record: dict[str, Any], limits: dict[str, Any]) -> Iterator[Verdict]:
    where, limit = f"{record['rows']:,} positions", limits["measures_seconds"]
    cpu = record["cpu_seconds"]["all"]
    yield Verdict("all measures of an intersection, s", where, f"{cpu:.1f}", f"≤ {limit:g}", cpu <= limit)  # fmt: skip


def _checkup(record: dict[str, Any], limits: dict[str, Any]) -> Iterator[Verdict]:
    where, limit = f"{record['buildings']:,} buildings", limits["checkup_seconds"]
    for one in record["sets"]:
        what = f"check-up by all indicators of {one['set']}, s"
        cpu = one["cpu_seconds"]
        yield Verdict(what, where, f"{cpu:.1f}", f"≤ {limit:g}", cpu <= limit)
    peer, most = record["peer"], limits["checkup_of_peer"]
    yield _share("coverage, of the CPU of the plain way", where, peer["share"], most)


def _light(record: dict[str, Any], limits: dict[str, Any]) -> Iterator[Verdict]:
    where, most = f"{record['triangles']:,} triangles", limits["rays_of_embree"]
    for one in record["rays"]:
        if one["differ"] is not None:
            what, figure = f"rays of {one['what']}, of the CPU of trimesh with Embree", one["ratio"]
            yield _share(what, where, figure, most)
            apart, limit = one["differ"], limits["rays_differ"]
            what = f"rays of {one['what']} that differ from the peer's"
            yield Verdict(what, where, f"{apart:.4%}", f"≤ {limit:.2%}", apart <= limit)
    ways, most = record["ways"], limits["ways_of_networkx"]
    where = f"{ways['nodes']:,} crossings"
    yield _share("shortest ways, of the CPU of networkx", where, ways["ratio"], most)
    same = ways["as_the_peer"] and ways["differ"] < 1e-9
    yield Verdict("minutes to every crossing, as the peer", where, f"{ways['differ']:.0e}", "< 1e-09", same)  # fmt: skip


def _networks(record: dict[str, Any], limits: dict[str, Any]) -> Iterator[Verdict]:
    where = f"{record['segments']:,} segments"
    seconds, limit = record["load_seconds"], limits["network_load_seconds"]
    yield Verdict("loading, s", where, f"{seconds:.1f}", f"≤ {limit:g}", seconds <= limit)
    for name, found in record["questions"].items():
        limit = limits[f"{name.split()[0]}_milliseconds"]
        figure = found["p50"]
        yield Verdict(f"{name}, ms", where, f"{figure:.0f}", f"≤ {limit:g}", figure <= limit)
    figure, limit = record["memory"] / 1e6, limits["network_memory_bytes"] / 1e6
    yield Verdict("peak memory, MB", where, f"{figure:,.0f}", f"≤ {limit:,.0f}", figure <= limit)
    if check := record.get("clearance"):
        where, seconds, most = (
            f"{check['segments']:,} segments",
            check["seconds"],
            limits["clearance_seconds"],
        )
        yield Verdict(
            "clearances of a city, s", where, f"{seconds:.0f}", f"≤ {most:g}", seconds <= most
        )
    if beside := record.get("side_by_side"):
        for name, ours in beside["product"].items():
            mine, other = ours["found"], beside["peers"][name]["found"]
            yield Verdict(f"{name}, as the peer", beside["model"], str(mine), str(other), mine == other)  # fmt: skip


def _share(what: str, where: str, figure: float, limit: float) -> Verdict:
    return Verdict(what, where, f"{figure:.1%}", f"≤ {limit:.0%}", figure <= limit)


def _kilobytes(what: str, where: str, figure: int, limit: int) -> Verdict:
    return Verdict(what, where, f"{figure / 1000:.1f}", f"≤ {limit / 1000:g}", figure <= limit)

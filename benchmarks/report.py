"""Results as pages: a table for people beside the figures for programs."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.targets import PRODUCT, verdicts

_BEGIN, _END = "<!-- benchmarks: begin -->", "<!-- benchmarks: end -->"

STAGES = (
    ("start", "start of interpreter, imports"), ("start of workers", "the same of the workers"),
    ("reading", "reading the file"), ("contents", "content hashes, one mesh once"),
    ("opening", "opening the extract"), ("kernel", "geometry kernel"),
    ("hand-over", "between processes"), ("placing", "place on earth"),
    ("properties", "properties"), ("check-in", "check-in"), ("leaves", "tiling: leaves"),
    ("far tiles", "tiling: far levels"), ("saving", "registry: footprints, H3, SQL"),
    ("checking", "checking the tiles"), ("other threads", "progress, heartbeat"), ("other", "job, hashes, publishing"), ("end", "end"),
)  # fmt: skip

_RAYS = {
    "tree": "tree of triangles, trimesh 5.2.0 with Embree", "sun": "rays to the sun, the same",
    "views": "rays from an eye to the ground, the same",
}  # fmt: skip


def page(results: dict[str, Any]) -> str:
    """The results as Markdown."""
    machine = results["machine"]
    parts = [
        f"# Benchmarks of {results['date']}",
        f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gb']} GB; "
        f"{machine['system']}, Python {machine['python']}. Medians of {results['repeat']} runs, "
        "contenders turn and turn about. kB are 1000 bytes. How to read this: "
        "[benchmarks](../README.md).",
        "## Targets",
        _table(
            ("what", "where", "figure", "target", "met"),
            ((v.what, v.where, v.figure, v.target, "yes" if v.met else "**no**") for v in verdicts(results)),
        ),
    ]  # fmt: skip
    if files := results.get("files"):
        parts += ["## Side by side", compact(files), *_files(files)]
    if reimport := results.get("reimport"):
        parts += [
            "## A second version", "1 % of the elements changed, all STEP ids new, all lines in "
            "another order; CPU of the second import as a share of the first's.",
            _table(
                ("file", "changed", "tessellated", "tiles taken over", "geometry and tiling", "all work", "total CPU"),
                (
                    (r["file"], f"{r['changed']} of {r['elements']}", r["tessellated"], f"{r['reused_tiles']} of {r['tiles']}",
                     f"{r['geometry_and_tiling']:.1%}", f"{r['work']:.1%}", f"{r['total']:.1%}")
                    for r in reimport
                ),
            ),
            "CPU s by stage, first → second:", _stages_table([(r["file"], r["first_cpu"], r["second_cpu"]) for r in reimport]),
        ]  # fmt: skip
    for name in ("railway", "town", "buildings", "pipes"):
        if name in results:
            parts += [f"## {name.capitalize()}", _synthetic(results[name])]
    if queries := results.get("queries"):
        parts += [
            "## Queries",
            f"{queries['footprints']:,} footprints, {queries['bytes'] / 1e6:,.0f} MB, saved in "
            f"{queries['seconds']:,.0f} s; milliseconds.",
            _table(
                ("query", "features found", "median", "95 %"),
                (
                    (name, f"{q['found']:g}", f"{q['p50']:.2f}", f"{q['p95']:.2f}")
                    for name, q in (*queries["queries"].items(), *(
                        (f"a page, {depth} in", q) for depth, q in queries["pages"].items()
                    ))
                ),
            ),
        ]  # fmt: skip
    for name, title, written in (
        ("networks", "Networks", _networks), ("history", "History", _history),
        ("ingest", "Observations in", _ingest), ("live", "Live values", _live),
        ("traffic-live", "Live traffic", _traffic_live),
        ("measures", "Measures of an intersection", _measures), ("checkup", "City check-up", _checkup),
        ("light", "Light, views and ways", _light),
    ):  # fmt: skip
        if results.get(name):
            parts += [f"## {title}", *written(results[name])]
    if memory := results.get("memory"):
        size, peak = memory["bytes"] / 1e6, memory["memory"] / 1e6
        parts += [
            "## Memory",
            f"{memory['file']}: {size:.0f} MB, {memory['features']:,} features; peak {peak:,.0f} MB, "
            f"{memory['times_the_file']} times the file, in {memory['wall']:,.0f} s.",
            _table(("stage", "CPU s"), ((words, memory["cpu"].get(s, 0.0)) for s, words in STAGES)),
        ]  # fmt: skip
    return "\n\n".join(parts) + "\n"


def _history(record: dict[str, Any]) -> list[str]:
    said = (
        f"{record['observations']:,} observations in {record['files']} files of {record['bytes'] / 1e6:,.0f} MB, "
        f"filled in within {record['seconds']:,.0f} s; the table with its index has "
        f"{record['table_bytes'] / 1e6:,.0f} MB. Milliseconds, turn and turn about; the ratio is that of "
        "the medians."
    )
    rows = (
        (
            name,
            f"{q['found']:,}",
            f"{q['p50']:.2f}",
            f"{q['p95']:.2f}",
            f"{q['peer_p50']:.2f}",
            f"{q['p50'] / q['peer_p50']:.2f}",
        )
        for name, q in record["questions"].items()
    )
    heads = ("question", "observations", "median", "95 %", "SQLite table, median", "ratio")
    return [said, _table(heads, rows)]


def _ingest(record: dict[str, Any]) -> list[str]:
    said = (
        f"{record['seconds']:g} s each; server, broker, sender and somebody who asks for the newest ten times a "
        "second share the machine. Acknowledged is on disk, with checks, duplicates, aggregates and alarms."
    )
    rows = (
        (w["way"], w["rows"], f"{w['per_second']:,}", w["server_us"], w["client_us"],
         *(f"{w[name]:.0f}" if w[name] else "" for name in ("p50", "p99")), w["asked"])
        for w in record["ways"]
    )  # fmt: skip
    stages = ((stage, cpu) for stage, cpu in record["stages"].items())
    total = sum(record["stages"].values())
    return [
        said,
        _table(("way", "rows", "observations/s", "server CPU µs", "sender CPU µs", "p50 ms", "p99 ms", "answers beside"), rows),
        "CPU µs of one observation in batches of 500, in one process:",
        _table(("stage", "µs"), stages),
        f"All of it {total:.2f} µs; the same batches as rows in SQLite by `INSERT OR IGNORE`, without checks, places "
        f"and alarms: {record['sqlite_us']:.2f} µs, so {total / record['sqlite_us']:.0%} of that.",
    ]  # fmt: skip


def _live(record: dict[str, Any]) -> list[str]:
    said = (
        f"{record['clients']} clients on the same machine, {record['objects']:,} objects, all of which "
        f"change {record['hertz']:g} times a second. `live` is the product's: one encoding in columns for "
        "all; the others encode rows of JSON for each client, with orjson and with Starlette's `send_json`."
    )
    rows = (
        (way, f"{r['cpu_share']:.1%}", f"{r['told']:.0%}", f"{r['cpu_us_per_frame']:.0f}",
         f"{r['bytes_per_frame'] / 1000:.1f}", f"{r['p50_ms']:.0f}", f"{r['p99_ms']:.0f}")
        for way, r in record["ways"].items()
    )  # fmt: skip
    header = ("way", "of a core", "frames told", "CPU µs a frame", "kB a frame", "median ms late", "99 %")  # fmt: skip
    return [said, _table(header, rows)]


def _traffic_live(record: dict[str, Any]) -> list[str]:
    said = (
        f"{record['clients']} clients of a server that is fed {record['vehicles']:,} vehicles "
        f"{record['hertz']:g} times a second over HTTP; server, sender and clients share the machine. Late "
        "is from the making of a frame until a client has it, and since sent from the sender's clock on. "
        f"Then the same while measures of an hour of {record['rows']:,} positions are asked for without a pause."
    )
    rows = (
        (name, f"{r['cpu_share']:.1%}", f"{r['told']:.0%}", f"{r['bytes_per_frame'] / 1000:.1f}",
         *(f"{r[f'{of}_p{share}_ms']:.0f}" for of in ("frame", "sent") for share in (50, 99)),
         r.get("measured", ""), r.get("measures_seconds", ""))
        for name, r in ((name, record[name]) for name in ("alone", "measuring"))
    )  # fmt: skip
    header = ("", "of a core", "frames told", "kB a frame", "median ms late", "99 %", "median ms since sent", "99 %", "measured", "median s")  # fmt: skip
    return [said, _table(header, rows)]


def _measures(record: dict[str, Any]) -> list[str]:
    said = (
        f"{record['rows']:,} positions of {record['vehicles']:,} passages, {record['hertz']} a second, of an "
        f"hour at a real intersection: all {record['columns']} columns in bins of 15 minutes. CPU seconds on "
        "one core; matching is done once."
    )
    rows = ((stage, f"{seconds:.2f}") for stage, seconds in record["cpu_seconds"].items())
    return [said, _table(("stage", "s"), rows)]


def _checkup(record: dict[str, Any]) -> list[str]:
    peer = record["peer"]
    said = (
        f"{record['buildings']:,} buildings, {record['facilities']:,} facilities, {record['communities']:,} "
        "communities: every indicator at every level it is told of, reading the layers included; then again "
        "with every value known. CPU seconds. Coverage by parks in the district and all communities takes "
        f"{peer['cpu_seconds']:.1f} s, the plain way with shapely {peer['naive_seconds']:.1f} s; they differ by "
        f"{peer['differ']:.0e} percentage points at most."
    )  # fmt: skip
    rows = (
        (
            s["set"], f"{s['available']} of {s['indicators']}", f"{s['cpu_seconds']:.1f}",
            f"{s['known_seconds']:.1f}", f"{s['bytes'] / 1e6:.1f}",
        )
        for s in record["sets"]
    )  # fmt: skip
    header = ("set", "indicators with a value", "s", "s with all known", "MB of values")
    return [said, _table(header, rows)]


def _light(record: dict[str, Any]) -> list[str]:
    said = (
        f"A generated city of {record['buildings']:,} boxes, {record['triangles']:,} triangles, with streets between "
        f"them. CPU seconds on one core, medians of {record['repeat']}; the questions as they are asked, reading the "
        "city included:"
    )
    ways = record["ways"]
    beside = (
        (_RAYS[one["what"]], f"{one['count']:,}", f"{one['cpu_seconds']:.3f}", f"{one['peer_seconds']:.3f}",
         f"{one['ratio']:.2f}", "" if one["differ"] is None else f"{one['differ']:.4%}")
        for one in record["rays"]
    )  # fmt: skip
    walked = (
        f"minutes on foot to {ways['reached']:,} of {ways['nodes']:,} crossings, networkx",
        "", f"{ways['cpu_seconds']:.4f}", f"{ways['peer_seconds']:.4f}", f"{ways['ratio']:.2f}",
        f"{ways['differ']:.0e} min",
    )  # fmt: skip
    return [
        said,
        _table(
            ("question", "rows", "s"),
            ((q["question"], f"{q['rows']:,}", f"{q['cpu_seconds']:.2f}") for q in record["questions"]),
        ),
        "What they rest on, beside other programs with the same triangles, rays and network:",
        _table(("", "count", f"{PRODUCT}, s", "peer, s", "ratio", "differ"), [*beside, walked]),
    ]  # fmt: skip


def _networks(record: dict[str, Any]) -> list[str]:
    said = (
        f"{record['segments']:,} segments, {record['nodes']:,} nodes, {record['valves']:,} valves; "
        f"loaded in {record['load_seconds']:.1f} s, peak {record['memory'] / 1e6:,.0f} MB. "
        "Milliseconds; the first answer is that of a process that has just loaded the network."
    )
    rows = (
        (name, f"{q['found']:g}", f"{q['first']:.0f}", f"{q['p50']:.0f}", f"{q['p95']:.0f}")
        for name, q in record["questions"].items()
    )
    parts = [said, _table(("question", "found", "first", "median", "95 %"), rows)]
    if houses := record.get("house_connections"):
        took = (f"{int(n):,} in {seconds:.2f} s" for n, seconds in houses.items())
        parts.append(
            "A break in a main whose only valves are those of its house connections, each failing in "
            f"turn: {', '.join(took)}."
        )
    if check := record.get("clearance"):
        parts.append(
            f"Clearances of another generated city of {check['segments']:,} segments: {check['seconds']:.0f} s, "
            f"peak {check['memory'] / 1e6:,.0f} MB; {check['compared']:,} pairs measured, "
            f"{check['findings']:,} too near."
        )
    if beside := record.get("side_by_side"):
        parts += [
            f"{beside['model']}, {beside['links']:,} links, milliseconds, nothing remembered; parts by "
            "wntr 1.5.0, all else by networkx:",
            _table(
                ("question", "found", PRODUCT, "peer"),
                (
                    (name, ours["found"], f"{1000 * ours['seconds']:.2f}", f"{1000 * beside['peers'][name]['seconds']:.2f}")
                    for name, ours in beside["product"].items()
                ),
            ),
        ]  # fmt: skip
    return parts


def compact(files: list[dict[str, Any]]) -> str:
    """One line for each file and contender."""
    rows = []
    for record in files:
        for name, found in record["contenders"].items():
            start = (record["file"] if name == PRODUCT else "", name)
            if "failed" in found:
                rows.append((*start, "fails", "", "", "", "", ""))
                continue
            rows.append(
                (*start, f"{median(found['cpu']):.2f}", f"{median(found['wall']):.2f}",
                 f"{max(found['memory']) / 1e6:.0f}", f"{found['bytes'] / 1000:.0f}",
                 f"{found['gzipped'] / 1000:.0f}", f"{found['kept']} of {record['shown_elements']}")
            )  # fmt: skip
            if name == PRODUCT:
                ours = record["product"]
                rows.append(("", "– its leaves", "", "", "", f"{ours['leaf_bytes'] / 1000:.0f}", f"{ours['leaf_gzipped'] / 1000:.0f}", ""))  # fmt: skip
    heads = ("file", "program", "CPU s", "wall s", "peak MB", "kB", "kB gzipped", "GlobalIds kept")
    return _table(heads, rows)


def brief(files: list[dict[str, Any]]) -> str:
    """One line for each file, the contenders beside each other."""
    names = list(files[0]["contenders"])

    def beside(record: dict[str, Any], say: Callable[[dict[str, Any]], str]) -> str:
        found = (record["contenders"][name] for name in names)
        return " / ".join("fails" if "failed" in item else say(item) for item in found)

    rows = [
        (record["file"], beside(record, lambda item: f"{median(item['cpu']):.1f}"),
         beside(record, lambda item: f"{item['gzipped'] / 1000:.0f}"),
         f"{record['product']['leaf_gzipped'] / 1000:.0f}",
         beside(record, lambda item: str(item["kept"])) + f" of {record['shown_elements']}",
         f"{1000 * record['product']['deviation']:.1f}")
        for record in files
    ]  # fmt: skip
    heads = (
        "File",
        "CPU s",
        "kB gzipped",
        "our leaves alone",
        "GlobalIds kept",
        "our deviation, mm",
    )
    return f"{' / '.join(names)}:\n\n{_table(heads, rows)}"


def _files(files: list[dict[str, Any]]) -> list[str]:
    failures = [
        f"{name} on {record['file']}: `{found['failed']}`"
        for record in files
        for name, found in record["contenders"].items()
        if "failed" in found
    ]
    rows = []
    for record in files:
        ours = record["product"]
        per_level = " / ".join(f"{x['triangles']:,} in {x['tiles']}" for x in ours["levels"])
        rows.append(
            (record["file"], f"{ours['share_leaves']:.1%}", f"{ours['share_all']:.1%}", f"{record['kernel_alone']:.2f}", per_level,
             f"{1000 * ours['deviation']:.2f} ({1000 * ours['stated_deviation']:.2f})",
             f"{ours['kept']} of {record['elements']}")
        )  # fmt: skip
    heads = ("file", "leaves ÷ kernel", "all levels ÷ kernel", "kernel alone, CPU s", "triangles in tiles, root first", "deviation mm (stated)", "GlobalIds, hidden ones too")  # fmt: skip
    return [
        *(["Failures: " + "; ".join(failures)] if failures else []),
        "## Our tiles", _table(heads, rows),
        "## Our CPU seconds by stage", _stages_table([(r["file"], r["product"]["cpu"]) for r in files]),
        "## Our wall seconds by stage", "Workers run while “between processes” waits for them.",
        _stages_table([(r["file"], r["product"]["wall"]) for r in files]),
    ]  # fmt: skip


def _stages_table(columns: Sequence[tuple[Any, ...]]) -> str:
    def cell(stage: str, cpus: Iterable[dict[str, float]]) -> str:
        return " → ".join(f"{cpu.get(stage, 0.0):.2f}" for cpu in cpus)

    rows = [(words, *(cell(s, cpus) for _, *cpus in columns)) for s, words in STAGES]
    total = (" → ".join(f"{sum(cpu.values()):.2f}" for cpu in cpus) for _, *cpus in columns)
    return _table(("stage", *(name for name, *_ in columns)), [*rows, ("sum", *total)])


def _synthetic(record: dict[str, Any]) -> str:
    stages = ", ".join(f"{name} {seconds:.2f}" for name, seconds in record["cpu"].items())
    levels = " / ".join(f"{x['triangles']:,} in {x['tiles']}" for x in record["levels"])
    return (
        f"{record['elements']:,} elements: {record['bytes'] / 1000:,.1f} kB "
        f"({record['gzipped'] / 1000:,.1f} gzipped, {record['leaf_gzipped'] / 1000:,.1f} of it leaves), the first tile {record['root_bytes'] / 1000:.1f} kB "
        f"({record['root_gzipped'] / 1000:.1f}); CPU s: {stages}; peak {record['memory'] / 1e6:,.0f} MB. "
        f"Triangles in tiles, root first: {levels}."
    )


def _table(heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def put_into_readme(readme: Path, results: dict[str, Any], link: str) -> None:
    """Replace what stands between the marks of the README by the table of these results."""
    text = readme.read_text(encoding="utf-8")
    before, rest = text.split(_BEGIN)
    machine = results["machine"]
    said = (
        f"Measured {results['date']} on {machine['processor']}, {machine['cores']} cores "
        f"([all figures]({link})), "
    )
    after = rest.split(_END)[1]
    table = brief(results["files"])
    readme.write_text(f"{before}{_BEGIN}\n{said}{table}\n{_END}{after}", encoding="utf-8")

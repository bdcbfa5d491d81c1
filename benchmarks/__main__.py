"""`python -m benchmarks`: measure, and write the results; see README.md."""

import argparse
import datetime
import json
import platform
import re
import signal
import tempfile
from pathlib import Path
from typing import Any

import sample_data
from benchmarks import (
    FOLDER,
    ROOT,
    checkup,
    files,
    history,
    ingest,
    light,
    live,
    measures,
    memory,
    networks,
    queries,
    reimport,
    synthetic,
    traffic_live,
)
from benchmarks.report import page, put_into_readme
from cim_core.work import available_cores

PARTS = ("files", "reimport", "railway", "town", "buildings", "pipes", "queries", "networks", "history", "ingest", "live", "traffic-live", "measures", "checkup", "light", "memory")  # fmt: skip
SHARED = ROOT.parent / "shared" / "data" / "ifc"
RESULTS = FOLDER / "results"


def main() -> None:
    """Measure the parts asked for."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; all but memory if none is named")  # fmt: skip
    parser.add_argument("--ifc", type=Path, help="a folder of IFC files; by default the shared ones, or the sample buildings")  # fmt: skip
    parser.add_argument("--repeat", type=int, default=5, help="runs of each program on each file")
    parser.add_argument("--memory-mb", type=int, default=200, help="the size of the large file")
    parser.add_argument("--results", type=Path, default=RESULTS, help="the folder for the results")
    parser.add_argument("--readme", action="store_true", help="put the table into README.md, too")
    options = parser.parse_args()
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"there is no part {unknown.pop()}; there are {', '.join(PARTS)}")
    if options.ifc is not None and not any(options.ifc.glob("*.ifc")):
        parser.error(f"there is no .ifc file in {options.ifc}")
    parts: list[str] = options.parts or list(PARTS[:-1])
    # Told to end, it ends what it started and clears up, as after Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    results: dict[str, Any] = {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "machine": _machine(),
        "repeat": options.repeat,
    }
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as temporary:
        work = Path(temporary)
        sources = _sources(options.ifc or SHARED, work / "samples")
        if "files" in parts:
            results["files"] = files.measure(sources, options.repeat, work / "files")
        if "reimport" in parts:
            results["reimport"] = reimport.measure(sources, options.repeat, work / "reimport")
        for name, elements in (
            ("railway", 10_000), ("town", 100_000), ("buildings", 100_000), ("pipes", 100_000),
        ):  # fmt: skip
            if name in parts:
                repeat = options.repeat if name == "railway" else 1
                results[name] = synthetic.measure(name, elements, repeat, work / name)
        if "queries" in parts:
            results["queries"] = queries.measure()
        if "networks" in parts:
            results["networks"] = networks.measure(work / "networks")
        for name, measure in (
            ("history", history.measure), ("ingest", ingest.measure), ("live", live.measure),
            ("traffic-live", traffic_live.measure), ("measures", measures.measure),
            ("checkup", checkup.measure),
        ):  # fmt: skip
            if name in parts:
                results[name] = measure()
        if "light" in parts:
            results["light"] = light.measure(work / "light")
        if "memory" in parts:
            results["memory"] = memory.measure(sources, options.memory_mb, work / "memory")
    _write(results, options.results, parts, readme=options.readme)


def _sources(folder: Path, samples: Path) -> list[Path]:
    found = sorted(folder.glob("*.ifc"))
    if not found:
        samples.mkdir()
        sample_data.generate(samples)
        found = sorted(samples.glob("*.ifc"))
    return found


def _machine() -> dict[str, Any]:
    """What it was measured on, without names."""
    described = Path("/proc/cpuinfo").read_text()
    processor = re.search(r"model name\s*:\s*(.*)", described)
    memory_kb = re.search(r"MemTotal:\s*(\d+)", Path("/proc/meminfo").read_text())
    return {
        "processor": processor[1].strip() if processor else platform.machine(),
        "cores": available_cores(),
        "memory_gb": round(int(memory_kb[1]) / 1e6) if memory_kb else 0,
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
    }


def _write(results: dict[str, Any], folder: Path, parts: list[str], *, readme: bool) -> None:
    """Both files are named by date, machine, and parts where not all were measured."""
    folder.mkdir(parents=True, exist_ok=True)
    machine = results["machine"]
    words = f"{machine['processor']} {machine['cores']} cores"
    some = [] if tuple(parts) == PARTS[:-1] else parts
    name = "-".join([results["date"], re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-"), *some])
    path = folder / f"{name}.md"
    text = json.dumps(results, indent=1, ensure_ascii=False)
    path.with_suffix(".json").write_text(text + "\n", encoding="utf-8")
    path.write_text(page(results), encoding="utf-8")
    print(page(results))  # noqa: T201
    if readme:
        put_into_readme(ROOT / "README.md", results, path.relative_to(ROOT).as_posix())


if __name__ == "__main__":
    main()

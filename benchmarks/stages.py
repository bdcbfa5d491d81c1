"""Where the CPU time of an import goes: the product's functions wrapped from outside.

Each stage is charged what is spent in its functions but not in those of another stage that they
call. What the geometry workers spend they append to a file, as they are killed when done.
"""

import inspect
import json
import resource
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial, wraps
from pathlib import Path
from typing import Any

import bim_import.ifc
import bim_import.ifc_geometry
import bim_import.ifc_plan
import bim_import.ifc_shapes
import cim_core.draft
import server.ingest
import tiles.build
from benchmarks import worker

FAR_TILES: tuple[tuple[Any, str, str], ...] = (
    (tiles.build._Builder, "_far", "far tiles"),
    (tiles.build, "seen_from_outside", "far tiles"),
)

PLACES: tuple[tuple[Any, str, str], ...] = (
    (bim_import.ifc, "check_ifc", "reading"),
    (bim_import.ifc, "open_ifc", "reading"),
    (bim_import.ifc, "products_with_shape", "reading"),
    (bim_import.ifc_plan, "_read", "contents"),
    (bim_import.ifc, "find_shapes", "contents"),
    (bim_import.ifc, "tessellate", "hand-over"),
    (bim_import.ifc_shapes, "tessellate", "hand-over"),
    (bim_import.ifc, "laid_out", "placing"),
    (bim_import.ifc, "georeference", "placing"),
    (bim_import.ifc, "instances", "placing"),
    (bim_import.ifc, "_features", "properties"),
    (bim_import.ifc, "findings", "check-in"),
    (server.ingest, "check_in", "check-in"),
    (cim_core.draft.Draft, "save", "saving"),
    (server.ingest, "build_tileset", "leaves"),
    *FAR_TILES,
    (server.ingest, "check_tiles", "checking"),
)
"""Module or class, function, stage. Names that begin with _ are the code's own affair: when one
goes, this table is to follow."""


class Stages:
    """CPU and wall seconds by stage, of the main thread; what no stage has is `other`."""

    def __init__(self, clock: Callable[[], float] = time.thread_time) -> None:
        self._clock = clock
        self.cpu: dict[str, float] = defaultdict(float)
        self.wall: dict[str, float] = defaultdict(float)
        self._stack = ["start"]
        self._cpu, self._wall = 0.0, time.perf_counter()

    def _charge(self) -> None:
        cpu, wall = self._clock(), time.perf_counter()
        self.cpu[self._stack[-1]] += cpu - self._cpu
        self.wall[self._stack[-1]] += wall - self._wall
        self._cpu, self._wall = cpu, wall

    def begin(self) -> None:
        """All before this was the start of the interpreter and imports."""
        self._charge()
        self._stack = ["other"]

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Charge a stage while the block runs."""
        self._charge()
        self._stack.append(name)
        try:
            yield
        finally:
            self._charge()
            self._stack.pop()

    def wrap(self, owner: Any, name: str, stage: str) -> None:
        """Let a function, or a generator whenever it is asked, be charged to a stage."""
        function = getattr(owner, name)

        @wraps(function)
        def called(*arguments: Any, **more: Any) -> Any:
            with self.stage(stage):
                return function(*arguments, **more)

        @wraps(function)
        def generated(*arguments: Any, **more: Any) -> Iterator[Any]:
            made = function(*arguments, **more)
            end = object()
            while True:
                with self.stage(stage):
                    item = next(made, end)
                if item is end:
                    return
                yield item

        setattr(owner, name, generated if inspect.isgeneratorfunction(function) else called)

    def install(self, workers: Path) -> None:
        """Wrap all of `PLACES`, and let workers append what they spend to a file."""
        for place in PLACES:
            self.wrap(*place)
        bim_import.ifc_geometry.make_task = partial(worker.measured_task, str(workers))

    def save(self, path: Path, workers: Path) -> None:
        """Write the stages, those of the other threads and of the workers included."""
        self._charge()
        self.cpu["other threads"] = time.process_time() - self._clock()
        if workers.exists():
            for line in workers.read_text().splitlines():
                stage, seconds = json.loads(line)
                self.cpu[stage] += seconds
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        children = usage.ru_utime + usage.ru_stime
        known = sum(self.cpu[stage] for stage in worker.STAGES)
        self.cpu["hand-over"] += children - known
        path.write_text(json.dumps({"cpu": self.cpu, "wall": self.wall}))

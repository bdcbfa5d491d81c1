"""The one door for parallel work.

A task is a plain function `task(batch) -> iterator of (item, result)`. An item that takes too long,
needs too much memory or crashes its process fails alone; the others of its batch are done again
one by one. The work is done by processes of this machine (`cim_core.processes`), or by a Dask
cluster (`cim_core.cluster`); the results are the same.
"""

from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any

from cim_core.crew import Crew, Failure, Limits, MakeTask, Task, available_cores
from cim_core.processes import Opener, work_off
from cim_core.progress import Progress

__all__ = [
    "Crew", "Failure", "Limits", "MakeTask", "Standing", "Task", "available_cores", "stream",
]  # fmt: skip


def stream(
    make_task: MakeTask,
    arguments: tuple[Any, ...],
    batches: Sequence[Sequence[str]],
    *,
    crew: Crew | None = None,
    progress: Progress | None = None,
) -> Iterator[tuple[str, Any]]:
    """Do `make_task(*arguments)` once, then the task on every batch of items, many at a time.

    Yields (item, result) in the order of completion, every item of every batch exactly once; the
    result is a `Failure` where an item could not be done. Both `make_task` and its arguments must
    be picklable, and a batch must not depend on those before it. While nothing is ready `progress`
    is asked, so that `Cancelled` is raised soon. Closing the iterator ends all processes.

    Raises what `make_task` raised, and `MissingDependency` when a cluster is named and not there.
    """
    crew, progress = crew or Crew(), progress or Progress()
    if not any(batches):
        return
    if crew.scheduler is not None:
        from cim_core import cluster  # brings Dask, which nobody without a cluster needs

        yield from cluster.stream(
            make_task, arguments, batches, crew.limits, crew.scheduler, progress.ask
        )
        return
    with closing(Opener(make_task, arguments, crew.limits)) as opener:
        yield from work_off(opener, batches, crew.workers or available_cores(), progress.ask)


class Standing:
    """What a task needs, opened once and kept: items are done as they come, each in a process of its own.

    The processes are of this machine. It opens with the first item; close it in the end.
    """

    def __init__(self, make_task: MakeTask, arguments: tuple[Any, ...], limits: Limits) -> None:
        self._opener = Opener(make_task, arguments, limits)

    def do(self, item: str, progress: Progress | None = None) -> Any:
        """The result of an item; a `Failure` where it could not be done. Raises as `stream` does."""
        [(_, result)] = work_off(self._opener, [[item]], 1, (progress or Progress()).ask)
        return result

    def close(self) -> None:
        """End all processes."""
        self._opener.close()

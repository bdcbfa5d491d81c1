"""The geometry task of the product, measured in the processes that do it.

A module of its own, so that these processes load no more than the product's do.
"""

import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from bim_import.ifc_geometry import make_task
from cim_core.crew import Task

STAGES = ("start of workers", "opening", "kernel")


def measured_task(record: str, path: str) -> Task:
    """The product's task; the CPU seconds of its stages are appended to the file `record`."""
    _spent(record, STAGES[0], time.process_time())
    begin = time.process_time()
    task = make_task(path)
    _spent(record, STAGES[1], time.process_time() - begin)

    def measured(batch: Sequence[str]) -> Iterator[tuple[str, Any]]:
        answers, spent = task(batch), 0.0
        while True:
            begin = time.process_time()
            answer = next(answers, None)
            spent += time.process_time() - begin
            if answer is None:
                _spent(record, STAGES[2], spent)
                return
            yield answer

    return measured


def _spent(record: str, stage: str, seconds: float) -> None:
    with Path(record).open("a") as file:  # appended in one piece, whoever else writes
        file.write(json.dumps([stage, seconds]) + "\n")

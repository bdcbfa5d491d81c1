"""The benchmarks measure the product from outside, so they must know its functions."""

from collections.abc import Iterator

import pytest

from benchmarks.report import STAGES
from benchmarks.stages import PLACES, Stages
from benchmarks.worker import STAGES as WORKER_STAGES


@pytest.mark.parametrize(("owner", "name", "stage"), PLACES)
def test_what_is_measured_is_there_and_has_a_line_in_the_report(
    owner: object, name: str, stage: str
) -> None:
    assert callable(getattr(owner, name))
    assert {stage, *WORKER_STAGES} <= {known for known, _ in STAGES}


def test_a_stage_does_not_contain_the_stages_it_calls() -> None:
    spent = [0.0]

    class Work:
        def outer(self) -> None:
            spent[0] += 1
            self.inner()
            spent[0] += 2

        def inner(self) -> None:
            spent[0] += 10

        def many(self) -> Iterator[int]:
            for number in range(3):
                spent[0] += 100
                yield number

    stages = Stages(lambda: spent[0])
    for name in ("outer", "inner", "many"):
        stages.wrap(Work, name, name)
    stages.begin()
    work = Work()
    work.outer()
    for _ in work.many():
        spent[0] += 1000
    work.inner()
    assert stages.cpu["outer"] == 3
    assert stages.cpu["inner"] == 20
    assert stages.cpu["many"] == 300

"""The stages of a job, and how long each takes beside the others."""

import tomllib
from functools import lru_cache
from importlib.resources import files

from cim_core.pace import Pace

LAST = "publishing"
"""The last stage of the import of one file."""

OF_MANY = "importing"
"""The stage of a job that imports many files: each of them has all the other stages."""


def stage_pace() -> Pace:
    """An estimate of the time a job still takes, knowing nothing of it yet."""
    return Pace(_weights())


def share_done(done: int, total: int, stage: str) -> float:
    """How much of the import of one file is behind, from 0 to 1, by the usual shares.

    >>> share_done(0, 0, "reading"), share_done(1, 1, LAST), share_done(1, 2, "other")
    (0.0, 1.0, 0.0)
    """
    weights = _weights()
    names = list(weights)[: list(weights).index(LAST) + 1]
    if stage not in names:
        return 0.0
    before = sum(weights[name] for name in names[: names.index(stage)])
    here = weights[stage] * done / total if total else 0.0
    return (before + here) / sum(weights[name] for name in names)


@lru_cache
def _weights() -> dict[str, float]:
    text = files("server").joinpath("stages.toml").read_text(encoding="utf-8")
    return {str(stage): float(share) for stage, share in tomllib.loads(text)["shares"].items()}

"""The stages of a job, and how long each takes beside the others."""

import tomllib
from functools import lru_cache
from importlib.resources import files

from cim_core.pace import Pace


def stage_pace() -> Pace:
    """An estimate of the time a job still takes, knowing nothing of it yet."""
    return Pace(_weights())


@lru_cache
def _weights() -> dict[str, float]:
    text = files("server").joinpath("stages.toml").read_text(encoding="utf-8")
    return {str(stage): float(share) for stage, share in tomllib.loads(text)["shares"].items()}

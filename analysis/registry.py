"""All analyses there are."""

from importlib.metadata import entry_points

from analysis.analysis import Analysis
from analysis.what_is_here import WhatIsHere
from cim_core.errors import NoSuchAnalysis

ANALYSES: tuple[type[Analysis], ...] = (WhatIsHere,)
"""One line for each analysis of this package."""


def analyses() -> dict[str, type[Analysis]]:
    """Every analysis by name; packages add theirs under the entry-point group `cim.analyses`."""
    outside: list[type[Analysis]] = [entry.load() for entry in entry_points(group="cim.analyses")]
    return {kind.name: kind for kind in (*ANALYSES, *outside)}


def analysis_named(name: str) -> type[Analysis]:
    """An analysis by its name; raises `NoSuchAnalysis`."""
    known = analyses()
    if name not in known:
        raise NoSuchAnalysis(f"there is no analysis {name!r}; there are {', '.join(known)}")
    return known[name]

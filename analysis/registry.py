"""All analyses there are; each is loaded when it is asked for."""

from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import cast

from analysis.analysis import Analysis
from cim_core.errors import NoSuchAnalysis

ANALYSES: dict[str, str] = {
    "what-is-here": "analysis.what_is_here:WhatIsHere",
    "cross-section": "analysis.cross_section:PipeCrossSection",
    "profile": "analysis.profile:PipeProfile",
    "trace": "analysis.trace:Trace",
    "isolation": "analysis.isolation:BurstIsolation",
    "clearance": "analysis.clearance:Clearance",
    "cover": "analysis.cover:Cover",
    "excavation": "analysis.excavation:Excavation",
    "clash": "analysis.clash:ClashCheck",
    "pipe-statistics": "analysis.pipe_statistics:PipeStatistics",
    "heat-map": "analysis.heat_map_question:HeatMap",
    "observation-anomalies": "analysis.observation_anomalies:ObservationAnomalies",
    "device-availability": "analysis.device_availability:DeviceAvailability",
    "intersection-measures": "analysis.intersection_measures:IntersectionMeasures",
    "signal-timing": "analysis.signal_timing:SignalTiming",
    "congestion": "analysis.congestion_question:Congestion",
    "traffic-events": "analysis.traffic_events:TrafficEventsQuestion",
    "checkup": "analysis.checkup_question:CheckUp",
    "isochrone": "analysis.isochrone:Isochrone",
    "composite-index": "analysis.composite_index:CompositeIndex",
    "vital-signs": "analysis.vital_signs_question:VitalSigns",
    "sunlight": "analysis.sunlight:Sunlight",
    "viewshed": "analysis.viewshed:Viewshed",
    "skyline": "analysis.skyline:Skyline",
    "planning-check": "analysis.planning_check:PlanningCheck",
}
"""One line for each analysis of this package: its name, and its class as "module:Class"."""


def analyses() -> dict[str, type[Analysis]]:
    """Every analysis by name; packages add theirs under the entry-point group `cim.analyses`."""
    return {name: analysis_named(name) for name in (*ANALYSES, *_outside())}


def analysis_named(name: str) -> type[Analysis]:
    """An analysis by its name; raises `NoSuchAnalysis`."""
    if name in ANALYSES:
        module, kind = ANALYSES[name].split(":")
        return cast("type[Analysis]", getattr(import_module(module), kind))
    outside = _outside()
    if name not in outside:
        known = ", ".join((*ANALYSES, *outside))
        raise NoSuchAnalysis(f"there is no analysis {name!r}; there are {known}")
    return cast("type[Analysis]", outside[name].load())


def _outside() -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group="cim.analyses")}

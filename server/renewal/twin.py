"""What renewal and the twin say of each other, as clients get it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from analysis.renewal.checks import CheckFinding
from analysis.renewal.plan_comparison import Comparison, State
from analysis.renewal.twin_areas import of_rows
from cim_core.city import City
from cim_core.renewal.documents import Limits
from server.renewal.asked import When

_DECIMALS: Mapping[str, int] = {
    "land_area": 2, "footprint": 2, "floor_area": 2, "far": 4, "height": 2, "density": 5,
    "green_ratio": 5,
}  # fmt: skip


def buildings_document(city: City, when: When, project: str | None) -> dict[str, Any]:
    """The features of each layer with the places of their states and of their projects.

    Features that are not seen are left out; an empty one stands for its layer, which is one building.
    """
    ledger = city.renewal.ledger()
    rows = ledger.buildings(when.at, when.known)
    twins = of_rows(city, rows)
    layers: dict[str, dict[str, list[Any]]] = {}
    places: dict[str, int] = {}
    for layer, feature, state, number in zip(
        rows.layers, rows.features, rows.states.tolist(), rows.projects.tolist(), strict=True
    ):
        name = ledger.projects[number]
        if (layer, feature) not in twins or project not in (None, name):
            continue
        told = layers.setdefault(layer, {"features": [], "states": [], "projects": []})
        told["features"].append(feature)
        told["states"].append(state)
        told["projects"].append(places.setdefault(name, len(places)))
    return {
        "at": when.at.isoformat(),
        "layers": [{"layer": layer, **told} for layer, told in sorted(layers.items())],
        "projects": list(places),
    }


def checks_document(findings: Sequence[CheckFinding]) -> dict[str, Any]:
    """The findings, and how many there are by severity and by rule."""
    severities = Counter(finding.severity for finding in findings)
    return {
        "findings": [asdict(finding) for finding in findings],
        "counts": {name: severities[name] for name in ("error", "warning", "info")},
        "rules": Counter(finding.rule for finding in findings),
    }


def comparison_document(compared: Comparison) -> dict[str, Any]:
    """Before and after, parcel by parcel and together."""
    return {
        "parcels": [
            {
                "id": parcel.id, "use": parcel.use, "existing": _state(parcel.existing),
                "planned": _state(parcel.planned), "approved": _limits(parcel.approved),
                "exceeds": parcel.exceeds,
            }
            for parcel in compared.parcels
        ],
        "totals": {
            "existing": _state(compared.existing), "planned": _state(compared.planned),
            "approved": _limits(compared.approved), "exceeds": compared.exceeds,
            "outside": compared.outside,
        },
    }  # fmt: skip


def _state(state: State | None) -> dict[str, Any] | None:
    if state is None:
        return None
    return {
        name: round(value, _DECIMALS[name]) if name in _DECIMALS and value is not None else value
        for name, value in asdict(state).items()
    }


def _limits(limits: Limits) -> dict[str, float | None]:
    return {name: getattr(limits, name) for name in Limits.__struct_fields__}

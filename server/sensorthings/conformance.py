"""The service document: which sets there are, and which requirements of the standard are kept."""

from typing import Any

from server.sensorthings.kinds import KINDS

_SPEC = "http://www.opengis.net/spec/iot_sensing/1.1/req"
_UPDATES = f"{_SPEC}/create-update-delete"

CONFORMANCE = (
    f"{_SPEC}/datamodel",
    f"{_SPEC}/resource-path/resource-path-to-entities",
    f"{_SPEC}/request-data",
    # Not delete-entity and update-entity as wholes: observations are kept as they came.
    f"{_UPDATES}/create-entity",
    f"{_UPDATES}/link-to-existing-entities",
    f"{_UPDATES}/deep-insert",
    f"{_UPDATES}/deep-insert-status-code",
    f"{_UPDATES}/update-entity-jsonpatch",
    f"{_UPDATES}/historical-location-auto-creation",
    f"{_UPDATES}/historical-location-manual-creation",
    f"{_SPEC}/data-array/data-array",
    "https://fraunhoferiosb.github.io/FROST-Server/extensions/JsonBatchRequest.html",
)
"""Requirement classes and requirements that are served, by the names other servers have for them."""


def service_document(root: str) -> dict[str, Any]:
    """What is answered at the root of the service."""
    return {
        "value": [{"name": name, "url": f"{root}/{name}"} for name in KINDS],
        "serverSettings": {
            "conformance": list(CONFORMANCE),
            f"{_SPEC}/data-array/data-array": {"endpoints": [f"{root}/CreateObservations"]},
            CONFORMANCE[-1]: {"endpoints": [f"{root}/$batch"]},
        },
    }

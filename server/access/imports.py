"""Whether somebody may import a file as a layer."""

from collections.abc import Mapping
from typing import cast, get_args

from cim_core.layer import Sensitivity
from cim_core.store.labels import Label
from server.access.access import Access

_STRICTEST: Sensitivity = "sensitive"
"""What a layer is taken to be before anybody has said, or read it from the file."""


def require_import(access: Access, layer: str | None, said: Mapping[str, str]) -> None:
    """Raise for a person who may not import a file; `said` are the options that came with it.

    The layer's present entry counts, and so does what the file would make of it. A folder makes any
    layers, so it takes somebody who may make all.
    """
    if layer is None:
        anything = Label("every layer of the folder", "model", _STRICTEST, None, 1, None)
        for label in (anything, *access.labels.values()):
            access.require("manage", label)
        return
    known = access.labels.get(layer)
    if known is not None:
        access.require("manage", known)
    wanted = said.get("sensitivity", known.sensitivity if known else _STRICTEST)
    sensitivity = wanted if wanted in get_args(Sensitivity) else _STRICTEST
    department = said.get("department", known.department if known else None)
    made = Label(layer, "model", cast("Sensitivity", sensitivity), department, 1, None)
    access.require("manage", made)

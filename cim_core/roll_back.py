"""Back to an earlier version: a kept one becomes the served one again, at once."""

from pathlib import Path

from cim_core.draft import TILESET
from cim_core.errors import Conflict
from cim_core.receipt import Receipt, hash_file, write_receipt
from cim_core.store.database import Database
from cim_core.store.layers import ROLL_BACK, LayerStore, serve_again


def roll_back(
    database: Database, root: Path, layer_id: str, number: int, who: str | None = None
) -> Receipt | None:
    """Serve a kept version of a layer from now on; its receipt, None if it is served already.

    `root` is the city's folder of layers. It is one transaction and takes no lock: an import that
    is running goes on, and when it is published its version is the served one. Nothing is removed.

    Raises `NotFound` for a version that is not kept, `Conflict` for one whose files are gone.
    """
    layers = LayerStore(database)
    version = layers.version(layer_id, number)
    tileset = root / layer_id / str(number) / TILESET
    try:
        served = hash_file(tileset, f"{layer_id} version {number}")
    except FileNotFoundError:
        layers.version(layer_id, number)  # swept this moment: it is not kept any more
        raise Conflict(
            f"version {number} of the layer {layer_id!r} cannot be served: {tileset} is missing; "
            "restore it from a backup"
        ) from None

    def receipt_of(before: int) -> Receipt:
        return write_receipt(
            ROLL_BACK,
            (served,),
            {"layer": layer_id, "from": before, "to": number},
            {"layer": layer_id, "version": number, "tileset_sha256": served.sha256},
            who=who,
        )

    with database.transaction() as connection:
        return serve_again(connection, version, receipt_of)

"""What a command changes is written into the city's log, like what is done over the network."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from cim_core.city import City
from cim_core.errors import Forbidden
from cim_core.feature import Value
from cim_core.receipt import operating_system_user
from cim_core.store.office_audit import Result
from server.access.verbs import Verb

VIA = "command line"
"""How the log says that somebody came who may read and write the city's files."""


@contextmanager
def audited(
    city: City, verb: Verb, what: str, layers: Sequence[str | None] = (), **detail: Value
) -> Iterator[dict[str, Value]]:
    """Log the block as one row, with how it ended; what is put into the value is kept as well."""
    result: Result = "ok"
    try:
        yield detail
    except BaseException as error:
        result = "denied" if isinstance(error, Forbidden) else "failed"
        detail["error"] = type(error).__name__
        raise
    finally:
        city.office.audit.append(
            verb, what, result=result, name=operating_system_user(), via=VIA,
            layers=[layer for layer in layers if layer is not None], detail=detail,
        )  # fmt: skip

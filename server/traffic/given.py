"""What somebody sends of traffic: messages as rows, with what cannot be read apart."""

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from cim_core.errors import CimError
from cim_core.store.traffic_refused import Reason
from cim_core.traffic.moving import Moving
from pipelines.v2x_heard import Heard, Names, Notice, positions_of, signals_of
from pipelines.v2x_messages import read_message

T = TypeVar("T")

_LONGEST = 4_000
"""Letters that are kept of what is refused."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A message that was not taken, or rows that are not believed for the same reason.

    path
        The element of the message that is wrong, None where it is none.
    rows
        How many rows; 0 for a message that could not be read.
    error
        What was raised of the message, None where nothing was.
    """

    reason: Reason
    detail: str
    body: str
    path: str | None = None
    rows: int = 0
    error: CimError | None = None


@dataclass(frozen=True, slots=True)
class GivenTraffic:
    """What one sender gave at one time.

    parts
        Rows, as many kinds as there are.
    messages
        How many messages they come from.
    """

    layer: str | None
    source: str
    parts: tuple[Moving, ...] = ()
    messages: int = 0
    notices: tuple[Notice, ...] = ()
    refused: tuple[Refusal, ...] = field(default=())

    def __len__(self) -> int:
        return sum(map(len, self.parts)) + len(self.refused)


def read_messages(
    layer: str, source: str, payloads: Sequence[bytes], names: Names, arrivals: Iterable[int]
) -> GivenTraffic:
    """What messages say; those that cannot be read are refused, each by itself.

    arrivals
        When each came, milliseconds since 1970.
    """
    heard = Heard()
    refused = []
    for payload, arrived in zip(payloads, arrivals, strict=False):
        try:
            read_message(payload, heard, names, arrived)
        except CimError as error:
            path: str | None = getattr(error, "path", None)
            refused.append(Refusal("unreadable", error.sentence, shown(payload), path, error=error))
        except Exception:  # noqa: BLE001 – one message never stops a feed
            _log.exception("a message cannot be read")
            detail = "this message cannot be read; the log says why"
            refused.append(Refusal("unreadable", detail, shown(payload)))
    parts: list[Moving] = []
    if heard.positions:
        parts.append(positions_of(heard.positions))
    if heard.signals:
        parts.append(signals_of(heard.signals))
    return GivenTraffic(
        layer, source, tuple(parts), len(payloads), tuple(heard.notices), tuple(refused)
    )


def unknown_layer(layer: str, source: str, payloads: Sequence[bytes]) -> GivenTraffic:
    """Messages of a layer without a road map, of which nothing is taken."""
    detail = f"the layer {layer!r} has no road map; bring one in, or correct the topic"
    some = tuple(Refusal("unknown-layer", detail, shown(payload)) for payload in payloads)
    return GivenTraffic(None, source, messages=len(payloads), refused=some)


def shown(payload: bytes) -> str:
    """What is kept of what was sent: not without end, and whole letters."""
    return bytes(payload[: 4 * _LONGEST]).decode("utf-8", "replace")[:_LONGEST]


def pieces(some: Sequence[T], most: int) -> Iterator[Sequence[T]]:
    """So many at a time."""
    for begin in range(0, len(some), most):
        yield some[begin : begin + most]

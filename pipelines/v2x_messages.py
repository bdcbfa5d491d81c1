"""Messages of vehicles and roadside units, of any kind this program takes: what one says.

T/CSAE 53 comes in its frame (`{"bsmFrame": {…}}`) or without; SAE J2735 as ODE-JSON (`metadata` and
`payload`); what has no messages of its own as plain `positions` and `signals`.
"""

from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import Raw, Struct

from pipelines import v2x_csae as csae
from pipelines import v2x_j2735 as j2735
from pipelines.v2x_heard import Heard, Names
from pipelines.v2x_map import map_message, nodes_of
from pipelines.v2x_plain import PlainPosition, PlainSignal, read_positions, read_signals
from pipelines.v2x_refused import MessageRefused, refused
from pipelines.v2x_times import of_text

KINDS = ("bsm", "map", "spat", "rsm", "rsi")
"""The kinds of messages, as topics name them."""

_FORMS = (
    "bsmFrame, mapFrame, spatFrame, rsmFrame or rsiFrame (T/CSAE 53), metadata and payload (ODE-JSON), "
    "or positions and signals"
)


class _Metadata(Struct, gc=False):
    payloadType: str
    recordGeneratedAt: str | None = None
    odeReceivedAt: str | None = None


class _Payload(Struct, gc=False):
    data: Raw


class _Frame(Struct, gc=False):
    """All that a message may have on top; of one without a frame the element that tells its kind."""

    bsmFrame: csae.Bsm | None = None
    spatFrame: csae.Spat | None = None
    rsmFrame: csae.Rsm | None = None
    rsiFrame: csae.Rsi | None = None
    mapFrame: Raw = Raw()
    metadata: _Metadata | None = None
    payload: _Payload | None = None
    positions: list[PlainPosition] | None = None
    signals: list[PlainSignal] | None = None
    secMark: Raw = Raw()
    intersections: Raw = Raw()
    participants: Raw = Raw()
    rtes: Raw = Raw()
    rtss: Raw = Raw()
    nodes: Raw = Raw()


_frame = msgspec.json.Decoder(_Frame)
_Read = Callable[[Any, Heard, Names, int], None]
_BARE: tuple[tuple[str, "msgspec.json.Decoder[Any]", _Read], ...] = (
    ("secMark", msgspec.json.Decoder(csae.Bsm), csae.read_bsm),
    ("intersections", msgspec.json.Decoder(csae.Spat), csae.read_spat),
    ("participants", msgspec.json.Decoder(csae.Rsm), csae.read_rsm),
    ("rtes", msgspec.json.Decoder(csae.Rsi), csae.read_rsi),
    ("rtss", msgspec.json.Decoder(csae.Rsi), csae.read_rsi),
)
_ODE: dict[str, tuple["msgspec.json.Decoder[Any]", _Read]] = {
    "OdeBsmPayload": (msgspec.json.Decoder(j2735.Bsm, strict=False), j2735.read_bsm),
    "OdeSpatPayload": (msgspec.json.Decoder(j2735.Spat, strict=False), j2735.read_spat),
}
_OF_ELEMENT = {"coreData": "OdeBsmPayload", "intersectionStateList": "OdeSpatPayload"}


def read_message(payload: bytes, heard: Heard, names: Names, arrived: int) -> None:
    """Add what one message says; raises `MessageRefused` naming the element that is wrong.

    arrived
        When it came, milliseconds since 1970, to which its own times are nearest.
    Nothing is added of a message that is refused.
    """
    marks = len(heard.positions), len(heard.signals), len(heard.notices)
    try:
        _read(payload, heard, names, arrived)
    except Exception as error:
        del heard.positions[marks[0] :], heard.signals[marks[1] :], heard.notices[marks[2] :]
        if isinstance(error, RecursionError):
            raise MessageRefused("$", "nested too deep", _FORMS) from None
        raise


def _read(payload: bytes, heard: Heard, names: Names, arrived: int) -> None:
    try:
        frame = _frame.decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise refused(payload, _told(error)) from None
    if frame.bsmFrame is not None:
        csae.read_bsm(frame.bsmFrame, heard, names, arrived)
    elif frame.rsmFrame is not None:
        _in(".rsmFrame", csae.read_rsm, frame.rsmFrame, heard, names, arrived)
    elif frame.spatFrame is not None:
        _in(".spatFrame", csae.read_spat, frame.spatFrame, heard, names, arrived)
    elif frame.rsiFrame is not None:
        _in(".rsiFrame", csae.read_rsi, frame.rsiFrame, heard, names, arrived)
    elif frame.metadata is not None:
        _read_ode(payload, frame, heard, names, arrived)
    elif frame.positions is not None or frame.signals is not None:
        read_positions(frame.positions or [], heard, arrived)
        read_signals(frame.signals or [], heard, names, arrived)
    elif frame.mapFrame or frame.nodes:
        _check_map(payload, heard)
    else:
        _read_bare(payload, frame, heard, names, arrived)


def _read_bare(payload: bytes, frame: _Frame, heard: Heard, names: Names, arrived: int) -> None:
    for element, decoder, read in _BARE:
        if getattr(frame, element):
            read(_decoded(decoder, payload, "$"), heard, names, arrived)
            return
    raise refused(payload, msgspec.ValidationError(f"Expected `{_FORMS}`"))


def _read_ode(payload: bytes, frame: _Frame, heard: Heard, names: Names, arrived: int) -> None:
    metadata = frame.metadata
    assert metadata is not None
    if frame.payload is None:
        raise MessageRefused("$.payload", None, "an object")
    kind = metadata.payloadType.rpartition(".")[2]
    data = bytes(frame.payload.data)
    if kind == "OdeMapPayload" or b'"intersectionGeometry"' in data:
        _check_map(payload, heard)
        return
    if kind not in _ODE:  # a wrong name is told only where the content is of no kind either
        kind = next(
            (of for element, of in _OF_ELEMENT.items() if f'"{element}"'.encode() in data), ""
        )
    if kind not in _ODE:
        found = msgspec.json.encode(metadata.payloadType).decode()
        raise MessageRefused(
            "$.metadata.payloadType", found, "OdeBsmPayload, OdeSpatPayload or OdeMapPayload"
        )
    decoder, read = _ODE[kind]
    said = of_text(metadata.recordGeneratedAt) or of_text(metadata.odeReceivedAt) or arrived
    _in(".payload.data", read, _decoded(decoder, data, "$.payload.data"), heard, names, said)


def _check_map(payload: bytes, heard: Heard) -> None:
    """A map is brought in as a layer, not from here; one that is wrong is refused all the same."""
    found = map_message(msgspec.json.decode(payload))
    if found is None or not nodes_of(found):
        raise MessageRefused("$", "a map without intersections", "nodes, or intersectionGeometry")
    heard.maps += 1


def _decoded(decoder: "msgspec.json.Decoder[Any]", data: bytes, above: str) -> Any:
    try:
        return decoder.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise refused(data, _told(error), above) from None


def _in(above: str, read: _Read, message: Any, heard: Heard, names: Names, arrived: int) -> None:
    """Read what stands below a path; what is wrong is told of the whole message."""
    try:
        read(message, heard, names, arrived)
    except MessageRefused as error:
        path = f"${above}{error.path.removeprefix('$')}"
        raise MessageRefused(path, error.found, error.wanted) from None


def _told(error: Exception) -> msgspec.MsgspecError:
    return error if isinstance(error, msgspec.MsgspecError) else msgspec.DecodeError(str(error))

"""Vital signs: what the city's sensors, traffic and projects say of it now."""

import time
from threading import BoundedSemaphore
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response

from analysis.vital_signs.board import MINUTE, Board, vital_signs
from cim_core.city import City
from cim_core.errors import InvalidInput, TooMany
from server.answers import json_answer
from server.documented import documented, returns
from server.state import CityDep, TakingDep

router = APIRouter(tags=["check-up"])

_LAST = 7_258_118_400_000
"""The year 2200, milliseconds since 1970."""

_HOUR, _DAY = 3_600_000, 86_400_000
_DAYS = 366
"""So far back a moment may lie; the analysis vital-signs has no such bound, as it is a job."""

_turn = BoundedSemaphore(1)
"""For a moment of the past: it takes a thread of the server for a while, and few ask for the same."""
_PATIENCE = 5.0


@router.get(
    "/vital-signs",
    summary="The vital signs of the city",
    **documented("read", returns("VitalSigns")),
)
def get_vital_signs(
    city: CityDep,
    taking: TakingDep,
    at: Annotated[
        int | None,
        Query(ge=0, lt=_LAST, description="a moment, milliseconds since 1970; now if not told"),
    ] = None,
) -> Response:
    """Made of what is seen of the city, once a minute: value, state, trend, and what moved it.

    A moment may be of the last 366 days; one more than an hour ago is told as of its whole hour.
    """
    board = vital_signs(city) if at is None else _of_then(city, at)
    taking.note.looked_at(layer for sign in board.signs for layer in sign.layers)
    return json_answer({"at": board.at, "signs": [sign.as_dict() for sign in board.signs]})


def _of_then(city: City, at: int) -> Board:
    """The signs at a moment; raises `InvalidInput`, and `TooMany` while another one is made."""
    now = time.time_ns() // 1_000_000
    if not now - _DAYS * _DAY <= at <= now + MINUTE:
        raise InvalidInput(
            f"at={at} is not of the last {_DAYS} days; give a moment that is, or ask the analysis "
            "vital-signs"
        )
    if not _turn.acquire(blocking=False):
        raise TooMany("vital signs of another moment are being made; ask again in a moment", _PATIENCE)  # fmt: skip
    try:
        return vital_signs(city, at if at > now - _HOUR else at - at % _HOUR)
    finally:
        _turn.release()

"""Receipts: where does this come from."""

from fastapi import APIRouter
from fastapi.responses import Response

from server.answers import json_answer
from server.documented import documented, returns
from server.state import CityDep

router = APIRouter(tags=["receipts"])


@router.get(
    "/receipts/{receipt_id}",
    summary="A receipt",
    **documented("read", returns("Receipt"), problems=(404,)),
)
def get_receipt(receipt_id: str, city: CityDep) -> Response:
    """Inputs with their hashes, parameters, software, who and when."""
    return json_answer(city.receipts.get(receipt_id))

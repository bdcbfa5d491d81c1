"""Receipts: where does this come from."""

from fastapi import APIRouter
from fastapi.responses import Response

from server.answers import json_answer
from server.state import CityDep

router = APIRouter(tags=["receipts"])


@router.get("/receipts/{receipt_id}", summary="A receipt")
def get_receipt(receipt_id: str, city: CityDep) -> Response:
    """Inputs with their hashes, parameters, software, who and when."""
    return json_answer(city.receipts.get(receipt_id))

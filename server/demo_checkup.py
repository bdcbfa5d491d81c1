"""The check-ups of a sample come into a city: each year's layers are imported, then it is examined."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from cim_core.city import City
from server.checkup.order import Order
from server.cli_checkup import order_run

Import = Callable[[Mapping[str, Any], str], None]
"""Imports a layer as a manifest lists it; the text says which of how many it is."""


def examine_years(
    city: City, years: Sequence[Mapping[str, Any]], bring_in: Import, say: Callable[[str], None]
) -> None:
    """Do what a manifest names as check-ups, year by year, but for those that are there already.

    The layers of a later year become new versions of those of the year before.
    """
    there = _there(city)
    for year in years:
        order = _order(year)
        if order in there:
            say(f"check-up {order.year}: unchanged")
            continue
        for number, layer in enumerate(year["layers"], 1):
            bring_in(layer, f"{order.year} {number}/{len(year['layers'])}")
        made = order_run(city, order, f"check-up {order.year}", "cim demo")
        say(f"check-up {order.year}: {made}")


def superseded(city: City, years: Sequence[Mapping[str, Any]]) -> frozenset[str]:
    """The layers of which a year that was examined brought in a later version."""
    there = _there(city)
    done = [year for year in years if _order(year) in there]
    return frozenset(layer["id"] for year in done for layer in year["layers"])


def _order(year: Mapping[str, Any]) -> Order:
    return Order(year["set"], int(year["year"]))


def _there(city: City) -> set[Order]:
    documents = [run.document for run in city.checkups.runs()]
    return {Order(document["set"], document["year"]) for document in documents}

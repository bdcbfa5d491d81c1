"""What decides who sees each layer of a city, and the things that stand in none."""

from cim_core.city import City
from cim_core.store.labels import Label
from cim_core.store.live_things import LAYER

THINGS = Label(LAYER, "vector", "internal", None, 1, None)
"""Of the things that were given no layer, as long as no layer of that name was imported. It has no
box, so whoever sees what lies in their own towns only does not see it."""


def labels_of(city: City) -> dict[str, Label]:
    """The labels of a city by their layers; that of its things among them where it has any."""
    found = {label.layer: label for label in city.layers.labels()}
    if has_things(city):
        found.setdefault(THINGS.layer, THINGS)
    return found


def has_things(city: City) -> bool:
    """Whether anything that observes was ever told to a city."""
    return city.live.exists

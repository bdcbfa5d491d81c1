"""Values and units of IFC as they can be stored, served and read by people."""

import math
from typing import Any

import ifcopenshell
import ifcopenshell.util.unit
from ifcopenshell import entity_instance

from cim_core.feature import Value

_SUPERSCRIPTS = str.maketrans("23", "²³")
_POWERS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_SYMBOLS = {
    "WATT": "W", "KELVIN": "K", "DEGREE_CELSIUS": "°C", "DEGREE": "°", "RADIAN": "rad", "STERADIAN": "sr",
    "HOUR": "h", "MINUTE": "min", "DAY": "d", "PERCENT": "%", "LUX": "lx", "LUMEN": "lm",
}  # fmt: skip


def unit_symbol(unit: entity_instance) -> str | None:
    """A unit as people write it: "m²", "W/(m²·K)", or its name where it has no symbol.

    >>> model = ifcopenshell.file(schema="IFC4")
    >>> unit_symbol(model.create_entity("IfcSIUnit", None, "AREAUNIT", None, "SQUARE_METRE"))
    'm²'
    """
    if unit.is_a("IfcMonetaryUnit"):
        return str(unit.Currency)
    if unit.is_a("IfcDerivedUnit"):
        return _derived_symbol(unit)
    known = _SYMBOLS.get(str(getattr(unit, "Name", "")).upper())
    if known is not None:
        return known
    symbol = str(ifcopenshell.util.unit.get_unit_symbol(unit))
    if symbol and "?" not in symbol:
        return symbol.translate(_SUPERSCRIPTS)
    return str(getattr(unit, "Name", "") or "").lower() or None


def _derived_symbol(unit: entity_instance) -> str | None:
    """Above and below the line, as W/(m²·K); the unit's own name where a part has no symbol."""
    parts: dict[bool, list[str]] = {True: [], False: []}
    for element in unit.Elements:
        symbol = unit_symbol(element.Unit)
        if symbol is None:
            return str(unit.UserDefinedType or unit.UnitType).lower()
        size = abs(element.Exponent)
        raised = symbol if size == 1 else f"{symbol}{str(size).translate(_POWERS)}"
        parts[element.Exponent > 0].append(raised)
    above = "·".join(parts[True]) or "1"
    below = "·".join(parts[False])
    if not below:
        return above
    return f"{above}/({below})" if len(parts[False]) > 1 else f"{above}/{below}"


def _named(entity: entity_instance) -> str:
    """The name of an entity, or what it says itself: its STEP id says nothing and changes.

    >>> model = ifcopenshell.file(schema="IFC4")
    >>> firm = model.create_entity("IfcOrganization", Name="Huangpu Survey")
    >>> person = model.create_entity("IfcPerson", FamilyName="Li")
    >>> _named(firm), _named(person)
    ('Huangpu Survey', 'IfcPerson(Li)')
    >>> _named(model.create_entity("IfcPersonAndOrganization", person, firm))
    'IfcPersonAndOrganization(Huangpu Survey)'
    """
    name = getattr(entity, "Name", None)
    if name:
        return str(name)
    parts = [
        getattr(part, "Name", None) if hasattr(part, "is_a") else part for part in tuple(entity)
    ]
    said = [str(part) for part in parts if isinstance(part, str | int | float)]
    return f"{entity.is_a()}({', '.join(said)})"


def plain(value: Any) -> Value:
    """An IFC value as text, number, truth value, list or dict, as it can be stored and served."""
    match value:
        case None | str() | int():
            return value
        case float():
            return value if math.isfinite(value) else None
        case entity_instance():
            bare = value.id() == 0
            return plain(value.wrappedValue) if bare else _named(value)
        case tuple() | list():
            return [plain(item) for item in value]
        case dict():
            return {str(key): plain(item) for key, item in value.items()}
        case _:
            return str(value)

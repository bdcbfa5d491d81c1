"""Units as people write them, values as they can be stored."""

import ifcopenshell
import pytest

from bim_import.ifc_values import plain, unit_symbol


@pytest.fixture
def model() -> ifcopenshell.file:
    return ifcopenshell.file(schema="IFC4")


def si(model: ifcopenshell.file, kind: str, name: str, prefix: str | None = None):
    return model.create_entity("IfcSIUnit", None, kind, prefix, name)


def derived(model: ifcopenshell.file, *parts: tuple):
    elements = [
        model.create_entity("IfcDerivedUnitElement", unit, exponent) for unit, exponent in parts
    ]
    return model.create_entity("IfcDerivedUnit", elements, "USERDEFINED", "made up")


def test_thermal_transmittance(model: ifcopenshell.file) -> None:
    watt = si(model, "POWERUNIT", "WATT")
    metre = si(model, "LENGTHUNIT", "METRE")
    kelvin = si(model, "THERMODYNAMICTEMPERATUREUNIT", "KELVIN")
    assert unit_symbol(derived(model, (watt, 1), (metre, -2), (kelvin, -1))) == "W/(m²·K)"
    assert unit_symbol(derived(model, (metre, 3), (si(model, "TIMEUNIT", "SECOND"), -1))) == "m³/s"
    assert unit_symbol(derived(model, (kelvin, -1))) == "1/K"


@pytest.mark.parametrize(
    ("kind", "name", "prefix", "symbol"),
    [
        ("LENGTHUNIT", "METRE", None, "m"),
        ("LENGTHUNIT", "METRE", "MILLI", "mm"),
        ("AREAUNIT", "SQUARE_METRE", None, "m²"),
        ("VOLUMEUNIT", "CUBIC_METRE", None, "m³"),
        ("PLANEANGLEUNIT", "RADIAN", None, "rad"),
        ("THERMODYNAMICTEMPERATUREUNIT", "DEGREE_CELSIUS", None, "°C"),
    ],
)
def test_si_units(model: ifcopenshell.file, kind: str, name: str, prefix: str, symbol: str) -> None:
    assert unit_symbol(si(model, kind, name, prefix)) == symbol


def test_money_and_degrees_and_feet(model: ifcopenshell.file) -> None:
    import ifcopenshell.api.unit

    assert unit_symbol(model.create_entity("IfcMonetaryUnit", "CNY")) == "CNY"
    degree = ifcopenshell.api.unit.add_conversion_based_unit(model, name="degree")
    assert unit_symbol(degree) == "°"
    assert unit_symbol(ifcopenshell.api.unit.add_conversion_based_unit(model, name="foot")) == "ft"


def test_values_json_cannot_hold_become_ones_it_can(model: ifcopenshell.file) -> None:
    measure = model.create_entity("IfcLengthMeasure", 2.5)
    assert plain(measure) == 2.5
    assert plain(float("nan")) is None
    assert plain((1, "a", True, None, (2.0,))) == [1, "a", True, None, [2.0]]
    assert plain({"x": measure}) == {"x": 2.5}
    assert plain(model.create_entity("IfcMaterial", "Concrete")) == "Concrete"

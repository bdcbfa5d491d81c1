"""Matrices from the text of placements, against those of the geometry kernel."""

from pathlib import Path

import ifcopenshell
import ifcopenshell.geom
import ifcopenshell.util.unit
import numpy as np
import pytest

from bim_import.ifc_placement import LocalPlacements
from bim_import.ifc_text import StepText

HEAD = b"ISO-10303-21;\nHEADER;\nFILE_SCHEMA(('IFC4'));\nENDSEC;\nDATA;\n"
KINDS = ("IfcLocalPlacement", "IfcGridPlacement")
TAIL = b"ENDSEC;\nEND-ISO-10303-21;\n"


def placements(lines: str) -> dict[int, np.ndarray | None]:
    """The matrices of the IfcLocalPlacements in a few lines, by STEP id."""
    text = StepText(HEAD + lines.encode() + TAIL)
    rows = [r for rows in text.rows_by_keyword(KINDS).values() for r in rows]
    found = LocalPlacements(text, rows)
    return {int(text.ids[row]): found.matrix(row) for row in rows}


@pytest.mark.parametrize("name", ["duplex_a_georef", "fzk_haus", "hhs_constr", "schep_staal"])
def test_products_stand_where_the_kernel_puts_them(name: str, data: Path) -> None:
    path = data / "ifc" / f"{name}.ifc"
    model, text = ifcopenshell.open(path), StepText(path.read_bytes())
    found = LocalPlacements(text, text.rows_by_keyword(KINDS)["IfcLocalPlacement"])
    scale = ifcopenshell.util.unit.calculate_unit_scale(model)
    settings = ifcopenshell.geom.settings()
    every = [p for p in model.by_type("IfcProduct") if p.Representation and p.ObjectPlacement]
    for product in every[:: len(every) // 30]:
        row = text.rows_of(np.array([product.ObjectPlacement.id()]))[0]
        ours = found.matrix(int(row))
        ours[:3, 3] *= scale
        try:
            shape = ifcopenshell.geom.create_shape(settings, product)
        except RuntimeError:  # an annotation has no body
            continue
        theirs = np.array(shape.transformation.matrix).reshape(4, 4).T
        assert ours == pytest.approx(theirs, abs=1e-9)


def test_placements_hang_on_each_other() -> None:
    found = placements(
        "#1=IFCCARTESIANPOINT((1.,2.,3.));#2=IFCDIRECTION((0.,0.,2.));"
        "#3=IFCDIRECTION((0.,1.,5.));#4=IFCAXIS2PLACEMENT3D(#1,#2,#3);"
        "#5=IFCAXIS2PLACEMENT3D(#1,$,$);#6=IFCLOCALPLACEMENT($,#4);#7=IFCLOCALPLACEMENT(#6,#5);"
    )
    assert found[6].tolist() == [[0, -1, 0, 1], [1, 0, 0, 2], [0, 0, 1, 3], [0, 0, 0, 1]]
    assert found[7][:3, 3].tolist() == [1 - 2, 2 + 1, 3 + 3]


@pytest.mark.parametrize(
    "lines",
    [
        "#4=IFCAXIS2PLACEMENT3D(#1,#2,$);#6=IFCLOCALPLACEMENT($,#4);",  # one axis alone
        "#4=IFCAXIS2PLACEMENT3D(#1,#2,#2);#6=IFCLOCALPLACEMENT($,#4);",  # twice the same
        "#4=IFCAXIS2PLACEMENT3D(#1,#3,#2);#6=IFCLOCALPLACEMENT($,#4);",  # an axis without length
        "#4=IFCAXIS2PLACEMENT2D(#1,$);#6=IFCLOCALPLACEMENT($,#4);",
        "#4=IFCAXIS2PLACEMENT3D(#2,$,$);#6=IFCLOCALPLACEMENT($,#9);",  # to nothing
        "#6=IFCGRIDPLACEMENT(#1,$);",
        "#4=IFCAXIS2PLACEMENT3D(#1,$,$);#6=IFCLOCALPLACEMENT(#6,#4);",  # to itself
        "#5=IFCGRIDPLACEMENT(#1,$);#4=IFCAXIS2PLACEMENT3D(#1,$,$);#6=IFCLOCALPLACEMENT(#5,#4);",
    ],
)
def test_what_is_not_simple_is_left_to_the_kernel(lines: str) -> None:
    points = "#1=IFCCARTESIANPOINT((1.,2.,3.));#2=IFCDIRECTION((0.,0.,1.));"
    assert placements(points + "#3=IFCDIRECTION((0.,0.,0.));" + lines)[6] is None


def test_what_has_no_placement_stands_at_the_origin() -> None:
    text = StepText(HEAD + b"#1=IFCCARTESIANPOINT((1.,2.,3.));" + TAIL)
    assert LocalPlacements(text, []).matrix(None).tolist() == np.eye(4).tolist()

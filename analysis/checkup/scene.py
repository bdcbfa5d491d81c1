"""What a check-up looks at: the features of roles in one plane, the units, and what was used so far."""

import hashlib
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from analysis.checkup.conditions import as_numbers, comparable, decided
from analysis.checkup.formulas import Input
from analysis.checkup.loaded import TWIN, Loaded, load, load_twin
from analysis.checkup.measured import By, Reason, Units
from analysis.checkup.metric_plane import plane_of
from analysis.checkup.roles import Role
from analysis.checkup.units import units_of
from cim_core.city import City
from cim_core.errors import InvalidInput, NotFound
from cim_core.mesh import Floats
from cim_core.store.feature_columns import Columns
from cim_core.store.layers import LayerVersion

T = TypeVar("T")
Rows = NDArray[np.int64]

_CHINA = timezone(timedelta(hours=8))

DERIVED = ("shape_area", "shape_length")
"""Columns that every input has: m² and m in the plane."""


@dataclass(frozen=True, slots=True, eq=False)
class Picked:
    """The features that an input names.

    version
        The version of the layer; None where the city has no such layer, or it is made of several.
    there
        Whether there is anything to pick from.
    ids, names
        (k,) texts each.
    shapes
        (k,) valid, metres in the plane of the scene.
    columns
        By our names, (k,): float64 with NaN, or objects with None, where a feature has no value.
    missing
        The columns of the role that no feature of the layer has.
    hidden
        Those of them that the layer may have, but are not shown to who asks.
    strange
        Whether a column has values of another kind than the conditions ask for, as 1 instead of "yes".
    date
        Of what it shows: the years of its features, else what the catalogue says, else the day on
        which the version was published in China; empty without a version.
    rows
        (k,) its places among all features of the layer.
    undecided
        Places, (j,), of features that may belong here: what the condition asks of them is not known.
    asked
        Places of the features among which those are: all that are as the rest of the condition says,
        which is known of every one. Without undecided ones, the same as `rows`.
    loaded
        The whole layer; None without.
    """

    role: str
    layer: str
    version: LayerVersion | None
    ids: tuple[str, ...]
    names: tuple[str, ...]
    shapes: NDArray[np.object_]
    columns: Columns
    missing: frozenset[str]
    hidden: frozenset[str]
    strange: bool
    date: str
    rows: Rows
    undecided: Rows
    asked: Rows
    loaded: Loaded | None

    @property
    def there(self) -> bool:
        """Whether the layer is in the city."""
        return self.loaded is not None

    @property
    def in_part(self) -> bool:
        """Whether only some features of the layer are shown to who asks."""
        return self.version is not None and self.version.part.area is not None

    def numbers(self, name: str) -> Floats:
        """A column as numbers, (k,): NaN where there is none, which text is not."""
        values = self.columns.get(name)
        if values is None:
            return np.full(len(self.rows), np.nan)
        return as_numbers(values)

    def lacks(self, names: tuple[str, ...]) -> Reason:
        """Why it is of no use for a formula that asks for some columns; empty if it is of use."""
        if self.loaded is None:
            return "no-layer"
        if not len(self.loaded.ids):
            return "in-part" if self.in_part else "no-features"
        if any(name in self.hidden for name in names):
            return "in-part"
        if any(name in self.missing for name in names):
            return "no-column"
        return "other-values" if self.strange else ""

    def digest(self, columns: tuple[str, ...], reason: str) -> bytes:
        """The same for the same features of one layer, of the same shapes and values in some columns.

        `reason` is why it is of no use, which two inputs without features may have different ones for.
        """
        made = hashlib.sha256(f"{self.role}\0{self.layer}\0{self.in_part}\0{reason}".encode())
        if self.loaded is None:
            return made.digest()
        for rows in (self.rows, self.undecided, self.asked):
            made.update(len(rows).to_bytes(8) + self.loaded.digests[rows].tobytes())
        for name in columns:
            values = self.columns.get(name)
            if values is not None:
                plain = (
                    values.tobytes()
                    if values.dtype == np.float64
                    else repr(values.tolist()).encode()
                )
                made.update(f"\0{name}\0".encode() + plain)
        return made.digest()


class Scene:
    """A city as a check-up sees it.

    plane
        What all shapes are in; true to areas, see `analysis.checkup.metric_plane`.
    """

    def __init__(self, city: City, roles: Mapping[str, Role]) -> None:
        self.city = city
        self.roles = roles
        self.plane = plane_of(city)
        self._picked: dict[str, Picked] = {}
        self._units: dict[By, Units] = {}
        self._made: dict[Hashable, Any] = {}

    @property
    def used(self) -> tuple[Picked, ...]:
        """What was picked so far, in that order."""
        return tuple(self._picked.values())

    def pick(self, what: Input) -> Picked:
        """The features that an input names; raises `InvalidInput` for a role or column there is not."""
        key = what.model_dump_json()
        if key not in self._picked:
            self._picked[key] = self._pick(what)
        return self._picked[key]

    def units(self, by: By) -> Units:
        """The places of a kind; none where their layer is not there."""
        if by not in self._units:
            self._units[by] = units_of(self, by)
        return self._units[by]

    def made(self, key: Hashable, make: Callable[[], T]) -> T:
        """What `make` makes, made once for a key while the scene is there."""
        if key not in self._made:
            self._made[key] = make()
        found: T = self._made[key]
        return found

    def check_columns(self, role: str, names: tuple[str, ...]) -> None:
        """Raise `InvalidInput` where a role has no column of one of some names."""
        known = (*self.roles[role].columns, *DERIVED)
        if strange := sorted(set(names) - set(known)):
            raise InvalidInput(
                f"the role {role!r} has no column {strange[0]!r}; it has {', '.join(known)}"
            )

    def lon_lat(self, shapes: NDArray[np.object_]) -> NDArray[np.object_]:
        """Shapes of the plane, (n,), in longitude and latitude."""
        return self.plane.degrees(shapes)

    def _pick(self, what: Input) -> Picked:
        role = self.roles.get(what.input)
        if role is None:
            raise InvalidInput(
                f"there is no role {what.input!r}; an input is one of {', '.join(self.roles)}"
            )
        known = (*role.columns, *DERIVED)
        self.check_columns(role.id, tuple(what.where))
        loaded = self._loaded(role.layer)
        if loaded is None:
            nothing = np.empty(0, np.int64)
            empty = np.empty(0, object)
            return Picked(
                role.id, role.layer, None, (), (), empty, {}, frozenset(role.columns), frozenset(),
                False, "", nothing, nothing, nothing, None,
            )  # fmt: skip
        named = {name: role.named.get(name, name) for name in known}
        whole = {
            ours: loaded.columns[named[ours]] for ours in known if named[ours] in loaded.columns
        }
        conditions = [
            *((loaded.columns.get(named.get(n, n)), value) for n, value in role.where.items()),
            *((whole.get(name), value) for name, value in what.where.items()),
        ]
        found = decided(conditions, len(loaded.ids))
        version = loaded.version
        missing = frozenset(set(known) - set(whole))
        hidden = frozenset(
            name for name in missing if version is not None and version.part.hides(named[name])
        )
        rows = np.flatnonzero(found.yes)
        columns = {name: column[rows] for name, column in whole.items()}
        return Picked(
            role.id, role.layer, version, tuple(loaded.ids[rows]), tuple(loaded.names[rows]),
            loaded.shapes[rows], columns, missing, hidden,
            not all(comparable(*condition) for condition in conditions), _date(columns, version), rows,
            np.flatnonzero(found.maybe), np.flatnonzero(found.asked), loaded,
        )  # fmt: skip

    def _loaded(self, layer: str) -> Loaded | None:
        if layer == TWIN:
            return self.made(TWIN, lambda: load_twin(self.city, self.plane))
        try:
            version = self.city.layers.get(layer)
        except NotFound:
            return None
        return load(self.city, version, self.plane)


def _date(columns: Columns, version: LayerVersion | None) -> str:
    """What time features show, as the people who made them say."""
    if version is None:
        return ""
    years = columns.get("year")
    if years is not None and "population" in columns:
        known = np.unique(as_numbers(years)[np.isfinite(as_numbers(years))]).astype(int)
        if len(known):
            return str(known[0]) if len(known) == 1 else f"{known[0]}–{known[-1]}"
    published = datetime.fromisoformat(version.published).astimezone(_CHINA)
    return version.about.date or published.date().isoformat()

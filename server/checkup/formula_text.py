"""A formula of an indicator in words, so that what was computed can be read."""

import tomllib
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from analysis.checkup.formulas import (
    Between,
    BothEnds,
    Coverage,
    Density,
    Equipped,
    Formula,
    Gap,
    Input,
    Loss,
    Mean,
    PerCapita,
    Share,
    Site,
    Total,
)
from analysis.checkup.roles import Role

Text = Mapping[str, str]
LANGUAGES = ("en", "zh")


def formula_text(formula: Formula, roles: Mapping[str, Role]) -> Text:
    """What a formula divides by what, in both languages; inputs by what they are called."""
    return _TELL[formula.operator](_Speaker(roles), formula)


class _Speaker:
    """Says what formulas are made of."""

    def __init__(self, roles: Mapping[str, Role]) -> None:
        self._roles = roles

    def named(self, one: Input) -> Text:
        """An input with its conditions."""
        return _input(one, self._roles)

    def of(self, one: Input, measure: str) -> Text:
        """An input as it is added up."""
        known = _words()["measure"]
        return _filled(known.get(measure, known["column"]), what=self.named(one), column=measure)

    def sites(self, sites: Sequence[Site], on: str, how: str) -> Text:
        """Facilities with how far they serve."""
        return _joined([_site(one, on, self._roles) for one in sites], how)


def _coverage(say: _Speaker, formula: Coverage) -> Text:
    demand = say.named(formula.demand)
    if formula.within is not None:
        demand = _said("within", what=demand, within=say.named(formula.within))
    measure = _words()["measure"]["column" if formula.weight else "area"]
    demand = _filled(measure, what=demand, column=formula.weight or "")
    sites = say.sites(formula.sites, formula.on, "every" if formula.every else "any")
    return _said("coverage", demand=demand, sites=sites)


def _density(say: _Speaker, formula: Density) -> Text:
    what = say.of(formula.what, formula.measure)
    return _said("density", what=what, within=say.named(formula.within))


def _per_capita(say: _Speaker, formula: PerCapita) -> Text:
    what = say.of(formula.what, formula.measure)
    return _said("per-capita", what=what, population=say.named(formula.population))


def _share(say: _Speaker, formula: Share) -> Text:
    part, whole = (say.of(one, formula.measure) for one in (formula.part, formula.whole))
    if formula.near is None:
        return _said("share", part=part, whole=whole)
    near, distance = say.named(formula.near), _number(formula.distance)
    return _said("share-near", part=part, whole=whole, near=near, distance=distance)


def _total(say: _Speaker, formula: Total) -> Text:
    what = say.of(formula.what, formula.measure)
    if formula.within is None:
        return _said("total", what=what)
    return _said("within", what=what, within=say.named(formula.within))


def _gap(say: _Speaker, formula: Gap) -> Text:
    required: Text | str = formula.required or _said(
        "ratio-whole" if formula.whole else "ratio",
        ratio=_number(formula.ratio or 0.0),
        of=formula.of or "",
    )
    what = say.named(formula.what)
    return _said("gap", what=what, required=required, existing=formula.existing)


def _equipped(say: _Speaker, formula: Equipped) -> Text:
    sites = say.sites(formula.sites, "plane", "every")
    name = "lacking" if formula.lacking else "equipped"
    return _said(name, units=say.named(formula.units), sites=sites)


def _loss(say: _Speaker, formula: Loss) -> Text:
    name = "loss-reverse" if formula.reverse else "loss"
    return _said(name, what=say.named(formula.what), given=formula.given, used=formula.used)


def _mean(say: _Speaker, formula: Mean) -> Text:
    name = "mean-harmonic" if formula.harmonic else "mean"
    return _said(name, what=say.named(formula.what), value=formula.value, weight=formula.weight)


def _both_ends(say: _Speaker, formula: BothEnds) -> Text:
    sites = say.sites(formula.sites, "plane", "any")
    return _said("both-ends", trips=say.named(formula.trips), weight=formula.weight, sites=sites)


_TELL: Mapping[str, Callable[[_Speaker, Any], Text]] = {
    "coverage": _coverage, "density": _density, "per-capita": _per_capita, "share": _share,
    "total": _total, "gap": _gap, "equipped": _equipped, "loss": _loss, "mean": _mean,
    "both-ends": _both_ends,
}  # fmt: skip


def _site(site: Site, on: str, roles: Mapping[str, Role]) -> Text:
    words = _words()["site"]
    named = _input(site, roles)
    if site.radius is not None:
        return _filled(words["radius"], site=named, amount=_number(site.radius))
    if site.duty_area is not None:
        return _filled(words["duty_area"], site=named, amount=_number(site.duty_area / 1e6))
    if site.minutes is not None:
        way = "drive" if on == "drive" else "walk"
        return _filled(words[way], site=named, amount=_number(site.minutes))
    return _filled(words["inside"], site=named)


def _input(one: Input, roles: Mapping[str, Role]) -> Text:
    role = roles.get(one.input)
    title: Text = dict.fromkeys(LANGUAGES, one.input) if role is None else role.title.model_dump()
    if not one.where:
        return title
    between = _words()["input"]["between"]
    conditions = [_condition(column, value) for column, value in one.where.items()]
    return _filled(
        _words()["input"]["where"],
        title=title,
        conditions={language: between[language].join(conditions) for language in LANGUAGES},
    )


def _condition(column: str, value: Any) -> str:
    """A condition as mathematics has it.

    >>> _condition("area", Between(min=2000, below=5000)), _condition("kind", ("park", "square"))
    ('2000 ≤ area < 5000', 'kind = park | square')
    """
    if isinstance(value, Between):
        return _range(column, value)
    if isinstance(value, bool):
        return f"{column} = {'true' if value else 'false'}"
    if isinstance(value, tuple):
        return f"{column} = {' | '.join(str(one) for one in value)}"
    return f"{column} = {_number(value) if isinstance(value, int | float) else value}"


def _range(column: str, value: Between) -> str:
    """A range as mathematics has it.

    >>> _range("area", Between(min=2000)), _range("area", Between(below=10))
    ('area ≥ 2000', 'area < 10')
    """
    low = value.min if value.min is not None else value.above
    high = value.max if value.max is not None else value.below
    under = "≤" if value.max is not None else "<"
    if low is None:
        return column if high is None else f"{column} {under} {_number(high)}"
    if high is None:
        return f"{column} {'≥' if value.min is not None else '>'} {_number(low)}"
    over = "≤" if value.min is not None else "<"
    return f"{_number(low)} {over} {column} {under} {_number(high)}"


def _number(value: float) -> str:
    """A number without a needless point.

    >>> _number(500.0), _number(0.25)
    ('500', '0.25')
    """
    return f"{value:g}" if abs(value) < 1e6 else f"{value:.0f}"


def _joined(texts: Sequence[Text], how: str) -> Text:
    between = _words()["site"][how]
    return {language: between[language].join(t[language] for t in texts) for language in LANGUAGES}


def _said(name: str, **values: Text | str) -> Text:
    return _filled(_words()["formula"][name], **values)


def _filled(words: Text, **values: Text | str) -> Text:
    return {
        language: words[language].format_map(
            {
                name: value[language] if isinstance(value, Mapping) else value
                for name, value in values.items()
            }
        )
        for language in LANGUAGES
    }


@cache
def _words() -> dict[str, dict[str, dict[str, str]]]:
    text = files("server.checkup").joinpath("formula_words.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)

"""A campaign on a day: its projects, its towns and all together."""

from dataclasses import dataclass
from datetime import date

from analysis.renewal.projects import ProjectStanding, orders_of, standings
from analysis.renewal.remembered import remembered
from analysis.renewal.towns import TownStanding, ranked, together
from cim_core.renewal.ledger import Ledger
from cim_core.renewal.lights import LightRules


@dataclass(frozen=True, slots=True)
class Campaign:
    """How everything stood on a day, as it was known at a moment (milliseconds since 1970).

    since
        The first day of the period whose plan and actual are told.
    projects
        By id.
    towns
        The furthest ahead first.
    """

    at: date
    known: int | None
    since: date
    revision: int
    projects: tuple[ProjectStanding, ...]
    towns: tuple[TownStanding, ...]
    totals: TownStanding


def campaign(
    ledger: Ledger,
    at: date,
    known: int | None = None,
    *,
    rules: LightRules,
    since: date | None = None,
) -> Campaign:
    """How everything stood on a day; kept as long as the ledger is.

    since
        The first day of the period that is told beside what was done to date: that of the month of
        `at` if not given.
    """
    first = at.replace(day=1) if since is None else since

    def make() -> Campaign:
        gate = rules.numbers.signing_gate
        orders = orders_of(ledger, at, known)
        projects = tuple(standings(ledger, at, known, rules, first, orders))
        towns, totals = ranked(projects, gate), together(projects, gate)
        return Campaign(at, known, first, ledger.revision, projects, towns, totals)

    return remembered(ledger, ("campaign", at, known, first, rules.numbers), make)

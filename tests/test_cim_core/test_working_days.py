"""Working days: Chinese holidays, days made up for them, and a city's own."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cim_core.errors import InvalidInput
from cim_core.renewal.working_days import NATIONAL, WorkingDays, city_days

DAYS = st.dates(date(2004, 1, 1), date(2029, 12, 31))
COUNTS = st.integers(1, 60)

# The State Council's arrangements, as published for each year: free from … to …, and the weekend days
# worked instead.
FREE = {
    "Spring Festival 2025": ("2025-01-28", "2025-02-04", ("2025-01-26", "2025-02-08")),
    "National Day 2025": ("2025-10-01", "2025-10-08", ("2025-09-28", "2025-10-11")),
    "Labour Day 2025": ("2025-05-01", "2025-05-05", ("2025-04-27",)),
    "Spring Festival 2026": ("2026-02-15", "2026-02-23", ("2026-02-14", "2026-02-28")),
    "National Day 2026": ("2026-10-01", "2026-10-07", ("2026-09-20", "2026-10-10")),
}


@pytest.mark.parametrize("holiday", FREE)
def test_holidays_are_free_and_the_days_made_up_for_them_are_worked(holiday: str) -> None:
    first, last, made_up = FREE[holiday]
    day, end = date.fromisoformat(first), date.fromisoformat(last)
    while day <= end:
        assert not NATIONAL.worked(day), day
        day += timedelta(days=1)
    for text in made_up:
        assert date.fromisoformat(text).weekday() >= 5
        assert NATIONAL.worked(date.fromisoformat(text)), text


@pytest.mark.parametrize(
    ("issued", "days", "deadline"),
    [
        # A Friday before Spring Festival 2025, whose Sunday is worked: Sun 26, Mon 27, Wed 5 Feb, …
        ("2025-01-24", 3, "2025-02-05"),
        ("2025-01-27", 4, "2025-02-08"),  # Wed 5, Thu 6, Fri 7, and the Saturday made up
        (
            "2025-09-26",
            4,
            "2025-10-09",
        ),  # Sun 28 is worked, then Mon, Tue, and Thu 9 after the week
        ("2025-09-30", 3, "2025-10-11"),  # Thu 9, Fri 10, Sat 11
        ("2026-02-13", 2, "2026-02-24"),  # Sat 14 is worked, then nine days are free
        ("2026-09-30", 3, "2026-10-10"),  # Thu 8, Fri 9, Sat 10
        ("2026-03-02", 5, "2026-03-09"),
    ],
)
def test_deadlines_around_holidays(issued: str, days: int, deadline: str) -> None:
    assert NATIONAL.deadline(date.fromisoformat(issued), days).isoformat() == deadline


@given(DAYS, COUNTS)
def test_a_deadline_is_as_many_working_days_away_as_it_was_given(issued: date, days: int) -> None:
    deadline = NATIONAL.deadline(issued, days)
    assert NATIONAL.worked(deadline)
    assert NATIONAL.between(issued, deadline) == days
    assert NATIONAL.between(issued, deadline - timedelta(days=1)) == days - 1


@given(DAYS, st.integers(0, 40), COUNTS, COUNTS)
def test_later_and_longer_never_falls_due_earlier(
    issued: date, later: int, days: int, more: int
) -> None:
    after = issued + timedelta(days=later)
    assert NATIONAL.deadline(after, days) >= NATIONAL.deadline(issued, days)
    assert NATIONAL.deadline(issued, days + more) > NATIONAL.deadline(issued, days)
    there, back = NATIONAL.between(issued, after), NATIONAL.between(after, issued)
    assert 0 <= there <= later
    assert back == 0


def test_of_years_nobody_told_weekends_count_alone_and_that_is_said() -> None:
    year = date.today().year + 20  # for which no arrangement can have been published
    first = date(year, 1, 1)
    assert NATIONAL.unknown(first, first) == (year,)
    week = [first + timedelta(days=number) for number in range(14)]
    assert [NATIONAL.worked(day) for day in week] == [day.weekday() < 5 for day in week]


def test_a_city_has_days_of_its_own(tmp_path: Path) -> None:
    assert city_days(tmp_path) == NATIONAL
    (tmp_path / "renewal.toml").write_text(
        '[holidays]\n2050-02-01 = "Spring Festival"\n2026-03-03 = "town day"\n'
        '[workdays]\n2050-02-05 = "made up"\n2026-10-01 = "campaign"\n[lights]\nfar = 3\n'
    )
    days = city_days(tmp_path)
    assert days == WorkingDays(
        frozenset((date(2050, 2, 1), date(2026, 3, 3))),
        frozenset((date(2050, 2, 5), date(2026, 10, 1))),
    )
    assert not days.worked(date(2026, 3, 3))
    assert days.worked(date(2026, 10, 1))
    assert days.worked(date(2050, 2, 5)), "a Saturday"
    assert days.unknown(date(2049, 12, 1), date(2050, 3, 1)) == (2049, 2050), "a day is no year"
    whole = WorkingDays(frozenset(date(2050, 2, day) for day in range(1, 12)))
    assert whole.unknown(date(2049, 12, 1), date(2050, 3, 1)) == (2049,)
    assert days.deadline(date(2026, 3, 2), 1) == date(2026, 3, 4)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[holidays\n", "cannot be read"),
        ("holidays = 3\n", "holidays is no table"),
        ('[workdays]\n"1 May" = "x"\n', "'1 May', which is no day"),
        (
            '[holidays]\n2050-01-01 = ""\n[workdays]\n2050-01-01 = ""\n',
            "2050-01-01 is a holiday and",
        ),
    ],
)
def test_a_file_that_is_wrong_is_named_with_its_entry(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "renewal.toml").write_text(text)
    with pytest.raises(InvalidInput, match=said):
        city_days(tmp_path)

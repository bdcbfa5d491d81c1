"""What moved a sign, part by part."""

from analysis.vital_signs.definitions import shipped_signs
from analysis.vital_signs.reading import Part, count, explained, moving, percent, ready, unavailable

HOUR, DAY = 3_600_000, 86_400_000


def test_the_part_that_moved_a_share_is_found_whatever_others_do() -> None:
    def of(a: float, b: float) -> dict[str, Part]:
        return {
            "a": Part({"en": "A", "zh": "甲"}, a, 10), "b": Part({"en": "B", "zh": "乙"}, b, 90),
        }  # fmt: skip

    old, new = ready(of(9, 80), percent), ready(of(2, 82), percent)
    assert (old.value, new.value) == (89.0, 84.0)
    assert (moving(old, new, -1), moving(old, new, 1)) == ("a", "b")
    told = explained(shipped_signs()["devices-online"], old, new, 2 * HOUR)
    assert told == {
        "en": "Down 5.0 % in 2 h, mostly by A: 90.0 to 20.0.",
        "zh": "近2小时下降 5.0 %，主要来自甲：由 90.0 变为 20.0。",
    }
    same = explained(shipped_signs()["devices-online"], old, old, DAY)
    assert same == {"en": "No change in 1 d.", "zh": "近1天无变化。"}
    begun = explained(
        shipped_signs()["alarms-open"], ready({}, count), ready(of(1, 0), count), HOUR
    )
    assert begun == {
        "en": "Up 1 alarms in 1 h, mostly by A: 1, nothing before.",
        "zh": "近1小时上升 1 条，主要来自甲：现为 1，此前无数据。",
    }
    ended = explained(
        shipped_signs()["alarms-open"], ready(of(1, 0), count), ready({}, count), HOUR
    )
    assert ended == {
        "en": "Down 1 alarms in 1 h, mostly by A: 1 before, nothing now.",
        "zh": "近1小时下降 1 条，主要来自甲：原为 1，现无数据。",
    }
    none = explained(shipped_signs()["alarms-open"], unavailable("no-devices"), new, HOUR)
    assert none["en"] == "Nothing to compare with."

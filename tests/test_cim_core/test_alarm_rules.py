import tomllib
from pathlib import Path

import pytest

from cim_core.alarms.rules import RuleBook, city_rules, combined, default_rules, limits_of
from cim_core.errors import InvalidInput
from cim_core.observations import Stream
from cim_core.sensor_classes import sensor_classes
from tests.support.alarming import rule_text

THRESHOLD = {"kind": "threshold", "property": "x", "above": 10}


def own(name: str = "mine", **fields: object) -> dict:
    return tomllib.loads(rule_text(name, **{**THRESHOLD, **fields}))


def stream(**more: object) -> Stream:
    given = {
        "id": 1, "key": "gas-1/ch4", "name": "", "thing": 1, "thing_name": "gas-1",
        "thing_class": "gas", "layer": "things", "feature": None, "property": "ch4", "unit": "%LEL",
        "place": None, "cell": 0, **more,
    }  # fmt: skip
    return Stream(**given)


def test_every_default_rule_speaks_of_what_its_class_observes_and_says_where_it_is_from():
    classes = sensor_classes()
    for rule in default_rules().values():
        for name in rule.classes:
            assert set(rule.properties) <= {known.id for known in classes[name].properties}
        assert rule.origin == "program"
        assert len(rule.source) > 10
        for language in ("en", "zh"):
            said = rule.message_of(stream(), 1.5, 1.0, 3)[language]
            assert "gas-1" in said
            assert "{" not in said
    spoken_of = {name for rule in default_rules().values() for name in rule.classes}
    assert spoken_of == set(classes)
    assert {rule.level for rule in default_rules().values()} == {1, 2, 3, 4}


def test_a_city_adds_changes_and_switches_off():
    changes = {"gas-methane-high": {"above": 30, "clear": 22}, "silent": {"off": True}, **own()}
    rules = combined(changes, "alarms.toml")
    changed = rules["gas-methane-high"]
    assert (changed.limit, changed.clear, changed.origin) == (30, 22, "changed")
    assert changed.message == default_rules()["gas-methane-high"].message
    assert "silent" not in rules
    assert (rules["mine"].clear, rules["mine"].origin) == (10, "city")
    assert len(rules) == len(default_rules())


def test_a_limit_of_the_other_direction_takes_the_place_of_the_one_there_was():
    rule = combined({"crane-warning": {"below": 5}}, "alarms.toml")["crane-warning"]
    assert (rule.direction, rule.limit, rule.clear) == ("below", 5, 5)


def test_rules_speak_of_datastreams_by_class_property_layer_and_key():
    entry = own(**{"class": ["gas", "gall*"], "property": "ch4", "layer": "things", "key": "gas-*"})
    rule = combined(entry, "alarms.toml")["mine"]
    assert rule.speaks_of(stream())
    assert rule.speaks_of(stream(thing_class="gallery"))
    for other in (
        {"thing_class": "tree"},
        {"property": "o2"},
        {"layer": "x"},
        {"key": "lamp-1/ch4"},
    ):
        assert not rule.speaks_of(stream(**other))


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        ({"mine": 3}, "'mine' is no alarm rule; write [mine]"),
        ({"nobody": {"off": True}}, "off switches off a rule that does not exist"),
        (own(off=1), "off is neither true nor false"),
        (own(kind="odd"), "kind cannot be 'odd'; write one of threshold, rate,"),
        (own(window=5), "window is no field of a threshold rule; it takes above,"),
        (own(level=5), "level cannot be 5; give a whole number from 1 to 4"),
        (own(level=True), "level cannot be True"),
        (own(above="much"), "above cannot be 'much'; give a number"),
        (own(below=3), "above or below must be given, and not both"),
        (own(clear=11), "clear (11) lies beyond above = 10"),
        (own(title="t"), "title needs words in both languages"),
        (own(message={"en": "{odd}", "zh": "x"}), "message has the unknown placeholder {odd}"),
        (own(message={"en": "{value:d}", "zh": "x"}), "unknown placeholder {value:d}"),
        (own(property=""), "property cannot be ''"),
        (own(confidence="sure"), "confidence cannot be 'sure'"),
        (own(kind="rate"), "per is missing; every rate rule needs it"),
        ({"silent": {"alarm": "methane"}}, "only one of them is of silence"),
        ({"gas-methane-around": {"at_least": 6}}, "at_least is more than of = 5"),
    ],
)
def test_a_wrong_rule_is_one_sentence_that_names_file_rule_field_and_remedy(entries, said):
    with pytest.raises(InvalidInput) as error:
        combined(entries, "/city/alarms.toml")
    sentence = error.value.sentence
    assert sentence.startswith("/city/alarms.toml")
    assert said in sentence
    assert "; " in sentence


def test_a_file_that_is_no_toml_says_so(tmp_path: Path):
    (tmp_path / "alarms.toml").write_text("[", encoding="utf-8")
    with pytest.raises(InvalidInput, match="cannot be read"):
        city_rules(tmp_path)


def test_the_rules_are_read_again_when_the_file_changes_and_stay_while_it_is_wrong(tmp_path: Path):
    book = RuleBook(tmp_path)
    assert not book.refresh()
    path = tmp_path / "alarms.toml"
    path.write_text(rule_text("mine", **THRESHOLD), encoding="utf-8")
    assert book.refresh()
    assert book.rules["mine"].limit == 10
    path.write_text(rule_text("mine", **THRESHOLD, level=9), encoding="utf-8")
    assert book.refresh()
    assert "level cannot be 9" in book.problem
    assert book.rules["mine"].limit == 10
    path.unlink()
    assert book.refresh()
    assert book.problem is None
    assert "mine" not in book.rules


def test_a_chart_is_told_the_limits_of_a_datastream_the_mildest_first():
    limits = limits_of(default_rules().values(), stream())
    assert [(one.level, one.value, one.direction) for one in limits] == [
        (2, 10, "above"), (3, 25, "above"), (4, 50, "above"),
    ]  # fmt: skip

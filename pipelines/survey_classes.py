"""Of which class of pipes each row of survey tables is."""

import numpy as np

from cim_core.network import Labels, Rows, Texts
from pipelines.dictionary import class_letters, pipe_class
from pipelines.survey_values import JoinedRows, words

_PREFIX = 2


def classes_of(rows: JoinedRows, points: Texts, said: str = "") -> Labels:
    """The letters of the class or sub-class of each row, (n,).

    What the row says in its columns of class and feature code comes first, then the name of its
    table, then the letters its point number begins with, `points` (n,), at last what a person
    `said` of all. A sub-class that a later one names of the same class is what counts.
    """
    given = [
        words(rows.texts("class"), class_letters),
        words(rows.texts("code"), class_letters),
        rows.names(),
        words(_prefixes(points), class_letters),
        Labels((said,) if said else (), np.full(len(rows), 0 if said else -1, np.int32)),
    ]
    letters = ["", *dict.fromkeys(name for labels in given for name in labels.names if name)]
    number = {name: at for at, name in enumerate(letters)}
    systems = [pipe_class(name).system for name in letters]
    for system in systems:
        if system not in number:
            number[system] = len(letters)
            letters.append(system)
            systems.append(system)
    system_of = np.array([number[system] for system in systems])
    best = np.zeros(len(rows), np.int64)
    for labels in given:
        own = np.array([*(number[name] for name in labels.names), 0], np.int64)[labels.codes]
        finer = (own > 0) & (own != best) & (best == system_of[best]) & (system_of[own] == best)
        best = np.where((best == 0) | finer, own, best)
    return _labels(letters, best)


def systems_of(classes: Labels) -> Labels:
    """The class that each sub-class belongs to, (n,)."""
    raw = Labels.of([pipe_class(name).system for name in classes.names])
    return Labels(raw.names, np.append(raw.codes, np.int32(-1))[classes.codes])


def _labels(letters: list[str], best: Rows) -> Labels:
    used = np.unique(best[best > 0])
    codes = np.full(len(letters), -1, np.int32)
    codes[used] = np.arange(len(used))
    return Labels(tuple(letters[at] for at in used.tolist()), codes[best])


def _prefixes(points: Texts) -> Texts:
    """The two letters point numbers begin with, "" where they do not: "JS" of "JS12"."""
    found = [
        text[:_PREFIX] if text[:_PREFIX].isalpha() and not text[_PREFIX : _PREFIX + 1].isalpha() else ""
        for text in points.tolist()
    ]  # fmt: skip
    return np.array(found, object)

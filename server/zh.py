"""The Chinese of the sentences the program says in English; the table is `zh.toml`.

Errors, warnings and reasons are written in English where they arise, and end up in logs, jobs and
answers. Here a finished sentence is recognised by its template and said again in Chinese.
"""

import re
import tomllib
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

PLACEHOLDER = re.compile(r"\{(\w+)\}")
_QUOTED = re.compile(r"(['\"])(.*)\1", re.DOTALL)
_SENTENCES_REMEMBERED = 4096


@dataclass(frozen=True, slots=True)
class Entry:
    """One template in both languages; `zh.toml` says what its placeholders mean."""

    en: str
    zh: str

    @property
    def literals(self) -> str:
        """What the English says besides its placeholders."""
        return PLACEHOLDER.sub("", self.en)

    def pattern(self) -> re.Pattern[str]:
        """Matches the English sentences of this template; a group for each placeholder."""
        parts: list[str] = []
        for place, part in enumerate(PLACEHOLDER.split(self.en)):
            if place % 2 == 0:
                parts.append(re.escape(part))
            elif f"(?P<{part}>.*?)" in parts:
                parts.append(f"(?P={part})")
            else:
                parts.append(f"(?P<{part}>.*?)")
        return re.compile("".join(parts), re.DOTALL)


def in_chinese(sentence: str) -> str | None:
    """A sentence of the program in Chinese, None for one it does not know.

    Sentences inside a sentence are translated too; names, numbers and other programs' words are
    copied.

    >>> in_chinese("haus.ifc is empty; export it again")
    'haus.ifc 是空文件；请重新导出'
    >>> in_chinese("it went wrong") is None
    True
    """
    return _translated(sentence)


@lru_cache(maxsize=_SENTENCES_REMEMBERED)
def _translated(sentence: str) -> str | None:
    for entry, pattern in _patterns():
        found = pattern.fullmatch(sentence)
        if found is None:
            continue
        values = found.groupdict()
        words = {name: _translated(value) for name, value in values.items() if name.isupper()}
        if None in words.values() and not any(letter.isalpha() for letter in entry.literals):
            continue  # "{source}: {SENTENCE}" fits anything; the sentence must be one of ours
        filled = {name: words.get(name) or _copied(value) for name, value in values.items()}
        return entry.zh.format_map(filled)
    return None


def _copied(value: str) -> str:
    """A name as it is; between Chinese quotation marks where the code quotes it (`{name!r}`)."""
    quoted = _QUOTED.fullmatch(value)
    return value if quoted is None else f"“{quoted[2]}”"


@lru_cache
def entries() -> tuple[Entry, ...]:
    """The table, in the order of the file."""
    text = files("server").joinpath("zh.toml").read_text(encoding="utf-8")
    return tuple(Entry(item["en"], item["zh"]) for item in tomllib.loads(text)["sentence"])


@lru_cache
def _patterns() -> tuple[tuple[Entry, re.Pattern[str]], ...]:
    """Those that say most first: a sentence may fit a template that says less as well."""
    ordered = sorted(entries(), key=lambda entry: -len(entry.literals))
    return tuple((entry, entry.pattern()) for entry in ordered)

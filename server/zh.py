"""The Chinese of the sentences the program says in English; the table is `zh.toml`.

Errors, warnings and reasons are written in English where they arise, and end up in logs, jobs and
answers. Here a finished sentence is recognised by its template and said again in Chinese.
"""

import re
import tomllib
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from server.refused_formats import refused_formats

PLACEHOLDER = re.compile(r"\{(\w+)\}")
_QUOTED = re.compile(r"(['\"])(.*)\1", re.DOTALL)
_SENTENCES_REMEMBERED = 1024
_LONGEST = 10_000
_DEEPEST = 3
"""A sentence in a sentence in a sentence: what is deeper is no sentence of ours."""


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
        """Matches the English sentences of this template; a group for each placeholder.

        A placeholder ends where the text after it first occurs, for good (an atomic group), so the
        time to match grows with the sentence and not with some power of it.
        """
        first, *rest = PLACEHOLDER.split(self.en)
        pattern = re.escape(first)
        for name, text in zip(rest[::2], rest[1::2], strict=True):
            group = f"(?P<{name}>"
            value = f"(?P={name})" if group in pattern else f"{group}.*?)"
            pattern += f"(?>{value}{re.escape(text)})"
        head, atomic, last = pattern.rpartition("(?>")  # the last may go on to the very end
        return re.compile(head + atomic.replace(">", ":") + last, re.DOTALL)


def in_chinese(sentence: str) -> str | None:
    """A sentence of the program in Chinese, None for one it does not know.

    Sentences inside a sentence are translated too; names, numbers and other programs' words are
    copied.

    >>> in_chinese("haus.ifc is empty; export it again")
    'haus.ifc 是空文件；请重新导出'
    >>> in_chinese("it went wrong") is None
    True
    """
    return _translated(sentence, 0) if len(sentence) <= _LONGEST else None


@lru_cache(maxsize=_SENTENCES_REMEMBERED)
def _translated(sentence: str, depth: int) -> str | None:
    if depth > _DEEPEST:
        return None
    for entry, pattern in _patterns():
        found = pattern.fullmatch(sentence)
        if found is None:
            continue
        values = found.groupdict()
        words = {
            name: _translated(value, depth + 1) for name, value in values.items() if name.isupper()
        }
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
    """The table, in the order of the file, and the words for what cannot be read."""
    text = files("server").joinpath("zh.toml").read_text(encoding="utf-8")
    sentences = [Entry(item["en"], item["zh"]) for item in tomllib.loads(text)["sentence"]]
    for refused in dict.fromkeys(refused_formats().values()):
        sentences += [Entry(words["en"], words["zh"]) for words in (refused.name, refused.remedy)]
    return tuple(sentences)


@lru_cache
def _patterns() -> tuple[tuple[Entry, re.Pattern[str]], ...]:
    """Those that say most first: a sentence may fit a template that says less as well."""
    ordered = sorted(entries(), key=lambda entry: -len(entry.literals))
    return tuple((entry, entry.pattern()) for entry in ordered)

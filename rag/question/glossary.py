"""Translations into German, for questions in other languages, and near-synonyms, for German ones.

The glossaries (`rag/data/glossary.<language>.tsv`) are Beleg's own: a headword or phrase, a tab, one to
four German translations with weights. Debian's Ding dictionary (package trans-de-en, GPL-2+) joins the
English one where it is installed; it is never shipped. Read backwards, the English glossary is a
thesaurus: German words that share an English headword are near-synonyms.
"""

from __future__ import annotations

import functools
import json
import math
import re
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from importlib.resources import files
from itertools import takewhile
from pathlib import Path

from rag.text.analysis import keys, stemmer, words

Translations = tuple[tuple[str, float], ...]
"""German words or short phrases, each with a weight from 0 to 1, best first."""

LONGEST_PHRASE = 5
LONGEST_DING_PHRASE = 4
LEAST_CORRECTED = 5
CORRECTED_WEIGHT = 0.8

_PREFIX = 4
_DING_NOTES = re.compile(r"\{[^}]*\}|\[[^\]]*\]|\([^)]*\)|/[^/]*/|<[^>]*>")
_DING_MOST = 12


@dataclass(frozen=True)
class Glossary:
    """Translations by the stems of the headword; `dictionary` is a larger one to fall back on."""

    language: str
    entries: Mapping[str, Translations]
    dictionary: Path | None = None

    def lookup(self, words: Sequence[str]) -> Translations:
        """Translations of a lower-case word or phrase, best first; empty when there are none."""
        if self.language == "uk":
            return self.entries.get(" ".join(words)) or self._by_prefix(words)
        head = _stems(self.language, words)
        own = self.entries.get(head, ())
        return _ranked(dict(_from_dictionary(self.dictionary, head)) | dict(own)) if self.dictionary else own

    def misspelt(self, word: str) -> Translations:
        """Translations of the headwords that an unknown word is one typing error away from, best first.

        An error is one letter too many, missing, wrong, or swapped with its neighbour (Damerau, 1964), but
        not the first letter.
        """
        found: dict[str, float] = {}
        for form in {word, _stems(self.language, [word])}:
            near = {other for rest in _shortened(form) for other in self._forms.get(rest, ())}
            for other in near:
                if other[0] == form[0] and _one_error(form, other):
                    for german, weight in self.lookup([other]):
                        _keep_best(found, german, weight * CORRECTED_WEIGHT)
        return _ranked(found)

    @functools.cached_property
    def _forms(self) -> Mapping[str, list[str]]:
        """Headwords by each form that is left when one letter is dropped (Garbe, SymSpell, 2012)."""
        forms: dict[str, list[str]] = defaultdict(list)
        heads = {headword.lower() for headword, _ in _lines(self.language)} | self.entries.keys()
        for head in heads:
            if " " not in head and len(head) >= LEAST_CORRECTED:
                for rest in _shortened(head):
                    forms[rest].append(head)
        return forms

    def _by_prefix(self, words: Sequence[str]) -> Translations:
        # there is no Snowball stemmer for Ukrainian: the longest common beginning stands in for one
        phrase = " ".join(words)
        best, length = "", 0
        for headword in self._buckets.get(phrase[:_PREFIX], ()):
            if headword.count(" ") != len(words) - 1:
                continue
            pairs = zip(headword.split(" "), words, strict=True)
            same = (takewhile(lambda at: at[0] == at[1], zip(*pair, strict=False)) for pair in pairs)
            common = min(len(list(each)) for each in same)
            longest = max(len(word) for word in (*headword.split(" "), *words))
            if common > length and common >= max(_PREFIX, 0.6 * longest):
                best, length = headword, common
        return self.entries.get(best, ())

    @functools.cached_property
    def _buckets(self) -> Mapping[str, list[str]]:
        buckets: dict[str, list[str]] = defaultdict(list)
        for headword in self.entries:
            if len(headword) >= _PREFIX:
                buckets[headword[:_PREFIX]].append(headword)
        return buckets


@functools.cache
def load_glossary(language: str, dictionary: Path | None = None) -> Glossary:
    """Beleg's glossary for a language; for English with a dictionary made by `compile_dictionary`."""
    entries: dict[str, dict[str, float]] = defaultdict(dict)
    for headword, translations in _lines(language):
        for german, weight in translations:
            _keep_best(entries[_headword_key(language, headword)], german, weight)
    ranked = {head: _ranked(found) for head, found in entries.items()}
    return Glossary(language, ranked, dictionary if language == "en" else None)


def compile_dictionary(ding: Path, folder: Path) -> Path | None:
    """The Ding dictionary as a look-up file in `folder`, made when it is not there yet.

    Returns None when there is no Ding dictionary. Takes some 20 seconds once.
    """
    if not ding.is_file():
        return None
    target = _compiled(ding, folder)
    if target.exists():
        return target
    entries: dict[str, dict[str, float]] = defaultdict(dict)
    for headword, german, weight in _ding(ding):
        _keep_best(entries[_headword_key("en", headword)], german, weight)
    folder.mkdir(parents=True, exist_ok=True)
    partial = target.with_suffix(".partial")
    partial.unlink(missing_ok=True)
    with closing(sqlite3.connect(partial)) as connection, connection:
        connection.execute("CREATE TABLE entry (head TEXT PRIMARY KEY, translations TEXT) WITHOUT ROWID")
        connection.executemany(
            "INSERT INTO entry VALUES (?, ?)",
            ((head, json.dumps(_ranked(found), ensure_ascii=False)) for head, found in entries.items()),
        )
    partial.replace(target)
    return target


def compiled_dictionary(ding: Path | None, folder: Path) -> Path | None:
    """The look-up file of the current Ding dictionary; None if `compile_dictionary` has not made it yet."""
    if ding is None or not ding.is_file():
        return None
    target = _compiled(ding, folder)
    return target if target.exists() else None


def _compiled(ding: Path, folder: Path) -> Path:
    stat = ding.stat()
    return folder / f"dictionary-{stat.st_size}-{int(stat.st_mtime)}.sqlite3"


@functools.lru_cache(maxsize=10_000)
def _from_dictionary(path: Path, head: str) -> Translations:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        row = connection.execute("SELECT translations FROM entry WHERE head = ?", (head,)).fetchone()
    return tuple((german, weight) for german, weight in json.loads(row[0])) if row else ()


@functools.lru_cache(maxsize=20_000)
def near_synonyms(word: str) -> tuple[tuple[str, float], ...]:
    """German near-synonyms of a search key, with their likeness from 0 to 1, likest first.

    Each German word is a vector over the English headwords that it translates; likeness is the
    cosine, so that sharing one sense of many counts little (Dyvik, Translations as Semantic
    Mirrors, 1998).
    """
    senses, words = _senses("en")
    own = senses.get(word, {})
    likeness: dict[str, float] = defaultdict(float)
    for headword, weight in own.items():
        for other in words[headword]:
            if other != word:
                likeness[other] += weight * senses[other][headword]
    ranked = ((other, like / (_norm(own) * _norm(senses[other]))) for other, like in likeness.items())
    return tuple(sorted(ranked, key=lambda item: -item[1]))


@functools.lru_cache(maxsize=20_000)
def foreign_synonyms(word: str, language: str) -> tuple[tuple[str, float], ...]:
    """Near-synonyms of a search key in another of our languages, with their likeness, likest first.

    As `near_synonyms`, the other way round: each headword is a vector over its German translations.
    """
    senses, words = _senses(language)

    def vector(headword: str) -> dict[str, float]:
        return {german: senses[german][headword] for german in words[headword]}

    likeness: dict[str, float] = {}
    for headword in _headwords_of(language).get(word, ()):
        own = vector(headword)
        for other in {other for german in own for other in senses[german]}:
            shared = sum(weight * senses[german].get(other, 0.0) for german, weight in own.items())
            _keep_best(likeness, other, shared / (_norm(own) * _norm(vector(other))))
    others = ((other, like) for other, like in likeness.items() if word not in keys(other, language))
    return tuple(sorted(others, key=lambda item: -item[1]))


@functools.cache
def _headwords_of(language: str) -> Mapping[str, list[str]]:
    """Headwords of one word by their search key."""
    found: dict[str, list[str]] = defaultdict(list)
    for headword in _senses(language)[1]:
        terms = keys(headword, language)
        if len(terms) == 1:
            found[terms[0]].append(headword)
    return found


def headwords(word: str, language: str) -> Translations:
    """Translations of a German search key into one of our languages, surest first: the glossary reversed."""
    senses, _ = _senses(language)
    return tuple(sorted(senses.get(word, {}).items(), key=lambda item: -item[1]))


def is_german(word: str) -> bool:
    """Whether a word is on the German side of the English glossary."""
    return any(term in _german_keys() for term in keys(word))


@functools.cache
def _german_keys() -> frozenset[str]:
    return frozenset(german_words().values()) - {""}


@functools.cache
def _senses(language: str) -> tuple[Mapping[str, Mapping[str, float]], Mapping[str, Sequence[str]]]:
    """A glossary reversed: headwords by German search key, and German search keys by headword."""
    senses: dict[str, dict[str, float]] = defaultdict(dict)
    words: dict[str, list[str]] = defaultdict(list)
    known = german_words()
    for headword, translations in _lines(language):
        for german, weight in translations:
            term = known[german] if german in known else _only_key(german)
            if term and headword not in senses[term]:
                senses[term][headword] = weight
                words[headword].append(term)
    return senses, words


@functools.cache
def german_words() -> Mapping[str, str]:
    """Each German word of the English glossary with its search key."""
    table = (files("rag") / "data" / "keys.de.tsv").read_text(encoding="utf-8")
    return dict(line.split("\t") for line in table.splitlines())


def known_keys() -> str:
    """The content of `rag/data/keys.de.tsv`: each German word of the English glossary, a tab, its search key.

    A phrase has no key. The file, written by `make keys`, saves half a second at the first question of each
    process.
    """
    germans = sorted({german for _, translations in _lines("en") for german, _ in translations})
    return "".join(f"{german}\t{_only_key(german)}\n" for german in germans)


def _only_key(german: str) -> str:
    """The search key of a single word, nothing for a phrase."""
    terms = keys(german)
    return terms[0] if len(terms) == 1 else ""


def _norm(vector: Mapping[str, float]) -> float:
    return math.sqrt(sum(weight * weight for weight in vector.values()))


def _lines(language: str) -> Iterable[tuple[str, list[tuple[str, float]]]]:
    file = files("rag") / "data" / f"glossary.{language}.tsv"
    for line in file.read_text(encoding="utf-8").splitlines() if file.is_file() else ():
        headword, _, right = line.partition("\t")
        entries = (entry.strip().partition(":") for entry in right.split("|"))
        yield headword, [(german, float(weight or 1)) for german, _, weight in entries]


def _keep_best(weights: dict[str, float], key: str, weight: float) -> None:
    weights[key] = max(weights.get(key, 0.0), weight)


def _ranked(weights: Mapping[str, float]) -> Translations:
    return tuple(sorted(weights.items(), key=lambda item: -item[1])[:_DING_MOST])


def _headword_key(language: str, headword: str) -> str:
    return _stems(language, [word.lower() for word in words(headword)])


@functools.lru_cache(maxsize=50_000)
def _stem(language: str, word: str) -> str:
    found = stemmer(language)
    return str(found.stemWord(word)) if found else word


def _stems(language: str, words: Iterable[str]) -> str:
    return " ".join(_stem(language, word) for word in words)


def _shortened(word: str) -> set[str]:
    """The word, and every form of it with one letter dropped."""
    return {word} | {word[:i] + word[i + 1 :] for i in range(len(word))}


def _one_error(left: str, right: str) -> bool:
    """Whether two different words are one typing error apart."""
    if len(left) != len(right):
        return left in _shortened(right) or right in _shortened(left)
    wrong = [i for i, (a, b) in enumerate(zip(left, right, strict=True)) if a != b]
    if len(wrong) == 1:
        return True
    swapped = len(wrong) == 2 and wrong[1] == wrong[0] + 1
    return swapped and left[wrong[0]] == right[wrong[1]] and left[wrong[1]] == right[wrong[0]]


def _ding(path: Path) -> Iterable[tuple[str, str, float]]:
    """(English, German, weight) of a Ding file: `de; de | de … :: en; en | en …` a line.

    A translation counts less the further down its list it is, and the more others its entry has.
    """
    with path.open(encoding="utf-8") as file:
        for line in file:
            german_side, sign, english_side = line.partition(" :: ")
            if line.startswith("#") or not sign:
                continue
            for left, right in zip(german_side.split("|"), english_side.split("|"), strict=False):
                germans, englishes = _ding_words(left), _ding_words(right)
                for i, english in enumerate(englishes):
                    for j, german in enumerate(germans):
                        yield english, german, 0.8 / (1 + 0.25 * i + 0.25 * j)


def _ding_words(side: str) -> list[str]:
    words = (" ".join(_DING_NOTES.sub(" ", part).split()) for part in side.split(";"))
    words = (word.lower().removeprefix("to ") if word.startswith("to ") else word for word in words)
    return [word for word in words if word and word.count(" ") < LONGEST_DING_PHRASE]

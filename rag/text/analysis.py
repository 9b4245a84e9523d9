"""Words as the search sees them: stems and n-grams, spelt the same whatever the transliteration.

Selenskyj, Zelensky, Zelenskyy and Зеленський get one key. Measured for names in a spelling that the
articles do not use: hit@1 is 0 with stems alone, and .90 to .96 when they are folded.
"""

import functools
import re
import unicodedata

import Stemmer

from rag.text.languages import LANGUAGES, STOP, rows, table, word_set

GRAM = 5
"""Length of the word-spanning n-grams."""

_AMBIGUOUS_FORMS = word_set("words.ambiguous", "de")
_PREFIXES = word_set("words.prefixes", "de")
_WITH_ZU = re.compile(r"(\w+?)zu(\w{3,}n)")
_UKRAINIAN_ENDINGS = sorted(table("uk", "words.endings").split(), key=lambda ending: -len(ending))
_LONGEST_WORD = 100
_LEAST_STEM, _LEAST_FOLDED = 4, 3
_LONGEST_PREFIX = max(map(len, _PREFIXES))

TOKEN = re.compile(
    r"\d+(?:[.,]\d+)*|[^\W\d_]{1,3}(?:&[^\W\d_]{1,3})+(?![^\W\d_])|[^\W\d_]+(?:['’](?=[яюєїЯЮЄЇ])[^\W\d_]+)*"
)
"""A word or a number. One word is "A&E", and „п’ять“, too."""
_DIGITS = re.compile(r"\d")

_LATIN = (
    "a b v g g d e je jo zh z i i ji j k l m n o p r s t u f ch ts tsch sch schtsch  y  e ju ja   ".split(" ")
)
_CYRILLIC = str.maketrans(dict(zip("абвгґдеєёжзиіїйклмнопрстуфхцчшщъыьэюя'’ʼ", _LATIN, strict=True)))

# in this order: longer spellings first, then accents, then what remains of each sound
_SOUNDS_BEFORE_ACCENTS = {
    "schtsch|shch|stsch": "h",
    "tsch|tch|tsh|cz|č|ć": "h",
    "dsch|dzh|sch|sh|zh|š|ž": "s",
}
_SOUNDS = {
    "kh|ch": "h",
    "ph|[wvf]+": "v",
    "ts|tz|zz|ß|s|z": "s",
    "x": "ks",
    "ck|c|k|q": "k",
    "th": "t",
    "ou|oo": "u",
    "y|j|ie|i+": "i",
    r"(.)\1+": r"\1",
}
# і of a closed syllable is о or е in an open one: ніч, ночі; Київ, Києва
_LAST_VOWEL = re.compile(r"[eo](?=[^aeiou]*$)")
_HARD_C = re.compile("ck|c(?!h)|q")
_DOUBLED = re.compile(r"(.)\1+")


def tokens(text: str) -> list[tuple[str, int, int]]:
    """Words and numbers of `text`, as written, with their offsets."""
    return [(match.group(), match.start(), match.end()) for match in TOKEN.finditer(text)]


def words(text: str) -> list[str]:
    """Words and numbers of `text`, as written."""
    return TOKEN.findall(text)


def romanise(word: str) -> str:
    """A lower-case word with Cyrillic letters in German transliteration."""
    return word.translate(_CYRILLIC)


@functools.lru_cache(maxsize=200_000)
def fold(word: str) -> str:
    """The common spelling of a name's transliterations: fold("selenskyj") == fold("zelensky")."""
    if _DIGITS.search(word):
        return word
    word = romanise(word.lower())
    for spellings, sound in _SOUNDS_BEFORE_ACCENTS.items():
        word = re.sub(spellings, sound, word)
    if not word.isascii():
        word = _without_accents(word)
    for spellings, sound in _SOUNDS.items():
        word = re.sub(spellings, sound, word)
    return word


def _without_accents(word: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFD", word) if not unicodedata.combining(c))


def language_of(stated: str | None) -> str:
    """The language by whose rules a text is analysed: that of an article, else German."""
    return stated if stated in LANGUAGES else "de"


@functools.lru_cache(maxsize=200_000)
def key(word: str, language: str | None = "de") -> str:
    """The search key of a word: its stem in `language`, folded. Numbers stay as they are.

    Irregular forms get the key of their base: key("traf") == key("treffen"), key("began", "en") ==
    key("begin", "en").
    """
    language = language_of(language)
    lower = word.lower()
    if language == "uk":  # there is no Snowball stemmer for it
        return lower if _DIGITS.search(lower) else _ukrainian_stem(lower)
    base = romanise(lower)
    if language == "de":
        base = infinitive(base)
    elif language == "en":
        base = _english_forms().get(base, base)
    stem = _stem(base, language)
    return _spelt(stem) if stem in _ordinary(language) else fold(stem)


def infinitive(word: str) -> str:
    """The infinitive for a strong verb's past form or a "zu" form; any other word unchanged."""
    # hundreds of letters are not a word, and the pattern would start again at each "zu"
    with_zu = _WITH_ZU.fullmatch(word) if len(word) <= _LONGEST_WORD else None
    if with_zu and with_zu.group(1) in _PREFIXES:
        return with_zu.group(1) + with_zu.group(2)
    forms = _strong_forms()
    if word in forms:
        return forms[word]
    for length in range(2, min(len(word) - 3, _LONGEST_PREFIX) + 1):
        if word[:length] in _PREFIXES and word[length:] in forms:
            return word[:length] + forms[word[length:]]
    return word


@functools.lru_cache(maxsize=1)
def _strong_forms() -> dict[str, str]:
    """Infinitives by past form; participles without "ge" serve the inseparable prefixes."""
    forms: dict[str, str] = {}
    for infinitive, past, participle in rows("verbs.de.tsv"):
        endings = ("", "n", "st", "t") if past.endswith("e") else ("", "en", "st", "t", "e")
        for form in (*(past + ending for ending in endings), participle):
            forms.setdefault(form, infinitive)
        if participle.startswith("ge") and not infinitive.startswith("ge"):
            forms.setdefault(participle.removeprefix("ge"), infinitive)
    for ambiguous in _AMBIGUOUS_FORMS:
        forms.pop(ambiguous, None)
    return forms


@functools.cache
def _english_forms() -> dict[str, str]:
    """Verbs by their irregular past forms and participles, nouns by their irregular plurals."""
    return {form: base for base, *forms in rows("forms.en.tsv") for form in forms}


def _stem(word: str, language: str) -> str:
    found = stemmer(language)
    stem = str(found.stemWord(word)) if found else word
    # Snowball does not stem the third person plural: ils rencontrent, il rencontre
    return stem.removesuffix("ent") if language == "fr" and len(stem) >= _LEAST_STEM + 3 else stem


@functools.cache
def stemmer(language: str) -> Stemmer.Stemmer | None:
    """Snowball's stemmer by the `name` in the language's file; None where there is none (Ukrainian)."""
    name = table(language, "name").lower()
    return Stemmer.Stemmer(name) if name in Stemmer.algorithms() else None


def _spelt(word: str) -> str:
    """Evens out the spelling of an ordinary word across languages: commission, Kommission."""
    word = _without_accents(word)
    return _DOUBLED.sub(r"\1", _HARD_C.sub("k", word.replace("ph", "f")))


@functools.cache
def _ordinary(language: str) -> frozenset[str]:
    """Stems of ordinary words, which folding like names would confuse: mayor and major, fire and wire.

    None for German, where folding was measured to help.
    """
    if language == "de":
        return frozenset()
    heads = (head.lower() for head, *_ in rows(f"glossary.{language}.tsv"))
    return frozenset(_stem(head, language) for head in heads if head.isalpha())


def _ukrainian_stem(word: str) -> str:
    """A lower-case word without its Ukrainian ending, folded; міст and мосту get the same vowel.

    A name in Latin letters loses its last vowels, too, so that it matches its Ukrainian spelling.
    """
    fitting = (e for e in _UKRAINIAN_ENDINGS if word.endswith(e) and len(word) - len(e) >= _LEAST_STEM)
    stem = fold(word.removesuffix(next(fitting, "")))
    bare = stem.rstrip("aeiou")
    stem = bare if len(bare) >= _LEAST_FOLDED else stem
    return _DOUBLED.sub(r"\1", _LAST_VOWEL.sub("i", stem))


def keys(text: str, language: str | None = "de") -> list[str]:
    """Search keys of the content words and numbers of `text`, in order, without stop words of `language`."""
    language = language_of(language)
    content = (word for word in words(text) if word.lower() not in STOP[language])
    # a Cyrillic soft sign alone has no sound, and no key
    return [term for word in content if (term := key(word, language))]


def folded(text: str) -> str:
    """The words and numbers of `text` in one spelling, with single spaces at and between them."""
    return " " + " ".join(map(fold, words(text))) + " "


def grams(text: str) -> list[str]:
    """Word-spanning 5-grams of the folded text."""
    line = folded(text)
    return [line[i : i + GRAM] for i in range(len(line) - GRAM + 1)]

"""Text as everything else sees it: normalised once, cut into paragraphs and sentences by offset."""

from __future__ import annotations

import contextlib
import functools
import importlib
import importlib.util
import os
import re
import sys
import threading
import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from rag.errors import ConfigError
from rag.schema import Span

if TYPE_CHECKING:
    import tiktoken
    from nltk.tokenize.punkt import PunktSentenceTokenizer

_PUNKT = {"de": "german", "en": "english", "fr": "french", "pt": "portuguese", "ru": "russian"}
# also what marks where a word may be broken (U+00AD, U+200B), or not (U+2060), which cuts it for a search
_UNWANTED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\xad\u200b\u2060\ud800-\udfff\ufeff]")
_C1 = {0x80 + place: char for place, char in enumerate(bytes(range(0x80, 0xA0)).decode("cp1252", "replace"))}
_BLANK_LINE = re.compile(r"\n[ \t\u00a0]*\n\s*")
_NEWLINE = re.compile(r"\n\s*")
_LINE_END = re.compile(r"[.!?:…][“”\"»«’'‹›)\]]*\s*$")
_WORD = re.compile(r"[^\W\d_]{2,}")
_COMPARED = str.maketrans("ſİıᲀᲁᲂᲃᲄᲅᲆ", "siiвдосттъ")
_CLOSING = re.compile(r"(?:[“”»«’'\")\]]|\[\d{1,3}\]|[¹²³⁰⁴-⁹])+(?=\s|$)")  # marks of footnotes, too
_STARTS_LOW = re.compile(r"[,;:)\]]|[a-zäöüß]")
_MONTHS = "Januar Februar März April Mai Juni Juli August September Oktober November Dezember".split()
# "den 47. Präsidenten", "z. B. Frankreich": a full stop that ends no sentence
_BREAKS_OFF = re.compile(
    r"\b(?:(?:der|die|das|den|dem|des|im|am|zum|zur|vom|beim|s?eine[mnr]|ihre[mnr]) \d{1,3}|[a-z])\.$"
)
_LONGEST_ORDINAL = 20
_LONGEST_WRAPPED_LINE = 100
_WINDOW = 3_000
_ABBREVIATIONS = frozenset(
    "bzw ca d.h dr etc evtl ggf inkl jhd mio mrd mr mrs nr prof rd sog st str tsd u.a usw v.a vgl"
    " hr okt nov dez jan feb sept mind vs z.b z.t abs art hrsg jr sen gen col lt gov rep u.s no".split()
)


def normalise(raw: str) -> str:
    """NFC with `\\n` line ends, without control characters, invisible hyphens, BOM and lone surrogates.

    C1 controls, which nobody writes, are Windows-1252 that was taken for Latin-1: the same place is „ or €.
    """
    text = raw.replace("\r\n", "\n").replace("\r", "\n")
    return unicodedata.normalize("NFC", _UNWANTED.sub("", text).translate(_C1))


def lower_case(word: str) -> str:
    """The word in lower case as `re.IGNORECASE` compares it: the ſ of old print is s, İ and ı are i.

    Python's `lower` leaves them, so that a pattern finds what a table of lower-case words does not hold.
    """
    return word.translate(_COMPARED).lower()


def paragraphs(text: str) -> list[Span]:
    """Spans of the paragraphs, without surrounding white space.

    A line break ends a paragraph, unless the text is hard-wrapped (every line is short, most
    paragraphs have several, and few of them end a sentence): then only a blank line does.
    """
    return list(_pieces(text, _BLANK_LINE if _is_hard_wrapped(text) else _NEWLINE))


def _is_hard_wrapped(text: str) -> bool:
    lines = [line for line in text.split("\n") if line.strip()]
    if not lines or max(map(len, lines)) > _LONGEST_WRAPPED_LINE:
        return False
    blocks = len(_BLANK_LINE.split(text.strip()))
    # the last line of each paragraph ends a sentence anyway
    ended = sum(bool(_LINE_END.search(line)) for line in lines) - blocks
    return len(lines) >= 2 * blocks and 3 * ended < len(lines) - blocks


def sentences(text: str, start: int = 0, end: int | None = None, language: str | None = None) -> list[Span]:
    """Spans of the sentences of one paragraph, `text[start:end]`, in order, trimmed.

    Punkt's pre-trained model for the language (German when unknown) finds the boundaries; a
    fragment too short to say anything ("75 % .", "Genf, 16. Juni 2021.") joins the sentence
    that follows it.
    """
    end = len(text) if end is None else end
    piece = text[start:end]
    spans: list[Span] = []
    for low, high in _punkt_spans(piece, _PUNKT.get(language or "de", "german")):
        closing = _CLOSING.match(piece, low) if spans else None
        if closing:  # Punkt leaves a closing German quotation mark or a footnote's to the next sentence
            spans[-1] = (spans[-1][0], closing.end())
            low = closing.end()
            low += len(piece[low:high]) - len(piece[low:high].lstrip())
        if low >= high:
            continue
        if spans and (
            _STARTS_LOW.match(piece, low)
            or _is_fragment(piece, *spans[-1])
            or _BREAKS_OFF.search(piece, max(spans[-1][0], spans[-1][1] - _LONGEST_ORDINAL), spans[-1][1])
        ):
            spans[-1] = (spans[-1][0], high)
        else:
            spans.append((low, high))
    return [(start + low, start + high) for low, high in spans]


def german_date(day: date | None) -> str:
    """A day as German newspapers write it, 15. August 2025; empty when unknown."""
    return f"{day.day}. {_MONTHS[day.month - 1]} {day.year}" if day else ""


def count_tokens(text: str, model: str = "gpt-4o") -> int:
    """Tokens of `text` by the vocabulary of an OpenAI model (o200k_base for unknown models)."""
    return len(_encoding(model).encode(text, disallowed_special=()))


def has_vocabulary(model: str) -> bool:
    """Whether the model is one whose vocabulary is known, so that its tokens can be counted exactly."""
    import tiktoken

    try:
        return bool(tiktoken.encoding_name_for_model(model))
    except KeyError:
        return False


def _punkt_spans(piece: str, language: str) -> Iterator[Span]:
    """Punkt's sentences, found window by window, for it gives up after five seconds on one text.

    The last sentence of a window is left to the next; one as long as a window is cut at a space.
    """
    punkt, start = _punkt(language), 0
    while len(piece) - start > _WINDOW:
        window = piece[start : start + _WINDOW]
        spans = list(punkt.span_tokenize(window))
        if len(spans) > 1:
            stop = spans.pop()[0]
        else:
            stop = window.rfind(" ") + 1 or len(window)
            spans = [(0, len(window[:stop].rstrip()))]
        yield from ((start + low, start + high) for low, high in spans)
        start += stop
        while start < len(piece) and piece[start].isspace():
            start += 1
    yield from ((start + low, start + high) for low, high in punkt.span_tokenize(piece[start:]))


def _is_fragment(text: str, start: int, end: int) -> bool:
    # the beginning decides: a column of numbers would else be searched anew at each of them
    return len(_WORD.findall(text, start, min(end, start + 200))) < 3


def _pieces(text: str, separator: re.Pattern[str]) -> Iterator[Span]:
    position = 0
    bounds = [(match.start(), match.end()) for match in separator.finditer(text)]
    for low, high in [*bounds, (len(text), len(text))]:
        piece = text[position:low]
        if piece.strip():
            left = position + len(piece) - len(piece.lstrip())
            yield left, left + len(piece.strip())
        position = high


def _static_folder() -> Path:
    # found without importing llama-index, which takes a second and a half
    spec = importlib.util.find_spec("llama_index.core")
    if spec is None or spec.origin is None:
        raise ConfigError("llama-index-core is not installed; run: make install")
    return Path(spec.origin).parent / "_static"


_one_at_a_time = threading.Lock()


@contextlib.contextmanager
def _bare(*packages: str) -> Iterator[None]:
    """Lets modules of packages be imported without what the packages themselves import.

    nltk's takes four seconds (scipy and much else) of which sentences need nothing. Whoever imports a
    package afterwards gets the whole of it; another thread that imports it meanwhile gets a stand-in
    that hands out what the whole has. Packages that are there already are used as they are.
    """
    with _one_at_a_time:
        if any(_is_within(name, packages[0]) for name in list(sys.modules)):
            yield
            return
        gone = threading.Event()
        try:
            for name in packages:  # from the outermost: to be found, a package needs the one around it
                sys.modules[name] = _stand_in(name, gone)
            yield
        finally:
            for name in list(sys.modules):
                if _is_within(name, packages[0]):
                    del sys.modules[name]
            gone.set()


def _is_within(module: str, package: str) -> bool:
    return module.partition(".")[0] == package


def _stand_in(name: str, gone: threading.Event) -> ModuleType:
    """A package made, but not run; other threads wait until it is gone, and then have the whole of it."""
    spec = importlib.util.find_spec(name)
    if spec is None:
        raise ConfigError(f"{name} is not installed; run: make install")
    module, maker = importlib.util.module_from_spec(spec), threading.get_ident()

    def of_the_whole(attribute: str) -> object:
        if attribute.startswith("__") or (threading.get_ident() == maker and not gone.is_set()):
            raise AttributeError(f"module {name!r} has no attribute {attribute!r}")
        gone.wait()
        return getattr(importlib.import_module(name), attribute)

    vars(module)["__getattr__"] = of_the_whole
    return module


_PLAIN_END = re.compile(r"([^\W\d_]{2,})\.\s+([^\W\d_]+)")


def _quick(punkt: type[PunktSentenceTokenizer]) -> type[PunktSentenceTokenizer]:
    """Punkt, which at once decides what is plain: a word that is no abbreviation, a full stop, a word.

    Kiss and Strunk, Unsupervised Multilingual Sentence Boundary Detection (2006): such a full stop ends a
    sentence unless the two words are a collocation. Nine in ten are like that, and 50 times as fast so.
    """

    class Quick(punkt):  # type: ignore[misc,valid-type,unused-ignore]
        def text_contains_sentbreak(self, text: str) -> bool:
            plain = _PLAIN_END.fullmatch(text)
            if plain:
                pair = (plain[1].lower(), plain[2].lower())
                if pair[0] not in self._params.abbrev_types and pair not in self._params.collocations:
                    return True
            return bool(super().text_contains_sentbreak(text))

    return Quick


@functools.cache
def _punkt(language: str) -> PunktSentenceTokenizer:
    with _bare("nltk", "nltk.tokenize"):
        from nltk.tokenize.punkt import PunktParameters, PunktSentenceTokenizer

    # read from the copy in llama-index's wheel: nltk itself would look for a download
    folder = _static_folder() / "nltk_cache" / "tokenizers" / "punkt_tab" / language
    params = PunktParameters()
    params.collocations = {tuple(line.split("\t")) for line in _lines(folder / "collocations.tab")}
    params.sent_starters = set(_lines(folder / "sent_starters.txt"))
    params.abbrev_types = set(_lines(folder / "abbrev_types.txt")) | _ABBREVIATIONS
    seen = "\t".join(_lines(folder / "ortho_context.tab")).split("\t")  # 60,000 words, each with a number
    params.ortho_context = defaultdict(int, zip(seen[::2], map(int, seen[1::2]), strict=True))
    return _quick(PunktSentenceTokenizer)(params)


def _lines(path: Path) -> list[str]:
    text = path.read_text(encoding="utf-8")
    return text.removesuffix("\n").split("\n") if text else []


@functools.cache
def _encoding(model: str) -> tiktoken.Encoding:
    # llama-index ships the vocabularies; without this tiktoken would download them
    os.environ.setdefault("TIKTOKEN_CACHE_DIR", str(_static_folder() / "tiktoken_cache"))
    import tiktoken

    try:
        return tiktoken.encoding_for_model(model)
    except KeyError:
        return tiktoken.get_encoding("o200k_base")

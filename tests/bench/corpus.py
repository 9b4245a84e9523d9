"""Articles of any number, recombined from sentences that are there, with questions whose article is known."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from rag.text.normalize import normalise, paragraphs
from rag.text.sentences import sentences

SEED = 7
ASKED = 120
"""Questions that are asked for retrieval and answers; those behind them are the readers'."""
_SENTENCES = (12, 28)  # of an article: as long as news are, some 350 words
_IN_PARAGRAPH = 4
_PLACES = (
    "Altenried Bärenbruck Dornhagen Eschfelde Fahrenbeck Grünwettern Hollenstedt Immendahl Jagenow Kaltenroda"
    " Lindhorst Morsleben Nesselwang Oberkirnau Pahlsdorf Quellhain Rothenmoor Sandkrug Tiefenort Ulmenried"
).split()
_WORKS = {
    "die Stadthalle": "der Stadthalle",
    "den Radweg": "des Radwegs",
    "die Schwimmhalle": "der Schwimmhalle",
    "das Klärwerk": "des Klärwerks",
    "die Feuerwache": "der Feuerwache",
    "den Bahnhof": "des Bahnhofs",
    "die Bibliothek": "der Bibliothek",
    "das Hallenbad": "des Hallenbads",
    "die Brücke": "der Brücke",
    "den Marktplatz": "des Marktplatzes",
}

_WORDINGS = (
    "Wie viel kostet der Umbau {} in {}?",
    "Was kostet der Umbau {} in {}?",
    "Wie teuer wird der Umbau {} in {}?",
)


@dataclass(frozen=True, slots=True)
class Question:
    """A question, and the id of the one article that answers it."""

    text: str
    article: str


def write_corpus(folder: Path, size: int, news: Path | None, xquad: Path | None) -> list[Question]:
    """Writes `size` text files; the questions to be asked of them.

    The questions are those of XQuAD where it is there, whose paragraphs are among the files then, and
    others about facts planted in recombined articles: `ASKED` of them, then what else can be asked. The same
    arguments give the same corpus.
    """
    folder.mkdir(parents=True)
    chance = random.Random(SEED)
    paragraphs_, asked = _xquad(xquad, size // 2) if xquad else ([], [])
    for id, text in paragraphs_:
        (folder / f"{id}.txt").write_text(text, encoding="utf-8")
    facts = [(place, *work) for place in _PLACES for work in _WORKS.items()]
    chance.shuffle(facts)
    planted, reworded = [], []
    pool = _sentences(news)
    for number, article in enumerate(islice(_recombined(pool, chance), size - len(paragraphs_))):
        if number < len(facts):
            place, object_, genitive = facts[number]
            article.insert(len(article) // 2, _fact(place, object_, chance))
            first, *others = (Question(said.format(genitive, place), f"a{number:06}") for said in _WORDINGS)
            planted.append(first)
            reworded += others
        (folder / f"a{number:06}.txt").write_text(_text(article), encoding="utf-8")
    chosen = chance.sample(asked, min(len(asked), ASKED - ASKED // 4))
    questions = [*chosen, *planted[: ASKED - len(chosen)]]
    chance.shuffle(questions)
    further = [*set(asked).difference(chosen), *planted[ASKED - len(chosen) :], *reworded]
    further.sort(key=lambda question: question.text)
    chance.shuffle(further)
    return [*questions, *further]


def kept_corpus(folder: Path, size: int, news: Path | None, xquad: Path | None) -> list[Question]:
    """As `write_corpus` in the folder's `articles`; what was written there from the same is used again."""
    made_of = [size, str(news), str(xquad), SEED]
    note = folder / "asked.json"
    if note.exists() and (kept := json.loads(note.read_text(encoding="utf-8")))["made of"] == made_of:
        return [Question(*asked) for asked in kept["questions"]]
    shutil.rmtree(folder / "articles", ignore_errors=True)
    asked = write_corpus(folder / "articles", size, news, xquad)
    told = {"made of": made_of, "questions": [[each.text, each.article] for each in asked]}
    note.write_text(json.dumps(told, ensure_ascii=False), encoding="utf-8")
    return asked


def change(folder: Path, number: int) -> str:
    """Changes one recombined article; words that are in no other."""
    path = folder / f"a{number:06}.txt"
    mark = f"Zwirbelkraut{number}"
    path.write_text(f"{path.read_text(encoding='utf-8')}\n\nDas {mark} blüht spät.\n", encoding="utf-8")
    return mark


def _fact(place: str, object_: str, chance: random.Random) -> str:
    cost = chance.randrange(2, 90)
    return f"In {place} beschloss der Rat, {object_} umzubauen; der Umbau kostet {cost} Millionen Euro."


def _sentences(news: Path | None) -> list[str]:
    """All sentences of the seeds, and of the news (a CSV of `label;'text'` lines) where it is there."""
    files = sorted((Path(__file__).parents[2] / "seeds").glob("*.md"))
    texts = [path.read_text(encoding="utf-8") for path in files if path.name != "README.md"]
    if news:
        lines = news.read_text(encoding="utf-8").splitlines()
        texts += [line.partition(";")[2].strip().strip("'") for line in lines]
    found = []
    for text in map(normalise, texts):
        for start, end in paragraphs(text):
            found += [" ".join(text[low:high].split()) for low, high in sentences(text, start, end)]
    return [sentence for sentence in dict.fromkeys(found) if 40 < len(sentence) < 400]


def _recombined(pool: Sequence[str], chance: random.Random) -> Iterator[list[str]]:
    while True:
        yield chance.sample(pool, min(len(pool), chance.randint(*_SENTENCES)))


def _text(sentences: Sequence[str]) -> str:
    starts = range(0, len(sentences), _IN_PARAGRAPH)
    return "\n\n".join(" ".join(sentences[start : start + _IN_PARAGRAPH]) for start in starts) + "\n"


def _xquad(folder: Path, most: int) -> tuple[list[tuple[str, str]], list[Question]]:
    lines = (folder / "passages.jsonl").read_text(encoding="utf-8").splitlines()[:most]
    passages = [(row["id"], row["text"]) for row in map(json.loads, lines)]
    ids = {id for id, _ in passages}
    rows = map(json.loads, (folder / "dev.jsonl").read_text(encoding="utf-8").splitlines())
    return passages, [Question(row["question_de"], row["passage"]) for row in rows if row["passage"] in ids]

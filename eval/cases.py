"""Question sets in any form that is read: our JSONL, one case a line, SQuAD, BEIR, and XQuAD as plain lines.

The form is told by the content. Sets of the latter three bring their articles along.
"""

import csv
import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, Field, TypeAdapter, ValidationError

from ingest.sources import slug
from rag.errors import BadRequest
from rag.schema import Message, Span
from rag.text.normalize import normalise, paragraphs
from rag.text.sentences import sentences

T = TypeVar("T")
Records = tuple[Mapping[str, str], ...]
"""Articles as `.jsonl` records: id, title, text."""


def _not_empty(text: str) -> str:
    if not text.strip():
        raise ValueError("is empty")
    return text


@dataclass(frozen=True, slots=True)
class Case:
    """A question with the parts of a good answer.

    `articles` are the ids of the articles that hold the answer: () for an unanswerable question,
    None if not stated. `facts` are lists of accepted alternatives, `forbidden` what must not
    be said, `evidence` verbatim fragments of the sentences that answer.

    {"id": "s-01", "question": "Wie oft reiste Witkoff?", "lang": "de", "type": "fact",
     "articles": ["sieben-monate"], "facts": [["fünf", "five"]], "evidence": ["reiste fünfmal"]}
    """

    id: Annotated[str, Field(coerce_numbers_to_str=True)]
    question: Annotated[str, AfterValidator(_not_empty)]
    lang: str | None = None
    type: str | None = None
    articles: tuple[str, ...] | None = None
    facts: tuple[tuple[str, ...], ...] = ()
    evidence: tuple[str, ...] = ()
    forbidden: tuple[str, ...] = ()
    history: tuple[Message, ...] = ()
    tags: tuple[str, ...] = ()
    note: str | None = None

    @property
    def answerable(self) -> bool | None:
        """Whether the articles answer it; None if the set does not say."""
        return None if self.articles is None else bool(self.articles)

    @property
    def conversation(self) -> str:
        """The first question of its conversation, which identifies that."""
        return " ".join((self.history[0].content if self.history else self.question).casefold().split())


_CASE = TypeAdapter(Case)


def load_cases(path: Path) -> list[Case]:
    """The cases of a set; raises BadRequest, naming the line, for one that is none."""
    cases = read_lines(path, _CASE, "case")
    check_ids(path, cases)
    return cases


def read_lines(path: Path, form: TypeAdapter[T], what: str) -> list[T]:
    """The objects in a JSONL file, without null fields; raises BadRequest, naming the line."""
    found = []
    for number, line in enumerate(read_text(path).split("\n"), 1):
        if line.strip():
            try:
                row = json.loads(line)
                if isinstance(row, dict):
                    row = {name: value for name, value in row.items() if value is not None}
                found.append(form.validate_python(row))
            except ValueError as exc:
                raise BadRequest(f"{path}, line {number}: no {what} ({why(exc)})") from exc
    return found


def why(exc: Exception) -> str:
    """The first error in data, on one line: place and reason."""
    if not isinstance(exc, ValidationError):
        return str(exc)
    first = exc.errors()[0]
    place = ".".join(map(str, first["loc"]))
    return f"{place}: {first['msg']}" if place else first["msg"]


def read_text(path: Path) -> str:
    """The text of a file of a set; raises BadRequest when it cannot be read."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as exc:
        raise BadRequest(f"cannot read the question set {path}: {exc.strerror}") from exc
    except UnicodeDecodeError as exc:
        raise BadRequest(f"the question set {path} is not UTF-8 ({exc.reason})") from exc


def check_ids(path: Path, cases: Sequence[Case]) -> None:
    """Raises BadRequest for a set without cases, or one that has an id twice."""
    if not cases:
        raise BadRequest(f"the question set {path} holds no case")
    id, times = Counter(case.id for case in cases).most_common(1)[0]
    if times > 1:
        raise BadRequest(f"{path}: the id {id!r} stands for {times} cases; give each its own")


def case_to_dict(case: Case) -> dict[str, Any]:
    """The JSON form of a case, without the fields that it does not state."""
    row: dict[str, Any] = _CASE.dump_python(case, mode="json", exclude_defaults=True)
    return row


def digest(cases: Sequence[Case]) -> str:
    """SHA-256 of a set's cases, independent of the layout of its file."""
    rows = [case_to_dict(case) for case in cases]
    return hashlib.sha256(json.dumps(rows, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class QuestionSet:
    """Cases, and the articles they are about where the set brings its own.

    `gains` (case → article → relevance) mark a set that has judgements of relevance only: with
    them retrieval is measured, and nothing is answered.
    """

    name: str
    cases: tuple[Case, ...]
    articles: Records = ()
    gains: Mapping[str, Mapping[str, float]] | None = None


def load_set(path: Path, lang: str = "de") -> QuestionSet:
    """The set in a file or folder; `lang` chooses the questions where a set has several languages. Raises
    BadRequest when nothing known is there."""
    if path.is_dir():
        if (path / "corpus.jsonl").exists() and (path / "queries.jsonl").exists():
            return _beir(path)
        if (path / "passages.jsonl").exists():
            return _paragraphs(path, lang)
        raise BadRequest(
            f"{path} is no question set: a folder holds corpus.jsonl, queries.jsonl and qrels (BEIR), or"
            " passages.jsonl and questions"
        )
    if path.suffix == ".json":
        return _squad(path)
    return QuestionSet(path.stem, tuple(load_cases(path)))


def tagged(questions: QuestionSet, tag: str | None) -> QuestionSet:
    """The cases with a tag, all without one; raises BadRequest when none has it."""
    if tag is None:
        return questions
    cases = tuple(case for case in questions.cases if tag in case.tags)
    if not cases:
        known = sorted({each for case in questions.cases for each in case.tags})
        raise BadRequest(
            f"no case of {questions.name} has the tag {tag}; there are: {', '.join(known) or 'none'}"
        )
    return replace(questions, name=f"{questions.name} ({tag})", cases=cases)


def with_distractors(questions: QuestionSet, path: Path) -> QuestionSet:
    """The set with the texts of a CSV (`label;'text'` lines, as 10kGNAD) among its articles. Raises
    BadRequest for a set that brings no articles, or a line without a text."""
    if not questions.articles:
        raise BadRequest(f"{questions.name} brings no articles; put the others into the folder of --articles")
    rows = csv.reader(read_text(path).splitlines(), delimiter=";", quotechar="'")
    texts = [";".join(cells[1:]) for cells in rows if cells]
    if not all(text.strip() for text in texts):
        raise BadRequest(f"{path} has a line without a text; each is label;'text'")
    others = tuple({"id": slug(f"{path.stem}-{n}"), "text": text} for n, text in enumerate(texts))
    name = f"{questions.name} among {len(others)} of {path.stem}"
    return replace(questions, name=name, articles=(*questions.articles, *others))


def _squad(path: Path) -> QuestionSet:
    """A file {"data": [{"title", "paragraphs": [{"context", "qas": [{"id", "question", "answers"}]}]}]}.

    SQuAD 1.1 and 2.0, XQuAD, MLQA, GermanQuAD. Each paragraph becomes an article.
    """
    try:
        documents = json.loads(read_text(path))["data"]
        articles, cases = [], []
        for number, document in enumerate(documents):
            title = str(document.get("title") or "").replace("_", " ")
            for place, paragraph in enumerate(document["paragraphs"]):
                id, text = f"p{number}-{place}", normalise(paragraph["context"])
                articles.append({"id": id, "title": title, "text": text})
                cases += [_squad_case(qa, id, paragraph["context"], text) for qa in paragraph["qas"]]
    except (ValueError, KeyError, TypeError) as exc:
        raise BadRequest(f"{path} is no SQuAD file ({type(exc).__name__}: {exc})") from exc
    check_ids(path, cases)
    return QuestionSet(path.stem, tuple(cases), tuple(articles))


def _squad_case(qa: Mapping[str, Any], article: str, context: str, text: str) -> Case:
    if qa.get("is_impossible"):
        return Case(str(qa["id"]), qa["question"], type="unanswerable", articles=())
    # an offset lies elsewhere once the text is normalised
    answers = [
        (normalise(a["text"]).strip(), len(normalise(context[: a["answer_start"]]))) for a in qa["answers"]
    ]
    return _span_case(str(qa["id"]), qa["question"], None, article, text, answers)


def sentences_of(text: str, language: str | None = None) -> list[Span]:
    """The sentences of a text, each within its paragraph."""
    return [span for block in paragraphs(text) for span in sentences(text, *block, language)]


def _span_case(
    id: str, question: str, lang: str | None, article: str, text: str, answers: Sequence[tuple[str, int]]
) -> Case:
    """A case whose answers are spans: each is an accepted wording, and its sentence is evidence."""
    spans = sentences_of(text)
    evidence = [text[low:high] for _, start in answers for low, high in spans if low <= start < high]
    accepted = tuple(dict.fromkeys(answer for answer, _ in answers))
    return Case(id, question, lang, "span", (article,), (accepted,), tuple(dict.fromkeys(evidence)))


def _paragraphs(folder: Path, lang: str) -> QuestionSet:
    """`passages.jsonl` (id, title, text) and questions in every other `.jsonl` (id, passage, answer…)."""
    articles = {
        row["id"]: {**row, "text": normalise(row["text"])} for row in _rows(folder / "passages.jsonl")
    }
    cases = []
    try:
        for file in sorted(folder.glob("*.jsonl")):
            for row in _rows(file) if file.name != "passages.jsonl" else ():
                answer, text = (row["answer"], row["answer_start"]), articles[row["passage"]]["text"]
                question = row[f"question_{lang}"]
                cases.append(_span_case(row["id"], question, lang, row["passage"], text, [answer]))
    except (KeyError, TypeError) as exc:
        raise BadRequest(f"{folder}: a question lacks {exc}; other languages: --lang") from exc
    check_ids(folder, cases)
    return QuestionSet(f"{folder.name}-{lang}", tuple(cases), tuple(articles.values()))


def _beir(folder: Path) -> QuestionSet:
    """`corpus.jsonl` and `queries.jsonl` (_id, title, text), judgements in `qrels.tsv` or `qrels/test.tsv`.
    Thakur et al. 2021 (arXiv 2104.08663). Queries that nothing is judged relevant for are left out."""
    files = [folder / "qrels.tsv", *(folder / "qrels" / f"{part}.tsv" for part in ("test", "dev", "train"))]
    qrels = next((file for file in files if file.exists()), None)
    if qrels is None:
        raise BadRequest(f"{folder} has no judgements: neither qrels.tsv nor qrels/test.tsv")
    gains = _gains(qrels)
    corpus = _rows(folder / "corpus.jsonl")
    queries = {str(row["_id"]): str(row["text"]) for row in _rows(folder / "queries.jsonl")}
    judged = {query: found for query, found in gains.items() if query in queries and any(found.values())}
    cases = [
        Case(query, queries[query], articles=tuple(id for id, gain in found.items() if gain > 0))
        for query, found in judged.items()
    ]
    check_ids(folder, cases)
    articles = []
    for row in corpus:
        title = str(row.get("title") or "")
        # BEIR searches the title with the text; an article's title is searched as well
        articles.append({"id": slug(str(row["_id"])), "title": title, "text": str(row["text"]) or title})
    return QuestionSet(folder.name, tuple(cases), tuple(articles), judged)


def _gains(path: Path) -> dict[str, dict[str, float]]:
    """Judgements from `query <tab> document <tab> score` lines, or trec's four columns, by query."""
    found: dict[str, dict[str, float]] = {}
    for number, line in enumerate(read_text(path).split("\n"), 1):
        cells = line.split()
        try:
            if cells:
                query, *_, document, score = cells
                found.setdefault(query, {})[slug(document)] = float(score)
        except ValueError as exc:
            if number > 1:  # the first line may be a heading
                reason = "not a query, a document and a score"
                raise BadRequest(f"{path}, line {number}: {reason}") from exc
    return found


def _rows(path: Path) -> list[dict[str, Any]]:
    return read_lines(path, TypeAdapter(dict[str, Any]), "JSON object")

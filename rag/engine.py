"""The engine: a question in, a verified answer with citations out."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rag.compose import Draft, compose, nearest
from rag.confidence import THRESHOLD, confidence
from rag.errors import BadRequest
from rag.extract import Candidate, candidates
from rag.glossary import compiled_dictionary
from rag.lexical import load_index
from rag.library import Library, check_fingerprint, fingerprint
from rag.query import Query, understand
from rag.retrieval import Index, Ranking
from rag.rewrite import context_for, standalone
from rag.schema import Answer, Delta, Done, Event, Message, Passage, Retrieved
from rag.settings import Settings
from rag.suggest import suggest
from rag.texts import declined

if TYPE_CHECKING:
    from rag.llama import BelegRetriever

EXTRACTIVE = "extractive"
CANDIDATE_PASSAGES = 20
SUGGESTIONS_TRIED = 24
SUGGESTION_CONFIDENCE = 0.7


class Engine:
    """Answers questions about one library. Safe to use from several threads."""

    def __init__(self, library: Library, settings: Settings, dictionary: Path | None = None) -> None:
        self.library = library
        self.settings = settings
        self.mode = EXTRACTIVE
        self.dictionary = dictionary
        self._index: Index | None = None
        self._revision = -1
        self._opening = threading.Lock()

    def ask(self, question: str, history: Sequence[Message] = (), *, extractive: bool = False) -> Answer:
        """The answer to a question; `history` is the conversation so far, oldest first.

        With `extractive` the answer is verbatim sentences even where a language model is configured.
        Raises BadRequest for an empty or over-long question, ProviderError when the model fails.
        """
        for event in self.stream(question, history, extractive=extractive):
            if isinstance(event, Done):
                return event.answer
        raise AssertionError("a stream ends with Done")

    def stream(
        self,
        question: str,
        history: Sequence[Message] = (),
        *,
        extractive: bool = False,  # noqa: ARG002 - until a language model answers, every answer is
    ) -> Iterator[Event]:
        """The answer as it comes about: `Retrieved`, any number of `Delta`, then `Done`."""
        question = self._checked(question)
        started = time.perf_counter()
        contexts = context_for(question, history[max(0, len(history) - self.settings.history_turns) :])
        readable = standalone(question, contexts)
        query = understand(
            question, dictionary=self.dictionary, contexts=[(c.text, c.weight) for c in contexts]
        )
        ranking = self.index.rank(query, CANDIDATE_PASSAGES)
        retrieved = time.perf_counter()
        passages = self._passages(ranking)
        yield Retrieved(readable, passages, retrieved - started)
        answer = self._extractive(question, readable, query, ranking, started, retrieved)
        yield Delta(answer.text)
        yield Done(answer)

    def search(self, question: str, k: int | None = None) -> tuple[Passage, ...]:
        """Passages for a question, best first."""
        query = understand(self._checked(question), dictionary=self.dictionary)
        return tuple(hit.passage for hit in self.index.rank(query, k or self.settings.passages).hits)

    def as_retriever(self, k: int | None = None) -> BelegRetriever:
        """The retrieval as a LlamaIndex `BaseRetriever`, for k passages a question."""
        from rag.llama import BelegRetriever

        return BelegRetriever(self, k)

    def suggestions(self, n: int = 4) -> list[str]:
        """Questions taken from the dossier that it answers with confidence."""
        found: list[str] = []
        for question in itertools.islice(suggest(self.library.articles()), SUGGESTIONS_TRIED):
            if len(found) < n and self.ask(question).confidence >= SUGGESTION_CONFIDENCE:
                found.append(question)
        return found

    @property
    def index(self) -> Index:
        """The index of the library's current revision, opened anew when that has changed."""
        revision = self.library.revision
        with self._opening:
            if self._index is None or revision != self._revision:
                lexical = load_index(self.settings.data_dir, revision)
                self._index, self._revision = Index(lexical, self.library), revision
            return self._index

    def close(self) -> None:
        """Releases the library."""
        self.library.close()

    def _passages(self, ranking: Ranking) -> tuple[Passage, ...]:
        return tuple(hit.passage for hit in ranking.hits[: self.settings.passages])

    def _checked(self, question: str) -> str:
        question = question.strip()
        if not question:
            raise BadRequest("The question is empty; please type one.")
        if len(question) > self.settings.question_limit:
            raise BadRequest(
                f"The question has {len(question)} characters; at most {self.settings.question_limit}"
                " are read. Please shorten it."
            )
        return question

    def _extractive(
        self,
        question: str,
        readable: str,
        query: Query,
        ranking: Ranking,
        started: float,
        retrieved: float,
    ) -> Answer:
        found = candidates(ranking)
        sure = confidence(ranking, found)
        abstained = sure < THRESHOLD
        draft = _decline(found, query.language) if abstained else compose(found)
        return Answer(
            question=question,
            standalone_question=readable,
            language=query.language,
            text=draft.text,
            statements=draft.statements,
            citations=draft.citations,
            passages=self._passages(ranking),
            abstained=abstained,
            reason="low confidence" if abstained else None,
            model=None,
            index_fingerprint=self.library.fingerprint,
            confidence=sure,
            further=draft.further,
            timings={"retrieval": retrieved - started, "answer": time.perf_counter() - retrieved},
        )


def _decline(found: Sequence[Candidate], language: str) -> Draft:
    return Draft(declined(language), (), (), nearest(found))


def open_engine(settings: Settings) -> Engine:
    """The engine over the index in the settings' data folder.

    Raises IndexMismatch when the index was built with other settings, IndexDamaged when it cannot
    be read, ConfigError when there is none.
    """
    library = Library.open(settings.data_dir, read_only=True)
    check_fingerprint(library.fingerprint, fingerprint(settings))
    dictionary = compiled_dictionary(settings.dictionary, settings.data_dir)
    return Engine(library, settings, dictionary)

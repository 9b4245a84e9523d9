"""The engine: a question in, a verified answer with citations out."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rag.adapters import Adapters
from rag.chat_model import ChatModel, Deadline, Usage
from rag.compose import compose, nearest
from rag.confidence import THRESHOLD, confidence
from rag.dense import Dense, open_dense
from rag.errors import BadRequest, ProviderError
from rag.extract import Candidate, candidates
from rag.fingerprint import check_fingerprint, fingerprint
from rag.generate import Request, rephrase, write
from rag.glossary import compiled_dictionary
from rag.lexical import load_index
from rag.library import Library
from rag.memory import give_back
from rag.providers import build_embedder, build_model
from rag.query import detect_language, understand
from rag.retrieval import Index, Nearness
from rag.rewrite import context_for, standalone
from rag.schema import Answer, Citation, Delta, Done, Event, Message, Passage, Retrieved, Statement
from rag.settings import Settings
from rag.suggest import follow_ups, suggest
from rag.text import normalise
from rag.texts import declined, unverified
from rag.verify import Verifier
from rag.writing import Writing, add_usage

EXTRACTIVE = "extractive"
LOW_CONFIDENCE, NOT_IN_PASSAGES, UNVERIFIED = "low confidence", "not in the passages", "not verified"
CANDIDATE_PASSAGES = 20
SUGGESTIONS_FROM = 100  # articles
SUGGESTIONS_TRIED = 24
FOLLOW_UPS_TRIED = 8
TRIALS_REMEMBERED = 10_000
SUGGESTION_CONFIDENCE = 0.7


class Engine(Adapters):
    """Answers questions about one library. Safe to use from several threads.

    Its asynchronous twins, and its forms for LlamaIndex, are those of `Adapters`.
    """

    def __init__(
        self,
        library: Library,
        settings: Settings,
        dictionary: Path | None = None,
        model: ChatModel | None = None,
        dense: Dense | None = None,
    ) -> None:
        self.library = library
        self.settings = settings
        self.model = model
        self.dense = dense
        self.dictionary = dictionary
        self._index: Index | None = None
        self._revision = -1
        self._opening = threading.Lock()
        self._tried: dict[tuple[int, str], frozenset[tuple[str, int]]] = {}

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
        self, question: str, history: Sequence[Message] = (), *, extractive: bool = False
    ) -> Iterator[Event]:
        """The answer as it comes about: `Retrieved`, any number of `Delta`, then `Done`.

        Deltas are provisional; the answer of `Done` is verified. Raises as `ask` does; a
        ProviderError in the middle of an answer has the text so far as its `partial`.
        """
        question = self._checked(question)
        history = history[max(0, len(history) - self.settings.history_turns) :]
        model = None if extractive else self.model
        if model is not None:
            model.warm_up()  # its import takes seconds, which are not the server's
        job = self._asked(question, history, model)
        yield Retrieved(job.standalone, job.passages, job.retrieved)
        if model is None or not job.passages:
            answer = self._answer(job, self._extractive(job))
            yield Delta(answer.text)
            yield Done(answer)
        else:
            yield from self._written(model, job)

    def search(self, question: str, k: int | None = None) -> tuple[Passage, ...]:
        """Passages for a question, best first."""
        question = self._checked(question)
        query = understand(question, dictionary=self.dictionary)
        ranking = self.index.rank(query, k or self.settings.passages, self._near(question))
        return tuple(hit.passage for hit in ranking.hits)

    def suggestions(self, n: int = 4) -> list[str]:
        """Questions taken from the dossier that it answers with confidence."""
        found: list[str] = []
        ids = sorted(self.library.versions())
        some = ids[:: max(1, len(ids) // SUGGESTIONS_FROM)]  # of a large dossier: the chat waits for this
        for question in itertools.islice(suggest(self.library.articles(some)), SUGGESTIONS_TRIED):
            if len(found) < n and self._confident(question):
                found.append(question)
        return found

    def follow_ups(self, answer: Answer, asked: Sequence[str], n: int = 3) -> list[str]:
        """Questions to ask next: about what the answer cites, with a confident answer of their own.

        `asked` are the conversation's questions. Few are tried, so that a reader does not wait.
        """
        cited = {(c.article_id, c.start) for c in answer.citations}
        articles = list(self.library.articles([c.article_id for c in answer.citations])) if cited else []
        found: list[str] = []
        for question in itertools.islice(follow_ups(articles, asked), FOLLOW_UPS_TRIED):
            places = self._confident(question)
            if len(found) < n and places and not places <= cited:
                found.append(question)
        return found

    def _confident(self, question: str) -> frozenset[tuple[str, int]]:
        """Where the answer to a suggested question stands, nothing when it is not sure; remembered."""
        key = (self.library.revision, question)
        if key not in self._tried:
            job = self._asked(question, (), None, by_meaning=False)
            answer = self._answer(job, self._extractive(job))
            sure = answer.confidence >= SUGGESTION_CONFIDENCE
            places = ((c.article_id, c.start) for c in answer.citations if sure)
            if len(self._tried) >= TRIALS_REMEMBERED:
                self._tried.clear()
            self._tried[key] = frozenset(places)
        return self._tried[key]

    @property
    def mode(self) -> str:
        """Who answers: the language model's name, or `extractive`."""
        return EXTRACTIVE if self.model is None else self.model.name

    @property
    def sends_to(self) -> str | None:
        """The hosts that questions and passages are sent to; None when nothing is sent anywhere."""
        embedder = self.dense.embedder if self.dense else build_embedder(self.settings)
        hosts = [None if self.model is None else self.model.server.host, embedder.host]
        return ", ".join(dict.fromkeys(host for host in hosts if host)) or None

    @property
    def index(self) -> Index:
        """The index of the library's current revision, opened anew when that has changed."""
        revision = self.library.revision
        with self._opening:
            opened, replaced = self._index, self._index is not None and revision != self._revision
            if opened is None or replaced:
                lexical = load_index(self.settings.data_dir, revision)
                opened = self._index = Index(lexical, self.library)
                self._revision = revision
        if replaced:
            give_back()  # outside the lock: others need not wait for it
        return opened

    def close(self) -> None:
        """Releases the library and the vector index."""
        self.library.close()
        if self.dense is not None:
            self.dense.close()

    def _near(self, question: str) -> Nearness | None:
        return None if self.dense is None else self.dense.near(question)

    def _checked(self, question: str) -> str:
        question = normalise(question).strip()
        if not question:
            raise BadRequest("The question is empty; please type one.")
        if len(question) > self.settings.question_limit:
            raise BadRequest(
                f"The question has {len(question)} characters; at most {self.settings.question_limit}"
                " are read. Please shorten it."
            )
        return question

    def _asked(
        self,
        question: str,
        history: Sequence[Message],
        model: ChatModel | None,
        *,
        by_meaning: bool = True,
    ) -> _Job:
        """The question understood, and what was found for it; by words alone, nothing is sent anywhere."""
        started = time.perf_counter()
        deadline = Deadline(self.settings.llm_deadline)
        contexts = context_for(question, history)
        language = detect_language(question)
        readable, german = standalone(question, contexts), None
        usage: Usage = {}
        if model is not None and (contexts or language != "de"):
            rephrased = rephrase(model, question, history if contexts else (), language, deadline)
            if rephrased is not None:
                readable, german, usage = rephrased
        if german is None:
            weighted = [(context.text, context.weight) for context in contexts]
            query = understand(question, dictionary=self.dictionary, contexts=weighted)
        else:
            query = understand(german, "de")
        ranking = self.index.rank(query, CANDIDATE_PASSAGES, self._near(readable) if by_meaning else None)
        found = candidates(ranking)
        return _Job(
            question=question,
            standalone=readable,
            language=language,
            history=tuple(history),
            passages=tuple(hit.passage for hit in ranking.hits[: self.settings.passages]),
            found=found,
            confidence=confidence(ranking, found),
            deadline=deadline,
            started=started,
            retrieved=time.perf_counter() - started,
            usage=dict(usage),
        )

    def _extractive(self, job: _Job) -> _Outcome:
        if job.confidence < THRESHOLD:
            return self._declined(job, LOW_CONFIDENCE)
        draft = compose(job.found)
        return _Outcome(draft.text, draft.statements, draft.citations, further=draft.further)

    def _declined(self, job: _Job, reason: str, dropped: Sequence[str] = ()) -> _Outcome:
        say = unverified if reason == UNVERIFIED else declined
        return _Outcome(
            say(job.language), (), (), reason=reason, further=nearest(job.found), dropped=tuple(dropped)
        )

    def _written(self, model: ChatModel, job: _Job) -> Iterator[Event]:
        """The answer by a model, each sentence checked as it is complete."""
        writing = Writing(Verifier(job.passages, self.index.idf))
        request = Request(job.question, job.standalone, job.language, job.passages, job.history)
        said = ""
        try:
            for delta in writing.run(write(model, request, self.settings.llm_reply, job.deadline)):
                if not said:
                    job.timings["first word"] = time.perf_counter() - job.started
                said += delta
                yield Delta(delta)
        except ProviderError as error:
            error.partial = said
            raise
        add_usage(job.usage, writing.usage)
        if self.settings.judge:
            add_usage(job.usage, writing.judged(model, job.deadline))
        answer = self._answer(job, self._verified(job, writing), model.name)
        if not said:
            yield Delta(answer.text)
        yield Done(answer)

    def _verified(self, job: _Job, writing: Writing) -> _Outcome:
        if writing.declined:
            return self._declined(job, NOT_IN_PASSAGES)
        claims = [statement for statement in writing.statements if statement.status != "no claim"]
        wrong = [statement for statement in claims if statement.status == "unsupported"]
        if len(wrong) * 2 > len(claims) or not claims:
            withheld = [f"{statement.text}: {statement.status}" for statement in writing.statements]
            return self._declined(job, UNVERIFIED, [*writing.dropped, *withheld])
        further = nearest(job.found, start=len(writing.citations) + 1)
        return _Outcome(
            writing.text,
            tuple(writing.statements),
            tuple(writing.citations),
            further=_besides(further, writing.citations),
            dropped=tuple(writing.dropped),
        )

    def _answer(self, job: _Job, outcome: _Outcome, model: str | None = None) -> Answer:
        answered = time.perf_counter() - job.started - job.retrieved
        return Answer(
            question=job.question,
            standalone_question=job.standalone,
            language=job.language,
            text=outcome.text,
            statements=outcome.statements,
            citations=outcome.citations,
            passages=job.passages,
            abstained=outcome.reason is not None,
            reason=outcome.reason,
            model=model,
            index_fingerprint=self.library.fingerprint,
            confidence=job.confidence,
            further=outcome.further,
            dropped=outcome.dropped,
            usage=job.usage,
            timings={"retrieval": job.retrieved, "answer": answered, **job.timings},
        )


@dataclass(frozen=True, slots=True)
class _Job:
    """A question on its way; `usage` and `timings` grow."""

    question: str
    standalone: str
    language: str
    history: tuple[Message, ...]
    passages: tuple[Passage, ...]
    found: list[Candidate]
    confidence: float
    deadline: Deadline
    started: float
    retrieved: float
    usage: dict[str, float]
    timings: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What was made of a question; `reason` where it was declined."""

    text: str
    statements: tuple[Statement, ...]
    citations: tuple[Citation, ...]
    reason: str | None = None
    further: tuple[Citation, ...] = ()
    dropped: tuple[str, ...] = ()


def _besides(further: Sequence[Citation], cited: Sequence[Citation]) -> tuple[Citation, ...]:
    """The places that are not cited already."""
    return tuple(
        place
        for place in further
        if not any(
            c.article_id == place.article_id and c.start < place.end and place.start < c.end for c in cited
        )
    )


def open_engine(settings: Settings) -> Engine:
    """The engine over the index in the settings' data folder.

    Raises IndexMismatch when the index was built with other settings, IndexDamaged when it cannot
    be read, ConfigError when there is none. With an embedding that has weight in the ranking it owns
    the folder until it is closed, and raises IndexBusy when another process does.
    """
    library = Library.open(settings.data_dir, read_only=True)
    check_fingerprint(library.fingerprint, fingerprint(settings))
    dictionary = compiled_dictionary(settings.dictionary, settings.data_dir)
    dense = open_dense(settings, library.fingerprint)
    return Engine(library, settings, dictionary, build_model(settings), dense)

"""The engine: a question in, a verified answer with citations out."""

from __future__ import annotations

import functools
import itertools
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rag.adapters import Adapters
from rag.answering.catalogue import Catalogue
from rag.answering.compose import compose, nearest
from rag.answering.confidence import THRESHOLD, confidence
from rag.answering.extract import candidates
from rag.answering.generate import Request, rephrase, write
from rag.answering.stream import Writing, add_usage
from rag.answering.texts import declined, stand_in, unverified
from rag.answering.work import Asked, Job, Outcome, besides, named_copies, says_what_was_asked, standing_in
from rag.errors import BadRequest, ProviderError
from rag.models.chat import ChatModel, Deadline, Usage
from rag.models.providers import build_embedder, build_model
from rag.question.followup import context_for, recent, standalone
from rag.question.glossary import compiled_dictionary
from rag.question.parse import reduced
from rag.question.query import detect_language, understand
from rag.question.suggest import follow_ups, suggest
from rag.retrieval.lexical import load_index
from rag.retrieval.meaning import Dense, open_dense
from rag.retrieval.retriever import Index, Nearness, one_of_copies
from rag.schema import Answer, Delta, Done, Event, Message, Passage, Retrieved
from rag.settings import Settings
from rag.store.fingerprint import check_fingerprint, fingerprint
from rag.store.library import Library
from rag.text.normalize import normalise
from rag.verification.verify import Verifier

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
        self._state: _State | None = None
        self._opening = threading.Lock()
        # of fifty threads that work at the same time all are late, one after the other only the last is
        self._working = threading.Lock()
        self._catalogue = Catalogue(library, self._mentioning)

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
        history = recent(history, self.settings.history_turns)
        about_the_dossier = self._catalogue.answer(reduced(question))
        if about_the_dossier is not None:
            yield from self._told(replace(about_the_dossier, question=question), history)
            return
        model = None if extractive else self.model
        if model is not None:
            model.warm_up()  # its import takes seconds, which are not the server's
        asked = self._asked(question, history, model)
        near = self._near(asked.standalone)
        if model is None:
            yield from self._told(self._verbatim(asked, near), history)
            return
        with self._working:
            job = self._job(asked, near)
        if job.passages:
            yield Retrieved(asked.standalone, job.passages, job.retrieved)
            yield from self._written(model, job)
        else:
            yield from self._told(self._answer(job, self._extractive(job)), history)

    def search(self, question: str, k: int | None = None) -> tuple[Passage, ...]:
        """Passages for a question, best first."""
        question = reduced(self._checked(question))
        near = self._near(question)
        with self._working:
            index = self.index
            query = understand(question, dictionary=self.dictionary, languages=index.languages)
            ranking = index.rank(query, k or self.settings.passages, near)
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
            if len(found) == n:
                break
            places = self._confident(question)
            if places and not places <= cited:
                found.append(question)
        return found

    def _confident(self, question: str) -> frozenset[tuple[str, int]]:
        """Where the answer to a suggested question stands, nothing when it is not sure; remembered."""
        return self._opened().tried(question)

    def _try(self, question: str) -> frozenset[tuple[str, int]]:
        # by words alone: nothing is sent anywhere
        answer = self._verbatim(self._asked(question, (), None), None)
        sure = answer.confidence >= SUGGESTION_CONFIDENCE
        return frozenset((c.article_id, c.start) for c in answer.citations if sure)

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
        return self._opened().index

    def _opened(self) -> _State:
        revision = self.library.revision
        with self._opening:
            state = self._state
            if state is None or state.revision != revision:
                lexical = load_index(self.settings.data_dir, revision)
                # the start screen and every answer try questions that are mostly the same
                tried = functools.lru_cache(TRIALS_REMEMBERED)(self._try)
                state = self._state = _State(revision, Index(lexical, self.library), tried)
        return state

    def close(self) -> None:
        """Releases the library and the vector index, and ends what the model is saying."""
        if self.model is not None:
            self.model.close()
        self.library.close()
        if self.dense is not None:
            self.dense.close()

    def _near(self, question: str) -> Nearness | None:
        return None if self.dense is None else self.dense.near(question)

    def _mentioning(self, words: str, language: str) -> set[str]:
        return self.index.mentioning(understand(words, language, self.dictionary).concepts)

    def _checked(self, question: str) -> str:
        question = normalise(question).strip()
        if not question:
            raise BadRequest("question_empty")
        if len(question) > self.settings.question_limit:
            raise BadRequest("question_long", length=len(question), limit=self.settings.question_limit)
        return question

    def _asked(self, message: str, history: tuple[Message, ...], model: ChatModel | None) -> Asked:
        started = time.perf_counter()
        question = reduced(message)
        deadline = Deadline(self.settings.llm_deadline)
        contexts = context_for(question, history)
        language = detect_language(question, self.index.languages)
        readable, german = standalone(question, contexts), None
        usage: Usage = {}
        if model is not None and (contexts or language != "de"):
            rephrased = rephrase(model, question, history if contexts else (), language, deadline)
            if rephrased is not None:
                readable, german, usage = rephrased
        return Asked(
            message, question, readable, german, contexts, language, history, deadline, started, dict(usage)
        )

    def _job(self, asked: Asked, near: Nearness | None) -> Job:
        """What is found for a question; work for the processor alone, to be done in turn."""
        index = self.index
        if asked.german is None:
            weighted = [(context.text, context.weight) for context in asked.contexts]
            query = understand(asked.question, asked.language, self.dictionary, weighted, index.languages)
        elif asked.language in index.languages:
            query = understand(asked.standalone, asked.language, self.dictionary, languages=index.languages)
        else:
            query = understand(asked.german, "de", languages=index.languages)
        ranking, copies = one_of_copies(index.rank(query, CANDIDATE_PASSAGES, near))
        found = candidates(ranking)
        return Job(
            asked,
            ranking,
            copies,
            passages=tuple(hit.passage for hit in ranking.hits[: self.settings.passages]),
            found=found,
            confidence=confidence(ranking, found),
            retrieved=time.perf_counter() - asked.started,
        )

    def _verbatim(self, asked: Asked, near: Nearness | None) -> Answer:
        """The answer in verbatim sentences."""
        with self._working:
            job = self._job(asked, near)
            return self._answer(job, self._extractive(job))

    def _told(self, answer: Answer, history: tuple[Message, ...]) -> Iterator[Event]:
        """The events of an answer that is complete."""
        seconds = answer.timings["retrieval"]
        yield Retrieved(answer.standalone_question, answer.passages, seconds, answered=True)
        yield Delta(answer.text)
        yield Done(answer, history)

    def _extractive(self, job: Job) -> Outcome:
        if job.confidence < THRESHOLD:
            return self._declined(job, LOW_CONFIDENCE)
        draft = compose(job.found, job.ranking.query.text)
        return Outcome(draft.text, draft.statements, draft.citations, further=draft.further)

    def _declined(self, job: Job, reason: str) -> Outcome:
        say = unverified if reason == UNVERIFIED else declined
        return Outcome(say(job.asked.language), (), (), reason=reason, further=nearest(job.found))

    def _written(self, model: ChatModel, job: Job) -> Iterator[Event]:
        """The answer by a model, each sentence checked as it is complete."""
        writing = Writing(Verifier(job.passages, self.index.idf))
        request = Request(
            job.asked.question, job.asked.standalone, job.asked.language, job.passages, job.asked.history
        )
        said = ""
        try:
            for delta in writing.run(write(model, request, self.settings.llm_reply, job.asked.deadline)):
                if not said:
                    job.timings["first word"] = time.perf_counter() - job.asked.started
                said += delta
                yield Delta(delta)
        except ProviderError as error:
            error.partial = said
            raise
        add_usage(job.asked.usage, writing.usage)
        if self.settings.judge:
            add_usage(job.asked.usage, writing.judged(model, job.asked.deadline))
        outcome = self._verified(job, writing)
        answer = self._answer(job, outcome, None if outcome.stands_in else model.name)
        if not said:
            yield Delta(answer.text)
        yield Done(answer, job.asked.history)

    def _verified(self, job: Job, writing: Writing) -> Outcome:
        """What a model wrote, where it is borne out and says what was asked; else what takes its place."""
        claims = [statement for statement in writing.statements if statement.status != "no claim"]
        wrong = [statement for statement in claims if statement.status == "unsupported"]
        if writing.declined:
            return self._instead(job, NOT_IN_PASSAGES, writing)
        if len(wrong) * 2 > len(claims) or not claims:
            return self._instead(job, UNVERIFIED, writing)
        if job.confidence < THRESHOLD and not says_what_was_asked(job, writing.statements, writing.citations):
            return self._instead(job, LOW_CONFIDENCE, writing)
        further = nearest(job.found, start=len(writing.citations) + 1)
        return Outcome(
            writing.text,
            tuple(writing.statements),
            tuple(writing.citations),
            further=besides(further, writing.citations),
            dropped=tuple(writing.dropped),
            withheld=tuple(writing.withheld),
        )

    def _instead(self, job: Job, reason: str, writing: Writing) -> Outcome:
        """In place of what a model wrote: the verbatim answer, where it is sure enough; else declined."""
        outcome = self._extractive(job)
        if outcome.reason is None:
            outcome = standing_in(outcome, stand_in(reason == UNVERIFIED, job.asked.language), reason)
        else:
            outcome = self._declined(job, reason)
        unshown = (f"{statement.text}: {statement.status}" for statement in writing.statements)
        return replace(outcome, dropped=tuple(writing.dropped), withheld=(*unshown, *writing.withheld))

    def _answer(self, job: Job, outcome: Outcome, model: str | None = None) -> Answer:
        answered = time.perf_counter() - job.asked.started - job.retrieved
        return Answer(
            question=job.asked.message,
            standalone_question=job.asked.standalone,
            language=job.asked.language,
            text=outcome.text,
            statements=outcome.statements,
            citations=named_copies(outcome.citations, job.copies),
            passages=job.passages,
            abstained=outcome.reason is not None and not outcome.stands_in,
            reason=outcome.reason,
            model=model,
            index_fingerprint=self.library.fingerprint,
            confidence=job.confidence,
            further=named_copies(outcome.further, job.copies),
            dropped=outcome.dropped,
            withheld=outcome.withheld,
            usage=job.asked.usage,
            timings={"retrieval": job.retrieved, "answer": answered, **job.timings},
        )


@dataclass(frozen=True, slots=True)
class _State:
    """The articles at one revision: their index, and where answers to suggested questions stand in it."""

    revision: int
    index: Index
    tried: Callable[[str], frozenset[tuple[str, int]]]


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

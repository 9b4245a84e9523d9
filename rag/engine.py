"""The engine: a question in, a verified answer with citations out."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import itertools
import re
import threading
import time
from collections.abc import AsyncGenerator, Iterable, Iterator, Sequence, Set
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, Unpack

from rag.answering.aims import PASSAGES, led_by, of_several_sources, stating
from rag.answering.broad import all_of, broadly, latest, tell_one_story
from rag.answering.catalogue import Catalogue
from rag.answering.chosen import chosen, named
from rag.answering.compose import MOST_NEAREST, MOST_STATEMENTS, compose, nearest
from rag.answering.confidence import certainty, confidence
from rag.answering.defined import defined_of, defining
from rag.answering.disagreement import Compared, Difference, about, with_both_sides
from rag.answering.extract import Candidate, candidates, leaning
from rag.answering.generate import rephrase
from rag.answering.roles import right_way_round
from rag.answering.steps import Found, Tools, write_in_steps
from rag.answering.stream import Writing
from rag.answering.summary import summarise
from rag.answering.texts import say, stand_in
from rag.answering.work import (
    Asked,
    History,
    Job,
    Only,
    Outcome,
    SumUp,
    below,
    besides,
    borne_out,
    named_copies,
    one_of,
    says_what_was_asked,
    summed,
)
from rag.errors import BadRequest, ProviderError
from rag.models.chat import ChatModel, Deadline, Usage, build_model
from rag.models.dialect import Restarted
from rag.models.embedding import build_embedder
from rag.question.aims import Aim, aim_of
from rag.question.broad import broad_of
from rag.question.followup import Context, context_for, named_again, one_part_changed, recent, standalone
from rag.question.kind import Request as Requested
from rag.question.kind import of_those_before, to_sum_up
from rag.question.known import Named
from rag.question.parse import MOST_PARTS, Part, parts_of, reduced
from rag.question.query import detect_language, understand
from rag.question.source import Source, source_of
from rag.question.suggest import follow_ups, suggest
from rag.retrieval.meaning import Dense, open_dense, sentence_meaning
from rag.retrieval.retriever import Nearness, Retriever, one_of_copies
from rag.schema import Answer, Asking, Certainty, Delta, Done, Event, Filters, Message, Passage, Retrieved
from rag.settings import Settings
from rag.stepped import stepped
from rag.store.library import Library
from rag.store.library_file import check_fingerprint, fingerprint
from rag.text.normalize import normalise
from rag.verification.verify import Verifier

if TYPE_CHECKING:
    from llama_index.core.tools import QueryEngineTool

    from rag.integrations.llama_index import BelegQueryEngine, BelegRetriever

EXTRACTIVE = "extractive"
LOW_CONFIDENCE, NOT_IN_PASSAGES, UNVERIFIED = "low confidence", "not in the passages", "not verified"
BESIDE = "beside the question"
_WHY = {UNVERIFIED: "unproven", NOT_IN_PASSAGES: "unanswered", BESIDE: "beside"}
CANDIDATE_PASSAGES = 20
BESIDE_WEIGHT = 0.5
"""Weight of the words of the other question in its sentence, for a question joined to it by „und“."""
SUGGESTIONS_FROM = 40  # articles
SUGGESTIONS_TRIED = 24
FOLLOW_UPS_TRIED = 8
TRIALS_REMEMBERED = 10_000
_REMARK = re.compile(r"\s*[(\[][^()\[\]]+[)\]]")


class Engine:
    """Answers questions about one library. Safe to use from several threads."""

    def __init__(
        self, library: Library, settings: Settings, model: ChatModel | None = None, dense: Dense | None = None
    ) -> None:
        self.library, self.settings = library, settings
        self.model, self.dense = model, dense
        # of the articles at one revision: their index, and where answers to suggested questions stand in it,
        # for the start screen and every answer try questions that are mostly the same
        self._index_at = functools.lru_cache(1)(lambda _revision: Retriever(library))
        self._tried = functools.lru_cache(TRIALS_REMEMBERED)(lambda _revision, question: self._try(question))
        self._compared = Compared(library)
        # of fifty threads that work at the same time all are late, one after the other only the last is
        self._working = threading.Lock()
        self._catalogue = Catalogue(library, self._differing)

    def ask(self, question: str, history: Sequence[Message] = (), **how: Unpack[Asking]) -> Answer:
        """The answer to a question; `history` is the conversation so far, oldest first.

        With `extractive` the answer is verbatim sentences even if a language model is configured; `filters`
        choose the articles that may answer. Raises BadRequest for an empty or over-long question and for
        filters that no article fits, ProviderError if the model fails.
        """
        *_, done = self.stream(question, history, **how)
        assert isinstance(done, Done)
        return done.answer

    def stream(
        self,
        question: str,
        history: Sequence[Message] = (),
        *,
        extractive: bool = False,
        filters: Filters | None = None,
    ) -> Iterator[Event]:
        """The answer as events: `Retrieved`, any number of `Delta`s, then `Done`.

        Deltas are provisional; the answer in `Done` is verified. Raises the same as `ask`; a ProviderError in
        the middle of an answer has the text so far as `partial`.
        """
        question = self._checked(question)
        history = recent(history, self.settings.history_turns)
        only = self.fitting(filters)
        model = None if extractive else self.model
        parts = parts_of(reduced(question))
        if len(parts) > 1:
            events = self._in_turn(question, parts, history, model, only)
        else:
            events = self._events(Part(question), history, model, only)
        with contextlib.closing(events):  # type: ignore[type-var]
            for event in events:
                if isinstance(event, Done) and only is not None:
                    event = replace(event, answer=replace(event.answer, filters=filters))
                yield event

    def _in_turn(
        self, message: str, parts: Sequence[Part], history: History, model: ChatModel | None, only: Only
    ) -> Iterator[Event]:
        """Answers the questions of one message in turn, one delta each; a later one may refer to those
        before."""
        answers, said, before = list[Answer](), "", history
        for part in parts[:MOST_PARTS]:
            try:
                *_, done = self._events(part, before, model, only)
            except ProviderError as error:
                error.partial = said + error.partial
                raise
            assert isinstance(done, Done)
            answers.append(done.answer)
            before = (*before, Message("user", part.asks), Message("assistant", done.answer.text))
            whole = one_of(message, answers)
            if not said:
                yield Retrieved(whole.standalone_question, whole.passages, whole.timings["retrieval"])
            yield Delta(whole.text[len(said) :])
            said = whole.text
        if len(parts) > MOST_PARTS:
            whole = one_of(message, answers, say("too_many", answers[0].language))
            yield Delta(whole.text[len(said) :])
        yield Done(whole, history)

    def _events(self, part: Part, history: History, model: ChatModel | None, only: Only) -> Iterator[Event]:
        """Answers one question, from the library or from what the articles say."""
        question, asks = part.asks, reduced(part.asks)
        kind = self._catalogue.kind(asks)
        last = next((said.content for said in reversed(history) if said.role == "user"), "")
        kind = of_those_before(asks, kind, self._catalogue.kind(reduced(last))) or kind
        sums_up = to_sum_up(kind)
        if kind is not None and not (sums_up and self._catalogue.to_sum_up(sums_up, only).ids):
            started = time.perf_counter()
            told = self._catalogue.answer(kind, only)
            answer = self._answer(
                told,
                question=question,
                standalone_question=asks,
                language=kind.language,
                passages=(),
                confidence=float(told.certainty == "sure"),
                timings={"retrieval": time.perf_counter() - started, "answer": 0.0},
            )
            yield from self._told(answer, history)
            return
        if model is not None:
            model.warm_up()  # importing takes seconds, which must not count as the server's
        asked = self._asked(question, history, model, only)
        if part.beside:
            asked = replace(asked, contexts=(*asked.contexts, Context(part.beside, BESIDE_WEIGHT)))
        job = self._found(asked)
        if model is None or not job.passages:
            yield from self._told(self._answer_to(job, self._extractive(job)), history)
        else:
            yield Retrieved(asked.standalone, job.passages, job.retrieved)
            yield from self._written(model, job)

    def search(
        self, question: str, k: int | None = None, *, filters: Filters | None = None
    ) -> tuple[Passage, ...]:
        """Passages for a question, best first, of the articles that fit the filters."""
        question = reduced(self._checked(question))
        sought, only, _ = self._sought(question, self.fitting(filters))
        near = self.dense.near(question) if self.dense else None
        with self._working:
            index = self.index
            query = understand(sought, languages=index.languages)
            ranking = index.rank(query, k or self.settings.passages, near, only)
        return tuple(hit.passage for hit in ranking.hits)

    async def aask(self, question: str, history: Sequence[Message] = (), **how: Unpack[Asking]) -> Answer:
        """As `ask`, without holding up the event loop; cancelling it ends the request to the model too."""
        async with contextlib.aclosing(self.astream(question, history, **how)) as events:
            (answer,) = [event.answer async for event in events if isinstance(event, Done)]
        return answer

    def astream(
        self, question: str, history: Sequence[Message] = (), **how: Unpack[Asking]
    ) -> AsyncGenerator[Event]:
        """As `stream`, without holding up the event loop; stopping it early closes the stream."""
        return stepped(self.stream(question, history, **how))

    async def asearch(
        self, question: str, k: int | None = None, *, filters: Filters | None = None
    ) -> tuple[Passage, ...]:
        """As `search`, without holding up the event loop."""
        return await asyncio.to_thread(self.search, question, k, filters=filters)

    def as_retriever(self, k: int | None = None) -> BelegRetriever:
        """The retrieval as a LlamaIndex `BaseRetriever`, for k passages a question."""
        from rag.integrations.llama_index import BelegRetriever

        return BelegRetriever(self, k)

    def as_query_engine(self, *, extractive: bool = False) -> BelegQueryEngine:
        """Question answering as a LlamaIndex `BaseQueryEngine`: `source_nodes[n - 1]` is what `[n]` cites."""
        from rag.integrations.llama_index import BelegQueryEngine

        return BelegQueryEngine(self, extractive=extractive)

    def as_tool(
        self, name: str = "beleg", description: str | None = None, *, extractive: bool = False
    ) -> QueryEngineTool:
        """Question answering as a tool of a LlamaIndex agent, which reads the answer with its sources.
        `description` is what the agent is told of it; say there what the articles are about."""
        from llama_index.core.tools import QueryEngineTool

        from rag.integrations.llama_index import DESCRIPTION, BelegQueryEngine

        engine = BelegQueryEngine(self, extractive=extractive)
        return QueryEngineTool.from_defaults(engine, name=name, description=description or DESCRIPTION)

    def find(self, question: str, history: Sequence[Message] = ()) -> Job:
        """The material of verbatim answers: passages, candidate sentences (best first), and the confidence.
        Nothing is declined; the evaluation measures these."""
        recently = recent(history, self.settings.history_turns)
        return self._found(self._asked(self._checked(question), recently, None))

    def suggestions(self, n: int = 4, language: str = "de") -> list[str]:
        """Suggested questions about the dossier in a language of the interface, all with a sure answer. They
        are about the latest articles, one for each article before a second for any."""
        latest = [row.id for row in self.library.listed()][:SUGGESTIONS_FROM]
        articles = sorted(self.library.articles(latest), key=lambda article: latest.index(article.id))
        tried = suggest(articles, language)
        return self._sure_of(itertools.islice(tried, SUGGESTIONS_TRIED), n)

    def follow_ups(self, answer: Answer, asked: Sequence[str], n: int = 3) -> list[str]:
        """Questions to ask next, in the answer's language: about its citations, with a sure answer elsewhere.

        `asked` are the questions of the conversation. Only a few are tried, so that readers do not wait. If
        nothing is cited, they are those of the start page.
        """
        cited = {(c.article_id, c.start) for c in answer.citations}
        if not cited:
            return [each for each in self.suggestions(n, answer.language) if each not in asked]
        articles = list(self.library.articles(list({id for id, _ in cited})))
        quoted = " ".join(c.quote for c in answer.citations)
        tried = follow_ups(articles, asked, answer.language, quoted)
        return self._sure_of(itertools.islice(tried, FOLLOW_UPS_TRIED), n, cited)

    def _sure_of(self, tried: Iterable[str], n: int, cited: Set[tuple[str, int]] = frozenset()) -> list[str]:
        """The first n questions that are surely answered by more than what is cited already."""
        revision = self.library.revision
        sure = (question for question in tried if not self._tried(revision, question) <= cited)
        return list(itertools.islice(sure, n))

    def _try(self, question: str) -> frozenset[tuple[str, int]]:
        """Where the answer to a suggested question stands, nothing when it is not sure."""
        # by words alone: nothing is sent anywhere
        outcome = self._extractive(self._found(self._asked(question, (), None), by_meaning=False))
        sure = outcome.certainty == "sure"
        return frozenset((c.article_id, c.start) for c in outcome.citations if sure)

    @property
    def mode(self) -> str:
        """The name of the language model that answers, or `extractive`."""
        return EXTRACTIVE if self.model is None else self.model.name

    @property
    def sends_to(self) -> str | None:
        """The hosts that questions and passages are sent to; None if nothing is sent."""
        embedder = self.dense.embedder if self.dense else build_embedder(self.settings)
        hosts = [None if self.model is None else self.model.server.host, embedder.host]
        return ", ".join(dict.fromkeys(host for host in hosts if host)) or None

    @property
    def index(self) -> Retriever:
        """The index of the library's current revision, opened anew when that has changed."""
        return self._index_at(self.library.revision)

    def close(self) -> None:
        """Releases the library and the vector index, and cuts requests to the model."""
        if self.model is not None:
            self.model.close()
        self._compared.end()
        self.library.close()
        if self.dense is not None:
            self.dense.close()

    def fitting(self, filters: Filters | None) -> Only:
        """Ids of the articles that fit the filters; None for all. Raises BadRequest if none fits."""
        return chosen(filters, self.library, self._catalogue.known)

    def _sought(self, question: str, only: Only) -> tuple[str, Only, SumUp | None]:
        """What to search for, in which articles, and whether to sum them up. The source that a question names
        is not searched for."""
        if asked := to_sum_up(self._catalogue.kind(question)):
            sums_up = self._catalogue.to_sum_up(asked, only)
            return question, frozenset(sums_up.ids), sums_up
        source = source_of(question, self._catalogue.known)
        if source is None:
            return question, only, None
        ids = named(source, self.library) if only is None else named(source, self.library) & only
        if source.asks_more:
            return source.sought, ids, None
        language = detect_language(question, self.index.languages)
        whole = Requested(language, "articles", asks="summary", titles=ids)
        return question, ids, self._catalogue.to_sum_up(whole, only)

    def _differing(
        self, topic: str | None, language: str, ids: frozenset[str]
    ) -> tuple[list[Difference], int]:
        """What the articles with these ids say differently, at all or about a topic in a language; and how
        many of them were compared."""
        if topic is None:
            found, read = self._compared.found(), set(self._compared.newest())
        else:
            job = self._found(replace(self._asked(topic, (), None, ids), language=language))
            found = about(job, self._compared)
            read = {hit.passage.article.id for hit in job.ranking.hits}
        chosen = [each for each in found if all(claim.article.id in ids for claim in each.claims)]
        return chosen, len(read & ids)

    def differing(self) -> list[Difference]:
        """What the newest articles say differently, as far as it is known; nobody waits for it."""
        return self._compared.so_far()

    def _remark(self, found: re.Match[str]) -> str:
        """A remark in brackets; empty if no article has its words: „(ref. 7c1f)“."""
        concepts = understand(found.group()).concepts
        return found.group() if self.index.mentioning(concepts) else ""

    def _checked(self, question: str) -> str:
        question = normalise(question).strip()
        if not question:
            raise BadRequest("question_empty")
        if len(question) > self.settings.question_limit:
            raise BadRequest("question_long", length=len(question), limit=self.settings.question_limit)
        return question

    def _asked(self, message: str, history: History, model: ChatModel | None, only: Only = None) -> Asked:
        started = time.perf_counter()
        question = _REMARK.sub(self._remark, reduced(message)).strip() or message
        deadline = Deadline(self.settings.llm_deadline)
        question = one_part_changed(question, history) or named_again(question, history) or question
        contexts = context_for(question, history)
        language = detect_language(question, self.index.languages)
        in_full: tuple[str, str | None, Usage] = standalone(question, contexts), None, {}
        if model is not None and (contexts or language != "de"):
            in_full = rephrase(model, question, history if contexts else (), language, deadline) or in_full
        readable, german, usage = in_full
        sought, only, sums_up = self._sought(question, only)
        return Asked(
            message,
            question,
            sought,
            only,
            sums_up,
            standalone=readable,
            german=german,
            usage=usage,
            contexts=contexts,
            language=language,
            history=history,
            deadline=deadline,
            started=started,
        )

    def _found(self, asked: Asked, *, by_meaning: bool = True) -> Job:
        """What is found for a question; the processor's part of it is done in turn."""
        near = self.dense.near(asked.standalone) if self.dense and by_meaning else None
        with self._working:
            return self._job(asked, near)

    def _job(self, asked: Asked, near: Nearness | None) -> Job:
        if job := self._of_the_story(asked, near):
            return job
        index = self.index
        if asked.german is None:
            weighted = [(context.text, context.weight) for context in asked.contexts]
            query = understand(asked.sought, asked.language, weighted, index.languages)
        elif asked.language in index.languages:
            query = understand(asked.standalone, asked.language, languages=index.languages)
        else:
            query = understand(asked.german, "de", languages=index.languages)
        aim = aim_of(asked.question, asked.language)
        if aim and aim.is_stance and asked.sought != asked.question:
            aim = None  # in an article of theirs every sentence is theirs
        defined = None if aim else defined_of(asked.question, asked.language)
        most = PASSAGES if aim else CANDIDATE_PASSAGES
        own = self._comments_of(aim, asked.only)
        ranking, copies = one_of_copies(index.rank(query, most, near, own or asked.only))
        meaning = None
        if self.dense is not None:
            with contextlib.suppress(ProviderError):  # the log has it
                meaning = sentence_meaning(self.library, ranking, asked.standalone, self.dense.embed)
        found = right_way_round(candidates(ranking, meaning), query)
        if asked.contexts:
            found = leaning(found, asked.question, asked.history)
        sure = confidence(ranking, found)
        certain = certainty(ranking, found, sure, leans=bool(asked.contexts))
        stated = list[Candidate]()
        if aim and own and (told := stating(found, aim, query, own)):
            found, certain = led_by(told, found), "unsure"
            asked = replace(asked, sums_up=None)
        elif aim or defined:
            told = stating(found, aim, query) if aim else defining(found, defined)[:1] if defined else []
            found, stated, certain = _by_grammar(found, told, aim, certain)
        passages, summary = tuple(hit.passage for hit in ranking.hits), None
        if asked.sums_up is not None:
            summary, passages = summarise(self.library, asked.sums_up)  # a model writes one from these
            sure, certain = (1.0, "sure") if passages else (0.0, "none")
        passages, retrieved = passages[: self.settings.passages], time.perf_counter() - asked.started
        by_words = self.dense is not None and meaning is None and not ranking.by_meaning
        return Job(
            asked,
            ranking,
            copies,
            passages,
            found,
            confidence=sure,
            certainty=certain,
            retrieved=retrieved,
            summary=summary,
            by_words=by_words,
            stated=stated,
        )

    def _comments_of(self, aim: Aim | None, only: Only) -> frozenset[str]:
        """Ids of the comments by somebody whose aims are asked for; no others of theirs."""
        if aim is None or aim.is_stance:
            return frozenset()
        length, meant = self._catalogue.known.part_at(aim.who)
        whole = length == len(aim.who)
        by = (meant,) if whole and isinstance(meant, Named) and meant.authors else ()
        if not by and not aim.is_of_the_author:
            return frozenset()
        ids = named(Source("", "", by, genre="comment"), self.library)
        return ids if only is None else ids & only

    def _of_the_story(self, asked: Asked, near: Nearness | None) -> Job | None:
        """What is found for a broad question about what most articles tell; None for any other."""
        broad = None if asked.sums_up or near is None else broad_of(asked.sought, asked.language)
        if self.dense is None or broad is None:
            return None
        topic = understand(broad.topic, asked.language, languages=self.index.languages)
        among = self.index.mentioning(topic.concepts)
        in_most = 2 * len(among) > self.library.counts().articles
        if not in_most or not (broad.topic or tell_one_story(self.library)):
            return None
        among = among if asked.only is None else among & asked.only
        ranking, copies = one_of_copies(all_of(self.index, topic, latest(self.library, among)))
        try:
            found = broadly(self.library, ranking, broad, asked.standalone, self.dense.embed)
        except ProviderError:  # the log has it
            return None
        if not found:
            return None
        passages = tuple(dict.fromkeys(candidate.hit.passage for candidate in found))
        passages, retrieved = passages[: self.settings.passages], time.perf_counter() - asked.started
        sure = confidence(ranking, found)
        return Job(
            asked, ranking, copies, passages, found, confidence=sure, certainty="unsure", retrieved=retrieved
        )

    def _told(self, answer: Answer, history: History) -> Iterator[Event]:
        """The events of a complete answer."""
        seconds = answer.timings["retrieval"]
        yield Retrieved(answer.standalone_question, answer.passages, seconds, answered=True)
        yield Delta(answer.text)
        yield Done(answer, history)

    def _extractive(self, job: Job) -> Outcome:
        if job.certainty == "none":
            return self._declined(job, LOW_CONFIDENCE)
        if job.summary is not None:
            return job.summary
        sure = job.certainty == "sure"
        best = of_several_sources(job.stated, MOST_STATEMENTS) or job.found
        most = MOST_STATEMENTS if sure else MOST_NEAREST
        outcome = compose(best, job.ranking.query.text, most, job.asked.language, alone=bool(job.stated))
        outcome = replace(outcome, certainty=job.certainty)
        outcome = with_both_sides(job, outcome, self._compared, verbatim=True)
        return outcome if sure else below(say("nearest", job.asked.language), outcome)

    def _declined(self, job: Job, reason: str, model: str | None = None) -> Outcome:
        said = say("unverified" if reason == UNVERIFIED else "declined", job.asked.language)
        return Outcome(said, (), (), "none", reason, model, nearest(job.found))

    def _written(self, model: ChatModel, job: Job) -> Iterator[Event]:
        """The answer by a model; each sentence is checked when it is complete."""
        writing = Writing(Verifier(job.passages, self.index.idf, self.dense.alike if self.dense else None))
        tools = Tools(self.library, self.search, job)
        reply = write_in_steps(model, job, tools, self.settings.llm_reply, self.settings.steps)
        said, started = "", time.perf_counter()
        try:
            for delta in writing.run(reply):
                if isinstance(delta, Restarted):
                    said = ""
                    if isinstance(delta, Found):
                        seconds = time.perf_counter() - started
                        yield Retrieved(delta.asked, delta.passages, seconds, step=delta.tool)
                    continue
                if not said:
                    job.timings["first word"] = time.perf_counter() - job.asked.started
                said += delta
                yield Delta(delta)
        except ProviderError as error:
            error.partial = said
            raise
        if self.settings.judge:
            writing.be_judged(model, job.asked.deadline)
        job = replace(job, passages=tuple(tools.held))
        answer = self._answer_to(job, self._verified(job, writing, model.name), writing.usage)
        if not said:
            yield Delta(answer.text)
        yield Done(answer, job.asked.history)

    def _verified(self, job: Job, writing: Writing, model: str) -> Outcome:
        """The model's answer if it is supported and answers the question, else what takes its place."""
        claims = [statement for statement in writing.statements if statement.status != "no claim"]
        wrong = [statement for statement in claims if statement.status == "unsupported"]
        if writing.declined:
            return self._instead(job, NOT_IN_PASSAGES, writing, model)
        if len(wrong) * 2 > len(claims) or not claims:
            return self._instead(job, UNVERIFIED, writing, model)
        answers = bool(job.summary) or says_what_was_asked(job, writing.statements, writing.citations)
        may_answer = job.certainty == "unsure" and any(each.status == "supported" for each in claims)
        if not (answers or may_answer):
            reason = LOW_CONFIDENCE if job.certainty == "none" else BESIDE
            return self._instead(job, reason, writing, model)
        further = besides(nearest(job.found, start=len(writing.citations) + 1), writing.citations)
        said = writing.text, tuple(writing.statements), tuple(writing.citations), borne_out(claims)
        dropped, withheld = tuple(writing.dropped), tuple(writing.withheld)
        outcome = Outcome(*said, model=model, further=further, dropped=dropped, withheld=withheld)
        if answers:
            return with_both_sides(job, outcome, self._compared, verbatim=False)
        return replace(below(say("nearest", job.asked.language), outcome), certainty="unsure")

    def _instead(self, job: Job, reason: str, writing: Writing, model: str) -> Outcome:
        """In place of the model's answer: the verbatim one if that is certain enough, else a declined one."""
        outcome = self._extractive(job)
        if outcome.reason is None:
            outcome = replace(below(stand_in(_WHY[reason], job.asked.language), outcome), reason=reason)
        else:
            outcome = self._declined(job, reason, model)
        unshown = (f"{statement.text}: {statement.status}" for statement in writing.statements)
        return replace(outcome, dropped=tuple(writing.dropped), withheld=(*unshown, *writing.withheld))

    def _answer_to(self, job: Job, outcome: Outcome, usage: Usage | None = None) -> Answer:
        answered = time.perf_counter() - job.asked.started - job.retrieved
        outcome = replace(
            outcome,
            citations=named_copies(outcome.citations, job.copies),
            further=named_copies(outcome.further, job.copies),
        )
        return self._answer(
            outcome,
            question=job.asked.message,
            standalone_question=job.asked.standalone,
            language=job.asked.language,
            passages=job.passages,
            confidence=job.confidence,
            by_words=job.by_words,
            usage=summed(job.asked.usage, usage or {}),
            timings={"retrieval": job.retrieved, "answer": answered, **job.timings},
        )

    def _answer(self, outcome: Outcome, **known: Any) -> Answer:
        """The outcome as an answer; `known` are the fields that it lacks."""
        said = {each.name: getattr(outcome, each.name) for each in fields(outcome)}
        abstained = outcome.certainty == "none"
        return Answer(abstained=abstained, index_fingerprint=self.library.fingerprint, **said, **known)


def _by_grammar(
    found: list[Candidate], told: list[Candidate], aim: Aim | None, certain: Certainty
) -> tuple[list[Candidate], list[Candidate], Certainty]:
    """The candidates, those that state what is asked for, and how certain that is.

    `told` are those that do by their grammar. Of a stance they only lead the others, and are as sure as the
    best sentence was only if they are that one: who says what is read less surely than who wants what.
    """
    if aim and aim.is_stance:
        if not told or certain == "none":
            return found, [], certain
        return led_by(told, found), [], certain if told[0] is found[0] else "unsure"
    if not told:
        return found, [], "unsure" if certain == "sure" else certain
    return found, told, "sure"


def open_engine(settings: Settings) -> Engine:
    """The engine over the index in the settings' data folder.

    Raises IndexMismatch if the index was built with other settings, IndexDamaged if it cannot be read,
    ConfigError if there is none. With an embedding that has weight in the ranking the engine owns the folder
    until it is closed; raises IndexBusy if another process owns it.
    """
    library = Library.open(settings.data_dir, read_only=True)
    check_fingerprint(library.fingerprint, fingerprint(settings))
    dense = open_dense(settings, library.fingerprint)
    return Engine(library, settings, build_model(settings), dense)

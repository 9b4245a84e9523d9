"""Asks the language model: a prompt within its window, the reply, whether it declines, and a second opinion.

What it is told is in `rag/data/prompts.toml`, which gives the reason for each rule.
"""

import json
import re
import tomllib
from collections.abc import Iterator, Sequence
from importlib.resources import files
from typing import Any

from rag.answering.work import Job
from rag.errors import ContextOverflow, ProviderError
from rag.models.chat import ChatModel, Deadline, Said, Usage
from rag.models.dialect import Turn
from rag.schema import Message, Passage
from rag.text.languages import pattern, table
from rag.text.normalize import count_tokens, has_vocabulary
from rag.verification.facts import facts, fold_quote

PROMPTS: dict[str, Any] = tomllib.loads((files("rag") / "data" / "prompts.toml").read_text(encoding="utf-8"))
"""Texts by name, the `tools` that a model may call, and the form of a judge's `verdict`."""

ESTIMATE = 1.3
"""Factor on token counts for unknown models: the vocabulary counted with is larger than most."""
MESSAGE_TOKENS = 8
LEAST_PASSAGES = 1
REPHRASED_TOKENS = 200
REPHRASE_SECONDS = 15.0

_MARKER = re.compile(r"\s*\[\d{1,3}(?:\.\d+)?(?:\s*[,;–-]\s*\d{1,3})*\]")
_BRACKETED = re.compile(r"\[([\d.^†,;\s–-]+)\]")
_REPHRASED = re.compile(r"^\W*(QUESTION|GERMAN)\W*:\s*(.+?)\s*$", re.MULTILINE | re.IGNORECASE)


def reply_to(
    model: ChatModel, job: Job, held: Sequence[Passage], reply: int, *, overflowed: bool = False
) -> Iterator[Said]:
    """The model's raw reply. Raises ProviderError. A prompt that does not fit, or that has `overflowed`
    before, is shortened once."""
    budget, deadline = model.window - reply, job.asked.deadline
    try:
        if not overflowed:
            yield from model.stream(prompt(model, job, held, budget), reply, deadline)
    except ContextOverflow as overflow:
        if overflow.partial:
            raise
        overflowed = True
    if overflowed:
        smaller = prompt(model, job, held, tokens(model, prompt(model, job, held, budget)) // 2)
        yield from model.stream(smaller, reply, deadline)


def prompt(model: ChatModel, job: Job, held: Sequence[Passage], budget: int, rule: str = "") -> list[Turn]:
    """System prompt, history and passages within a budget of tokens; the best passage always stays.

    `held` are the job's passages and, behind them, those of further steps. Left out are first the oldest
    messages, then the lowest-ranked passages, and last those of further steps. The others keep their numbers.
    `rule` is added to the system prompt.
    """
    asked, sought = job.asked, len(job.passages)
    language = table(asked.language, "name")
    system = Turn("system", PROMPTS["system"].format(sentinel=PROMPTS["no_answer"], language=language) + rule)
    differs = asked.standalone != asked.question
    in_full = PROMPTS["understood"].format(standalone=asked.standalone) if differs else ""
    history = [Turn(m.role, _MARKER.sub("", m.content)) for m in asked.history]
    passages = dict(enumerate(held, 1))
    while True:
        given = "\n\n".join(passage_text(n, passage) for n, passage in passages.items())
        question = PROMPTS["question"].format(passages=given, language=language, question=asked.question)
        turns = [system, *history, Turn("user", question + in_full)]
        if tokens(model, turns) <= budget or (not history and len(passages) <= LEAST_PASSAGES):
            return turns
        if history:
            del history[:2]
        else:
            del passages[max((n for n in passages if 1 < n <= sought), default=max(passages))]


def tokens(model: ChatModel, turns: Sequence[Turn]) -> int:
    """Tokens of a prompt: by the model's vocabulary where it is known, else a safe estimate."""
    factor = 1.0 if has_vocabulary(model.name) else ESTIMATE
    return int(sum(factor * count_tokens(turn.content, model.name) + MESSAGE_TOKENS for turn in turns))


def rephrase(
    model: ChatModel, question: str, history: Sequence[Message], language: str, deadline: Deadline
) -> tuple[str, str, Usage] | None:
    """The question in full, the same in German, and the tokens used; None if the model fails."""
    said = "\n".join(f"{m.role}: {_MARKER.sub('', m.content)}" for m in history)
    turns = [
        Turn("system", PROMPTS["rephrase"].format(language=table(language, "name"))),
        Turn("user", f"{said}\nuser: {question}".strip()),
    ]
    try:
        text, usage = model.complete(
            turns, REPHRASED_TOKENS, Deadline(min(REPHRASE_SECONDS, deadline.remaining()))
        )
    except ProviderError:
        return None
    lines = {name.upper(): line for name, line in _REPHRASED.findall(text)}
    if not {"QUESTION", "GERMAN"} <= lines.keys():
        return None
    return lines["QUESTION"], lines["GERMAN"], usage


def passage_text(number: int, passage: Passage) -> str:
    """A passage as the model sees it: its source, and its numbered sentences."""
    article = passage.article
    day = article.published.isoformat() if article.published else "undated"
    genre = "comment" if article.genre == "comment" else None
    known = (article.outlet, article.author, day, genre, article.title)
    origin = " · ".join(_quoted(part) for part in known if part)
    sentences = "\n".join(
        f"[{number}.{n}] {_quoted(article.text[start:end])}"
        for n, (start, end) in enumerate(passage.chunk.sentences, 1)
    )
    return f"<passage number={number}>\n{origin}\n{sentences}\n</passage>"


def _quoted(text: str) -> str:
    """Article text on one line, without anything that looks like our delimiters or citations."""
    plain = " ".join(text.split()).replace("<", "‹").replace(">", "›")
    return _BRACKETED.sub(r"(\1)", plain)


VERDICT_TOKENS = 300


def judge(model: ChatModel, sentence: str, passage: str, deadline: Deadline) -> tuple[bool, Usage] | None:
    """Whether the passage supports the sentence, and the tokens used. None without a verdict that can be
    trusted: the model failed, or the evidence that it quotes is not in the passage."""
    asked = PROMPTS["judged"].format(passage=passage, sentence=sentence)
    turns = [Turn("system", PROMPTS["judge"]), Turn("user", asked)]
    try:
        text, usage = model.complete(turns, VERDICT_TOKENS, deadline, response_format=PROMPTS["verdict"])
        verdict = json.loads(text[text.find("{") : text.rfind("}") + 1])
        supported, evidence = verdict["supported"], fold_quote(verdict["evidence"])
    except (ProviderError, ValueError, KeyError, TypeError, AttributeError):
        return None
    if not isinstance(supported, bool) or not evidence or evidence not in fold_quote(passage):
        return None
    return supported, usage


SENTINEL_LENGTH = 16
"""Characters of a reply that are held back until it is clear whether it begins with the sentinel."""

_SENTINEL = re.compile(r"[\W_]*(?:KEINE[_ ]?ANTWORT|NO[_ ]?ANSWER)\b[\W_]*")
_ALONE = re.compile(rf"[\W_]*{pattern('declines.alone')}[\W_]*", re.IGNORECASE)
_SAYS = [  # of the sources, or of itself
    re.compile(rf"(?is)(?=.*\b{pattern(f'declines.{who}')}\b).*\b{pattern(f'declines.{verb}')}\b")
    for who, verb in (("sources", "says"), ("self", "knows"))
]


def is_sentinel(text: str) -> bool:
    """Whether these words are only the sentinel, or a variant of it."""
    return _SENTINEL.fullmatch(text) is not None or _ALONE.fullmatch(text) is not None


def begins_with_sentinel(text: str) -> bool:
    """Whether a reply begins with the sentinel, whatever follows."""
    return _SENTINEL.match(text) is not None


def declines(sentence: str) -> bool:
    """Whether a sentence says in its own words that the passages do not answer."""
    said = facts(sentence)
    about = any(each.match(sentence) for each in _SAYS)
    return about and said.negations > 0 and not (said.numbers or said.days or said.quotes)

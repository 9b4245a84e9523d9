"""An optional second opinion by the model on sentences that cannot be decided by words."""

import json

from rag.answering.prompts import PROMPTS
from rag.errors import ProviderError
from rag.models.chat import ChatModel, Deadline, Usage
from rag.models.dialect import Turn
from rag.verification.facts import fold_quote

VERDICT_TOKENS = 300


def judge(model: ChatModel, sentence: str, passage: str, deadline: Deadline) -> tuple[bool, Usage] | None:
    """Whether the passage supports the sentence, and the tokens used.

    None without a verdict that can be trusted: the model failed, or the evidence that it quotes is not in the
    passage.
    """
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

"""An optional second opinion by the model on sentences that cannot be decided by words."""

from __future__ import annotations

import json

from rag.answering.prompts import JUDGE, JUDGED
from rag.errors import ProviderError
from rag.models.chat import ChatModel, Deadline, Usage
from rag.models.dialect import Turn
from rag.verification.facts import fold_quote

VERDICT_TOKENS = 300
_SCHEMA = {
    "type": "json_schema",
    "json_schema": {
        "name": "verdict",
        "strict": True,
        "schema": {
            "type": "object",
            "properties": {"supported": {"type": "boolean"}, "evidence": {"type": "string"}},
            "required": ["supported", "evidence"],
            "additionalProperties": False,
        },
    },
}


def judge(model: ChatModel, sentence: str, passage: str, deadline: Deadline) -> tuple[bool, Usage] | None:
    """Whether the passage supports the sentence, and the tokens used.

    None without a verdict that can be trusted: the model failed, or the evidence that it quotes is not in the
    passage.
    """
    turns = [Turn("system", JUDGE), Turn("user", JUDGED.format(passage=passage, sentence=sentence))]
    try:
        text, usage = model.complete(turns, VERDICT_TOKENS, deadline, response_format=_SCHEMA)
        verdict = json.loads(text[text.find("{") : text.rfind("}") + 1])
        supported, evidence = verdict["supported"], fold_quote(verdict["evidence"])
    except (ProviderError, ValueError, KeyError, TypeError, AttributeError):
        return None
    if not isinstance(supported, bool) or not evidence or evidence not in fold_quote(passage):
        return None
    return supported, usage

"""Protects how servers that nearly speak OpenAI's protocol are read, and what of a reply readers get."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.errors import ProviderProtocol, ProviderUnavailable
from rag.models.chat import ChatModel, Deadline, End
from rag.models.dialect import Debris, Restarted, Turn
from rag.models.faults import Server
from rag.settings import Settings
from tests.openai_server import Json, OpenAIServer, Reply, openai_server, refusal

ASKED = [Turn("system", "Sei kurz."), Turn("user", "Was gilt?"), Turn("user", "Und jetzt?")]
SSE = {"content-type": "text/event-stream"}


@pytest.fixture(scope="module")
def module_server() -> Iterator[OpenAIServer]:
    with openai_server() as server:
        yield server


@pytest.fixture
def server(module_server: OpenAIServer) -> OpenAIServer:
    module_server.requests.clear()
    module_server.queue.clear()
    return module_server


@pytest.fixture
def model(server: OpenAIServer) -> Iterator[ChatModel]:
    settings = Settings(openai_base_url=server.base_url, llm="scripted", llm_retries=0)
    with closing(ChatModel(Server("scripted", server.base_url, False, 5.0), settings)) as model:
        yield model


def said(model: ChatModel) -> str:
    pieces = list(model.stream(ASKED, 100, Deadline(60)))
    assert isinstance(pieces[-1], End)
    return "".join(piece for piece in pieces if isinstance(piece, str))


def streamed(*events: Json | str, end: str = "data: [DONE]\n\n") -> Reply:
    lines = (each if isinstance(each, str) else f"data: {json.dumps(each)}\n\n" for each in events)
    return Reply(body=("".join(lines) + end).encode(), headers=SSE)


def chunk(content: object, finish: str | None = None, **more: object) -> Json:
    return {"choices": [{"index": 0, "delta": {"content": content, **more}, "finish_reason": finish}]}


def unless(accepted: Callable[[Json], bool], message: str, status: int = 400) -> Callable[[Json], Reply]:
    return lambda body: Reply("Gut.") if accepted(body) else refusal(status, message)


@pytest.mark.parametrize(
    ("accepted", "message", "status"),
    [
        (lambda body: "max_tokens" not in body and body["max_completion_tokens"] == 100,
         "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.", 400),
        (lambda body: not {"max_tokens", "max_completion_tokens"} & body.keys(),
         "max_tokens and max_completion_tokens: extra inputs are not permitted", 422),
        (lambda body: "temperature" not in body, "temperature is unsupported", 400),
        (lambda body: "stream_options" not in body, "Extra inputs are not permitted: stream_options", 422),
        (lambda body: [m["role"] for m in body["messages"]] == ["user"], "System role not supported", 400),
        (lambda body: [m["role"] for m in body["messages"]] == ["user"],
         "Conversation roles must alternate user/assistant/user/assistant/...", 500),
    ],
)  # fmt: skip
def test_what_a_server_refuses_is_left_out_and_remembered(
    model: ChatModel, server: OpenAIServer, accepted: Callable[[Json], bool], message: str, status: int
) -> None:
    server.default = unless(accepted, message, status)
    assert said(model) == "Gut."
    tries = len(server.requests)
    assert said(model) == "Gut."
    assert len(server.requests) == tries + 1
    assert "Sei kurz." in server.requests[-1].prompt


def test_a_refusal_that_does_not_help_is_told_and_not_asked_for_ever(
    model: ChatModel, server: OpenAIServer
) -> None:
    server.default = refusal(400, "temperature, or max_tokens, or the role, is not to my taste")
    with pytest.raises(ProviderProtocol, match="not to my taste"):
        said(model)
    assert len(server.requests) <= 5


@pytest.mark.parametrize(
    "reply",
    [
        streamed(": ping\n\n", 'event: ping\ndata: {"type": "ping"}\n\n', chunk("Gut."), chunk("", "stop")),
        streamed(chunk([{"type": "text", "text": "Gut."}]), chunk("", "stop")),
        streamed("\ufeff", chunk("Gut.", "stop")),
        streamed(chunk("Gut.")),
        streamed(chunk("Gut.", "stop"), end=""),
        streamed('data:{"choices": [{"delta": {"content": "Gut."}, "finish_reason": "stop"}]}\r\n\r\n'),
        Reply(body=b'{"choices": [{"message": {"content": "Gut."}, "finish_reason": "stop"}]}'),
        streamed(chunk(None, reasoning_content="Hm."), chunk("Gut.", "stop")),
        streamed(chunk([{"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]},
                        {"type": "text", "text": "Gut."}], "stop")),
    ],
    ids=["pings", "parts", "byte order mark", "no finish reason", "no DONE", "tight",
         "no stream", "thoughts", "thinking part"],
)  # fmt: skip
def test_dialects_of_a_stream_are_read(model: ChatModel, server: OpenAIServer, reply: Reply) -> None:
    server.default = reply
    assert said(model) == "Gut."


def test_line_separators_of_unicode_do_not_break_a_stream(model: ChatModel, server: OpenAIServer) -> None:
    text = "Eins\u2028zwei\x85drei"
    event = json.dumps(chunk(text, "stop"), ensure_ascii=False)
    server.default = Reply(body=f"data: {event}\n\ndata: [DONE]\n\n".encode(), headers=SSE)
    assert said(model) == text


@pytest.mark.parametrize(
    ("reply", "named"),
    [
        (Reply("", finish="length"), "BELEG_LLM_REPLY"),
        (Reply("<think>Ich denke und denke", finish="length"), "BELEG_LLM_REPLY"),
        (streamed(chunk(None, reasoning="Hm."), chunk(None, "stop")), "BELEG_LLM_REPLY"),
    ],
)
def test_thoughts_that_use_up_the_reply_are_an_error_that_names_the_setting(
    model: ChatModel, server: OpenAIServer, reply: Reply, named: str
) -> None:
    server.default = reply
    with pytest.raises(ProviderProtocol, match=named):
        said(model)


def test_an_error_with_status_200_is_told(model: ChatModel, server: OpenAIServer) -> None:
    server.default = Reply(body=b'{"error": {"message": "no such luck"}}')
    with pytest.raises(ProviderUnavailable, match="no such luck"):
        said(model)


# --- debris


def cleaned(*pieces: str) -> str:
    """What is for the reader; what was before a restart is not."""
    debris, text = Debris(), ""
    told = [shown for piece in pieces for shown in debris.take(piece)] + list(debris.take("", last=True))
    for shown in told:
        text = "" if isinstance(shown, Restarted) else text + shown
    return text.strip()


THOUGHT = [
    "<think>Hm?</think>Gut [1].",
    "<thinking>Hm?</thinking>\n\nGut [1].",
    "Okay, der Nutzer fragt.\n</think>\n\nGut [1].",
    "Die Frage ist leicht.</think>Gut [1].",
    "[THINK]Hm?[/THINK]Gut [1].",
    "◁think▷Hm?◁/think▷Gut [1].",
    "<seed:think>Hm?</seed:think>Gut [1].",
    "<|channel|>analysis<|message|>Hm?<|end|><|start|>assistant<|channel|>final<|message|>Gut [1].<|return|>",
    "<|start|>assistant<|channel|>commentary to=x<|message|>Hm?<|end|><|channel|>final<|message|>Gut [1].",
    "analysisNeed the length.assistantfinalGut [1].",
    "Gut <think>oder?</think>[1].",
]  # fmt: skip
LEFT_OVER = [
    "<|im_start|>assistant\nGut [1].<|im_end|>\n<|im_start|>user\nUnd wer noch?<|im_end|>",
    "<s> Gut [1].</s>[INST] Und wer? [/INST]",
    "<start_of_turn>model\nGut [1].<end_of_turn>",
    "<|start_header_id|>assistant<|end_header_id|>\n\nGut [1].<|eot_id|>",
    "Gut [1].<｜end▁of▁sentence｜>Mehr",
    "<passage number=5>\nGut [1].\n</passage>",
    "<answer>Gut <cite>1</cite>.</answer>",
    "Gut <sup>1</sup>.",
]
PLAIN = ["Es gilt 3 < 5 und <b> ist ein Tag.", "Er sagte <ich> und [sic].", "assist assistant", "a<", "Gut ["]


@pytest.mark.parametrize("written", [*THOUGHT, *LEFT_OVER])
def test_debris_never_reaches_the_reader(written: str) -> None:
    assert cleaned(written) == "Gut [1]."


@pytest.mark.parametrize("written", PLAIN)
def test_what_only_looks_like_debris_stays(written: str) -> None:
    assert cleaned(written) == written


@given(st.sampled_from([*THOUGHT, *LEFT_OVER, *PLAIN, "„Gut.“</s>Mehr"]), st.data())
def test_however_a_reply_is_cut_the_same_is_left_of_it(written: str, data: st.DataObject) -> None:
    at = sorted(data.draw(st.sets(st.integers(1, len(written)), max_size=12)))
    assert cleaned(*(written[i:j] for i, j in zip([0, *at], [*at, None], strict=True))) == cleaned(written)


def test_a_reply_that_begins_by_thinking_aloud_is_held_back_until_it_is_over() -> None:
    debris = Debris()
    assert list(debris.take("Okay, der Nutzer fragt nach der Länge der Brücke. ")) == []
    assert [*debris.take("</think>Sie ist 312 Meter lang.")] == ["Sie ist 312 Meter lang."]

"""Removes what does not belong to a reply: thoughts, template tokens, delimiters.

Seen from DeepSeek-R1, Qwen3, QwQ, Magistral, Kimi, gpt-oss and small models, behind vLLM, llama.cpp, LM
Studio.
"""

import re
from collections.abc import Iterator

_THOUGHT = r"(?:\w+:)?(?:think(?:ing)?|thoughts?|reasoning|reflection|analysis|scratchpad|tool_call)"
_TOKEN = re.compile(
    rf"(?P<opens><{_THOUGHT}>|\[think\]|◁think▷|<\|begin_of_thought\|>)"
    rf"|(?P<closes></{_THOUGHT}>|\[/think\]|◁/think▷|<\|end_of_thought\|>|(?-i:assistantfinal))"
    r"|(?P<turn><\|(?:start|im_start|start_header_id)\|>|<start_of_turn>)|(?P<channel><\|channel\|>)"
    r"|(?P<ends><[|｜](?:im_end|eot_id|eom_id|end|endoftext|end_of_text|return|end▁of▁sentence|user)[|｜]>"
    r"|<end_of_turn>|<eos>|</s>|\[inst\])"
    r"|(?P<bracket><(?P<shut>/?)(?:sup|cite|citation|ref|source)(?:\s[^<>\n]{0,30})?>)"
    r"|(?P<dropped><[|｜][^<>\n]{1,40}[|｜]>|<(?:s|bos|unk|pad)>|\[/inst\]"
    r"|</?(?:passages?|answer|final|response|output)(?:\s[^<>\n]{0,30})?>)",
    re.IGNORECASE,
)
_BEGUN = "|".join("assistantfinal"[:length] for length in range(13, 0, -1))
_UNFINISHED = re.compile(
    rf"(?:<[^<>\n]{{0,42}}|\[/?[a-z]{{0,5}}|◁[^▷\n]{{0,8}}|(?-i:{_BEGUN}))$", re.IGNORECASE
)
_ALOUD = re.compile(
    r"\W*(?:analysis(?-i:[A-Z])|(?:okay|ok|alright|hmm+|let me|let's|we need|i need|the user|thinking process"
    r"|(?:also|gut)(?=,)|der (?:be)?nutzer|die (?:be)?nutzerin|l'utilisateur|o usuário|користувач)(?!\w))",
    re.IGNORECASE,
)
"""First words of models that think aloud; their opening tag is often in the template and never sent."""
_BEGINNING = 16  # characters


class Restarted:
    """In place of a piece: the text so far was a thought, and the reply begins now."""


class Debris:
    """Takes a reply in pieces, and returns the text for the reader, however the reply is cut.

    `thought` says whether there was anything else, `said` whether there was text for the reader.
    """

    def __init__(self) -> None:
        self.thought = self.said = False
        self._held, self._thinking, self._over = "", False, False
        self._header: tuple[str, str] | None = None  # the kind of a header, and what it says so far

    def take(self, piece: str, *, last: bool = False) -> Iterator[str | Restarted]:
        """The certain text after a further piece; with `last`, all the rest."""
        self._held += piece
        while not self._over and (token := _TOKEN.search(self._held)):
            before, self._held = self._held[: token.start()], self._held[token.end() :]
            if token.lastgroup != "closes":
                yield from self._told(before)
            yield from self._met(token)
        if self._over:
            self._held = ""
            return
        unfinished = None if last else _UNFINISHED.search(self._held)
        at = unfinished.start() if unfinished else len(self._held)
        if not last and not self.said and not self._thinking and self._header is None:
            begun = self._held.lstrip()
            at = 0 if len(begun) < _BEGINNING or _ALOUD.match(begun) else at
        ready, self._held = self._held[:at], self._held[at:]
        yield from self._told(ready)

    def _told(self, text: str) -> Iterator[str]:
        if self._header is not None:
            kind, name = self._header
            name, ended, text = (name + text).partition("\n")
            self._header = (kind, name)
            if ended:
                self._entered()
        if self._thinking:
            self.thought = True
        elif text and self._header is None and not self._over:
            self.said = self.said or bool(text.strip())
            yield text

    def _met(self, token: re.Match[str]) -> Iterator[str | Restarted]:
        self._entered()
        match token.lastgroup:
            case "opens":
                self._thinking = self.thought = True
            case "closes":
                if self.said and not self._thinking:
                    yield Restarted()
                self.thought, self._thinking, self.said = True, False, False
            case "turn" | "channel" as kind:
                self._header, self._thinking = (kind, ""), False
            case "ends":
                # a thought of gpt-oss ends like a turn; after the reply, a model invents further turns
                self._over, self._thinking = self.said, False
            case "bracket":
                yield from self._told("]" if token["shut"] else "[")

    def _entered(self) -> None:
        """Handles a header: all channels except the final one are thoughts, and a user's turn is invented."""
        if self._header is None:
            return
        kind, name = self._header[0], self._header[1].strip().lower()
        self._header = None
        self._thinking = kind == "channel" and not name.startswith("final")
        self._over = self.said and kind == "turn" and name in ("user", "system", "tool")

"""Foreign exceptions of a provider's client, translated into ours: one clear message for each fault."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from rag.errors import (
    ContextOverflow,
    ProviderAuth,
    ProviderError,
    ProviderProtocol,
    ProviderRateLimited,
    ProviderTimeout,
    ProviderUnavailable,
)

_OVERFLOW = re.compile(
    r"context.{0,20}(?:length|window|size)|maximum context|too many tokens|prompt is too long", re.IGNORECASE
)
_QUOTA = "insufficient_quota"
_SECRET = re.compile(r"\b(?:sk|key|tok)[-_][\w*.-]{4,}|Bearer \S+", re.IGNORECASE)
_QUOTED = 200


@dataclass(frozen=True, slots=True)
class Terms:
    """What messages advise: the settings that matter, what was asked for, and what to do without it."""

    model: str = "BELEG_LLM"
    address: str = "OPENAI_BASE_URL"
    key: str = "OPENAI_API_KEY"
    reply: str = "chat completion"
    slow: str = "try again, or raise BELEG_LLM_PATIENCE"
    overflow: str = (
        "the question and its passages do not fit into the window of {model}; set BELEG_LLM_WINDOW to its"
        " size in tokens, or BELEG_PASSAGES lower"
    )
    without: str = "BELEG_LLM=none"


@dataclass(frozen=True, slots=True)
class Server:
    """Whom a message is about: the model, where it is, and whether a key was sent."""

    model: str
    base_url: str
    has_key: bool
    patience: float
    terms: Terms = Terms()

    @property
    def host(self) -> str:
        """Host and port, as people recognise them."""
        return urlsplit(self.base_url).netloc or self.base_url


class _CutStream(Exception):
    """A stream that ended without saying why."""


CUT = _CutStream("the stream ended before the answer was complete")
NO_STREAM = ValueError("the reply was no stream")


def foreign_errors() -> tuple[type[Exception], ...]:
    """What the client lets through: its own errors, the transport's, what broken data causes; and ours."""
    import httpx
    import openai

    return (
        ProviderError,
        openai.OpenAIError,
        httpx.HTTPError,
        httpx.InvalidURL,
        _CutStream,
        ValueError,
        TypeError,
        AttributeError,
        LookupError,
    )


def translated(error: Exception, server: Server, partial: str = "") -> ProviderError:
    """Our error for a foreign one, with what happened and what to do next; never a key."""
    import httpx
    import openai

    match error:
        case ProviderError():
            return error
        case openai.APITimeoutError() | httpx.TimeoutException() | TimeoutError():
            return ProviderTimeout(
                f"{server.model} at {server.host} gave no sign for {server.patience:g} seconds;"
                f" {server.terms.slow}",
                partial,
            )
        case openai.APIStatusError():
            return _by_status(error, server, partial, error.status_code)
        case openai.APIConnectionError() | httpx.ConnectError() | httpx.InvalidURL():
            return ProviderUnavailable(
                f"{server.host} cannot be reached; is the server running, and is {server.terms.address}"
                " right?",
                partial,
            )
        case httpx.HTTPError() | _CutStream():
            return ProviderUnavailable(
                f"the connection to {server.host} broke off before the answer was complete; try again",
                partial,
            )
        case openai.APIError():
            return _by_code(error.code, _message(error), server, partial)
        case _:
            return ProviderProtocol(
                f"{server.host} sent something that is no {server.terms.reply}; is {server.terms.address}"
                " right (most servers want /v1 at its end)?",
                partial,
            )


def translated_from_class(error: Exception, server: Server) -> ProviderError:
    """The same for a LlamaIndex class that somebody else wrote, on whatever client."""
    import httpx
    import openai

    status = getattr(getattr(error, "response", None), "status_code", None)
    match error:
        case ProviderError() | openai.OpenAIError():
            return translated(error, server)
        case _ if isinstance(status, int):
            return _by_status(error, server, "", status)
        case TimeoutError() | httpx.HTTPError():
            return translated(error, server)
        case OSError():  # those of `requests` are, too
            return ProviderUnavailable(f"{server.model} failed: {_named(error)}; try again")
        case _:
            advice = f"check {server.terms.model} and {server.terms.address}"
            return ProviderProtocol(f"{server.model} failed: {_named(error)}; {advice}")


def retry_after(error: Exception) -> float | None:
    """Seconds that the server asks to wait, None when it does not say."""
    headers = getattr(getattr(error, "response", None), "headers", {})
    try:
        return max(0.0, float(headers["retry-after"]))
    except (KeyError, ValueError):
        return None


def is_quota(error: Exception) -> bool:
    """Whether the account has nothing left, which no waiting mends."""
    return getattr(error, "code", None) == _QUOTA or getattr(error, "type", None) == _QUOTA


def _by_status(error: Exception, server: Server, partial: str, status: int) -> ProviderError:
    said = _message(error)
    if status in (401, 403):
        advice = "check" if server.has_key else "set"
        return ProviderAuth(f"{server.host} refused access ({status}); {advice} {server.terms.key}", partial)
    if status == 404:
        return ProviderProtocol(
            f"{server.host} does not know the model {server.model}, or there is no such address (404);"
            f" check {server.terms.model} and {server.terms.address}",
            partial,
        )
    if status == 429:
        return _rate_limited(error, server, partial)
    if status >= 500:
        return ProviderUnavailable(
            f"{server.host} reports a failure of its own ({status}); try again", partial
        )
    return _by_code(getattr(error, "code", None), said, server, partial, status)


def _rate_limited(error: Exception, server: Server, partial: str) -> ProviderError:
    if is_quota(error):
        return _used_up(server, partial)
    wait = retry_after(error)
    when = "in a moment" if wait is None or wait < 2 else f"in {wait:.0f} seconds"
    return ProviderRateLimited(f"{server.host} is asked too much (429); try again {when}", partial)


def _by_code(
    code: str | None, said: str, server: Server, partial: str, status: int | None = None
) -> ProviderError:
    """An error by the provider's own words: in the body of a refusal, or in the middle of a stream."""
    if code == "context_length_exceeded" or _OVERFLOW.search(said):
        return ContextOverflow(server.terms.overflow.format(model=server.model), partial)
    if code == _QUOTA:
        return _used_up(server, partial)
    if code in ("rate_limit_exceeded", "429"):
        return ProviderRateLimited(f"{server.host} is asked too much; try again in a moment", partial)
    if status is not None:
        return ProviderProtocol(f"{server.host} did not accept the request ({status}): {said}", partial)
    return ProviderUnavailable(f"{server.host} reports a failure: {said}; try again", partial)


def _used_up(server: Server, partial: str) -> ProviderError:
    return ProviderRateLimited(
        f"the quota at {server.host} is used up; see to the account, or name another server, or set"
        f" {server.terms.without}",
        partial,
    )


def _message(error: Exception) -> str:
    """The provider's own words, short, on one line, without what looks like a key."""
    body = getattr(error, "body", None)
    said = body.get("message") if isinstance(body, Mapping) else None
    return _shown(str(said or getattr(error, "message", error)))


def _named(error: Exception) -> str:
    return f"{type(error).__name__}: {_shown(str(error))}".removesuffix(": ")


def _shown(text: str) -> str:
    return _SECRET.sub("…", " ".join(text.split()))[:_QUOTED]

"""Translates errors of models' clients into ours: one table, one clear message for each fault."""

import contextlib
import random
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from rag import errors
from rag.errors import ConfigError, ProviderError
from rag.i18n import Phrase

TABLE: Mapping[str, tuple[type[ProviderError], str]] = {
    # the provider's own codes
    "insufficient_quota": (errors.ProviderRateLimited, "model_quota"),
    "rate_limit_exceeded": (errors.ProviderRateLimited, "model_busy"),
    "context_length_exceeded": (errors.ContextOverflow, "model_window"),
    "content_filter": (errors.ProviderProtocol, "model_withheld"),
    # statuses, and classes of them
    "401": (errors.ProviderAuth, "model_refused"),
    "403": (errors.ProviderAuth, "model_refused"),
    "404": (errors.ProviderProtocol, "model_unknown"),
    "429": (errors.ProviderRateLimited, "model_busy"),
    "4xx": (errors.ProviderProtocol, "model_request"),
    "5xx": (errors.ProviderUnavailable, "model_failed"),
    # exceptions of openai, httpx and Python
    "APITimeoutError": (errors.ProviderTimeout, "model_silent"),
    "TimeoutException": (errors.ProviderTimeout, "model_silent"),
    "TimeoutError": (errors.ProviderTimeout, "model_silent"),
    "APIConnectionError": (errors.ProviderUnavailable, "model_unreachable"),
    "ConnectError": (errors.ProviderUnavailable, "model_unreachable"),
    "InvalidURL": (errors.ProviderUnavailable, "model_unreachable"),
    "APIResponseValidationError": (errors.ProviderProtocol, "model_nonsense"),
    "APIError": (errors.ProviderUnavailable, "model_reports"),
    "CutStream": (errors.ProviderUnavailable, "model_broke_off"),
    "HTTPError": (errors.ProviderUnavailable, "model_broke_off"),
    "OSError": (errors.ProviderUnavailable, "model_class_broke"),  # those of `requests` are, too
    "Exception": (errors.ProviderProtocol, "model_nonsense"),
}
"""Keys are tried in this order: the error's code, its status, its classes from the most specific."""

PASSING = {
    "model_busy", "model_failed", "model_unreachable", "model_reports", "model_broke_off", "model_class_broke"
}  # fmt: skip
"""Faults worth a retry; a timeout has already taken long enough."""

FIRST_WAIT = 0.5
"""Seconds before the second try, unless the server asks for another time; doubled for each further try."""

_OVERFLOW = re.compile(
    r"context.{0,20}(?:length|window|size)|maximum context|too many tokens|prompt is too long", re.IGNORECASE
)
_SECRET = re.compile(r"\b(?:sk|key|tok)[-_][\w*.-]{4,}|Bearer \S+", re.IGNORECASE)
_QUOTED = 200


class CutStream(Exception):
    """A stream that ended without a finish reason, which the client takes for complete."""


@dataclass(frozen=True, slots=True)
class Server:
    """The subject of a message: the model, its server, and the patience with it.

    `setting`, `address`, `key` and `without` are the settings that messages name; `codes` replace those of
    the table.
    """

    model: str
    base_url: str
    has_key: bool
    patience: float
    setting: str = "BELEG_LLM"
    address: str = "OPENAI_BASE_URL"
    key: str = "OPENAI_API_KEY"
    without: str = "BELEG_LLM=none"
    codes: Mapping[str, str] = field(default_factory=dict)

    @property
    def host(self) -> str:
        """Host and port, as people recognise them."""
        return urlsplit(self.base_url).netloc or self.base_url


def translated(error: Exception, server: Server) -> ProviderError:
    """Our error for a foreign one, with what happened and what to do next; never with a key.

    Raises ConfigError if the fault is in the settings.
    """
    if isinstance(error, ConfigError):
        raise error
    if isinstance(error, ProviderError):
        return error
    kind, code = next(TABLE[key] for key in _keys(error) if key in TABLE)
    wait, said = None, _said(error)
    with contextlib.suppress(AttributeError, KeyError, ValueError):  # where the server asks for none
        wait = max(0.0, float(error.response.headers["retry-after"]))  # type: ignore[attr-defined]
    named = ("model", "host", "setting", "address", "key", "without")
    return kind(
        server.codes.get(code, code),
        retry_after=wait,
        **{name: getattr(server, name) for name in named},
        status=_status(error) or "",
        said=said,
        error=f"{type(error).__name__}: {said}".removesuffix(": "),
        seconds=float(server.patience),
        see_to=Phrase("check" if server.has_key else "set"),
        when=Phrase("soon") if wait is None or wait < 2 else Phrase("in_seconds", seconds=wait),
    )


def waited(error: ProviderError, attempt: int, *, retries: int, longest: float) -> bool:
    """Waits before another try, as long as the server asks; False if there should be none.

    `attempt` counts from 0. There is no further try after `retries`, for a permanent error, or if the wait
    would exceed `longest` seconds. (The clients' own retries are off: openai's would repeat a used-up quota,
    a timeout and a wait of an hour, without a common deadline.)
    """
    if error.code not in PASSING or attempt >= retries:
        return False
    asked = error.retry_after
    wait = FIRST_WAIT * 2**attempt * random.uniform(1, 1.5) if asked is None else asked
    if wait > longest:
        return False
    time.sleep(wait)
    return True


def without_secrets(text: str) -> str:
    """A foreign text, shortened to one line, without anything that looks like a key."""
    return _SECRET.sub("…", " ".join(text.split()))[:_QUOTED]


def overflows(error: Exception) -> bool:
    """Whether a server says that the request does not fit into the model's window."""
    told = _status(error) is not None or hasattr(error, "body")
    return told and _OVERFLOW.search(_said(error)) is not None


def _keys(error: Exception) -> Iterator[str]:
    status = _status(error)
    yield from (str(getattr(error, name, None)) for name in ("code", "type"))
    yield str(status)
    if overflows(error):
        yield "context_length_exceeded"
    if status:
        yield f"{status // 100}xx"
    yield from (each.__name__ for each in type(error).__mro__)


def _status(error: Exception) -> int | None:
    """The status of a refusal, whatever library made the request."""
    found = getattr(getattr(error, "response", None), "status_code", None)
    return found if isinstance(found, int) and found >= 400 else None


def _said(error: Exception) -> str:
    """The provider's own words."""
    body = getattr(error, "body", None)
    said = body.get("message") if isinstance(body, Mapping) else None
    return without_secrets(str(said or getattr(error, "message", error)))

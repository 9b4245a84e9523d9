"""Everything that can go wrong, as one tree. Each message says what happened and what to do next.

BelegError
├── ConfigError            a setting is missing or contradicts another
├── ArticleError           a file cannot be read as an article
│   └── ArticleTooLarge
├── IndexBusy              another process owns the data folder
├── IndexMismatch          the index was built with other settings
│   └── IndexOutdated       by an earlier Beleg, in another format
├── IndexDamaged           parts of the index are missing or unreadable
├── ProviderError          the language or embedding model failed
│   ├── ProviderAuth
│   ├── ProviderRateLimited
│   ├── ProviderTimeout
│   ├── ProviderUnavailable
│   ├── ProviderProtocol
│   └── ContextOverflow     the model's window is too small for the prompt
├── BadRequest             the question cannot be answered as put
├── Overloaded             too many questions at once
└── DeadlineExceeded       an answer was not complete in time
"""

from rag.i18n import Phrase


class BelegError(Exception):
    """Root of all errors that Beleg raises on purpose.

    `code` names the message in `[errors]` of `rag/locales`, and `params` fill its blanks. `str(error)` is
    English, `words.said(error.phrase)` is in the reader's language. A string that is not a code there is the
    message itself, for errors that only operators read.

    >>> str(Overloaded("too_many_questions"))
    'too many questions at once; please try again in a minute'
    """

    def __init__(self, code: str, /, **params: object) -> None:
        super().__init__(code)
        said = {name: p.phrase if isinstance(p, BelegError) else p for name, p in params.items()}
        self.phrase: Phrase = Phrase(code, **said)

    @property
    def code(self) -> str:
        """What went wrong, for programs: stable, unlike the message."""
        return self.phrase.code

    def __str__(self) -> str:
        return str(self.phrase)


class ConfigError(BelegError):
    """A setting is missing, malformed or contradicts another."""


class ArticleError(BelegError):
    """A file cannot be read as an article: unreadable, empty or too large."""


class ArticleTooLarge(ArticleError):
    """A file is larger than `BELEG_ARTICLE_LIMIT`."""


class IndexBusy(BelegError):
    """Another process owns the data folder."""


class IndexMismatch(BelegError):
    """The index was built with other settings than the ones in force."""


class IndexOutdated(IndexMismatch):
    """An earlier Beleg built the index, in a format that is no longer read."""


class IndexDamaged(BelegError):
    """Parts of the index are missing or unreadable."""


class ProviderError(BelegError):
    """The language or embedding model failed; `partial` is the text received before.

    `retry_after` is the number of seconds that the server asks to wait, None if it does not say.
    """

    def __init__(
        self, code: str, /, *, partial: str = "", retry_after: float | None = None, **params: object
    ) -> None:
        super().__init__(code, **params)
        self.partial = partial
        self.retry_after = retry_after


class ProviderAuth(ProviderError):
    """The provider refused the credentials."""


class ProviderRateLimited(ProviderError):
    """The provider asks to slow down, or the quota is used up."""


class ProviderTimeout(ProviderError):
    """The provider did not answer in time."""


class ProviderUnavailable(ProviderError):
    """The provider cannot be reached or reports an internal failure."""


class ProviderProtocol(ProviderError):
    """The provider's answer does not follow the protocol."""


class ContextOverflow(ProviderError):
    """The prompt does not fit into the model's window."""


class BadRequest(BelegError):
    """The question cannot be answered as put: empty or over-long."""


class Overloaded(BelegError):
    """Too many questions at once."""


class DeadlineExceeded(BelegError):
    """An answer was not complete within `BELEG_DEADLINE`."""

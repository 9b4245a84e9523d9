"""The articles page as HTML: pure functions of the list, the state of the intake, and the words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from rag.i18n import Words
from rag.schema import Filters
from rag.serve.pages.around import Excerpt
from rag.serve.pages.catalogue import COLUMNS, PAGE, Row, Wish
from rag.serve.pages.choice import address_of
from rag.serve.pages.timeline import plot_of
from rag.serve.views import page
from rag.store.library_rows import Account
from rag.uploads import SyncState

_MOST_ASKED = 50  # articles in the address of a chat
_MOST_ACCOUNTS = 500  # files; the command line names all


@dataclass(frozen=True, slots=True)
class Shelf:
    """The content of the page: all articles, those found for a wish (sorted), and files with problems.

    `state` is None if articles cannot be added; `folder` is the name of the watched folder, checked every
    `seconds` (0: on request); uploads end in `suffixes` and have at most `limit` bytes. A `replica` takes its
    articles from a Chroma server, so none can be added or deleted. `accounts` say what was read of each file,
    `passed_over` which files were not read, `left_to_words` what embedding the rest would take. `excerpts`
    are the hits of a search, by article.
    """

    rows: Sequence[Row]
    found: Sequence[Row]
    wish: Wish
    problems: Sequence[tuple[str, str]] = ()
    state: SyncState | None = None
    folder: str = ""
    seconds: float = 0.0
    suffixes: Sequence[str] = ()
    limit: int = 0
    replica: bool = False
    accounts: Sequence[tuple[str, Account]] = ()
    passed_over: str | None = None
    left_to_words: str | None = None
    excerpts: Mapping[str, Excerpt] = field(default_factory=dict)

    @property
    def asks(self) -> str | None:
        """The address of the chat about the articles found; None if those are none, all, or too many."""
        if not self.wish.narrows or not self.found:
            return None
        if not self.wish.query:
            return address_of(Filters(first=self.wish.first, last=self.wish.last))
        if len(self.found) > _MOST_ASKED:
            return None
        return address_of(Filters(articles=tuple(row.id for row in self.found)))

    @property
    def writable(self) -> bool:
        """Whether articles are added and deleted here."""
        return self.state is not None and not self.replica

    @property
    def columns(self) -> Sequence[str]:
        """The columns of the list; the origin only where articles can be deleted."""
        return COLUMNS if self.writable else COLUMNS[:-1]

    @property
    def pages(self) -> int:
        """How many pages the list has."""
        return max(1, -(-len(self.found) // PAGE))

    @property
    def page(self) -> int:
        """The page that is shown, counted from 1."""
        return min(self.wish.page, self.pages)

    @property
    def page_rows(self) -> Sequence[Row]:
        """The articles of the page that is shown."""
        return self.found[(self.page - 1) * PAGE : self.page * PAGE]


def articles_page(shelf: Shelf, words: Words) -> str:
    """The whole page."""
    script_words = {**words.at("intake.file"), "limit": words.size(shelf.limit)}
    state = state_line(shelf.state, words) if shelf.state else ""
    return page("articles.html", words, script_words=script_words, state=state, **_found(shelf, words))


def found_fragment(shelf: Shelf, words: Words) -> str:
    """The part that changes with wish and articles: summary, plot, table, files with problems."""
    return page("found.html", words, **_found(shelf, words))


def _found(shelf: Shelf, words: Words) -> dict[str, object]:
    days = [row.published for row in shelf.rows if row.published]
    summary = [
        words("articles.count", n=len(shelf.rows)),
        words.dates(min(days), max(days)) if days else "",
        words("articles.passages", n=sum(row.chunks for row in shelf.rows)),
    ]
    first, last = shelf.wish.first, shelf.wish.last
    return {
        "shelf": shelf,
        "days": lambda first, last: shelf.wish.but(first=first, last=last).address,
        "period": words.period(first, last) if first or last else "",
        "summary": [part for part in summary if part],
        "plot": plot_of([row.published for row in shelf.rows], [row.published for row in shelf.found], words),
        "accounts": [(name, words.account(*account)) for name, account in shelf.accounts[:_MOST_ACCOUNTS]],
        "passed_over": shelf.passed_over and words.said(shelf.passed_over),
        "left_to_words": shelf.left_to_words and words.said(shelf.left_to_words),
        "problems": [(name, words.said(why)) for name, why in shelf.problems],
    }


def state_line(state: SyncState, words: Words) -> str:
    """The progress of the sync, in one sentence."""
    if state.running:
        steps = {"read": "reading", "index": "writing", "embed": "embedding", "sentences": "sentences"}
        key = f"intake.{steps[state.step]}" if state.step in steps else None
        if key is None or not state.total:
            return words("intake.refreshing")
        return words(key, done=state.done, total=state.total)
    if state.error:
        return words("intake.sync_failed", reason=words.said(state.error))
    if state.checked is None:
        return ""
    return words("intake.current", time=f"{state.checked:%H:%M}", zone=f"{state.checked:%Z}")

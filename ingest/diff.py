"""The differences between files and library: whether there are any, and the plan of a sync."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from ingest.readers import read_file
from ingest.sources import SourceFile, assign_ids, corrected, find_files, own_id
from rag.errors import ArticleError, BelegError
from rag.i18n import Phrase
from rag.schema import Article
from rag.settings import Settings
from rag.store.chroma import is_whole
from rag.store.library import Library
from rag.store.library_file import fingerprint, serves
from rag.store.library_rows import Account, Entry, FileState

VECTORS = "vectors"
"""A note in the library: the revision of which Chroma has all vectors."""

PUBLISHED = "published"
"""A note in the library: the Chroma server that others fill themselves from, and the revision that it has."""


def is_current(settings: Settings, *, vectors: bool = True) -> bool:
    """Whether the index is up to date, judged by the files' sizes and times alone.

    Without `vectors`, some vectors may be missing. Takes no lock and imports nothing slow; False for any
    index that cannot be opened.
    """
    try:
        files = find_files(settings)
        with Library.open(settings.data_dir.resolve(), read_only=True) as library:
            return agrees(settings, files, library, vectors=vectors)
    except BelegError:
        return False


def has_vectors(library: Library) -> bool:
    """Whether Chroma has all vectors of the library, in an unchanged folder."""
    return library.meta(VECTORS) == library.state and is_whole(library.path.parent)


def agrees(
    settings: Settings, files: Sequence[SourceFile], library: Library, *, vectors: bool = True
) -> bool:
    """As `is_current`, for files that were found and a library that is open."""
    # the server was told of the latest change; it may have lost it since
    is_published = (library.meta(PUBLISHED) or "").partition(" ")[2] == library.state
    return (
        (has_vectors(library) or not vectors)
        and serves(library.fingerprint, fingerprint(settings))
        and (not settings.chroma_url or settings.chroma_replica or is_published)
        and (not settings.chroma_replica or library.counts().articles > 0)
        and {path: held[:2] for path, held in library.files().items()} == {f.key: f.state[:2] for f in files}
    )


class Outcome(NamedTuple):
    """The result of reading one file: its new state, and its articles.

    These have preliminary ids, which another file may want, too.
    """

    state: FileState
    articles: tuple[Article, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """The changes to the library: articles to write, ids to remove, manifest and files.

    `changes` are the numbers of articles added, changed, deleted and unchanged.
    """

    written: Mapping[str, Article]
    gone: tuple[str, ...]
    manifest: Mapping[str, Entry]
    files: Mapping[str, FileState]
    changes: tuple[int, int, int, int]


def read_file_of(file: SourceFile, limit_bytes: int) -> Outcome:
    """Reads a file and finds the asides of its articles."""
    # its patterns take a while, and most syncs read nothing
    from ingest.structure.article import article_from

    try:
        reading = read_file(file.path, limit_bytes=limit_bytes)
    except ArticleError as exc:
        return Outcome(file.state._replace(problems=(exc.phrase,), unread=True))
    articles = []
    for number, document in enumerate(reading.documents, 1):
        id = own_id(file.name, document.id, number)
        articles.append(article_from(corrected(document, file.path), id, file.name))
    characters = sum(len(document.text) for document in reading.documents)
    read = {"articles": len(articles), "characters": characters, **reading.counts}
    account = Account(*({kind: n for kind, n in each.items() if n} for each in (read, reading.left_out)))
    return Outcome(file.state._replace(problems=reading.problems, account=account), tuple(articles))


def make_plan(
    library: Library,
    manifest: Mapping[str, Entry],
    files: Sequence[SourceFile],
    read: Callable[[Sequence[SourceFile]], Mapping[str, Outcome]],
    *,
    rebuild: bool,
) -> Plan:
    """Reads new and changed files, and makes the plan for the library with this manifest.

    `read` gives the outcomes of files by their keys.
    """
    held = library.files()
    entries: dict[str, list[tuple[str, Entry]]] = defaultdict(list)
    for id, entry in manifest.items():
        entries[entry.path].append((id, entry))

    as_read = {path for path, state in held.items() if not (rebuild or state.unread)}
    fresh = [f for f in files if f.key not in as_read or held[f.key][:2] != f.state[:2]]  # by size and time
    outcomes = dict(read(fresh))
    ids = _ids(files, outcomes, entries)
    # an unchanged file is read again if its article needs a new id
    unread = (file for file in files if file.key not in outcomes)
    renamed = [file for file in unread if dict(ids[file.key]).keys() != dict(entries[file.key]).keys()]
    if renamed:
        outcomes |= read(renamed)
        ids = _ids(files, outcomes, entries)

    written: dict[str, Article] = {}
    now: dict[str, Entry] = {}
    states: dict[str, FileState] = {}
    for file in files:
        outcome = outcomes.get(file.key)
        state = outcome.state if outcome else held[file.key]
        if outcome and state.unread and entries[file.key]:  # it is still indexed in its earlier version
            told = (Phrase("earlier_version_answers", problem=problem) for problem in state.problems)
            state = state._replace(problems=tuple(told))
        states[file.key] = state
        if outcome is None or state.unread:
            now |= {id: entry for id, entry in entries[file.key] if id not in now}
            continue
        for found, (id, name) in zip(outcome.articles, ids[file.key], strict=True):
            article = found if found.id == id else replace(found, id=id)
            now[id] = Entry(name, file.key, file.name, article.sha256)
            if rebuild or article.id not in manifest or manifest[article.id].sha256 != article.sha256:
                written[article.id] = article
    if rebuild:
        kept = now.keys() - written.keys()
        written |= {article.id: replace(article, copy_of=None) for article in library.articles(kept)}
    gone = tuple(sorted(manifest.keys() - now.keys()))
    return Plan(dict(sorted(written.items())), gone, now, states, compare(manifest, now))


def _ids(
    files: Sequence[SourceFile],
    outcomes: Mapping[str, Outcome],
    entries: Mapping[str, Sequence[tuple[str, Entry]]],
) -> dict[str, list[tuple[str, str]]]:
    """For each file the id and own name of its articles: as just read, else as they are indexed."""
    names: dict[str, list[str]] = {}
    for file in files:
        outcome = outcomes.get(file.key)
        if outcome is None or outcome.state.unread:
            names[file.key] = [entry.name for _, entry in entries.get(file.key, ())]
        else:
            names[file.key] = [article.id for article in outcome.articles]
    ids = iter(assign_ids([(name, file.name) for file in files for name in names[file.key]]))
    return {key: [(next(ids), name) for name in own] for key, own in names.items()}


def compare(manifest: Mapping[str, Entry], now: Mapping[str, Entry]) -> tuple[int, int, int, int]:
    """How many articles are new, changed, gone and the same in a later manifest, by hash."""
    same = sum(id in manifest and manifest[id].sha256 == entry.sha256 for id, entry in now.items())
    both = len(manifest.keys() & now.keys())
    return len(now) - both, both - same, len(manifest) - both, same

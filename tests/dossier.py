"""Small invented articles about the harbour town of Moorhafen, and an index over them in memory."""

from __future__ import annotations

import hashlib
import tempfile
import weakref
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import date
from pathlib import Path

import rag
from ingest.chunking import chunk_article
from rag.answering.extract import Candidate, candidates
from rag.engine import Engine, open_engine
from rag.question.query import understand
from rag.retrieval.retriever import Ranking, Retriever
from rag.schema import Article, Aside, AsideKind
from rag.settings import Settings, load_settings
from rag.store.library import Library
from rag.store.library_file import fingerprint


def article(id: str, text: str, *, asides: Sequence[Aside] = (), **facts: object) -> Article:
    """An article whose hash follows its text; `facts` are its other fields."""
    sha = hashlib.sha256(text.encode()).hexdigest()
    return Article(id=id, text=text, source=f"{id}.txt", sha256=sha, asides=tuple(asides), **facts)  # type: ignore[arg-type]


def aside(text: str, words: str, kind: AsideKind) -> Aside:
    """The aside that consists of `words`, where they first stand in `text`."""
    start = text.index(words)
    return Aside(start, start + len(words), kind)


def index_of(*articles: Article, words: int = 120) -> Retriever:
    """A retriever over the articles; `words` is the length of a chunk, about."""
    folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
    library = Library.open(Path(folder.name))
    library.replace((each, chunk_article(each, words)) for each in articles)
    retriever = Retriever(library)
    weakref.finalize(retriever, folder.cleanup)
    return retriever


def ranked(question: str, *articles: Article, k: int = 20, words: int = 120) -> Ranking:
    """What is found for a question, by its words."""
    index = index_of(*articles, words=words)
    return index.rank(understand(question, languages=index.languages), k)


def candidates_for(question: str, *articles: Article, words: int = 120) -> list[Candidate]:
    """The sentences that may answer a question, best first."""
    return candidates(ranked(question, *articles, words=words))


def settings_for(folder: Path, **overrides: object) -> Settings:
    """Settings of an index in `folder`."""
    given = {"articles": folder / "articles", "data": folder / "data"}
    return load_settings(**(given | overrides))


def fill(settings: Settings, *articles: Article, removed: Sequence[str] = ()) -> None:
    """Writes articles into the library of the settings' data folder."""
    with Library.open(settings.data_dir) as library:
        cut = [(article, chunk_article(article, settings.chunk_words)) for article in articles]
        library.replace(cut, removed, meta={"fingerprint": fingerprint(settings)})


def write(folder: Path, *articles: Article) -> None:
    """Writes articles as Markdown files with front matter, named by their ids."""
    folder.mkdir(parents=True, exist_ok=True)
    for article in articles:
        facts = {name: getattr(article, name) for name in ("title", "outlet", "published", "language")}
        stated = "".join(f"{name}: {value}\n" for name, value in facts.items() if value)
        (folder / f"{article.id}.md").write_text(f"---\n{stated}---\n{article.text}\n", encoding="utf-8")


@contextmanager
def engine_over(folder: Path, *articles: Article, **overrides: object) -> Iterator[Engine]:
    """An engine over an index of the articles in `folder`."""
    settings = settings_for(folder, **overrides)
    fill(settings, *articles)
    with closing(open_engine(settings)) as engine:
        yield engine


@contextmanager
def engine_over_files(folder: Path, **files: str) -> Iterator[Engine]:
    """An engine over an index of files in `folder`, each Markdown by its name, as a sync reads them."""
    (folder / "articles").mkdir()
    for name, text in files.items():
        (folder / "articles" / f"{name}.md").write_text(text, encoding="utf-8")
    with closing(rag.open_engine(folder / "articles", folder / "data")) as engine:
        yield engine


BRIDGE = article(
    "bruecke",
    "Die Klappbrücke über die Wiede bleibt bis zum Herbst gesperrt. Gutachter fanden im Februar Risse in "
    "zwei Trägern aus Stahl. Die Reparatur kostet nach Angaben der Stadt 4,3 Millionen Euro. "
    "„Die Sicherheit der Fußgänger geht vor“, sagte Bürgermeisterin Ines Brandstätter. Eine Fähre bringt "
    "Radfahrer bis dahin kostenlos ans andere Ufer.",
    title="Risse im Stahl",
    outlet="Küstenkurier",
    author="Jette Lürsen",
    published=date(2024, 3, 4),
    language="de",
    genre="report",
)
CONCERT = article(
    "konzert",
    "Das Sinfonieorchester bekommt eine neue Leitung. Oksana Tschumatschenko dirigiert ab September die "
    "Konzerte in der Speicherhalle. Sie wurde in Poltawa geboren und studierte in Weimar. Zum Auftakt "
    "erklingt eine Sinfonie, die seit 1931 niemand mehr gespielt hat. Die Karten sind nach vier Stunden "
    "ausverkauft gewesen.",
    title="Neue Töne in der Speicherhalle",
    outlet="Moorhafener Bote",
    published=date(2024, 5, 17),
    language="de",
    genre="report",
)
APPLES = article(
    "apfelernte",
    "Spätfröste haben die Apfelernte an der Wiede halbiert. Die Obstbauern rechnen nur noch mit 900 Tonnen. "
    "Im Vorjahr waren es 1.800 Tonnen. Der Verband fordert Hilfen vom Land, weil viele Betriebe Schulden "
    "haben. Landwirt Hinnerk Oltmanns beregnete seine Bäume in der Nacht, um die Blüten zu schützen.",
    title="Frost kostet die Hälfte der Äpfel",
    outlet="Küstenkurier",
    published=date(2024, 9, 21),
    language="de",
    genre="report",
)
WOLF = article(
    "wolf",
    "Ein Wolf ist im Moor in eine Kamerafalle gelaufen. Schäfer Arne Petersen verlor in drei Nächten elf "
    "Schafe. Das Umweltministerium lehnt einen Abschuss ab. Dort verweist man auf Zäune, die zu niedrig "
    "seien.",
    title="Wolf vor der Kamera",
    outlet="Moorhafener Bote",
    published=None,
    language="de",
    genre="report",
)
LIBRARY = article(
    "buecherei",
    "Die Bücherei am Markt öffnet künftig auch am Sonntag. Mareike Deters leitet die Bücherei seit acht "
    "Jahren. Sie wurde in Emden geboren. An den Regalen stehen Bänke aus Eschenholz. Die Ausleihe bleibt "
    "für Kinder gebührenfrei.",
    title="Lesen am siebten Tag",
    outlet="Moorhafener Bote",
    published=date(2024, 1, 12),
    language="de",
    genre="report",
)
DOSSIER = (BRIDGE, CONCERT, APPLES, WOLF, LIBRARY)

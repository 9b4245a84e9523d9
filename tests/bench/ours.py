"""Our program, as the benchmark asks it: the same calls as of the peer."""

from __future__ import annotations

from pathlib import Path

import chromadb  # noqa: F401  the peer imports it before the clock starts too

from ingest.chunking import chunk_article
from ingest.diff import read_file_of
from ingest.sources import find_sources
from ingest.sync import sync
from rag.answering.confidence import confidence
from rag.answering.extract import candidates
from rag.engine import CANDIDATE_PASSAGES, Engine, open_engine
from rag.question.query import understand
from rag.settings import Settings
from rag.store.library import Library
from rag.store.library_file import batches, fingerprint


class Ours:
    """Everything that the benchmark asks of a program."""

    def __init__(self, articles: Path, data: Path) -> None:
        self.settings = Settings(articles=articles, data=data, llm="none")
        self.engine: Engine

    def ingest(self) -> None:
        """Articles to a searchable index on disk; a second time only what has changed."""
        sync(self.settings)

    def update(self) -> None:
        """What has changed is found by its words; its vectors are left to the next sync."""
        sync(self.settings, wait=False)

    def index_words(self) -> None:
        """The library without vectors, which answers need none of."""
        files = find_sources([self.settings.articles], self.settings.data_dir.resolve())
        with Library.open(self.settings.data_dir) as library:
            for batch in batches(files, 1_000):
                outcomes = [read_file_of(file, self.settings.article_limit) for file in batch]
                articles = [article for outcome in outcomes for article in outcome.articles]
                library.replace(
                    (article, chunk_article(article, self.settings.chunk_words)) for article in articles
                )
            library.replace(meta={"fingerprint": fingerprint(self.settings)})

    def open(self) -> None:
        """Makes ready to answer."""
        self.engine = open_engine(self.settings)
        self.engine.index  # noqa: B018  opened with the first question otherwise

    def retrieve(self, question: str) -> list[str]:
        """Ids of the articles of the best passages, best first: reranked, and with the confidence."""
        ranking = self.engine.index.rank(understand(question), CANDIDATE_PASSAGES)
        confidence(ranking, candidates(ranking))
        return [hit.passage.article.id for hit in ranking.hits]

    def answer(self, question: str) -> str:
        """The answer in words."""
        return self.engine.ask(question).text

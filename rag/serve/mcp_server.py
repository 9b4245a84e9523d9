"""Beleg for agents, by the Model Context Protocol: tools to ask, search and read, articles as resources.

The same server speaks over standard input and output (`python -m rag mcp`) and, at /mcp beside the chat,
over HTTP. A bad request or a failure of the language model is a tool's error; an abstention is a result.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from importlib import metadata
from typing import TYPE_CHECKING, Annotated, Any, Protocol
from urllib.parse import quote, unquote

from fastapi import FastAPI
from mcp import types
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server
from mcp.server.streamable_http_manager import StreamableHTTPASGIApp, StreamableHTTPSessionManager
from mcp.server.transport_security import TransportSecuritySettings
from mcp.shared.exceptions import MCPError
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from starlette.routing import Route

from rag.errors import BadRequest, BelegError
from rag.plain import answer_text
from rag.schema import Answer, Article, Message, Passage
from rag.serve import models, wire
from rag.serve.logs import request_id
from rag.serve.wire import Json, answer_to_dict, passage_to_dict

if TYPE_CHECKING:
    from rag.library import Library
    from rag.serve.queue import Service

log = logging.getLogger(__name__)

ARTICLE = "beleg://article/"
PAGE = 100  # articles a list of resources, which goes on behind its cursor
_INSTRUCTIONS = (
    "Beleg answers questions about a dossier of news articles. Every statement of an answer carries [n], and"
    " citation n quotes the words it rests on, with their offsets in the article. Keep the numbers when you"
    " pass an answer on. `abstained` says that the articles do not answer the question: do not fill the gap"
    " yourself."
)
_READS = types.ToolAnnotations(read_only_hint=True, idempotent_hint=True, open_world_hint=False)

Question = Annotated[str, Field(description="the question, in German or English, in full")]


class Ask(BaseModel):
    """Answers a question about the articles, every statement with a citation, or says that they do not."""

    model_config = ConfigDict(extra="forbid", title="ask")
    question: Question
    history: list[Message] = Field([], description="the conversation so far, oldest first")
    extractive: bool = Field(
        False, description="verbatim sentences, even where a language model is configured"
    )


class Search(BaseModel):
    """Finds passages of the articles for a question, best first, with their offsets."""

    model_config = ConfigDict(extra="forbid", title="search")
    question: Question
    k: int = Field(8, ge=1, le=50, description="how many passages")


class ReadArticle(BaseModel):
    """Reads an article, or the part of it from `start` to `end`, as citations and passages give them."""

    model_config = ConfigDict(extra="forbid", title="read_article")
    article_id: str = Field(description="the article's id, as in a citation")
    start: int = Field(0, ge=0, description="first character")
    end: int | None = Field(None, ge=0, description="behind the last character; without it, the end")


class Part(models.ArticleFacts):
    """An article, or a part of it: `text` is what stands from `start` to `end`."""

    article_id: str
    start: int
    end: int
    text: str


_TOOLS: tuple[tuple[str, type[BaseModel], Any], ...] = (
    ("Ask the articles", Ask, wire.Answer),
    ("Search the articles", Search, models.Found),
    ("Read an article", ReadArticle, Part),
)
"""Title, what it takes, what it gives; the first model's title is the tool's name, its docstring the help."""


class Asked(Protocol):
    """Who is asked: an engine, or one behind the limits that all doors of an app share."""

    @property
    def library(self) -> Library: ...

    async def aask(
        self, question: str, history: Sequence[Message] = (), *, extractive: bool = False
    ) -> Answer: ...

    async def asearch(self, question: str, k: int | None = None) -> tuple[Passage, ...]: ...


class AtService:
    """The engine of an app, each question in turn, recorded and counted, and ended at its deadline."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.library = service.engine.library

    async def aask(
        self, question: str, history: Sequence[Message] = (), *, extractive: bool = False
    ) -> Answer:
        """As an engine's; raises Overloaded and DeadlineExceeded too."""
        return await self.service.ask("mcp", question, history, extractive=extractive)

    async def asearch(self, question: str, k: int | None = None) -> tuple[Passage, ...]:
        """As an engine's; raises Overloaded too."""
        return await self.service.run(lambda: self.service.engine.search(question, k))


def create_server(engine: Asked) -> Server[Any]:
    """The protocol's server over an engine, for any transport."""
    tools = _Tools(engine)
    articles = _Articles(engine)

    async def list_tools(_: object, __: object) -> types.ListToolsResult:
        return types.ListToolsResult(tools=tools.listed())

    async def call_tool(_: object, params: types.CallToolRequestParams) -> types.CallToolResult:
        return await tools.call(params.name, params.arguments or {})

    async def list_resources(
        _: object, params: types.PaginatedRequestParams | None
    ) -> types.ListResourcesResult:
        return await asyncio.to_thread(articles.page, params.cursor if params else None)

    async def list_templates(_: object, __: object) -> types.ListResourceTemplatesResult:
        return types.ListResourceTemplatesResult(resource_templates=[_TEMPLATE])

    async def read(_: object, params: types.ReadResourceRequestParams) -> types.ReadResourceResult:
        return await asyncio.to_thread(articles.read, str(params.uri))

    return Server(
        "beleg",
        title="Beleg",
        version=_version(),
        instructions=_INSTRUCTIONS,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
        on_list_resources=list_resources,
        on_list_resource_templates=list_templates,
        on_read_resource=read,
    )


async def serve_stdio(engine: Asked) -> None:
    """Serves on standard input and output, which carry nothing but the protocol, until the input ends."""
    server = create_server(engine)
    async with stdio_server() as (incoming, outgoing):
        await server.run(incoming, outgoing, server.create_initialization_options())


def add_mcp(app: FastAPI, service: Service) -> None:
    """Serves at /mcp; no session outlives its request, so that any replica can take the next one."""
    manager = StreamableHTTPSessionManager(
        create_server(AtService(service)),
        stateless=True,
        max_request_body_size=service.settings.request_limit,
        # the guard has looked at names and origins already, and knows which are ours
        security_settings=TransportSecuritySettings(enable_dns_rebinding_protection=False),
    )
    app.router.routes.append(Route("/mcp", StreamableHTTPASGIApp(manager)))
    around = app.router.lifespan_context

    @asynccontextmanager
    async def lifespan(served: Any) -> AsyncIterator[Any]:
        async with manager.run(), around(served) as state:
            yield state

    app.router.lifespan_context = lifespan


class _Tools:
    """The tools: arguments checked, the engine asked, its errors told."""

    def __init__(self, engine: Asked) -> None:
        self.engine = engine

    def listed(self) -> list[types.Tool]:
        return [
            types.Tool(
                name=str(takes.model_config["title"]),
                title=title,
                description=takes.__doc__,
                input_schema=takes.model_json_schema(),
                output_schema=TypeAdapter(gives).json_schema(mode="serialization"),
                annotations=_READS,
            )
            for title, takes, gives in _TOOLS
        ]

    async def call(self, name: str, arguments: Json) -> types.CallToolResult:
        tools: dict[str, Callable[[Json], Awaitable[types.CallToolResult]]] = {
            "ask": self._ask,
            "search": self._search,
            "read_article": self._read,
        }
        if name not in tools:
            raise MCPError(types.INVALID_PARAMS, f"there is no tool {name!r}; there are {', '.join(tools)}")
        try:
            return await tools[name](arguments)
        except ValidationError as exc:
            return _failed("; ".join(f"{_field(error)}: {error['msg']}" for error in exc.errors()))
        except BelegError as exc:
            return _failed(str(exc))
        except Exception:
            log.exception("tool %s", name)
            return _failed("an internal error, which Beleg's log describes; please try again")

    async def _ask(self, arguments: Json) -> types.CallToolResult:
        asked = Ask.model_validate(arguments)
        answer = await self.engine.aask(asked.question, asked.history, extractive=asked.extractive)
        return _result(answer_text(answer, quotes=True), answer_to_dict(answer))

    async def _search(self, arguments: Json) -> types.CallToolResult:
        asked = Search.model_validate(arguments)
        passages = [passage_to_dict(p) for p in await self.engine.asearch(asked.question, asked.k)]
        lines = [f"{p['title'] or p['article_id']} ({_place(p)})\n{p['text']}" for p in passages]
        return _result("\n\n".join(lines) or "No passage fits.", {"passages": passages})

    async def _read(self, arguments: Json) -> types.CallToolResult:
        asked = ReadArticle.model_validate(arguments)
        article = await asyncio.to_thread(self.engine.library.article, asked.article_id)
        if article is None:
            raise BadRequest(f"there is no article {asked.article_id!r}; search finds the ids of articles")
        end = len(article.text) if asked.end is None else asked.end
        if not asked.start <= end <= len(article.text):
            raise BadRequest(
                f"{asked.start} to {end} is no part of the article, which has {len(article.text)} characters"
            )
        text = article.text[asked.start : end]
        return _result(text, {**_facts(article), "start": asked.start, "end": end, "text": text})


class _Articles:
    """The articles as resources."""

    def __init__(self, engine: Asked) -> None:
        self.library = engine.library

    def page(self, cursor: str | None) -> types.ListResourcesResult:
        """The articles behind that of the cursor, by id: what comes or goes meanwhile shifts no page."""
        ids = sorted(ident for ident in self.library.versions() if cursor is None or ident > cursor)
        shown = sorted(self.library.articles(ids[:PAGE]), key=lambda article: article.id)
        return types.ListResourcesResult(
            resources=[_resource(article) for article in shown],
            next_cursor=ids[PAGE - 1] if len(ids) > PAGE else None,
        )

    def read(self, uri: str) -> types.ReadResourceResult:
        """The text, in which the offsets of citations count. Raises MCPError for what is no article."""
        article = (
            self.library.article(unquote(uri.removeprefix(ARTICLE))) if uri.startswith(ARTICLE) else None
        )
        if article is None:
            raise MCPError(types.INVALID_PARAMS, f"there is no article {uri}", {"uri": uri})
        text = types.TextResourceContents(
            uri=uri, text=article.text, mime_type="text/plain", _meta=_facts(article)
        )
        return types.ReadResourceResult(contents=[text])


_TEMPLATE = types.ResourceTemplate(
    uri_template=ARTICLE + "{article_id}",
    name="article",
    title="An article by its id",
    description="The article's text; offsets of citations and passages count its characters.",
    mime_type="text/plain",
)


def _resource(article: Article) -> types.Resource:
    facts = _facts(article)
    stated = [facts[name] for name in ("outlet", "published", "author") if facts[name]]
    return types.Resource(
        uri=ARTICLE + quote(article.id, safe=""),
        name=article.id,
        title=article.title,
        description=", ".join(stated) or None,
        mime_type="text/plain",
    )


def _facts(article: Article) -> Json:
    facts = models.ArticleFacts.model_validate(article)
    return {"article_id": article.id, **facts.model_dump(mode="json")}


def _result(text: str, structured: Json) -> types.CallToolResult:
    return types.CallToolResult(
        content=[types.TextContent(type="text", text=text)], structured_content=structured
    )


def _failed(message: str) -> types.CallToolResult:
    """A tool's error; over HTTP with the id that Beleg's log knows the request by."""
    ident = request_id()
    said = f"{message} (request {ident})" if ident else message
    return types.CallToolResult(content=[types.TextContent(type="text", text=said)], is_error=True)


def _place(passage: Json) -> str:
    return f"{passage['article_id']}:{passage['start']}-{passage['end']}, score {passage['score']:.2f}"


def _field(error: Any) -> str:
    return ".".join(str(part) for part in error["loc"]) or "arguments"


def _version() -> str:
    try:
        return metadata.version("beleg")
    except metadata.PackageNotFoundError:  # run from its folder
        return ""

"""Beleg for agents, by the Model Context Protocol: tools to ask, search and read, articles as resources.

The same server speaks over standard input and output (`python -m rag mcp`) and, at /mcp beside the chat,
over HTTP. A bad request or a failure of the language model is a tool's error; an abstention is a result.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from functools import partial
from typing import Annotated, Any
from urllib.parse import quote, unquote

from fastapi import FastAPI
from mcp import types
from mcp.server import MCPServer, ServerRequestContext
from mcp.server.lowlevel.helper_types import ReadResourceContents
from mcp.server.mcpserver.exceptions import ResourceNotFoundError, ToolError
from mcp.server.transport_security import TransportSecuritySettings
from mcp.shared.exceptions import MCPError
from pydantic import Field, TypeAdapter, ValidationError
from starlette.responses import Response

from rag import wire
from rag.engine import Engine
from rag.errors import BadRequest, BelegError
from rag.schema import VERSION, Article
from rag.serve.api import schemas as models
from rag.serve.logs import request_id
from rag.serve.queue import Service
from rag.store.library import Library
from rag.wire import Json, answer_text, answer_to_dict, passage_to_dict

log = logging.getLogger(__name__)

ARTICLE = "beleg://article/"
PAGE = 100  # articles on a page of resources
_INSTRUCTIONS = (
    "Beleg answers questions about a dossier of news articles. Every statement of an answer carries [n], and"
    " citation n quotes the words it rests on, with their offsets in the article. Keep the numbers when you"
    " pass an answer on. `abstained` says that the articles do not answer the question: do not fill the gap"
    " yourself. `certainty` `unsure` says that the quotations only come nearest: pass that on, too."
)
_READS = types.ToolAnnotations(read_only_hint=True, idempotent_hint=True, open_world_hint=False)
Question = Annotated[
    str, Field(description="the question in full, in German, English, French, Portuguese or Ukrainian")
]
Result = types.CallToolResult


class Part(models.ArticleFacts):
    """An article or part of it: `text` is what is between `start` and `end`."""

    article_id: str
    start: int
    end: int
    text: str


_GIVES = {
    tool: TypeAdapter(gives).json_schema(mode="serialization")
    for tool, gives in (("ask", wire.Answer), ("search", models.Found), ("read_article", Part))
}


def create_server(engine: Engine, service: Service | None = None) -> MCPServer[Any]:
    """The protocol's server over an engine, for any transport.

    With a service each question takes its turn, is recorded and counted, and ends at its deadline.
    """
    server = _Server(engine.library)

    @server.tool(title="Ask the articles", annotations=_READS)
    async def ask(
        question: Question,
        history: models.History = [],  # noqa: B006
        extractive: Annotated[
            bool, Field(description="verbatim sentences, even where a language model is configured")
        ] = False,
        filters: models.Chosen = None,
    ) -> Result:
        """Answers a question from the articles, each statement with a citation, or says that they do not
        answer it."""
        asked = partial(service.ask, "mcp") if service else engine.aask
        answer = await asked(question, history, extractive=extractive, filters=filters)
        return _result(answer_text(answer, quotes=True), answer_to_dict(answer))

    @server.tool(title="Search the articles", annotations=_READS)
    async def search(
        question: Question,
        k: Annotated[int, Field(ge=1, le=50, description="how many passages")] = 8,
        filters: models.Chosen = None,
    ) -> Result:
        """Finds passages of the articles for a question, best first, with their offsets."""
        work = partial(engine.search, question, k, filters=filters)
        found = await (service.run(work) if service else asyncio.to_thread(work))
        passages = [passage_to_dict(passage) for passage in found]
        lines = [
            f"{p['title'] or p['article_id']} ({p['article_id']}:{p['start']}-{p['end']},"
            f" score {p['score']:.2f})\n{p['text']}"
            for p in passages
        ]
        return _result("\n\n".join(lines) or "No passage fits.", {"passages": passages})

    @server.tool(title="Read an article", annotations=_READS)
    def read_article(
        article_id: Annotated[str, Field(description="the article's id, as in a citation")],
        start: Annotated[int, Field(ge=0, description="first character")] = 0,
        end: Annotated[
            int | None, Field(ge=0, description="behind the last character; without it, the end")
        ] = None,
    ) -> Result:
        """Reads an article, or the part of it from `start` to `end`, as citations and passages give them."""
        article = engine.library.article(article_id)
        if article is None:
            raise BadRequest(f"there is no article {article_id!r}; search finds the ids of articles")
        length = len(article.text)
        end = length if end is None else end
        if not start <= end <= length:
            raise BadRequest(f"{start} to {end} is no part of the article, which has {length} characters")
        text = article.text[start:end]
        return _result(text, {**_facts(article), "start": start, "end": end, "text": text})

    return server


def add_mcp(app: FastAPI, service: Service) -> None:
    """Serves /mcp without sessions, so that any replica can take the next request."""
    server = create_server(service.engine, service)
    served = server.streamable_http_app(
        stateless_http=True,
        max_request_body_size=service.settings.request_limit,
        # the guard has already checked host names and origins
        transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False),
    )
    # without sessions nothing comes but answers: there is no stream to listen to, and nothing to end
    refused = Response(status_code=405, headers={"Allow": "POST"})
    app.add_route("/mcp", lambda _: refused, methods=["GET", "PUT", "PATCH", "DELETE"])
    app.router.routes.extend(served.routes)
    around = app.router.lifespan_context

    @asynccontextmanager
    async def lifespan(served: Any) -> AsyncIterator[Any]:
        async with server.session_manager.run(), around(served) as state:
            yield state

    app.router.lifespan_context = lifespan


class _Server(MCPServer[Any]):
    """A server with changing resources, the articles, and errors in Beleg's words."""

    def __init__(self, library: Library) -> None:
        self.library = library
        super().__init__(
            "beleg",
            title="Beleg",
            version=VERSION,
            instructions=_INSTRUCTIONS,
            log_level="WARNING",
            subscriptions=False,
            middleware=[self._pages],
        )

    async def call_tool(self, name: str, arguments: Json, context: Any = None) -> Any:
        """The result of a tool. Failures are tool errors; an unknown tool is an error of the protocol."""
        tools = {tool.name: tool for tool in await self.list_tools()}
        if name not in tools:
            raise MCPError(types.INVALID_PARAMS, f"there is no tool {name!r}; there are {', '.join(tools)}")
        if unknown := sorted(arguments.keys() - tools[name].input_schema["properties"].keys()):
            return _failed(f"{unknown[0]}: Extra inputs are not permitted")
        try:
            return await super().call_tool(name, arguments, context)
        except ToolError as error:
            match error.__cause__:
                case ValidationError() as cause:
                    wrong = [(".".join(map(str, each["loc"])), each["msg"]) for each in cause.errors()]
                    return _failed("; ".join(f"{place or 'arguments'}: {why}" for place, why in wrong))
                case BelegError() as cause:
                    return _failed(str(cause))
                case cause:
                    log.error("tool %s", name, exc_info=cause)
                    return _failed("an internal error, which Beleg's log describes; please try again")

    async def list_tools(self) -> list[types.Tool]:
        """The tools with schemas of their results; unknown arguments are refused."""
        tools = await super().list_tools()
        for tool in tools:
            tool.input_schema = {**tool.input_schema, "additionalProperties": False}
            tool.output_schema = _GIVES[tool.name]
        return tools

    async def list_resource_templates(self) -> list[types.ResourceTemplate]:
        """The template for addresses of articles."""
        told = "The article's text; offsets of citations and passages count its characters."
        known: Any = {"title": "An article by its id", "description": told, "mime_type": "text/plain"}
        return [types.ResourceTemplate(uri_template=ARTICLE + "{article_id}", name="article", **known)]

    async def read_resource(self, uri: Any, _: Any = None) -> Iterable[ReadResourceContents]:
        """The article's text, to which the offsets of citations refer."""
        ident = unquote(str(uri).removeprefix(ARTICLE)) if str(uri).startswith(ARTICLE) else ""
        article = await asyncio.to_thread(self.library.article, ident)
        if article is None:
            raise ResourceNotFoundError(f"there is no article {uri}")
        return [ReadResourceContents(article.text, "text/plain", _facts(article))]

    async def _pages(self, ctx: ServerRequestContext[Any, Any], call_next: Any) -> Any:
        """Adds pages with a cursor to the list of resources, which `list_resources` lacks.

        Articles are listed by id, so that changes in between do not shift the pages.
        """
        told, cursor = await call_next(ctx), (ctx.params or {}).get("cursor")
        if ctx.method != "resources/list":
            return told

        def page() -> Json:
            ids = sorted(ident for ident in self.library.versions() if cursor is None or ident > cursor)
            listed = sorted(map(_resource, self.library.articles(ids[:PAGE])), key=lambda each: each.name)
            told = [each.model_dump(by_alias=True, mode="json", exclude_none=True) for each in listed]
            return {"resources": told, **({"nextCursor": ids[PAGE - 1]} if len(ids) > PAGE else {})}

        return {**told, **await asyncio.to_thread(page)}


def _resource(article: Article) -> types.Resource:
    facts = _facts(article)
    return types.Resource(
        uri=ARTICLE + quote(article.id, safe=""),
        name=article.id,
        title=article.title,
        description=", ".join(filter(None, map(facts.get, ("outlet", "published", "author")))) or None,
        mime_type="text/plain",
    )


def _facts(article: Article) -> Json:
    facts = models.ArticleFacts.model_validate(article)
    return {"article_id": article.id, **facts.model_dump(mode="json")}


def _result(text: str, structured: Json) -> Result:
    return Result(content=[types.TextContent(type="text", text=text)], structured_content=structured)


def _failed(message: str) -> Result:
    """A tool's error; over HTTP with the id of the request in Beleg's log."""
    ident = request_id()
    said = f"{message} (request {ident})" if ident else message
    return Result(content=[types.TextContent(type="text", text=said)], is_error=True)

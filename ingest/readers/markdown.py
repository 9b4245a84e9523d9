"""Markdown, with front matter."""

import re
import tomllib
from html import escape, unescape

from ingest.readers.document import Block, Document, Reading, compose, decode, metadata
from ingest.readers.html import blocks_of, page_tree
from rag.i18n import Phrase
from rag.text.normalize import normalise


def read_markdown(data: bytes) -> Reading:
    fields, body, broken = _front_matter(normalise(decode(data)))
    known, problems = metadata({name: _plain(value) for name, value in fields.items()})
    known["id"] = None  # an id in front matter is not promised; the file's name gives it
    document = compose(_blocks(body), Document("", structured=True, **known))
    return Reading((document,), (*broken, *problems))


_FRONT_MATTER = re.compile(
    r"(?P<mark>---|\+\+\+)[ \t]*\n(?P<head>(?s:.*?\n)??)(?P<end>(?P=mark)|\.\.\.)[ \t]*(?:\n|\Z)"
)
_UNCLOSED = re.compile(r"(?:---|\+\+\+)[ \t]*\n(?P<head>(?:[ \t]*[\w-]+[ \t]*[:=].*\n|[ \t]*-[ \t].*\n)+)")
_FIELD = re.compile(r"^[ \t]*([\w-]+)[ \t]*[:=][ \t]*(.*)$", re.MULTILINE)
_ITEM = re.compile(r"^[ \t]*-[ \t]+(.*)$")
_LINK = re.compile(r"\[\[(?:[^\]|]*\|)?([^\]|]*)\]\]")


def _front_matter(text: str) -> tuple[dict[str, object], str, list[Phrase]]:
    """Front matter in YAML or TOML, body, and problems.

    Front matter that is invalid as a whole is read line by line, so that an error costs only its field.
    """
    import yaml  # type: ignore[import-untyped,unused-ignore]

    match = _FRONT_MATTER.match(text)
    if match is None:
        if unclosed := _UNCLOSED.match(text):
            problem = Phrase("at_line", line="1", problem=Phrase("head_not_closed"))
            return _line_by_line(unclosed["head"]), text[unclosed.end() :], [problem]
        return {}, text, []
    head, body = match["head"], text[match.end() :]
    if head.strip() and not _FIELD.search(head):
        return {}, text, []  # a rule across the page, and text
    line, problem = "2", Phrase("head_without_fields")
    try:
        # by the base loader all values stay strings, so that `title: No` is not False
        is_toml = match["mark"] == "+++"
        fields = tomllib.loads(head) if is_toml else yaml.load(head, Loader=yaml.BaseLoader)
        if fields is None or isinstance(fields, dict):
            return fields or {}, body, []
    except tomllib.TOMLDecodeError as exc:
        problem = Phrase("head_broken", why=exc)
    except yaml.YAMLError as exc:
        mark = getattr(exc, "problem_mark", None)
        line = str(mark.line + 2 if mark else 1)
        problem = Phrase("head_broken_yaml", why=getattr(exc, "problem", None) or Phrase("not_yaml"))
    at_line = Phrase("at_line", line=line, problem=problem)
    return _line_by_line(head), body, [Phrase("head_by_lines", problem=at_line)]


def _line_by_line(head: str) -> dict[str, object]:
    """The fields of lines such as `title: …`, and of lists below or beside a name."""
    fields: dict[str, object] = {}
    name = ""
    around = " \t\"'"  # quotation marks, also one that was not closed
    for line in head.split("\n"):
        if field := _FIELD.match(line):
            name, value = field[1], field[2].strip()
            listed = re.fullmatch(r"\[(.*)\]", value)
            fields[name] = [e.strip(around) for e in listed[1].split(",")] if listed else value.strip(around)
        elif (item := _ITEM.match(line)) and name:
            held = fields[name]
            fields[name] = [*(held if isinstance(held, list) else []), item[1].strip(around)]
    return fields


def _plain(value: object) -> object:
    """A value without the brackets of a note-taker's links: [[Name]], [[page|Name]]."""
    if isinstance(value, str):
        return _LINK.sub(r"\1", value)
    return [_plain(item) for item in value] if isinstance(value, list) else value


_MARKED = re.compile(r"==(?=\S)([^=\n]+)(?<=\S)==")
_CALLOUT = re.compile(r"^(\s*>\s*)\[!\w+\][+-]?[ \t]*", re.MULTILINE)
# lines of a head in one paragraph: **Ann Kemp**, *The Herald*
_LINES_APART = re.compile(r"(?:(?<=\n\n)|\A)(?:([*_]{1,2})(?=[^\s*_])[^*_\n]*[^*_\n.!?:…]\1[ \t]*\n(?=\S))+")
_UNSEEN = re.compile(r"<!--.*?(?:-->|\Z)|<(script|style)\b.*?(?:</\1\s*>|\Z)", re.DOTALL | re.IGNORECASE)


def _blocks(body: str) -> list[Block]:
    """The blocks of a text; of HTML in it only the words, so that an unclosed tag does not hide the rest."""
    from markdown_it import MarkdownIt

    markdown = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    body = _LINES_APART.sub(lambda lines: lines[0].replace("\n", "\n\n"), body)
    tokens = markdown.parse(_MARKED.sub(r"\1", _CALLOUT.sub(r"\1", body)))
    for token in (each for outer in tokens for each in (outer, *(outer.children or ()))):
        if token.type == "list_item_open" and token.info:
            token.attrSet("value", token.info)  # as it is written: "19. Mai" may be a date
        elif token.type == "html_block":
            words = unescape(re.sub(r"<[^<>]*>", " ", _UNSEEN.sub(" ", token.content)))
            token.content = f"<p>{escape(words)}</p>"
        elif token.type == "html_inline":
            token.content = "<br>" if token.content.startswith("<br") else ""
        elif token.type == "softbreak":
            token.type = "hardbreak"  # where both are lines of a head, not one sentence
    html = markdown.renderer.render(tokens, markdown.options, {})
    return list(blocks_of(page_tree(f"<body>{html}</body>")))

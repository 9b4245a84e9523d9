"""HTML from the templates in `templates/`, which escape everything filled in."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from rag.i18n import GERMAN, Words
from rag.serve.links import asset, link


def environment(folder: Path) -> Environment:
    """The templates of a folder; values are escaped, and a missing value is an error."""
    return Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


_TEMPLATES = environment(Path(__file__).parent / "templates")
_TEMPLATES.globals |= {"asset": asset, "link": link}


def page(template: str, words: Words, **values: object) -> str:
    """A template filled in: a page, or the part of one that a script replaces."""
    return _TEMPLATES.get_template(template).render(words=words, **values)


def chat_head() -> str:
    """Styles and scripts of the chat, for the `<head>` that Gradio writes."""
    # made once for all readers, with relative addresses that fit any path
    return page("chat_head.html", GERMAN).replace('="/beleg/', '="./beleg/')


def fragment(name: str, words: Words, **values: object) -> str:
    """A macro of `chat.html` filled in, for the Markdown of the chat.

    It is one line, for a blank one would end the HTML in Markdown. Percent signs are escaped too:
    Gradio's placeholders for formulas are made of them.
    """
    macros = _TEMPLATES.get_template("chat.html").make_module({"words": words})
    made = str(getattr(macros, name)(**values))
    return " ".join(made.split()).replace("> <", "><").replace("%", "&#37;")

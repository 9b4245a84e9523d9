"""E-books: the chapters in the order in which they are read."""

import posixpath
from urllib.parse import unquote

from ingest.readers.document import Document, Reading, clean_field, compose, decode, metadata
from ingest.readers.html import blocks_of, page_tree
from ingest.readers.office import open_archive, parse_xml, pictures_in

_OPF = "{http://www.idpf.org/2007/opf}"
_DC = "{http://purl.org/dc/elements/1.1/}"


def read_epub(data: bytes) -> Reading:
    """One document of all chapters; title, author, publisher and date are those of the book."""
    with open_archive(data) as archive:
        container = parse_xml(archive.read("META-INF/container.xml"))
        place = container.find(".//{*}rootfile").get("full-path")
        book = parse_xml(archive.read(place))
        files = {item.get("id"): item for item in book.iter(f"{_OPF}item")}
        spine = [files[ref.get("idref")] for ref in book.iter(f"{_OPF}itemref") if ref.get("idref") in files]
        # without the table of contents
        paths = [unquote(i.get("href")) for i in spine if "nav" not in (i.get("properties") or "").split()]
        names = [posixpath.normpath(posixpath.join(posixpath.dirname(place), path)) for path in paths]
        held = set(archive.namelist())
        chapters = [archive.read(name) for name in dict.fromkeys(names) if name in held]
        pictures = pictures_in(archive)
    tags = {"title": "title", "outlet": "publisher", "published": "date", "language": "language"}
    known, _ = metadata({name: book.findtext(f".//{_DC}{tag}") for name, tag in tags.items()})
    known["author"] = clean_field([creator.text or "" for creator in book.iter(f"{_DC}creator")])
    pages = [page_tree(decode(chapter)) for chapter in chapters if chapter.strip()]
    blocks = [block for page in pages for block in blocks_of(page)]
    document = compose(blocks, Document("", structured=True, **known))
    return Reading((document,), counts={"chapters": len(pages)}, left_out={"pictures": pictures})

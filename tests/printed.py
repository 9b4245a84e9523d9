"""PDF files, small and made by hand."""

from __future__ import annotations

from collections.abc import Sequence

Place = tuple[float, float, str]


def pdf(*pages: Sequence[str | Place] | str, info: str = "", rotate: int = 0) -> bytes:
    """A small PDF of the given lines, of words at places (from the left and from below), or of what draws it.

    F1 is a font of 11 points, F2 is bold.
    """
    count = len(pages)
    kids = " ".join(f"{5 + 2 * i} 0 R" for i in range(count))
    objects = [
        "<</Type/Catalog/Pages 2 0 R>>",
        f"<</Type/Pages/Count {count}/Kids[{kids}]>>",
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>",
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica-Bold/Encoding/WinAnsiEncoding>>",
    ]
    for i, lines in enumerate(pages):
        stream = lines if isinstance(lines, str) else f"BT /F1 11 Tf\n{_placed(lines)}ET"
        objects.append(
            f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 850]/Contents {6 + 2 * i} 0 R"
            f"/Rotate {rotate}/Resources<</Font<</F1 3 0 R/F2 4 0 R>>>>>>"
        )
        objects.append(f"<</Length {len(stream)}>>stream\n{stream}\nendstream")
    objects.append(f"<<{info}>>")
    out, offsets = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += f"{number} 0 obj{body}endobj\n".encode("cp1252")
    table = "".join(f"{offset:010d} 00000 n \n" for offset in offsets)
    trailer = f"trailer<</Size {len(objects) + 1}/Root 1 0 R/Info {len(objects)} 0 R>>"
    start = len(out)
    out += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}{trailer}\n".encode()
    return out + f"startxref\n{start}\n%%EOF\n".encode()


def _placed(lines: Sequence[str | Place]) -> str:
    places = [
        line if isinstance(line, tuple) else (60, 780 - 14 * place, line) for place, line in enumerate(lines)
    ]
    return "".join(f"1 0 0 1 {left} {up} Tm ({line}) Tj\n" for left, up, line in places)

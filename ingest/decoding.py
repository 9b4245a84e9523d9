"""Bytes to text."""

from __future__ import annotations


def decode(data: bytes, declared: str | None = None) -> str:
    """Text of bytes: by byte-order mark, as UTF-8, by the declared name, or as Windows-1252.

    A few broken bytes in UTF-8 become U+FFFD; no statistics guess the encoding, for on short
    German texts they are wrong more often than Windows-1252 is.
    """
    for mark, name in ((b"\xff\xfe\0\0", "utf-32"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if data.startswith(mark):
            return data.decode(name, "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        lenient = data.decode("utf-8-sig", "replace")
    broken = lenient.count("\ufffd") - data.count(b"\xef\xbf\xbd")
    # in Windows-1252 nearly every umlaut is broken UTF-8; in damaged UTF-8 few are
    if broken <= sum(not char.isascii() for char in lenient) / 3:
        return lenient
    for encoding in filter(None, (declared, "cp1252")):
        try:
            return data.decode(encoding)
        except (LookupError, UnicodeError):
            continue
    return data.decode("latin-1")

"""Bytes to text."""

import codecs
import re

_AS_ON_THE_WEB = {"iso8859-1": "cp1252", "ascii": "cp1252"}
"""What pages are in that declare another encoding: https://encoding.spec.whatwg.org/#names-and-labels"""

_IN_BYTES = re.compile(r"(?:cp|iso|koi|mac|big5|gb18030|euc)[\w-]*")
_DOS = "cp850"
_UMLAUT_WITHIN_WORD = re.compile(r"(?<=[A-Za-zÄÖÜäöüß])[äöüß](?=[a-zäöüß])")


def decode(data: bytes, declared: str | None = None) -> str:
    """Text of bytes: by byte-order mark, as UTF-8, by the declared name, or as Windows-1252.

    Pages that declare iso-8859-1 mostly are Windows-1252, as browsers read them; broken bytes are U+FFFD. The
    encoding is not guessed by statistics, which on short German texts are wrong more often than Windows-1252;
    only texts from DOS are recognised, by umlauts inside words.
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
    if encoding := _encoding_of(declared or ""):
        return data.decode(encoding, "replace")
    readings = [data.decode(encoding, "replace") for encoding in ("cp1252", _DOS)]
    return max(readings, key=lambda text: len(_UMLAUT_WITHIN_WORD.findall(text)))


def _encoding_of(label: str) -> str | None:
    """Python's name of the declared encoding; None for one that does not describe the bytes."""
    try:
        name = codecs.lookup(label.strip().lower().removeprefix("x-")).name
    except (LookupError, ValueError):
        return None
    name = _AS_ON_THE_WEB.get(name, name)
    return name if _IN_BYTES.fullmatch(name) else None

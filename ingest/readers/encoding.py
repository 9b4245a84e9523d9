"""Bytes to text."""

from __future__ import annotations

import codecs
import re

_AS_ON_THE_WEB = {
    "iso8859-1": "cp1252", "ascii": "cp1252", "iso8859-9": "cp1254", "turkish": "cp1254",
    "iso8859-11": "cp874", "tis-620": "cp874", "windows-874": "cp874", "dos-874": "cp874",
    "gb2312": "gb18030", "gbk": "gb18030", "gb_2312-80": "gb18030", "csgb2312": "gb18030", "cn-big5": "big5",
    "shift_jis": "cp932", "windows-31j": "cp932", "euc_kr": "cp949", "windows-949": "cp949",
    "koi": "koi8-r", "koi8": "koi8-r", "koi8-ru": "koi8-u", "mac": "mac-roman", "csmacintosh": "mac-roman",
    "mac-ukrainian": "mac-cyrillic", "iso-8859-8-i": "iso8859-8", "csisolatin9": "iso8859-15",
}  # fmt: skip
"""What pages that declare an encoding are written in, where it differs or Python knows no such name."""

_IN_BYTES = re.compile(r"(?:cp|iso|koi|mac|big5|gb18030|euc)[\w-]*")
_DOS = "cp850"
_UMLAUT_WITHIN_WORD = re.compile(r"(?<=[A-Za-zÄÖÜäöüß])[äöüß](?=[a-zäöüß])")


def decode(data: bytes, declared: str | None = None) -> str:
    """Text of bytes: by byte-order mark, as UTF-8, by the declared name, or as Windows-1252.

    Names mean what browsers take them for (https://encoding.spec.whatwg.org/#names-and-labels): most
    pages that declare iso-8859-1 are Windows-1252. Broken bytes become U+FFFD. No statistics guess the
    encoding, for on short German texts they are wrong more often than Windows-1252 is, except that
    umlauts within words tell a text from DOS.
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
    """Python's name of the encoding that a page declares; None for one that says nothing of its bytes."""
    name = re.sub(r"^(iso)[-_]?(8859)[-_]?(?=\d)", r"\1-\2-", label.strip().lower().removeprefix("x-"))
    try:
        name = codecs.lookup(_AS_ON_THE_WEB.get(name, name)).name
    except (LookupError, ValueError):
        return None
    name = _AS_ON_THE_WEB.get(name, name)
    return name if _IN_BYTES.fullmatch(name) else None

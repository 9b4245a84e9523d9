"""Bytes to text."""

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
"""The real encoding of pages that declare one, where it differs or Python does not know the name."""

_IN_BYTES = re.compile(r"(?:cp|iso|koi|mac|big5|gb18030|euc)[\w-]*")
_DOS = "cp850"
_UMLAUT_WITHIN_WORD = re.compile(r"(?<=[A-Za-zÄÖÜäöüß])[äöüß](?=[a-zäöüß])")


def decode(data: bytes, declared: str | None = None) -> str:
    """Text of bytes: by byte-order mark, as UTF-8, by the declared name, or as Windows-1252.

    Names have the meaning that browsers give them (https://encoding.spec.whatwg.org/#names-and-labels): most
    pages that declare iso-8859-1 are Windows-1252. Broken bytes become U+FFFD. The encoding is not guessed
    by statistics, which on short German texts are wrong more often than Windows-1252; only texts from DOS are
    recognised, by umlauts inside words.
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
    name = re.sub(r"^(iso)[-_]?(8859)[-_]?(?=\d)", r"\1-\2-", label.strip().lower().removeprefix("x-"))
    try:
        name = codecs.lookup(_AS_ON_THE_WEB.get(name, name)).name
    except (LookupError, ValueError):
        return None
    name = _AS_ON_THE_WEB.get(name, name)
    return name if _IN_BYTES.fullmatch(name) else None

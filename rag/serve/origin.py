"""Who may change something: our own pages, and programs, which no other site can make use of."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit


def is_foreign(headers: Mapping[str, str]) -> bool:
    """Whether a browser says that a request comes from a page of another site.

    Browsers state it in `Sec-Fetch-Site` (older ones in `Origin`) and let no page forge either; what
    states neither is no browser.
    """
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site != "same-origin"
    origin = headers.get("origin")
    return origin is not None and urlsplit(origin).netloc != headers.get("host")

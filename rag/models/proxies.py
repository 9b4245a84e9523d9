"""Proxies and certificates from the environment.

Unusable ones are reported and left out; this machine itself is reached without a proxy.
"""

from __future__ import annotations

import contextlib
import importlib.util
import ipaddress
import logging
import os
from collections.abc import Mapping, MutableMapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    import ssl

    import httpx

NO_KEY = "none"
"""For a server that wants no key: openai refuses an empty one."""

_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")
_CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR")
_LOOPBACK = ("localhost", "127.0.0.1", "::1")

log = logging.getLogger(__name__)


def client(url: str, **options: Any) -> httpx.Client:
    """A client for the one server at `url`, as openai likes it, by its proxy, if it has one."""
    import openai

    environment = dict(os.environ)
    for problem in leave_out_unusable(environment):
        log.warning(problem)
    proxy = _proxy_of(url, environment)
    return openai.DefaultHttpxClient(trust_env=False, proxy=proxy, verify=_trusted(environment), **options)


def leave_out_unusable(environment: MutableMapping[str, str]) -> list[str]:
    """Removes variables that httpx would fail at from an environment; returns messages on them.

    Other libraries read the environment for themselves, gradio while it is imported. Where there is a
    proxy, this machine is added to what goes past it.
    """
    taken = []
    for name in _CERTIFICATES:
        if path := environment.get(name):
            try:
                _trusted({name: path})
            except OSError as exc:  # also for a file that is not a certificate
                taken.append(f"{name} names {path}, which cannot be used ({exc}); it is left out")
                del environment[name]
    for name in _PROXIES:
        if environment.get(name) and (why := _why_not(environment[name])):
            taken.append(f"{name} names {why}; it is left out")
            del environment[name]
    if any(environment.get(name) for name in (*_PROXIES, "NO_PROXY", "no_proxy")):
        past = ",".join(dict.fromkeys([*_past(environment), *_LOOPBACK]))
        environment.update({"NO_PROXY": past, "no_proxy": past})
    return taken


def _why_not(proxy: str) -> str | None:
    """Why httpx cannot use a proxy; None when it can. Without the login that it may hold."""
    import httpx

    scheme = proxy.partition("://")[0] if "://" in proxy else "http"
    if scheme.startswith("socks") and importlib.util.find_spec("socksio") is None:
        return f"a proxy of the kind {scheme}, which is not supported (http and https are)"
    try:
        known = httpx.Proxy(proxy if "://" in proxy else f"http://{proxy}")
    except (ValueError, httpx.InvalidURL):
        return "no address of a proxy, as http://proxy.example:3128 is"
    return None if known.url.host else "a proxy without a host"


def _past(environment: Mapping[str, str]) -> list[str]:
    """The hosts that no proxy is asked for, as httpx takes them: IPv6 without brackets, no networks of it."""
    import httpx

    listed = environment.get("no_proxy") or environment.get("NO_PROXY") or ""
    past = []
    for name in (host.strip().removeprefix("[").removesuffix("]") for host in listed.split(",")):
        is_host = False
        with contextlib.suppress(httpx.InvalidURL):
            is_host = bool(name and "://" not in name and httpx.URL(f"all://*{name}").host)
        with contextlib.suppress(ValueError):
            is_host = bool(ipaddress.ip_address(name))
        past += [name] if is_host else []
    return past


def _proxy_of(url: str, environment: Mapping[str, str]) -> str | None:
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    past = (*_past(environment), "localhost", "127.0.0.0/8", "::1")
    if any(_covers(each.lower(), host, parts.netloc) for each in past):
        return None
    names = (f"{parts.scheme}_proxy", "all_proxy")
    for key in (key for name in names for key in (name, name.upper())):
        if found := environment.get(key):
            return found if "://" in found else f"http://{found}"
    return None


def _covers(past: str, host: str, netloc: str) -> bool:
    """Whether an entry of NO_PROXY means a host: itself, its domain, its network, or all."""
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host) in ipaddress.ip_network(past, strict=False)
    domain = past.lstrip("*.")
    return past in ("*", netloc) or host == domain or host.endswith(f".{domain}")


def _trusted(environment: Mapping[str, str]) -> ssl.SSLContext | bool:
    """The certificates that the environment names. Raises OSError when they cannot be read."""
    file, folder = (environment.get(name) or None for name in _CERTIFICATES)
    if not (file or folder):
        return True
    import ssl

    return ssl.create_default_context(cafile=file, capath=folder)

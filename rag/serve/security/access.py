"""Who may come in: the passwords and tokens of `BELEG_AUTH`, kept as digests, and the signed login cookie.

`BELEG_AUTH="password:SECRET token:NAME=SECRET …"`: any number of passwords for people and of tokens for
programs, with spaces between them; a secret alone is both. A token's name appears in logs and metrics, its
secret nowhere.
"""

import hashlib
import hmac
import re
from typing import NamedTuple

from itsdangerous import TimestampSigner
from pydantic import SecretStr

from rag.errors import ConfigError

LOGIN, LOGOUT = "/anmelden", "/abmelden"
SESSION_COOKIE = "beleg_session"
SESSION_SECONDS = 30 * 86_400
_SHORTEST = {"password": 8, "token": 16}
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,40}")
_FORM = "its form is: password:SECRET token:NAME=SECRET, with spaces between entries, or one secret for all"
_FOR_ALL = "all"


class Access(NamedTuple):
    """Digests of the passwords, those of the tokens with their names, and what signs cookies."""

    passwords: tuple[bytes, ...]
    tokens: tuple[tuple[str, bytes], ...]
    signer: TimestampSigner

    def admits(self, password: str) -> bool:
        """Whether this is one of the passwords, in constant time."""
        return sum(hmac.compare_digest(_digest(password), known) for known in self.passwords) > 0

    def owner(self, token: str) -> str | None:
        """The name of the token, in constant time."""
        sent = _digest(token)
        found = [name for name, known in self.tokens if hmac.compare_digest(sent, known)]
        return found[0] if found else None

    def session(self) -> str:
        """The value of a login cookie, a signed time; valid for a month, or until `BELEG_AUTH` changes."""
        return self.signer.sign("reader").decode()

    def knows(self, session: str) -> bool:
        """Whether the cookie is one of ours, and still good."""
        return self.signer.validate(session, max_age=SESSION_SECONDS)


def access_of(auth: SecretStr | None) -> Access | None:
    """The setting, None if it is not set. Raises ConfigError, which never quotes a secret."""
    if auth is None:
        return None
    passwords, tokens, whole = list[str](), list[tuple[str, str]](), auth.get_secret_value()
    for entry in whole.split():
        kind, has_kind, rest = entry.partition(":")
        name, has_name, token = rest.partition("=")
        if not has_kind:
            kind, rest = "password", entry
            tokens.append((_FOR_ALL, entry))
        elif kind == "token" and has_name and _NAME.fullmatch(name):
            rest = token
            tokens.append((name, token))
        elif kind != "password":
            raise ConfigError(f"an entry of BELEG_AUTH is neither password:… nor token:NAME=…; {_FORM}")
        if len(rest) < _SHORTEST[kind]:
            message = f"a {kind} in BELEG_AUTH is too short; it has at least {_SHORTEST[kind]} characters"
            raise ConfigError(message)
        if kind == "password":
            passwords.append(rest)
    if not passwords and not tokens:
        raise ConfigError(f"BELEG_AUTH is empty; {_FORM}")
    key = hashlib.sha256(b"session " + whole.encode()).digest()
    return Access(
        tuple(map(_digest, passwords)),
        tuple((name, _digest(secret)) for name, secret in tokens),
        TimestampSigner(key, salt="session", key_derivation="hmac", digest_method=hashlib.sha256),
    )


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()

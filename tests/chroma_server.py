"""A real Chroma server for tests, and a door before it that asks for a token, by TLS."""

from __future__ import annotations

import contextlib
import http.client
import http.server
import random
import socket
import ssl
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

STARTS_WITHIN = 300.0


class ChromaServer:
    """A real `chroma run` on the loopback."""

    def __init__(self, folder: Path) -> None:
        self.port = _quiet_port()
        self.process: subprocess.Popen[bytes] | None = None
        self.folder = folder
        self.url = f"http://127.0.0.1:{self.port}"
        self.start()

    def start(self) -> None:
        """Starts it unless it runs, and returns once it answers."""
        if self.process and self.process.poll() is None:
            return
        command = [Path(sys.executable).with_name("chroma"), "run", "--path", self.folder]
        self.process = subprocess.Popen(
            [*command, "--host", "127.0.0.1", "--port", str(self.port)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        end = time.monotonic() + STARTS_WITHIN
        while time.monotonic() < end:
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"{self.url}/api/v2/heartbeat", timeout=2).close()
                return
            time.sleep(0.1)
        raise AssertionError("the Chroma server does not start")

    def stop(self) -> None:
        """Ends it, as a restart would."""
        assert self.process
        self.process.terminate()
        self.process.wait(20)

    def empty(self) -> None:
        """Deletes all that it holds."""
        import chromadb

        # chromadb leaves its connections open when it is closed
        with chromadb.HttpClient("127.0.0.1", self.port, headers={"Connection": "close"}) as client:
            for collection in client.list_collections():
                client.delete_collection(collection.name)


def _quiet_port() -> int:
    """A free port below those that the system hands out: nobody is given it while the server is down."""
    for port in random.sample(range(20_000, 32_000), 100):
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise AssertionError("no free port")


@dataclass(frozen=True)
class Authority:
    """A certificate for the loopback that only those trust who are told to, and its key."""

    certificate: Path
    key: Path


def own_authority(folder: Path) -> Authority:
    """A new one, as files in a folder."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "tests")])
    now = datetime.now(UTC)
    names = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    made = Authority(folder / "authority.pem", folder / "authority.key")
    made.certificate.write_bytes(certificate.public_bytes(pem))
    secret = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    made.key.write_bytes(key.private_bytes(pem, *secret))
    return made


@contextlib.contextmanager
def front_door(port: int, authority: Authority, token: str) -> Iterator[str]:
    """Passes requests with the token on to the server at a port; its address, by https."""

    class Door(http.server.BaseHTTPRequestHandler):
        def forward(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            if self.headers["authorization"] != f"Bearer {token}":
                self.answer(401, b"{}")
                return
            behind = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
            kept = {name: value for name, value in self.headers.items() if name.lower() == "content-type"}
            behind.request(self.command, self.path, body, kept)
            answer = behind.getresponse()
            self.answer(answer.status, answer.read())
            behind.close()

        do_GET = do_POST = do_PUT = do_DELETE = forward  # noqa: N815

        def answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing on the terminal."""

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.certificate, authority.key)

    class Server(http.server.ThreadingHTTPServer):
        def get_request(self) -> tuple[socket.socket, object]:
            accepted, address = self.socket.accept()
            # the handshake is the thread's, and one that a client breaks off is no news
            return context.wrap_socket(accepted, server_side=True, do_handshake_on_connect=False), address

        def handle_error(self, *_: object) -> None:
            """Nothing on the terminal."""

    with Server(("127.0.0.1", 0), Door) as served:
        thread = threading.Thread(target=served.serve_forever, daemon=True)
        thread.start()
        yield f"https://127.0.0.1:{served.server_port}"
        served.shutdown()
        thread.join()

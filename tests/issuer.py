"""A small OIDC issuer for tests: its token endpoint over HTTPS, and the keys with which a broker checks its tokens."""

from __future__ import annotations

import base64
import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from shared.runtime import clock

CLIENT, SECRET = "registration", "rahasia-klien"
ISSUER, AUDIENCE = "https://issuer.example", "kafka"


class TestIssuer:
    """Signs tokens for `CLIENT` and counts how often it was asked. `status` other than 200 refuses; `answer` replaces
    the whole body."""

    __test__ = False

    def __init__(self, lifetime_s: float = 300) -> None:
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.lifetime_s = lifetime_s
        self.asked = 0
        self.status = 200
        self.answer: Any = None

    def sign(self, subject: str, lifetime_s: float, audience: str = AUDIENCE) -> str:
        """A signed token that ends after `lifetime_s`, which may be negative."""
        now = int(clock.now().timestamp())
        claims = {"iss": ISSUER, "aud": audience, "sub": subject, "iat": now - 60, "exp": now + int(lifetime_s)}
        return jwt.encode(claims, self._key, algorithm="RS256", headers={"kid": "uji"})

    def keys(self) -> dict[str, Any]:
        """The JSON Web Key Set."""
        key = jwt.algorithms.RSAAlgorithm.to_jwk(self._key.public_key(), as_dict=True)
        return {"keys": [{**key, "kid": "uji", "use": "sig", "alg": "RS256"}]}

    def reply(self, authorization: str | None, form: str) -> tuple[int, Any]:
        """The answer to one request for a token."""
        self.asked += 1
        login = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        if authorization != f"Basic {login}" or "grant_type=client_credentials" not in form:
            return 401, {"error": "invalid_client"}
        token = {"access_token": self.sign(CLIENT, self.lifetime_s), "expires_in": self.lifetime_s}
        return self.status, token if self.answer is None else self.answer

    @contextmanager
    def served(self, certificate: Path) -> Iterator[str]:
        """Serves the token endpoint on a free port of loopback; gives its URL."""
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                form = self.rfile.read(int(self.headers["content-length"])).decode()
                status, found = issuer.reply(self.headers["authorization"], form)
                body = json.dumps(found).encode()
                self.send_response(status)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """Keeps the test's output quiet."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield f"https://127.0.0.1:{server.server_port}/token"
        finally:
            server.shutdown()
            server.server_close()
            thread.join()

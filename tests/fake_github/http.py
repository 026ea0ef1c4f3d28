"""Bytes in, bytes out: the HTTP side of the fake, with every way to send an answer badly."""

import json
import socket
import struct
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.fake_github.messages import Answer, Wire

Handle = Callable[[str, str, dict[str, str], dict[str, str], dict[str, Any]], Answer]


def handler_for(handle: Handle) -> type[BaseHTTPRequestHandler]:
    """A request handler that asks `handle` for every answer."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            self._serve()

        def do_POST(self) -> None:
            self._serve()

        def log_message(self, format: str, *args: object) -> None:
            """Nothing on the terminal: the fake keeps a log of its own."""

        def handle(self) -> None:
            try:
                super().handle()
            except ConnectionError:
                self.close_connection = True

        def _serve(self) -> None:
            address = urlsplit(self.path)
            sent = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            try:
                body = json.loads(sent) if sent else {}
            except ValueError:
                body = {}
            headers = {name.lower(): value for name, value in self.headers.items()}
            self._send(handle(self.command, address.path, dict(parse_qsl(address.query)), headers, body))

        def _send(self, answer: Answer) -> None:
            content, wire = answer.content(), answer.wire or Wire()
            headers = {"Content-Length": str(len(content)), **answer.headers}
            lines = [f"HTTP/1.1 {answer.status} {self.responses.get(answer.status, ('Unknown',))[0]}"]
            lines += [f"{name}: {value}" for name, value in headers.items() if value is not None]
            head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
            if wire.silence:
                time.sleep(wire.silence)
            if wire.reset:
                self._reset()
            elif wire.pause:
                self.wfile.write(head)
                for byte in content:
                    self.wfile.write(bytes([byte]))
                    time.sleep(wire.pause)
            else:
                self.wfile.write(head + content[: wire.send])
            if answer.wire:
                self.close_connection = True

        def _reset(self) -> None:
            # Lingering for zero seconds makes the close a reset.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
            raise ConnectionResetError

    return Handler

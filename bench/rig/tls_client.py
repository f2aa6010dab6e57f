#!/usr/bin/env python3
"""TLS connections for a measurement, each with one request: closed at once, or held until the input
ends. Says in JSON how that went, as bench_load does."""

import argparse
import concurrent.futures
import json
import socket
import ssl
import sys

MAX_ERRORS = 20
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, SETTINGS, WINDOW_UPDATE = 0, 1, 4, 8
END_STREAM, END_HEADERS, ACK = 1, 4, 1
WINDOW_BYTES = 1 << 24
STATUS_200 = 0x88  # in HPACK's static table


class ResponseError(Exception):
    """The response is not the one that was expected."""


def exactly(stream, count):
    data = stream.read(count)
    if len(data) < count:
        raise ResponseError("closed before the response ended")
    return data


def fetch_h1(connection, path):
    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: bench\r\n"
                       "Accept: */*\r\n\r\n".encode("ascii"))
    with connection.makefile("rb") as stream:
        status = stream.readline()
        if not status.startswith(b"HTTP/1.1 200 "):
            raise ResponseError(f"not a 200: {status[:60]!r}")
        fields = {}
        while (line := stream.readline()) not in (b"\r\n", b""):
            name, _colon, value = line.partition(b":")
            fields[name.strip().lower()] = value.strip()
        return exactly(stream, int(fields.get(b"content-length", b"0")))


def frame(kind, flags, stream, payload):
    return (len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") +
            payload)


def literal(index, text):
    """A header field without indexing, its name from the static table, its value below 127."""
    return bytes([index, len(text)]) + text.encode("ascii")


def fetch_h2(connection, path):
    """One request on a new connection."""
    get, https, path_index, authority_index = b"\x82", b"\x87", 4, 1
    request = get + https + literal(path_index, path) + literal(authority_index, "localhost")
    window = (4).to_bytes(2, "big") + WINDOW_BYTES.to_bytes(4, "big")
    connection.sendall(PREFACE + frame(SETTINGS, 0, 0, window) +
                       frame(WINDOW_UPDATE, 0, 0, WINDOW_BYTES.to_bytes(4, "big")) +
                       frame(HEADERS, END_STREAM | END_HEADERS, 1, request))
    body, ended = b"", False
    with connection.makefile("rb") as stream:
        while not ended:
            head = exactly(stream, 9)
            payload = exactly(stream, int.from_bytes(head[:3], "big"))
            kind, flags, of = head[3], head[4], int.from_bytes(head[5:], "big")
            if kind == SETTINGS and not flags & ACK:
                connection.sendall(frame(SETTINGS, ACK, 0, b""))
            elif of == 1 and kind == HEADERS:
                if payload.lstrip(bytes(range(0x20, 0x40)))[:1] != bytes([STATUS_200]):
                    raise ResponseError("not a 200")  # behind changes of the table's size
            elif of == 1 and kind != DATA:
                raise ResponseError(f"frame of type {kind}")
            elif of == 1:
                body += payload
            ended = of == 1 and flags & END_STREAM
    return body


PROTOCOLS = {"h1": ("http/1.1", fetch_h1), "h2": ("h2", fetch_h2)}


class Client:
    """Opens one connection after the other."""

    def __init__(self, options):
        self.options = options
        self.alpn, self.fetch = PROTOCOLS[options.protocol]
        with open(options.body, "rb") as file:
            self.body = file.read()
        self.context = ssl.create_default_context(cafile=options.ca)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_3
        self.context.set_alpn_protocols([self.alpn])
        self.session = None
        self.facts = {"errors": 0, "first_error": "", "opened": 0, "resumed": 0, "cipher": ""}

    def open(self):
        """A connection that has had its one response, or None."""
        plain = socket.create_connection(("127.0.0.1", self.options.connect), timeout=10)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION,
                         self.options.congestion.encode("ascii"))
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            connection = self.context.wrap_socket(plain, server_hostname="localhost",
                                                  session=self.session)
            if connection.selected_alpn_protocol() != self.alpn:
                raise ResponseError(f"ALPN chose {connection.selected_alpn_protocol()}")
            body = self.fetch(connection, self.options.path)
            if body != self.body:
                raise ResponseError("body differs from the origin's")
        except (OSError, ResponseError) as error:
            plain.close()
            self.facts["errors"] += 1
            self.facts["first_error"] = self.facts["first_error"] or str(error)
            return None
        if self.options.resume:
            self.session = connection.session
        self.facts["opened"] += 1
        self.facts["resumed"] += connection.session_reused
        self.facts["cipher"] = connection.cipher()[0]
        return connection

    def open_all(self, count):
        """Yields the connections, fewer than `count` if too many failed."""
        while self.facts["opened"] < count and self.facts["errors"] < MAX_ERRORS:
            connection = self.open()
            if connection:
                yield connection

    def handshakes(self, count):
        for connection in self.open_all(count):
            connection.close()
        return self.facts


def say(facts):
    print(json.dumps(facts), flush=True)


def handshakes(options):
    """From several threads, so that the proxy has more than one under way."""
    clients = [Client(options) for _ in range(options.threads)]
    share = -(-options.handshakes // options.threads)
    with concurrent.futures.ThreadPoolExecutor(options.threads) as pool:
        parts = list(pool.map(lambda client: client.handshakes(share), clients))
    facts = {key: sum(part[key] for part in parts) for key in ("errors", "opened", "resumed")}
    say({**facts, "first_error": next(filter(None, (part["first_error"] for part in parts)), ""),
         "ciphers": sorted({part["cipher"] for part in parts})})
    return facts["errors"]


def idle(options):
    client = Client(options)
    held = list(client.open_all(options.idle))
    say(client.facts)
    sys.stdin.buffer.read()
    say({**client.facts, "still_open": sum(still_open(connection) for connection in held)})
    return client.facts["errors"]


def still_open(connection):
    """Whether the server has not closed; what it may send at any time is read and dropped."""
    connection.setblocking(False)
    try:
        while connection.recv(4096):
            pass
        return False
    except ssl.SSLWantReadError:
        return True
    except OSError:
        return False


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--connect", type=int, required=True, metavar="PORT")
    parser.add_argument("--ca", required=True, metavar="FILE")
    parser.add_argument("--protocol", choices=PROTOCOLS, default="h1")
    parser.add_argument("--path", default="/1k")
    parser.add_argument("--body", required=True, metavar="FILE", help="what every response has")
    parser.add_argument("--congestion", default="reno")
    parser.add_argument("--handshakes", type=int, metavar="N", default=1)
    parser.add_argument("--threads", type=int, default=1, help="that share them")
    parser.add_argument("--resume", action="store_true", help="each resumes the one before")
    parser.add_argument("--idle", type=int, metavar="N")
    options = parser.parse_args()
    return 1 if (idle if options.idle else handshakes)(options) else 0


if __name__ == "__main__":
    sys.exit(main())

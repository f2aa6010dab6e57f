#!/usr/bin/env python3
"""Writes the seed corpora of the HTTP/1 fuzzers; what a fuzzer finds later is added as files beside them."""
import pathlib

ROOT = pathlib.Path(__file__).parent / "corpus"
HOST = b"Host: a\r\n"

# The first byte says how long the pieces are that the message arrives in.
REQUESTS = {
    "get": b"GET / HTTP/1.1\r\n" + HOST + b"Accept: */*\r\n\r\n",
    "post_length": b"POST /a?b HTTP/1.1\r\n" + HOST + b"Content-Length: 5\r\n\r\nhello",
    "post_chunked": b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "absolute": b"GET http://a.test:80/x?y HTTP/1.1\r\n" + HOST + b"\r\n",
    "connect": b"CONNECT a.test:443 HTTP/1.1\r\n" + HOST + b"\r\n",
    "options": b"OPTIONS * HTTP/1.1\r\nHost: [::1]:80\r\n\r\n",
    "http10": b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
    "upgrade": b"GET / HTTP/1.1\r\n" + HOST + b"Connection: upgrade\r\nUpgrade: websocket\r\n\r\n",
    "expect": b"PUT / HTTP/1.1\r\n" + HOST + b"Expect: 100-continue\r\nContent-Length: 1\r\n\r\n",
    "empty_line_first": b"\r\nGET / HTTP/1.1\r\n" + HOST + b"\r\n",
    "length_and_coding": b"POST / HTTP/1.1\r\n" + HOST
    + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
    "two_lengths": b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n",
    "space_before_colon": b"GET / HTTP/1.1\r\nHost : a\r\n\r\n",
    "obs_fold": b"GET / HTTP/1.1\r\n" + HOST + b"A: b\r\n c\r\n\r\n",
    "bare_lf": b"GET / HTTP/1.1\nHost: a\n\n",
    "tls": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "h2_preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "proxy_v1": b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\nGET / HTTP/1.1\r\n",
    "proxy_v2": b"\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c",
    "long_line": b"GET / HTTP/1.1\r\n" + HOST + b"A: " + b"x" * 130 + b"\r\n\r\n",
}
RESPONSES = {
    "ok": b"HTTP/1.1 200 OK\r\nServer: x\r\nContent-Length: 2\r\n\r\nok",
    "chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "close": b"HTTP/1.0 200 OK\r\n\r\nbody",
    "no_reason": b"HTTP/1.1 200\r\n\r\n",
    "interim": b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
    "switching": b"HTTP/1.1 101 x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
    "not_modified": b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
    "bad_version": b"HTTP/2 200 OK\r\n\r\n",
    "status_missing": b"HTTP/1.1 \r\n\r\n",
    "status_too_long": b"HTTP/1.1 2000 OK\r\n\r\n",
    "bare_lf": b"HTTP/1.1 200 OK\nA: b\n\n",
    "nul": b"HTTP/1.1 200 OK\r\nA: \x00\r\n\r\n",
    "two_lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 5, 6\r\n\r\n",
    "gzip_coding": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
    "many": b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 9 + b"\r\n",
    "section": b"HTTP/1.1 200 OK\r\n" + (b"A: " + b"x" * 95 + b"\r\n") * 4 + b"\r\n",
    "tls_alert": b"\x15\x03\x03\x00\x02\x02\x28",
    "h2_settings": b"\x00\x00\x12\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x64",
    "ssh": b"SSH-2.0-OpenSSH_9.2p1\r\n",
    "html": b"<!DOCTYPE html><html>",
    "text": b"Fatal error: out of memory in a.php on line 1",
}
# The first byte chooses the framing, the second the pieces.
BODIES = {
    "chunked": b"\x80\x035\r\nhello\r\n0\r\n\r\n",
    "two_chunks": b"\x80\x00A\r\n0123456789\r\n1\r\nx\r\n0\r\n\r\nrest",
    "extension": b"\x80\x015;a=\"b\"\r\nhello\r\n0;z\r\n\r\n",
    "trailers": b"\x80\x021\r\nx\r\n0\r\nA: b\r\nB: c\r\n\r\n",
    "bad_trailer": b"\x80\x001\r\nx\r\n0\r\nContent-Length: 1\r\n\r\n",
    "folded_trailer": b"\x80\x000\r\nA: b\r\n c\r\n\r\n",
    "large_trailers": b"\x80\x070\r\n" + (b"A: " + b"x" * 95 + b"\r\n") * 4 + b"\r\n",
    "bad_size": b"\x80\x00xyz\r\n",
    "space_after_size": b"\x80\x005 \r\nhello\r\n",
    "largest_size": b"\x80\x007FFFFFFFFFFFFFFF\r\nx",
    "size_overflow": b"\x80\x008000000000000000\r\nx",
    "bad_end": b"\x80\x005\r\nhelloX\r\n",
    "bare_lf": b"\x80\x005\nhello\n0\n\n",
    "length": b"\x05\x01helloHTTP/1.1",
    "length_short": b"\x0a\x00hell",
    "close": b"\x40\x00anything",
}


def main():
    for name, seeds, prefix in (
        ("h1_request", REQUESTS, b"\x06"),
        ("h1_response", RESPONSES, b"\x06"),
        ("h1_body", BODIES, b""),
    ):
        folder = ROOT / name
        folder.mkdir(parents=True, exist_ok=True)
        for seed, content in seeds.items():
            (folder / seed).write_bytes(prefix + content)
    # To HEAD and to CONNECT: the upper half of the first byte.
    (ROOT / "h1_response" / "to_head").write_bytes(b"\x12" + RESPONSES["ok"])
    (ROOT / "h1_response" / "to_connect").write_bytes(b"\x22" + RESPONSES["chunked"])


if __name__ == "__main__":
    main()

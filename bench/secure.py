#!/usr/bin/env python3
"""`./dev bench secure`: CPU per request over TLS and HTTP/2, of a TLS handshake, and memory of an
idle TLS connection, of Edgecase beside nginx, HAProxy and h2o. README.md beside this file says what
each figure means."""

import dataclasses
import os
import shutil
import subprocess
import sys
import time
import urllib.request

from rig import certificate
from rig import h2load
from rig import harness
from rig import idle
from rig import origins
from rig import program
from rig import report
from rig.run import RUN_SECONDS, Run

PEERS = ["nginx", "haproxy", "h2o"]
PATHS = {"/1k": 1024, "/64k": 65536}

# Python's TLS would offer AES-256 first, h2load is told to offer nothing else.
OPENSSL_CONFIGURATION = f"""\
openssl_conf = configuration
[configuration]
ssl_conf = tls
[tls]
system_default = defaults
[defaults]
Ciphersuites = {h2load.CIPHER}
Groups = {h2load.GROUP}
"""


@dataclasses.dataclass(frozen=True)
class Requests:
    """A row of requests on connections that stay; `origin` as in proxies.Origin."""

    title: str
    protocol: str
    connections: int
    streams: int
    path: str = "/1k"
    weight: float = 1.0  # requests of a run relative to --requests
    origin: str = "h1"
    peers: tuple[str, ...] = tuple(PEERS)

    @property
    def load(self):
        return f"{self.connections} x {self.streams}" if self.streams > 1 else self.connections


@dataclasses.dataclass(frozen=True)
class Handshakes:
    """A row of connections that make one request each."""

    title: str
    resume: bool
    protocol: str = "h1"
    path: str = "/1k"
    weight: float = 0.1
    origin: str = "h1"
    peers: tuple[str, ...] = tuple(PEERS)
    load = 16  # at a time


ROWS = {
    "h1": Requests("HTTP/1.1 over TLS, GET 1 KiB", "h1", 64, 1),
    "h2": Requests("HTTP/2 over TLS, GET 1 KiB", "h2", 16, 10),
    "h2-single": Requests("HTTP/2, one at a time, GET 1 KiB", "h2", 1, 1, weight=0.3),
    "h1-64k": Requests("HTTP/1.1 over TLS, GET 64 KiB", "h1", 64, 1, "/64k", 0.25),
    "h2-64k": Requests("HTTP/2 over TLS, GET 64 KiB", "h2", 16, 10, "/64k", 0.25),
    "h1-h1s": Requests("HTTP/1.1 over TLS, both sides", "h1", 64, 1, origin="h1s",
                       peers=("nginx", "haproxy")),
    "h2-h2s": Requests("HTTP/2 over TLS, both sides", "h2", 16, 10, origin="h2s",
                       peers=("haproxy",)),
    "handshake": Handshakes("full handshake, one request", False),
    "resumption": Handshakes("resumed handshake, one request", True),
}
IDLE_ROWS = {"idle-h1": ("h1", "Idle HTTP/1.1 connections over TLS"),
             "idle-h2": ("h2", "Idle HTTP/2 connections over TLS")}
QUICK_ROWS = ["h1", "h2", "handshake", "idle-h1"]

# row, peer, most that Edgecase may cost relative to it
RATIO_TARGETS = [(row, peer, 1.00) for row in ("h1", "h2") for peer in PEERS]


def parse_arguments():
    known = [*ROWS, *IDLE_ROWS]
    options = program.parser(__doc__, ["edgecase", *PEERS])
    options.add_argument("--rows", type=program.names_of(known),
                         help=f"of: {','.join(known)} (quick: {','.join(QUICK_ROWS)})")
    arguments = options.parse_args()
    arguments.rows = arguments.rows or (QUICK_ROWS if arguments.quick else known)
    if arguments.idle_connections is None:
        arguments.idle_connections = 1000 if arguments.quick else 2000
    return arguments


class SecureRun(Run):
    def prepare(self):
        """The certificate, the bodies, and a place in front of the plain origin; of the others when
        a row needs them."""
        for tool in (h2load.PROGRAM, "openssl"):
            if not shutil.which(tool):
                raise harness.BenchError(f"{tool} is missing (apt-get install "
                                         "nghttp2-client openssl)")
        plain = self.plain_place()
        self.certificate = certificate.make(self.directory)
        self.bodies = {}
        for path, size in PATHS.items():
            url = f"http://127.0.0.1:{plain.origin.port}{path}"
            with urllib.request.urlopen(url, timeout=10) as response:
                self.bodies[path] = response.read()
            if len(self.bodies[path]) != size:
                raise harness.BenchError(f"the origin's {path} has another size")
            with open(self.path_(path), "wb") as file:
                file.write(self.bodies[path])
        with open(self.path_("/openssl.cnf"), "w", encoding="ascii") as file:
            file.write(OPENSSL_CONFIGURATION)
        self.places = {"h1": dataclasses.replace(plain, certificate=self.certificate)}

    def path_(self, path):
        return os.path.join(self.directory, path.lstrip("/"))

    def place(self, protocol):
        if protocol not in self.places:
            origin = origins.start_secure(self.processes, self.load_core, self.directory,
                                          self.certificate, protocol, self.bodies)
            self.places[protocol] = dataclasses.replace(self.places["h1"], origin=origin)
        return self.places[protocol]

    def start_client(self, proxy, protocol, path, *options):
        here = os.path.dirname(os.path.abspath(__file__))
        return self.processes.start(
            [sys.executable, os.path.join(here, "rig", "tls_client.py"), "--connect",
             str(proxy.port), "--ca", self.certificate.chain, "--protocol", protocol, "--path",
             path, "--body", self.path_(path), "--congestion", self.arguments.congestion, *options],
            self.load_core, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0,
            env={**os.environ, "OPENSSL_CONF": self.path_("/openssl.cnf")})

    def connect(self, proxy, row, *options):
        """Connections with one request each; every body byte is compared."""
        load = self.start_client(proxy, row.protocol, row.path, *options)
        try:
            result = harness.read_json(load, "tls_client", RUN_SECONDS)
        finally:
            self.processes.end(load)
        if result["errors"]:
            raise harness.BenchError(f"{result['errors']} errors, first: {result['first_error']}")
        if result["ciphers"] != [h2load.CIPHER]:
            raise harness.BenchError(f"chose {result['ciphers']}, expected {h2load.CIPHER}")
        proxy.requests += result["opened"]
        return result

    def h2load(self, proxy, row, requests):
        proxy.requests += requests
        return h2load.run(self.processes, self.load_core, proxy.port, row.protocol,
                          row.connections, row.streams, requests, row.path, PATHS[row.path],
                          RUN_SECONDS)

    def check(self, proxy, row):
        """Compares the body and warms up the proxy's connections to the origin."""
        self.connect(proxy, row, "--handshakes", "2")
        if isinstance(row, Requests):
            self.h2load(proxy, row, max(200, 2 * row.connections * row.streams))
        time.sleep(proxy.settle_seconds)

    def run_requests(self, proxy, row):
        """Two runs, of which one makes one request per connection and the other many: divided is
        their difference, so that opening and closing the connections is not in the figure."""
        count = max(int(self.arguments.requests * row.weight), 20 * row.connections * row.streams)
        _few, opening, _share = self.count(
            proxy, lambda: self.h2load(proxy, row, row.connections))
        result, used, foreign_share = self.count(
            proxy, lambda: self.h2load(proxy, row, count + row.connections))
        used = used.since(opening)
        return {**result, "us_per_request": used.total_us / count,
                "opening_us_per_connection": opening.total_us / row.connections,
                "foreign_share": foreign_share}

    def run_handshakes(self, proxy, row):
        result, used, foreign_share = self.count(proxy, lambda: self.connect(
            proxy, row, "--handshakes", str(int(self.arguments.requests * row.weight)),
            "--threads", str(row.load), *(["--resume"] if row.resume else [])))
        count = result["opened"]
        resumed = count - row.load if row.resume else 0
        if result["resumed"] != resumed:
            raise harness.BenchError(f"{result['resumed']} of {count} connections were resumed, "
                                     f"expected {resumed}")
        return {"requests": count, "us_per_request": used.total_us / count,
                "per_cpu_second": count * 1e6 / used.total_us, "foreign_share": foreign_share}

    def measure_row(self, key):
        row = ROWS[key]
        once = self.run_requests if isinstance(row, Requests) else self.run_handshakes
        names = [name for name in self.arguments.proxies if name in ("edgecase", *row.peers)]
        running = self.started(names, self.place(row.origin))
        try:
            cell = self.cell(row.title, running, lambda proxy: self.check(proxy, row),
                             lambda proxy: once(proxy, row))
        finally:
            self.end(running)
        return {"workload": key, "connections": row.load, **cell}

    def measure_idle(self, protocol):
        place = dataclasses.replace(self.place("h1"), keep_memory=False)
        warm_up = Requests("", protocol, idle.WARM_CONNECTIONS, 1)
        return {name: idle.measure(
            self, name, place,
            lambda proxy: self.h2load(proxy, warm_up, 2 * self.arguments.idle_connections),
            lambda proxy, count: self.start_client(proxy, protocol, "/1k", "--idle", str(count)))
            for name in self.arguments.proxies}

    def measure(self):
        self.prepare()
        rows = self.arguments.rows
        return {"cells": [self.measure_row(key) for key in rows if key in ROWS],
                "idle": {key: self.measure_idle(IDLE_ROWS[key][0]) for key in rows
                         if key in IDLE_ROWS and self.arguments.idle_connections}}


def handshakes(result):
    """Per CPU second, for those who think in these; the times are in the table above."""
    columns = ["edgecase", *PEERS]
    rows = [[cell["title"], *(report.figure(1e6 / us, 0) if us else "-" for us in
                              (cell["us_per_request"].get(name) for name in columns))]
            for cell in result["cells"] if isinstance(ROWS[cell["workload"]], Handshakes)]
    return ["", "Connections per CPU second", *report.aligned([["", *columns], *rows],
                                                              1)] if rows else []


def render(result):
    result["targets"] = report.judge_ratios(result, RATIO_TARGETS)
    lines = [*report.head(result), *report.cpu(result, PEERS), *handshakes(result)]
    for key, figures in result["idle"].items():
        lines += report.idle(IDLE_ROWS[key][1], figures)
    return "\n".join([*lines, "", *report.records(result), *report.tail(result)])


if __name__ == "__main__":
    sys.exit(program.main(SecureRun, parse_arguments(), render))

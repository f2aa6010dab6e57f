#!/usr/bin/env python3
"""How quick the admin API is over a store of ten million records, and what recording costs a request.

usage: ./dev bench analytics [--records N] [--days N] [--rounds N] [--json] [--directory DIRECTORY]
"""
import argparse
import http.client
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
RELEASE = os.path.join(ROOT, "build", "release")
QUERIES = {  # name: path; each is what a page of the dashboard asks
    "traffic, 1 hour": "/api/traffic?since=1h",
    "traffic, 1 day": "/api/traffic?since=24h",
    "traffic, 1 week": "/api/traffic?since=7d",
    "traffic, 1 month": "/api/traffic?since=30d",
    "traffic, 1 month, by host": "/api/traffic?since=30d&by=host",
    "traffic, 1 month, one cause": "/api/traffic?since=30d&cause=resp.empty_fin",
    "traffic, 1 week, one host": "/api/traffic?since=7d&host=shop.example",
    "cases, newest 100": "/api/cases",
    "cases, 1 month, one cause": "/api/cases?since=30d&cause=connect.timeout",
    "cases, 1 month, one host": "/api/cases?since=30d&host=blog.example",
    "cases, 1 month, one path": "/api/cases?since=30d&path=/sectionb/",
    "findings, once computed": "/api/findings",
    "origins": "/api/origins",
    "status": "/api/status",
}
WANTED_RAY_MS, WANTED_QUERY_MS = 5, 200


class Admin:
    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)

    def milliseconds(self, path):
        began = time.perf_counter()
        self.connection.request("GET", path)
        response = self.connection.getresponse()
        body = response.read()
        if response.status != 200:
            raise SystemExit(f"bench: {path}: {response.status} {body[:200]!r}")
        return (time.perf_counter() - began) * 1000


def percentile(values, share):
    values = sorted(values)
    return values[min(len(values) - 1, int(share * len(values)))]


def measure(directory, arguments):
    data = os.path.join(directory, "data")
    print(f"writing {arguments.records:,} records of {arguments.days} days", file=sys.stderr)
    corpus = subprocess.run([os.path.join(RELEASE, "bench", "record_corpus"), data,
                             str(arguments.records), str(arguments.days)],
                            stdout=subprocess.PIPE, text=True, check=True)
    rays = corpus.stdout.split()
    config = os.path.join(directory, "edge.toml")
    with open(config, "w") as file:
        file.write(f'[retention]\nage = "{arguments.days * 24 + 48}h"\nbytes = "100GiB"\n')
    edge = subprocess.Popen([os.path.join(RELEASE, "edgecase"), "serve", "--listen", "127.0.0.1:0",
                             "--admin", "127.0.0.1:0", "--data-dir", data, "--config", config,
                             "--origin", "http://127.0.0.1:1"], stdout=subprocess.PIPE, text=True)
    try:
        port = int(re.search(r"admin=\S+?:(\d+)", edge.stdout.readline())[1])
        admin = Admin(port)
        lookups = [admin.milliseconds(f"/api/rays/{ray}") for ray in rays]
        queries = {}
        for name, path in QUERIES.items():
            first = admin.milliseconds(path)
            again = [admin.milliseconds(path) for _ in range(arguments.rounds)]
            queries[name] = {"first_ms": first, "median_ms": percentile(again, 0.5),
                             "max_ms": max(again)}
    finally:
        edge.send_signal(signal.SIGTERM)
        edge.wait(30)
    store = json.loads(subprocess.run([os.path.join(RELEASE, "bench", "store_bench"), directory],
                                      stdout=subprocess.PIPE, text=True, check=True).stdout)
    return {"records": arguments.records, "days": arguments.days,
            "store_bytes": os.path.getsize(os.path.join(data, "records.sqlite")),
            "ray_lookups": len(lookups), "ray_p50_ms": percentile(lookups, 0.5),
            "ray_p99_ms": percentile(lookups, 0.99), "ray_max_ms": max(lookups),
            "queries": queries,
            "recording_ns_per_request": store["worker_ns_per_success"],
            "writer_us_per_request": store["cpu_us_per_success"]}


def main():
    parser = argparse.ArgumentParser(description="how quick the admin API is over many records")
    parser.add_argument("--records", type=int, default=10_000_000)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--json", action="store_true", help="the figures as one JSON object")
    parser.add_argument("--directory", help="where to write (default: TMPDIR or /tmp); 4 GB")
    arguments = parser.parse_args()
    directory = tempfile.mkdtemp(prefix="edgecase-analytics-", dir=arguments.directory)
    try:
        figures = measure(directory, arguments)
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    if arguments.json:
        print(json.dumps(figures, indent=1))
        return 0
    print(f"{figures['records']:,} records of {figures['days']} days, "
          f"{figures['store_bytes'] / 1e9:.1f} GB")
    print(f"ray lookup   p50 {figures['ray_p50_ms']:.2f} ms   p99 {figures['ray_p99_ms']:.2f} ms "
          f"(wanted: below {WANTED_RAY_MS})   max {figures['ray_max_ms']:.2f} ms")
    print(f"{'query':32}{'first':>10}{'median':>10}{'max':>10}   ms, wanted: below {WANTED_QUERY_MS}")
    for name, query in figures["queries"].items():
        print(f"{name:32}{query['first_ms']:10.1f}{query['median_ms']:10.1f}{query['max_ms']:10.1f}")
    print(f"recording with rollups costs a request {figures['recording_ns_per_request']:.0f} ns on "
          f"its worker and {figures['writer_us_per_request']:.2f} us on the writer thread")
    return 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""`./dev bench proxy`: CPU per request and idle memory of Edgecase beside nginx, HAProxy and a bare
relay, interleaved in one run. README.md beside this file says what each figure means."""

import dataclasses
import json
import os
import subprocess
import sys
import time

from rig import harness
from rig import idle
from rig import program
from rig import report
from rig.run import RUN_SECONDS, Run

# name, load generator options, requests per run relative to --requests
WORKLOADS = {
    "1k": ("GET 1 KiB", ["--path", "/1k", "--expect", "1024"], 1.0),
    "64k": ("GET 64 KiB", ["--path", "/64k", "--expect", "65536"], 0.25),
    "1m": ("GET 1 MiB", ["--path", "/1m", "--expect", "1048576"], 0.03),
    "post": ("POST 4 KiB", ["--path", "/echo", "--post", "4096", "--expect", "2"], 0.7),
}
PEERS = ["nginx", "haproxy", "relay"]

# workload, peer, most that Edgecase may cost relative to it
RATIO_TARGETS = [
    ("1k", "nginx", 0.90), ("1k", "haproxy", 0.90),
    ("64k", "nginx", 1.00), ("64k", "haproxy", 1.00),
    ("1m", "nginx", 1.00), ("1m", "haproxy", 1.00),
]
IDLE_TARGET_BYTES = 1536
IDLE_FEWEST = 1000  # below it the noise of the process itself (~1 MB) drowns the figure


def parse_arguments():
    options = program.parser(__doc__, ["edgecase", *PEERS])
    options.add_argument("--workloads", type=program.names_of(WORKLOADS), default=list(WORKLOADS),
                         help=f"of: {','.join(WORKLOADS)}")
    options.add_argument("--connections", help="comma-separated (1,64,256; quick: 64)")
    arguments = options.parse_args()
    arguments.connections = [int(n) for n in (arguments.connections or
                                              ("64" if arguments.quick else "1,64,256")).split(",")]
    if arguments.idle_connections is None:
        arguments.idle_connections = 2000 if arguments.quick else 5000
    return arguments


class ProxyRun(Run):
    def start_load(self, proxy, connections, *options):
        return self.processes.start(
            [self.tool("bench_load"), "--connect", f"127.0.0.1:{proxy.port}", connections[0],
             str(connections[1]), "--congestion", self.arguments.congestion, "--deadline",
             str(RUN_SECONDS), *options],
            self.load_core, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)

    def result_of(self, load):
        """Errors: any response that was not the expected one."""
        result = harness.read_json(load, "bench_load", RUN_SECONDS + 10)
        if result["errors"]:
            raise harness.BenchError(f"{result['errors']} errors, first: {result['first_error']}")
        return result

    def check(self, proxy, workload, connections):
        """A short run that compares every body byte; it also warms up both sides' connections."""
        _title, options, _weight = WORKLOADS[workload]
        load = self.start_load(proxy, ("--connections", connections), *options,
                               "--requests", str(max(200, 2 * connections)),
                               "--verify", "off" if workload == "post" else "on")
        try:
            proxy.requests += self.result_of(load)["requests"] + connections
        finally:
            self.processes.end(load)

    def run_once(self, proxy, workload, connections):
        _title, options, weight = WORKLOADS[workload]
        count = self.arguments.requests * weight / (3 if connections == 1 else 1)
        load = self.start_load(proxy, ("--connections", connections), *options, "--gate", "on",
                               "--requests", str(max(int(count), 2 * connections)))

        def make_requests():
            load.stdin.write(b"\n")
            return self.result_of(load)

        try:
            harness.read_json(load, "bench_load", RUN_SECONDS + 10)
            # What opening the connections left to do (records, logs) must be done before the count.
            time.sleep(proxy.settle_seconds)
            result, used, foreign_share = self.count(proxy, make_requests, load)
        finally:
            self.processes.end(load)
        requests = result["requests"]
        proxy.requests += requests + connections
        return {"us_per_request": used.total_us / requests, "user_share": used.user_us /
                max(used.user_us, used.total_us), "requests": requests,
                "requests_per_second": requests / result["seconds"], "p50_us": result["p50_us"],
                "p99_us": result["p99_us"], "congestion": result["congestion"],
                "foreign_share": foreign_share}

    def measure_cell(self, running, workload, connections):
        title = WORKLOADS[workload][0]
        cell = self.cell(f"{title}, {connections} connections", running,
                         lambda proxy: self.check(proxy, workload, connections),
                         lambda proxy: self.run_once(proxy, workload, connections))
        return {"workload": workload, **cell, "title": title, "connections": connections}

    def warm(self, proxy):
        load = self.start_load(proxy, ("--connections", idle.WARM_CONNECTIONS), "--path", "/1k",
                               "--requests", str(2 * self.arguments.idle_connections))
        try:
            self.result_of(load)
        finally:
            self.processes.end(load)

    def measure_idle(self, names, place):
        if not self.arguments.idle_connections:
            return {}
        return {name: idle.measure(
            self, name, dataclasses.replace(place, keep_memory=False), self.warm,
            lambda proxy, count: self.start_load(proxy, ("--idle", count), "--path", "/1k"))
            for name in names if name != "relay"}

    def measure_store(self):
        """The figures of store_bench (store.cpp), which is built only when it is asked for."""
        store_bench = os.path.join(self.arguments.tools, "store_bench")
        if not os.access(store_bench, os.X_OK):
            return None
        self.say("store inserts")
        store = self.processes.start([store_bench, self.directory], self.proxy_core,
                                     stdout=subprocess.PIPE, cwd=self.directory)
        try:
            output = store.communicate(timeout=180)[0].decode("utf-8", "replace")
            return json.loads([line for line in output.splitlines() if line.startswith("{")][-1])
        except (subprocess.TimeoutExpired, ValueError, IndexError) as error:
            self.fault(f"store inserts not measured: {type(error).__name__}")
            return None
        finally:
            self.processes.end(store)

    def measure(self):
        arguments = self.arguments
        place = self.plain_place()
        running = self.started(arguments.proxies, place)
        cells = [self.measure_cell(running, workload, connections)
                 for workload in arguments.workloads for connections in arguments.connections]
        self.end(running)
        return {"cells": cells, "idle": self.measure_idle(running, place),
                "store": self.measure_store()}


def judge(result):
    """One row per target."""
    rows = report.judge_ratios(result, RATIO_TARGETS)
    if result["idle"]:
        measured = result["idle"].get("edgecase")
        each = (measured["bytes_per_connection"]
                if measured and measured["connections"] >= IDLE_FEWEST else None)
        rows.append({"target": f"idle connection < {IDLE_TARGET_BYTES} bytes",
                     "measured": report.figure(each, 0),
                     "verdict": "not measured" if each is None else
                                "reached" if each < IDLE_TARGET_BYTES else "missed"})
    return rows


def store_line(store):
    """Inserts per second; store_bench tells successes, which it packs, from cases."""
    kinds = [(store[key], kind) for key, kind in (("inserts_per_second", "inserts"),
                                                  ("successes_per_second", "successes"),
                                                  ("cases_per_second", "cases")) if key in store]
    dropped = f", {store['dropped']} dropped" if store.get("dropped") else ""
    return ", ".join(f"{value:.0f} {kind} a second" for value, kind in kinds) + dropped


def render(result):
    result["targets"] = judge(result)
    store = result["store"]
    lines = [*report.head(result), *report.cpu(result, PEERS),
             *report.idle("Idle client connections", result["idle"]),
             "", "Store: " + (store_line(store) if store else "not measured (no store_bench)"),
             *report.records(result), *report.tail(result)]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(program.main(ProxyRun, parse_arguments(), render))

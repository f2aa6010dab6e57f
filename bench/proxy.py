#!/usr/bin/env python3
"""`./dev bench proxy`: CPU per request and idle memory of Edgecase beside nginx, HAProxy and a bare
relay, interleaved in one run. README.md beside this file says what each figure means."""

import argparse
import json
import os
import platform
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

from rig import harness
from rig import proxies
from rig import report

# name, load generator options, requests per run relative to --requests
WORKLOADS = {
    "1k": ("GET 1 KiB", ["--path", "/1k", "--expect", "1024"], 1.0),
    "64k": ("GET 64 KiB", ["--path", "/64k", "--expect", "65536"], 0.25),
    "1m": ("GET 1 MiB", ["--path", "/1m", "--expect", "1048576"], 0.03),
    "post": ("POST 4 KiB", ["--path", "/echo", "--post", "4096", "--expect", "2"], 0.7),
}
ALL_PROXIES = ["edgecase", "nginx", "haproxy", "relay"]
RUN_SECONDS = 60  # one run of one proxy; what is slower than that is broken
# A run that lost more of a core to other work says little at 1 connection, where it can triple the
# figure; it is repeated, and the quietest of the tries counts.
DISTURBED_SHARE = 0.15
TRIES = 3
IDLE_SETTLE_SECONDS = 2.0
# As many as the idle phase has busy at a time, so that peak buffers are in the baseline already.
IDLE_WARM_CONNECTIONS = 16


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    here = os.path.dirname(os.path.abspath(__file__))
    build = os.path.join(os.path.dirname(here), "build", "release")
    parser.add_argument("--binary", default=os.path.join(build, "edgecase"))
    parser.add_argument("--tools", default=os.path.join(build, "bench"),
                        help="folder of bench_origin, bench_load, bench_relay")
    parser.add_argument("--quick", action="store_true",
                        help="64 connections, 3 rounds, fewer requests")
    parser.add_argument("--rounds", type=int, help="interleaved rounds per cell (5; quick: 3)")
    parser.add_argument("--requests", type=int,
                        help="requests per run at 1 KiB, others in proportion (30000; quick: 8000)")
    parser.add_argument("--workloads", default=",".join(WORKLOADS), help="of: %(default)s")
    parser.add_argument("--connections", help="comma-separated (1,64,256; quick: 64)")
    parser.add_argument("--proxies", default=",".join(ALL_PROXIES), help="of: %(default)s")
    parser.add_argument("--idle-connections", type=int, help="0 skips (5000; quick: 2000)")
    parser.add_argument("--congestion", default="reno", help="for every socket (%(default)s)")
    parser.add_argument("--plain-malloc", action="store_true",
                        help="peers as shipped, without keeping freed memory (see README.md)")
    parser.add_argument("--haproxy-bufsize", type=int, default=proxies.Haproxy.buffer_bytes,
                        help="its tune.bufsize (%(default)s)")
    parser.add_argument("--edgecase-arg", action="append", default=[], metavar="ARG",
                        help="passed on to `edgecase serve`, as in --edgecase-arg=--profile=NAME")
    parser.add_argument("--limit-minutes", type=float, default=30,
                        help="no new round after (%(default)s)")
    parser.add_argument("--json", metavar="FILE", help="write every figure there")
    parser.add_argument("--keep", action="store_true", help="keep logs and data, and say where")
    arguments = parser.parse_args()
    quick = arguments.quick
    arguments.rounds = arguments.rounds or (3 if quick else 5)
    arguments.requests = arguments.requests or (8000 if quick else 30000)
    arguments.connections = [int(n) for n in (arguments.connections or
                                              ("64" if quick else "1,64,256")).split(",")]
    if arguments.idle_connections is None:
        arguments.idle_connections = 2000 if quick else 5000
    arguments.workloads = arguments.workloads.split(",")
    arguments.proxies = arguments.proxies.split(",")
    for chosen, known in ((arguments.workloads, WORKLOADS), (arguments.proxies, ALL_PROXIES)):
        for name in chosen:
            if name not in known:
                parser.error(f"unknown name {name!r}, expected one of {', '.join(known)}")
    return arguments


class Bench:
    def __init__(self, arguments, directory):
        self.arguments = arguments
        self.directory = directory
        self.processes = harness.Processes()
        self.proxy_core, self.load_core = harness.choose_cores()
        self.deadline = time.monotonic() + arguments.limit_minutes * 60
        self.origin = None
        self.origin_port = 0
        self.requests_made = dict.fromkeys(ALL_PROXIES, 0)  # while CPU was measured, all of them
        self.notes = []
        self.faults = []

    def say(self, text):
        print(text, file=sys.stderr, flush=True)

    def fault(self, text):
        """Says why a figure is missing or wrong; the run goes on and ends with status 1."""
        self.say(f"  {text}")
        if text not in self.faults:
            self.faults.append(text)

    def tool(self, name):
        path = os.path.join(self.arguments.tools, name)
        if not os.access(path, os.X_OK):
            raise harness.BenchError(f"{path} is missing: build the targets bench_origin, "
                                     "bench_load and bench_relay first")
        return path

    def start_origin(self):
        self.origin = self.processes.start(
            [self.tool("bench_origin"), "--congestion", self.arguments.congestion],
            self.load_core, stdout=subprocess.PIPE, bufsize=0)
        ready = harness.read_line(self.origin, "bench_origin", 10)
        self.origin_port = int(ready.rpartition(":")[2])

    def available(self):
        """The chosen proxies that this machine has, one line for each that it has not."""
        chosen = []
        for name in self.arguments.proxies:
            if name == "edgecase" and not os.access(self.arguments.binary, os.X_OK):
                self.fault(f"edgecase not measured: {self.arguments.binary} is missing")
            elif name in ("nginx", "haproxy") and not shutil.which(name):
                package = {"nginx": "nginx-light", "haproxy": "haproxy"}[name]
                self.fault(f"{name} not measured: not installed (apt-get install {package})")
            else:
                chosen.append(name)
        return chosen

    def start_proxy(self, name, keep_memory=False):
        where = (self.processes, self.proxy_core, self.directory, self.origin_port)
        if name == "edgecase":
            proxy = proxies.Edgecase(*where, self.arguments.binary, self.arguments.edgecase_arg)
        else:
            peers = {"nginx": proxies.Nginx, "haproxy": proxies.Haproxy, "relay": proxies.Relay}
            proxy = peers[name](*where, keep_memory)
        proxy.start(self.arguments.tools)
        return proxy

    def start_load(self, port, connections, *options):
        return self.processes.start(
            [self.tool("bench_load"), "--connect", f"127.0.0.1:{port}", connections[0],
             str(connections[1]), "--congestion", self.arguments.congestion, "--deadline",
             str(RUN_SECONDS), *options],
            self.load_core, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)

    def check(self, proxy, workload, connections):
        """A short run that compares every body byte; it also warms up both sides' connections."""
        _title, options, _weight = WORKLOADS[workload]
        load = self.start_load(proxy.port, ("--connections", connections), *options,
                               "--requests", str(max(200, 2 * connections)),
                               "--verify", "off" if workload == "post" else "on")
        try:
            result = harness.read_json(load, "bench_load", RUN_SECONDS + 10)
        finally:
            self.processes.end(load)
        if result["errors"]:
            raise harness.BenchError(f"{result['errors']} errors, first: {result['first_error']}")
        self.requests_made[proxy.name] += result["requests"] + connections

    def run_quietly(self, proxy, workload, connections):
        tries = []
        while len(tries) < TRIES and time.monotonic() < self.deadline:
            tries.append(self.run_once(proxy, workload, connections))
            if tries[-1]["foreign_share"] <= DISTURBED_SHARE or self.proxy_core == self.load_core:
                break
        return min(tries, key=lambda each: each["foreign_share"]) if tries else None

    def foreign_time(self, proxy, load):
        """Microseconds that each of the two cores has given to anything that is not measured."""
        mine = {self.proxy_core: proxy.pids, self.load_core: [self.origin.pid, load.pid]}
        return [harness.core_busy_us(core) - harness.Cpu.of(pids).total_us
                for core, pids in mine.items()]

    def run_once(self, proxy, workload, connections):
        _title, options, weight = WORKLOADS[workload]
        count = self.arguments.requests * weight / (3 if connections == 1 else 1)
        load = self.start_load(proxy.port, ("--connections", connections), *options, "--gate", "on",
                               "--requests", str(max(int(count), 2 * connections)))
        try:
            harness.read_json(load, "bench_load", RUN_SECONDS + 10)
            proxy.trim_logs()
            # What opening the connections left to do (records, logs) must be done before the count.
            time.sleep(proxy.settle_seconds)
            began, foreign_before = time.monotonic(), self.foreign_time(proxy, load)
            before = harness.Cpu.of(proxy.pids)
            load.stdin.write(b"\n")
            result = harness.read_json(load, "bench_load", RUN_SECONDS + 10)
            elapsed_us = (time.monotonic() - began) * 1e6
            foreign = max(after - earlier for after, earlier in
                          zip(self.foreign_time(proxy, load), foreign_before))
            time.sleep(proxy.settle_seconds)
            used = harness.Cpu.of(proxy.pids).since(before)
        except OSError as error:
            raise harness.BenchError(f"process gone: {error}") from None
        finally:
            self.processes.end(load)
        if result["errors"]:
            raise harness.BenchError(f"{result['errors']} errors, first: {result['first_error']}")
        requests = result["requests"]
        self.requests_made[proxy.name] += requests + connections
        return {"us_per_request": used.total_us / requests, "user_share": used.user_us /
                max(used.user_us, used.total_us), "requests": requests,
                "requests_per_second": requests / result["seconds"], "p50_us": result["p50_us"],
                "p99_us": result["p99_us"], "congestion": result["congestion"],
                "foreign_share": max(0.0, foreign / elapsed_us)}

    def measure_cell(self, running, workload, connections):
        title = WORKLOADS[workload][0]
        self.say(f"{title}, {connections} connections")
        names = []
        for name, proxy in running.items():
            try:
                self.check(proxy, workload, connections)
                names.append(name)
            except harness.BenchError as error:
                self.fault(f"{name} failed at {title}, {connections} connections: {error}")
        rounds = []
        for turn in range(self.arguments.rounds):
            if time.monotonic() > self.deadline:
                self.fault(f"stopped after --limit-minutes in {title}, {connections} connections")
                break
            shift = turn % len(names) if names else 0
            results = {}
            for name in names[shift:] + names[:shift]:
                try:
                    result = self.run_quietly(running[name], workload, connections)
                    if result:
                        results[name] = result
                except harness.BenchError as error:
                    self.fault(f"{name} failed at {title}, {connections} connections: {error}")
            rounds.append(results)
        return {"workload": workload, "title": title, "connections": connections, "rounds": rounds,
                **summarise(rounds)}

    def measure_idle(self, name):
        """Bytes of the proxy's memory per client connection that has made one request and waits."""
        count = self.arguments.idle_connections
        proxy = load = None
        try:
            proxy = self.start_proxy(name)
            warm = self.start_load(proxy.port, ("--connections", IDLE_WARM_CONNECTIONS),
                                   "--path", "/1k", "--requests", str(2 * count))
            try:
                if harness.read_json(warm, "bench_load", RUN_SECONDS + 10)["errors"]:
                    raise harness.BenchError("errors while warming up")
            finally:
                self.processes.end(warm)
            time.sleep(IDLE_SETTLE_SECONDS)
            before, before_anonymous = harness.memory_bytes(proxy.pids)
            load = self.start_load(proxy.port, ("--idle", count), "--path", "/1k")
            opened = harness.read_json(load, "bench_load", RUN_SECONDS + 10)
            time.sleep(IDLE_SETTLE_SECONDS)
            after, after_anonymous = harness.memory_bytes(proxy.pids)
            load.stdin.close()
            held = harness.read_json(load, "bench_load", 30)
            if opened["errors"] or held["still_open"] != count:
                raise harness.BenchError(
                    f"{held['still_open']} of {count} idle connections were kept, "
                    f"first error: {opened['first_error']}")
            return {"connections": count, "bytes_per_connection": (after - before) / count,
                    "anonymous_bytes_per_connection": (after_anonymous - before_anonymous) / count,
                    "pss_before": before, "pss_after": after}
        except (harness.BenchError, OSError) as error:
            self.fault(f"{name}: idle memory not measured: {error}")
            return None
        finally:
            if load:
                self.processes.end(load)
            if proxy:
                proxy.end()

    def measure_store(self):
        """The figures of store_bench (store.cpp), which is built only when it is asked for."""
        program = os.path.join(self.arguments.tools, "store_bench")
        if not os.access(program, os.X_OK):
            return None
        self.say("store inserts")
        store = self.processes.start([program, self.directory], self.proxy_core,
                                     stdout=subprocess.PIPE, cwd=self.directory)
        try:
            output = store.communicate(timeout=180)[0].decode("utf-8", "replace")
            return json.loads([line for line in output.splitlines() if line.startswith("{")][-1])
        except (subprocess.TimeoutExpired, ValueError, IndexError) as error:
            self.fault(f"store inserts not measured: {type(error).__name__}")
            return None
        finally:
            self.processes.end(store)

    def run(self):
        arguments = self.arguments
        os.sched_setaffinity(0, {self.load_core})
        if self.proxy_core == self.load_core:
            self.notes.append("one core only: load and proxy share it, which hurts every figure")
        trouble = harness.enter_network_namespace(arguments.congestion)
        if trouble:
            self.notes.append(f"{trouble}; the proxies' own connections use "
                              f"{harness.congestion_default()}")
        limit = harness.raise_descriptor_limit()
        if arguments.idle_connections > limit - 1000:
            arguments.idle_connections = limit - 1000
            self.notes.append(f"idle connections cut to {limit - 1000} by RLIMIT_NOFILE")
        load_average = os.getloadavg()[0]
        self.start_origin()
        running = {}
        for name in self.available():
            try:
                running[name] = self.start_proxy(name, not arguments.plain_malloc)
            except (harness.BenchError, OSError) as error:
                self.fault(f"{name} not measured: {error}")
        described = {name: {"version": proxy.version(), "how": proxy.how}
                     for name, proxy in running.items()}
        cells = [self.measure_cell(running, workload, connections)
                 for workload in arguments.workloads for connections in arguments.connections]
        records = None
        if "edgecase" in running:
            time.sleep(running["edgecase"].settle_seconds)
            records = {"kept": running["edgecase"].records_kept(),
                       "requests": self.requests_made["edgecase"]}
        for proxy in running.values():
            proxy.end()
        idle = {}
        for name in running:
            if arguments.idle_connections > 0 and name != "relay":
                self.say(f"idle memory: {name}")
                idle[name] = self.measure_idle(name)
        return {
            "machine": {"cpu": cpu_model(), "kernel": platform.release(),
                        "proxy_core": self.proxy_core, "load_core": self.load_core,
                        "load_average_before": load_average,
                        "congestion_default": harness.congestion_default()},
            "disturbed_share": DISTURBED_SHARE, "proxies": described, "rounds": arguments.rounds,
            "cells": cells, "records": records, "idle": idle, "store": self.measure_store(),
            "notes": self.notes, "faults": self.faults,
        }


def undisturbed_or_all(groups):
    """The groups of runs none of which was disturbed; all groups if that leaves nothing."""
    return [group for group in groups
            if all(run["foreign_share"] <= DISTURBED_SHARE for run in group)] or groups


def summarise(rounds):
    """Medians per proxy, and the median over rounds of Edgecase's ratio to each peer in that round:
    the machine drifts, and only figures taken side by side may be divided. Disturbed runs count
    only where there are no others."""
    medians, ratios = {}, {}
    for name in ALL_PROXIES:
        runs = [each[name] for each in rounds if name in each]
        if runs:
            medians[name] = statistics.median(
                run["us_per_request"] for (run,) in undisturbed_or_all([[run] for run in runs]))
        pairs = [[each["edgecase"], each[name]] for each in rounds
                 if name in each and "edgecase" in each]
        if pairs and name != "edgecase":
            values = [own["us_per_request"] / peer["us_per_request"]
                      for own, peer in undisturbed_or_all(pairs)]
            ratios[name] = {"median": statistics.median(values), "min": min(values),
                            "max": max(values), "rounds": len(pairs)}
    return {"us_per_request": medians, "ratios": ratios}


def cpu_model():
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            for line in file:
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.machine()


def main():
    arguments = parse_arguments()

    def leave(_signal, _frame):
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGHUP, leave)
    proxies.Haproxy.buffer_bytes = arguments.haproxy_bufsize
    directory = tempfile.mkdtemp(prefix="edgecase-bench-")
    bench = Bench(arguments, directory)
    try:
        result = bench.run()
    except harness.BenchError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("bench: interrupted", file=sys.stderr)
        return 130
    finally:
        bench.processes.end_all()
        if arguments.keep:
            print(f"kept: {directory}", file=sys.stderr)
        else:
            shutil.rmtree(directory, ignore_errors=True)
    result["targets"] = report.judge(result)
    print(report.render(result))
    if arguments.json:
        with open(arguments.json, "w", encoding="utf-8") as file:
            json.dump(result, file, indent=1)
            file.write("\n")
    return 1 if result["faults"] else 0


if __name__ == "__main__":
    sys.exit(main())

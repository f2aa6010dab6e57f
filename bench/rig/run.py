"""One run of a benchmark: the proxies that take turns, the rounds, and what went wrong."""

import contextlib
import os
import platform
import resource
import sys
import time

from rig import edgecase
from rig import h2o
from rig import harness
from rig import haproxy
from rig import nginx
from rig import origins
from rig import proxies
from rig import rounds

KINDS = {kind.name: kind for kind in (edgecase.Edgecase, edgecase.Unrecorded,
                                      edgecase.FailuresOnly, nginx.Nginx, haproxy.Haproxy, h2o.H2o,
                                      proxies.Relay)}
RUN_SECONDS = 60  # one run of one proxy; what is slower than that is broken
TRIES = 3


class Run:
    """`measure()` of each program gives its figures; everything here serves it."""

    def __init__(self, arguments, directory):
        self.arguments = arguments
        self.directory = directory
        self.processes = harness.Processes()
        self.proxy_core, self.load_core = harness.choose_cores()
        self.deadline = time.monotonic() + arguments.limit_minutes * 60
        self.notes = []
        self.faults = []
        self.described = {}
        self.records = {"kept": 0, "requests": 0}

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

    def settle_in(self):
        """Core, namespace and limits of this process, which all others inherit."""
        self.load_average = os.getloadavg()[0]
        os.sched_setaffinity(0, {self.load_core})
        if self.proxy_core == self.load_core:
            self.notes.append("one core only: load and proxy share it, which hurts every figure")
        trouble = harness.enter_network_namespace(self.arguments.congestion)
        if trouble:
            self.notes.append(f"{trouble}; the proxies' own connections use "
                              f"{harness.congestion_default()}")
        limit = harness.raise_descriptor_limit()
        if self.arguments.idle_connections > limit - 1000:
            self.arguments.idle_connections = limit - 1000
            self.notes.append(f"idle connections cut to {limit - 1000} by RLIMIT_NOFILE")

    def plain_place(self):
        """Starts the plain origin; gives a place in front of it."""
        arguments = self.arguments
        origin = origins.start_plain(self.processes, self.load_core, self.tool("bench_origin"),
                                     arguments.congestion)
        return proxies.Place(self.processes, self.proxy_core, self.directory, arguments.tools,
                             arguments.binary, arguments.edgecase_arg, origin,
                             keep_memory=not arguments.plain_malloc)

    def started(self, names, place):
        """Those of the proxies that can be started, by name."""
        running = {}
        for name in names:
            try:
                trouble = KINDS[name].missing(place)
                if trouble:
                    raise harness.BenchError(trouble)
                proxy = KINDS[name](place)
                proxy.start()
                running[name] = proxy
                self.described[name] = {"version": proxy.version(), "how": proxy.how}
            except (harness.BenchError, OSError) as error:
                self.fault(f"{name} not measured: {error}")
        return running

    def end(self, running):
        """Ends the proxies, and notes what Edgecase has recorded of the requests it got."""
        for name, proxy in running.items():
            if name == "edgecase":
                time.sleep(proxy.settle_seconds)
                kept = proxy.records_kept()
                self.records["requests"] += 0 if kept is None else proxy.requests
                self.records["kept"] += kept or 0
            proxy.end()

    def count(self, proxy, work, load=None):
        """CPU that `work` costs the proxy, with what it leaves to do, and the larger of the shares
        that the two cores meanwhile gave to anything that is not measured."""
        proxy.trim_logs()
        began, foreign_before = time.monotonic(), self.foreign_us_(proxy, load)
        before = harness.Cpu.of(proxy.pids)
        result = work()
        elapsed_us = (time.monotonic() - began) * 1e6
        foreign = max(after - earlier for after, earlier in
                      zip(self.foreign_us_(proxy, load), foreign_before))
        time.sleep(proxy.settle_seconds)
        return result, harness.Cpu.of(proxy.pids).since(before), max(0.0, foreign / elapsed_us)

    def foreign_us_(self, proxy, load):
        """`load` is a generator that still lives; those that ended are children waited for."""
        ended = resource.getrusage(resource.RUSAGE_CHILDREN)
        living = [*proxy.place.origin.pids, *([load.pid] if load else [])]
        mine = {self.proxy_core: harness.Cpu.of(proxy.pids).total_us,
                self.load_core: harness.Cpu.of(living).total_us +
                                (ended.ru_utime + ended.ru_stime) * 1e6}
        return [harness.core_busy_us(core) - own_us for core, own_us in mine.items()]

    def quietly_(self, measure, proxy):
        tries = []
        limit = 1 if self.proxy_core == self.load_core else TRIES
        while len(tries) < limit and time.monotonic() < self.deadline:
            tries.append(measure(proxy))
            if tries[-1]["foreign_share"] <= rounds.DISTURBED_SHARE:
                break
        return min(tries, key=lambda each: each["foreign_share"]) if tries else None

    def cell(self, title, running, check, measure):
        """Interleaved rounds of `measure(proxy)` over the proxies that pass `check(proxy)`."""
        self.say(title)
        names, results = [], []
        for name, proxy in running.items():
            with self.faults_of_(name, title):
                check(proxy)
                names.append(name)
        for turn in range(self.arguments.rounds):
            if time.monotonic() > self.deadline:
                self.fault(f"stopped after --limit-minutes in {title}")
                break
            shift = turn % len(names) if names else 0
            results.append({})
            for name in names[shift:] + names[:shift]:
                with self.faults_of_(name, title):
                    result = self.quietly_(measure, running[name])
                    if result:
                        results[-1][name] = result
        return {"title": title, "rounds": results, **rounds.summarise(results)}

    @contextlib.contextmanager
    def faults_of_(self, name, title):
        try:
            yield
        except (harness.BenchError, OSError) as error:
            self.fault(f"{name} failed at {title}: {error}")

    def machine(self):
        return {"cpu": cpu_model(), "kernel": platform.release(), "proxy_core": self.proxy_core,
                "load_core": self.load_core, "load_average_before": self.load_average,
                "congestion_default": harness.congestion_default()}


def cpu_model():
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            for line in file:
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.machine()

"""What every measured proxy is told and has: one worker on one core, keep-alive both ways."""

import dataclasses
import os
import shutil
import subprocess

from rig import harness
from rig.certificate import Certificate

# $request_id would cost nginx ~4 us a request, so every peer gets a constant ray.
RAY = "7a1b2c3d4e5f6789-LAB"
MAX_CONNECTIONS = 16384

# glibc gives freed buffers back to the kernel, and a page fault costs ~10 us on a nested virtual
# machine: as shipped, nginx took 3100 us for 1 MiB at 64 connections, with these 255. Peers get
# them where CPU is measured, so that a ratio compares proxies. Edgecase runs as shipped.
KEEP_MEMORY = {
    "MALLOC_TRIM_THRESHOLD_": str(512 << 20),
    "MALLOC_TOP_PAD_": str(16 << 20),
    "MALLOC_MMAP_THRESHOLD_": str(1 << 30),
}


@dataclasses.dataclass(frozen=True)
class Origin:
    """Where the requests go; `protocol` is h1 for plain HTTP/1.1, h1s and h2s over TLS."""

    port: int
    pids: tuple[int, ...]
    protocol: str = "h1"

    @property
    def scheme(self):
        return "http" if self.protocol == "h1" else "https"


@dataclasses.dataclass(frozen=True)
class Place:
    """What a proxy is told of the run it takes part in; with a certificate it speaks TLS to
    clients, HTTP/2 and HTTP/1.1 as they choose."""

    processes: harness.Processes
    core: int
    directory: str
    tools: str
    binary: str
    edgecase_arguments: list[str]
    origin: Origin
    certificate: Certificate | None = None
    keep_memory: bool = False


class Proxy:
    """A running proxy: where it listens and which processes do its work."""

    name = ""
    package = ""  # of Debian, where `name` is the program
    how = ""
    as_shipped = False  # whether it never gets KEEP_MEMORY
    # How long work caused by a request may come after its response; it must be counted too.
    settle_seconds = 0.15

    def __init__(self, place):
        self.place = place
        self.directory = os.path.join(place.directory, self.name)
        self.port = 0
        self.process = None
        self.pids = []
        self.requests = 0  # that it got, as far as the programs count them
        os.makedirs(self.directory, exist_ok=True)

    @classmethod
    def missing(cls, _place):
        """What stands in the way of starting it, or None."""
        if cls.package and not shutil.which(cls.name):
            return f"not installed (apt-get install {cls.package})"
        return None

    def end(self):
        if self.process:
            self.place.processes.end(self.process)

    def trim_logs(self):
        """Keeps the disk use of a long run small; every log here is opened for append."""
        path = self.path_("access.log")
        if os.path.exists(path):
            os.truncate(path, 0)

    def version(self):
        return ""

    def start_(self, arguments, **popen):
        keep = self.place.keep_memory and not self.as_shipped
        environment = {**os.environ, **(KEEP_MEMORY if keep else {})}
        with open(self.path_("error.log"), "ab") as errors:
            popen.setdefault("stdout", errors)
            self.process = self.place.processes.start(arguments, self.place.core, stderr=errors,
                                                      env=environment, **popen)

    def path_(self, name):
        return os.path.join(self.directory, name)

    def write_(self, name, text):
        path = self.path_(name)
        with open(path, "w", encoding="ascii") as file:
            file.write(text)
        return path


class Relay(Proxy):
    name = "relay"
    how = "bare TCP relay, no HTTP, no log: the least a proxy can cost"

    def start(self):
        self.start_([os.path.join(self.place.tools, "bench_relay"), "--origin",
                     f"127.0.0.1:{self.place.origin.port}"], stdout=subprocess.PIPE, bufsize=0)
        self.port = int(harness.read_line(self.process, "relay", 10).rpartition(":")[2])
        self.pids = [self.process.pid]


def first_line(*command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return "unknown"
    return (done.stdout + done.stderr).strip().split("\n")[0]

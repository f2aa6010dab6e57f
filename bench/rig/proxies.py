"""How each measured proxy is configured and started: one worker, one core, keep-alive both ways."""

import contextlib
import os
import re
import shutil
import sqlite3
import subprocess
import time

from rig import harness

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

NGINX_CONFIG = """\
daemon off;
worker_processes 1;
worker_rlimit_nofile {descriptors};
pid {directory}/nginx.pid;
error_log {directory}/error.log warn;
{user}
events {{ worker_connections {connections}; accept_mutex off; }}
http {{
    access_log {directory}/access.log combined buffer=64k flush=5s;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    keepalive_timeout 900s;
    keepalive_requests 1000000000;
    client_body_buffer_size 64k;
    upstream origin {{
        server 127.0.0.1:{origin};
        keepalive 512;
        keepalive_requests 1000000000;
        keepalive_timeout 900s;
    }}
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        location / {{
            proxy_pass http://origin;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host $http_host;
            proxy_set_header CF-Ray {ray};
            add_header CF-Ray {ray};
            proxy_buffer_size 16k;
            proxy_buffers 16 64k;
            proxy_busy_buffers_size 256k;
            proxy_max_temp_file_size 0;
        }}
    }}
}}
"""

HAPROXY_CONFIG = """\
global
    nbthread 1
    maxconn {connections}
    tune.bufsize {buffer}
    log stdout format raw local0
defaults
    mode http
    log global
    option httplog
    http-reuse always
    timeout connect 5s
    timeout client 900s
    timeout server 900s
    timeout http-keep-alive 900s
frontend edge
    bind 127.0.0.1:{port} backlog 4096
    http-request set-header CF-Ray {ray}
    http-response set-header CF-Ray {ray}
    default_backend origin
backend origin
    server origin 127.0.0.1:{origin} pool-max-conn -1
"""


def first_line(*command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return "unknown"
    return (done.stdout + done.stderr).strip().split("\n")[0]


class Proxy:
    """A running proxy: where it listens and which processes do its work."""

    name = ""
    # How long work caused by a request may come after its response; it must be counted too.
    settle_seconds = 0.15
    how = ""

    def __init__(self, processes, core, directory, origin_port, keep_memory=False):
        self.processes = processes
        self.environment_ = {**os.environ, **(KEEP_MEMORY if keep_memory else {})}
        self.core = core
        self.directory = os.path.join(directory, self.name)
        self.origin_port = origin_port
        self.port = 0
        self.process = None
        self.pids = []
        os.makedirs(self.directory, exist_ok=True)

    def end(self):
        if self.process:
            self.processes.end(self.process)

    def trim_logs(self):
        """Keeps the disk use of a long run small; every log here is opened for append."""

    def version(self):
        return ""

    def log_file_(self, name):
        return open(os.path.join(self.directory, name), "ab")

    def truncate_(self, name):
        path = os.path.join(self.directory, name)
        if os.path.exists(path):
            os.truncate(path, 0)


class Relay(Proxy):
    name = "relay"
    how = "bare TCP relay, no HTTP, no log: the least a proxy can cost"

    def start(self, tools):
        self.process = self.processes.start(
            [os.path.join(tools, "bench_relay"), "--origin", f"127.0.0.1:{self.origin_port}"],
            self.core, stdout=subprocess.PIPE, bufsize=0, env=self.environment_)
        self.port = int(harness.read_line(self.process, "relay", 10).rpartition(":")[2])
        self.pids = [self.process.pid]


class Nginx(Proxy):
    name = "nginx"
    program = "nginx"
    how = "static ray, access log buffer=64k flush=5s, memory kept"

    def start(self, _tools):
        self.port = harness.free_port()
        path = os.path.join(self.directory, "nginx.conf")
        with open(path, "w", encoding="ascii") as file:
            file.write(NGINX_CONFIG.format(
                directory=self.directory, port=self.port, origin=self.origin_port, ray=RAY,
                connections=MAX_CONNECTIONS, descriptors=harness.raise_descriptor_limit(),
                user="user root;" if os.geteuid() == 0 else ""))
        with self.log_file_("output.log") as log:
            self.process = self.processes.start(
                [shutil.which(self.program), "-p", self.directory, "-c", path,
                 "-e", os.path.join(self.directory, "error.log")],
                self.core, stdout=log, stderr=log, env=self.environment_)
        harness.wait_until_accepting(self.port, self.process, "nginx")
        # The master listens before it forks.
        deadline = time.monotonic() + 5
        while not self.pids and time.monotonic() < deadline:
            self.pids = harness.children_of(self.process.pid)
        if len(self.pids) != 1:
            raise harness.BenchError(f"nginx has {len(self.pids)} workers, expected 1")

    def trim_logs(self):
        self.truncate_("access.log")

    def version(self):
        return first_line(self.program, "-v").removeprefix("nginx version: ")


class Haproxy(Proxy):
    name = "haproxy"
    program = "haproxy"
    buffer_bytes = 32768
    how = "static ray, httplog to a file by `log stdout format raw`, memory kept"

    def start(self, _tools):
        self.port = harness.free_port()
        path = os.path.join(self.directory, "haproxy.cfg")
        with open(path, "w", encoding="ascii") as file:
            file.write(HAPROXY_CONFIG.format(port=self.port, origin=self.origin_port, ray=RAY,
                                             connections=MAX_CONNECTIONS // 2,
                                             buffer=self.buffer_bytes))
        with self.log_file_("access.log") as log, self.log_file_("error.log") as errors:
            self.process = self.processes.start([shutil.which(self.program), "-db", "-f", path],
                                                self.core, stdout=log, stderr=errors,
                                                env=self.environment_)
        harness.wait_until_accepting(self.port, self.process, "haproxy")
        self.pids = [self.process.pid]

    def trim_logs(self):
        self.truncate_("access.log")

    def version(self):
        return first_line(self.program, "-v")


class Edgecase(Proxy):
    name = "edgecase"
    how = "as shipped, recording on; its store thread is on the same core and counted"
    # A record may be written up to 1 s after its response; ending the count before would hide it.
    settle_seconds = 1.2

    def __init__(self, processes, core, directory, origin_port, binary, extra):
        super().__init__(processes, core, directory, origin_port)
        self.binary = binary
        self.extra = extra

    def start(self, _tools):
        data = os.path.join(self.directory, "data")
        shutil.rmtree(data, ignore_errors=True)
        os.makedirs(data, exist_ok=True)
        with self.log_file_("error.log") as errors:
            self.process = self.processes.start(
                [self.binary, "serve", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0",
                 "--origin", f"http://127.0.0.1:{self.origin_port}", "--data-dir", data,
                 "--workers", "1", *self.extra],
                self.core, stdout=subprocess.PIPE, stderr=errors, bufsize=0)
        line = harness.read_line(self.process, "edgecase", 20)
        ready = re.search(r"^ready edge=\S*:(\d+)\b", line)
        if not ready:
            raise harness.BenchError(f"edgecase printed no ready line: {line[:120]}")
        self.port = int(ready.group(1))
        # Descendants too, should a version of it work in child processes.
        self.pids = [self.process.pid, *harness.children_of(self.process.pid)]

    def version(self):
        return first_line(self.binary, "--version")

    def records_kept(self):
        """Records in the store, or None if it cannot be read: the edge may drop those of successes
        under load, and a request without one is cheaper, so the reader must know."""
        path = os.path.join(self.directory, "data", "records.sqlite")
        try:
            with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True,
                                                    timeout=5)) as database:
                return database.execute("select (select coalesce(sum(count), 0) from blocks)"
                                        " + (select count(*) from cases)").fetchone()[0]
        except sqlite3.Error:
            return None

"""Processes, cores and the network namespace of a benchmark run; knows nothing of HTTP."""

import ctypes
import fcntl
import json
import os
import resource
import select
import signal
import socket
import struct
import subprocess
import time

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None, use_errno=True)


class BenchError(Exception):
    """One clear line for the reader; the run cannot go on."""


def raise_descriptor_limit(wanted=20000):
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    limit = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
    return limit


def choose_cores():
    """Gives (proxy core, load core); the same core twice when there is only one."""
    cores = sorted(os.sched_getaffinity(0))
    return cores[0], cores[-1]


def _write(path, text):
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


def _read(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()


def enter_network_namespace(congestion):
    """Moves this process into a network namespace of its own, where the default congestion control
    can be set: nginx 1.22 and HAProxy 2.6 have no per-socket setting, and the machine's own default
    stays untouched. Gives None, or why it could not be done."""
    uid, gid = os.getuid(), os.getgid()
    if LIBC.unshare(CLONE_NEWNET) != 0:
        if LIBC.unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0:
            return "no network namespace: " + os.strerror(ctypes.get_errno())
        _write("/proc/self/setgroups", "deny")
        _write("/proc/self/uid_map", f"{uid} {uid} 1")
        _write("/proc/self/gid_map", f"{gid} {gid} 1")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        siocgifflags, siocsifflags, iff_up = 0x8913, 0x8914, 1
        request = struct.pack("16sh14x", b"lo", 0)
        flags = struct.unpack("16sh14x", fcntl.ioctl(control, siocgifflags, request))[1]
        fcntl.ioctl(control, siocsifflags, struct.pack("16sh14x", b"lo", flags | iff_up))
    try:
        _write("/proc/sys/net/ipv4/ip_local_port_range", "10000 65000")
        _write("/proc/sys/net/ipv4/tcp_congestion_control", congestion)
    except OSError as error:
        return f"congestion control {congestion} not settable: {error.strerror}"
    return None


def congestion_default():
    try:
        return _read("/proc/sys/net/ipv4/tcp_congestion_control").strip()
    except OSError:
        return "unknown"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until_accepting(port, process, name, seconds=10.0):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise BenchError(f"{name} ended at once with status {process.returncode}")
        with socket.socket() as probe:
            probe.settimeout(0.2)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise BenchError(f"{name} did not accept on port {port} within {seconds:.0f} s")


class Processes:
    """Everything a run starts. Ends it by process id, whatever way the run ends."""

    def __init__(self):
        self.started_ = []

    def start(self, arguments, core, **popen):
        def in_child():
            # SIGTERM and not SIGKILL: a killed nginx master would leave its worker behind.
            LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
            os.sched_setaffinity(0, {core})

        popen.setdefault("stdin", subprocess.DEVNULL)
        process = subprocess.Popen(arguments, preexec_fn=in_child, **popen)
        self.started_.append(process)
        return process

    def end(self, process, patience=5.0):
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(patience)
            except subprocess.TimeoutExpired:
                children = children_of(process.pid)
                process.kill()
                for child in children:
                    try:
                        os.kill(child, signal.SIGKILL)
                    except ProcessLookupError:
                        pass
                process.wait()
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream:
                stream.close()
        if process in self.started_:
            self.started_.remove(process)

    def end_all(self):
        for process in reversed(list(self.started_)):
            self.end(process)


def children_of(pid):
    children = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            fields = _read(f"/proc/{entry}/stat").rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid:
            children.append(int(entry))
    return sorted(children)


def read_line(process, name, seconds):
    """One line of the process's output, which must be a pipe opened unbuffered."""
    deadline = time.monotonic() + seconds
    line = b""
    descriptor = process.stdout.fileno()
    while not line.endswith(b"\n"):
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([descriptor], [], [], left)[0]:
            raise BenchError(f"{name} said nothing for {seconds:.0f} s")
        byte = os.read(descriptor, 1)
        if not byte:
            raise BenchError(f"{name} ended early with status {process.wait(5)}")
        line += byte
    return line.decode("utf-8", "replace").strip()


def read_json(process, name, seconds):
    line = read_line(process, name, seconds)
    try:
        return json.loads(line)
    except ValueError:
        raise BenchError(f"{name} printed no JSON: {line[:120]}") from None


class Cpu:
    """CPU microseconds of a set of processes with all their threads, living and ended."""

    def __init__(self, total_us, user_us):
        self.total_us = total_us
        self.user_us = user_us

    @staticmethod
    def of(pids):
        total = user = 0.0
        for pid in pids:
            fields = _read(f"/proc/{pid}/stat").rpartition(")")[2].split()
            user_ticks, system_ticks = int(fields[11]), int(fields[12])
            ticks_us = (user_ticks + system_ticks) * 1e6 / TICKS_PER_SECOND
            # stat counts in 10 ms; schedstat has the same sum in nanoseconds, but only for threads
            # that still live. Where the two differ by more than the ticks, threads have ended.
            exact_us = 0.0
            threads = os.listdir(f"/proc/{pid}/task")
            for thread in threads:
                try:
                    exact_us += int(_read(f"/proc/{pid}/task/{thread}/schedstat").split()[0]) / 1e3
                except (OSError, IndexError):
                    continue
            slack_us = (2 + 2 * len(threads)) * 1e6 / TICKS_PER_SECOND
            total += exact_us if abs(exact_us - ticks_us) < slack_us else ticks_us
            user += user_ticks * 1e6 / TICKS_PER_SECOND
        return Cpu(total, user)

    def since(self, before):
        return Cpu(self.total_us - before.total_us, self.user_us - before.user_us)


def core_busy_us(core):
    """Time the core was not idle (user, nice, system, irq, softirq, steal)."""
    for line in _read("/proc/stat").splitlines():
        fields = line.split()
        if fields and fields[0] == f"cpu{core}":
            ticks = [int(field) for field in fields[1:9]]
            return (sum(ticks) - ticks[3] - ticks[4]) * 1e6 / TICKS_PER_SECOND
    return 0.0


def memory_bytes(pids):
    """Gives (proportional set size, its anonymous part) of the processes, from smaps_rollup."""
    pss = anonymous = 0
    for pid in pids:
        for line in _read(f"/proc/{pid}/smaps_rollup").splitlines():
            if line.startswith("Pss:"):
                pss += int(line.split()[1]) * 1024
            elif line.startswith("Pss_Anon:"):
                anonymous += int(line.split()[1]) * 1024
    return pss, anonymous

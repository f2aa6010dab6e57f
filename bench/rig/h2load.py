"""Runs h2load (Debian package nghttp2-client) and believes nothing that does not add up."""

import re
import subprocess

from rig import harness

PROGRAM = "h2load"
CIPHER = "TLS_AES_128_GCM_SHA256"
GROUP = "X25519"
ALPN = {"h1": "http/1.1", "h2": "h2"}
UNITS_US = {"us": 1.0, "ms": 1e3, "s": 1e6}


def run(processes, core, port, protocol, connections, streams, requests, path, body_bytes,
        seconds):
    """Makes the requests over TLS; each connection has `streams` under way. Gives what was measured
    and the requests that were made."""
    command = [PROGRAM, f"https://127.0.0.1:{port}{path}", "-n", str(requests),
               "-c", str(connections), "-m", str(streams), f"--tls13-ciphers={CIPHER}",
               f"--groups={GROUP}", *(["--h1"] if protocol == "h1" else [])]
    process = processes.start(command, core, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True)
    try:
        output = process.communicate(timeout=seconds)[0]
    except subprocess.TimeoutExpired:
        raise harness.BenchError(f"h2load not done after {seconds:.0f} s") from None
    finally:
        processes.end(process)
    check(output, protocol, requests, requests * body_bytes)
    took = found(output, r"finished in ([\d.]+)(us|ms|s),", "how long it took")
    mean = found(output, r"time for request: +\S+ +\S+ +([\d.]+)(us|ms|s) ", "times of requests")
    return {"requests": requests, "mean_us": in_us(*mean),
            "requests_per_second": requests * 1e6 / in_us(*took)}


def check(output, protocol, requests, body_bytes):
    """Errors: any request without a complete 200, another protocol or cipher than intended."""
    said = {
        "requests succeeded": (requests, r"requests: .* (\d+) succeeded, 0 failed, 0 errored, 0 t"),
        "statuses 2xx": (requests, r"status codes: (\d+) 2xx"),
        "bytes of bodies": (body_bytes, r"traffic: .*\((\d+)\) data"),
        "version": ("TLSv1.3", r"TLS Protocol: (\S+)"),
        "cipher": (CIPHER, r"Cipher: (\S+)"),
        "key exchange": (GROUP, r"Server Temp Key: (\w+)"),
        "protocol": (ALPN[protocol], r"Application protocol: (\S+)"),
    }
    for what, (expected, pattern) in said.items():
        (value,) = found(output, pattern, what)
        if value != str(expected):
            raise harness.BenchError(f"h2load: {what}: {value}, expected {expected}")


def found(output, pattern, what):
    match = re.search(pattern, output)
    if not match:
        raise harness.BenchError(f"h2load said nothing of {what}: {output.strip()[-300:]}")
    return match.groups()


def in_us(value, unit):
    return float(value) * UNITS_US[unit]

"""The origins of a run, on the core of the load."""

import os
import subprocess

from rig import harness
from rig import nginx
from rig import proxies

# Behind the head that nginx has as a proxy, too.
STATIC = """\
    access_log off;
    default_type application/octet-stream;
    etag off;
    server {{
        {listen}
        root {directory}/files;
        open_file_cache max=16 inactive=900s;
    }}
}}
"""


def start_plain(processes, core, program, congestion):
    """bench_origin (origin.cpp): plain HTTP/1.1."""
    process = processes.start([program, "--congestion", congestion], core,
                              stdout=subprocess.PIPE, bufsize=0)
    ready = harness.read_line(process, "bench_origin", 10)
    return proxies.Origin(int(ready.rpartition(":")[2]), (process.pid,))


def start_secure(processes, core, directory, certificate, protocol, files):
    """nginx over TLS, HTTP/2 where `protocol` is h2s; `files` maps each path to its body."""
    directory = os.path.join(directory, f"origin-{protocol}")
    for path, body in files.items():
        name = os.path.join(directory, "files", path.lstrip("/"))
        os.makedirs(os.path.dirname(name), exist_ok=True)
        with open(name, "wb") as file:
            file.write(body)
    port = harness.free_port()
    configuration = os.path.join(directory, "nginx.conf")
    with open(configuration, "w", encoding="ascii") as file:
        file.write(nginx.head(directory) + STATIC.format(
            directory=directory, listen=nginx.listen(port, certificate, protocol == "h2s")))
    with open(os.path.join(directory, "output.log"), "ab") as log:
        process = processes.start(nginx.command(directory, configuration), core,
                                  stdout=log, stderr=log)
    harness.wait_until_accepting(port, process, "nginx as an origin")
    return proxies.Origin(port, (process.pid, *harness.children_of(process.pid)), protocol)

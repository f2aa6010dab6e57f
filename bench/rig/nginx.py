"""How nginx is configured and started, as a proxy."""

import os
import shutil
import time

from rig import harness
from rig import proxies

HEAD = """\
daemon off;
worker_processes 1;
worker_rlimit_nofile {descriptors};
pid {directory}/nginx.pid;
error_log {directory}/error.log warn;
{user}
events {{ worker_connections {connections}; accept_mutex off; }}
http {{
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    keepalive_timeout 900s;
    keepalive_requests 1000000000;
"""

PROXY = """\
    access_log {directory}/access.log combined buffer=64k flush=5s;
    client_body_buffer_size 64k;
    upstream origin {{
        server 127.0.0.1:{origin};
        keepalive 512;
        keepalive_requests 1000000000;
        keepalive_timeout 900s;
    }}
    server {{
        {listen}
        location / {{
            {proxy_pass}
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


def head(directory):
    """Everything before the servers, the opening of `http` with it."""
    return HEAD.format(directory=directory, connections=proxies.MAX_CONNECTIONS,
                       descriptors=harness.raise_descriptor_limit(),
                       user="user root;" if os.geteuid() == 0 else "")


def listen(port, certificate, http2=True):
    if not certificate:
        return f"listen 127.0.0.1:{port} backlog=4096;"
    return (f"listen 127.0.0.1:{port} ssl {'http2 ' if http2 else ''}backlog=4096; "
            f"ssl_certificate {certificate.chain}; ssl_certificate_key {certificate.key}; "
            "ssl_protocols TLSv1.2 TLSv1.3;")


def command(directory, configuration):
    return [shutil.which("nginx"), "-p", directory, "-c", configuration,
            "-e", os.path.join(directory, "error.log")]


class Nginx(proxies.Proxy):
    name = "nginx"
    package = "nginx-light"
    how = "static ray, access log buffer=64k flush=5s, memory kept"

    def start(self):
        self.port = harness.free_port()
        path = self.write_("nginx.conf", head(self.directory) + PROXY.format(
            directory=self.directory, origin=self.place.origin.port, ray=proxies.RAY,
            listen=listen(self.port, self.place.certificate), proxy_pass=self.proxy_pass_()))
        self.start_(command(self.directory, path))
        harness.wait_until_accepting(self.port, self.process, "nginx")
        # The master listens before it forks.
        deadline = time.monotonic() + 5
        while not self.pids and time.monotonic() < deadline:
            self.pids = harness.children_of(self.process.pid)
        if len(self.pids) != 1:
            raise harness.BenchError(f"nginx has {len(self.pids)} workers, expected 1")

    def proxy_pass_(self):
        if self.place.origin.protocol == "h1":
            return "proxy_pass http://origin;"
        return ("proxy_pass https://origin; proxy_ssl_verify on; proxy_ssl_name localhost; "
                "proxy_ssl_server_name on; proxy_ssl_protocols TLSv1.2 TLSv1.3; "
                f"proxy_ssl_trusted_certificate {self.place.certificate.chain};")

    def version(self):
        return proxies.first_line("nginx", "-v").removeprefix("nginx version: ")

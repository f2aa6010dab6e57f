"""How HAProxy is configured and started."""

import shutil

from rig import harness
from rig import proxies

CONFIGURATION = """\
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
    bind 127.0.0.1:{port} backlog 4096 {tls}
    http-request set-header CF-Ray {ray}
    http-response set-header CF-Ray {ray}
    default_backend origin
backend origin
    server origin 127.0.0.1:{origin} pool-max-conn -1 {origin_tls}
"""


class Haproxy(proxies.Proxy):
    name = "haproxy"
    package = "haproxy"
    buffer_bytes = 32768
    how = "static ray, httplog to a file by `log stdout format raw`, memory kept"

    def start(self):
        self.port = harness.free_port()
        origin, certificate = self.place.origin, self.place.certificate
        tls = f"ssl crt {certificate.bundle} alpn h2,http/1.1" if certificate else ""
        origin_tls = ""
        if origin.protocol != "h1":
            origin_tls = (f"ssl verify required ca-file {certificate.chain} sni str(localhost) "
                          f"alpn {'h2' if origin.protocol == 'h2s' else 'http/1.1'}")
        path = self.write_("haproxy.cfg", CONFIGURATION.format(
            port=self.port, origin=origin.port, ray=proxies.RAY, tls=tls, origin_tls=origin_tls,
            connections=proxies.MAX_CONNECTIONS // 2, buffer=self.buffer_bytes))
        with open(self.path_("access.log"), "ab") as log:
            self.start_([shutil.which("haproxy"), "-db", "-f", path], stdout=log)
        harness.wait_until_accepting(self.port, self.process, "haproxy")
        self.pids = [self.process.pid]

    def version(self):
        return proxies.first_line("haproxy", "-v")

"""How h2o is configured and started; it is measured over TLS only."""

import os
import shutil

from rig import harness
from rig import proxies

# Without `neverbleed` the key is used by the worker itself and not by a process it must ask, which
# is the cheaper of the two.
CONFIGURATION = """\
num-threads: 1
max-connections: {connections}
pid-file: {directory}/h2o.pid
access-log: {directory}/access.log
error-log: {directory}/error.log
{user}
http1-request-timeout: 900
http2-idle-timeout: 900
listen:
  host: 127.0.0.1
  port: {port}
  ssl:
    certificate-file: {certificate.chain}
    key-file: {certificate.key}
    neverbleed: OFF
    ocsp-update-interval: 0
hosts:
  default:
    paths:
      /:
        proxy.reverse.url: "http://127.0.0.1:{origin}/"
        proxy.preserve-host: ON
        proxy.timeout.keepalive: 900000
        header.set: "CF-Ray: {ray}"
"""


class H2o(proxies.Proxy):
    name = "h2o"
    package = "h2o"
    how = "static ray in responses only, its access log, neverbleed off, memory kept"

    def start(self):
        self.port = harness.free_port()
        path = self.write_("h2o.conf", CONFIGURATION.format(
            directory=self.directory, port=self.port, origin=self.place.origin.port,
            ray=proxies.RAY, certificate=self.place.certificate,
            connections=proxies.MAX_CONNECTIONS,
            user="user: root" if os.geteuid() == 0 else ""))
        self.start_([shutil.which("h2o"), "-m", "worker", "-c", path])
        harness.wait_until_accepting(self.port, self.process, "h2o")
        # Its helper that would print a backtrace is no part of the work, and sleeps.
        self.pids = [self.process.pid]

    def version(self):
        return proxies.first_line("h2o", "-v")

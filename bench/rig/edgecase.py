"""How Edgecase is started, and what its store holds afterwards."""

import contextlib
import os
import re
import shutil
import sqlite3
import subprocess

from rig import harness
from rig import proxies


class Edgecase(proxies.Proxy):
    name = "edgecase"
    as_shipped = True
    how = "as shipped, recording on; its store thread is on the same core and counted"
    # A record may be written up to 1 s after its response; ending the count before would hide it.
    settle_seconds = 1.2

    @classmethod
    def missing(cls, place):
        return None if os.access(place.binary, os.X_OK) else f"{place.binary} is missing"

    def start(self):
        data = self.path_("data")
        shutil.rmtree(data, ignore_errors=True)
        os.makedirs(data, exist_ok=True)
        self.start_([self.place.binary, "serve", "--listen", "127.0.0.1:0", "--admin",
                     "127.0.0.1:0", "--data-dir", data, "--workers", "1", *self.origin_(),
                     *self.tls_(), *self.recorded_(), *self.place.edgecase_arguments],
                    stdout=subprocess.PIPE, bufsize=0)
        line = harness.read_line(self.process, "edgecase", 20)
        ready = re.search(r"^ready edge=\S*:(\d+)\b", line)
        if not ready:
            raise harness.BenchError(f"edgecase printed no ready line: {line[:120]}")
        self.port = int(ready.group(1))
        # Descendants too, should a version of it work in child processes.
        self.pids = [self.process.pid, *harness.children_of(self.process.pid)]

    def origin_(self):
        origin = self.place.origin
        return ["--origin", f"{origin.scheme}://127.0.0.1:{origin.port}",
                "--origin-http2", "on" if origin.protocol == "h2s" else "off"]

    def tls_(self):
        certificate = self.place.certificate
        return [] if not certificate else ["--tls-cert", certificate.chain, "--tls-key",
                                           certificate.key, "--origin-ca", certificate.chain]

    def recorded_(self):
        """What says that not everything is recorded."""
        return []

    def version(self):
        return proxies.first_line(self.place.binary, "--version")

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


class Unrecorded(Edgecase):
    """The same edge without records, and without counting over time."""
    name = "unrecorded"
    how = "retention.records = off"
    records = "off"

    def recorded_(self):
        return ["--config", self.write_("edge.toml", f'[retention]\nrecords = "{self.records}"\n')]

    def records_kept(self):
        return None


class FailuresOnly(Unrecorded):
    name = "failures_only"
    how = "retention.records = failures: successes are counted, not recorded"
    records = "failures"

"""What the soak runs against: two labs, and the edges in front of them."""
import contextlib
import json
import re
import tempfile
import threading

import certificates
import harness
import wire
from soak_traffic import STUCK, Stop

POOL_IDLE = 3  # seconds that an unused connection to an origin is kept
# A hold-back that the pauses of a busy machine do not outlast.
CONFIG = f'limits.hold_back_time = "600ms"\ntimeouts.pool_idle = "{POOL_IDLE}s"\n'
# Targets whose connections serve more than one request: each origin has one visitor at a time.
SHARING = ('reuse', 'tls_reuse', 'h2', 'own', 'edge_setting')
# They hold up or end the streams beside them, since the lab serves one after the other.
UNSOCIABLE = ('ok-h2-slow_body', 'ok-h2-goaway', 'ok-h2-upload', 'ok-h2-early_reply')
# The lab refuses a session that is resumed on this port (no SSL_CTX_set_session_id_context).
UNREPEATABLE = ('ok-tls-client_cert',)
# It never opens the connection's window again, so that every later upload would stall too.
SPOILING = ('request.write_stalled-h2',)


class Lab(harness.Server):
    """A lab, and its scenarios with the ports where they happen."""

    def __init__(self):
        super().__init__(['lab', '--listen', '127.0.0.1:0'])
        self.wait_for_line('main')
        self.ports = dict(re.findall(r'(\w+) (127\.0\.0\.1:\d+)', ' '.join(self.first_lines)))
        host, port = self.ports['main'].split(':')
        listing = wire.fetch((host, int(port)), headers=[('Accept', 'application/json')])
        self.rows = [row for row in json.loads(listing.body)
                     if row['target'] != 'namespace' and row['scenario'] not in UNREPEATABLE]
        self.ca = next(row['ca'] for row in self.rows if row['ca'])


def url(row):
    return f'{row["scheme"]}://{row["host"]}:{row["port"]}'


def host_of(row, realm=''):
    """The host that leads to the row's origin."""
    if row['target'] == 'dns':
        return row['host']
    name = row['scenario'] + '.own' if row['target'] == 'own' else row['target']
    return f'{name}{realm}.test'.replace('_', '-')


def needs_own_edge(row):
    return bool(row['edge_config'] or row['origin_name'] or row['target'] == 'resolver_down' or
                row['scenario'] in SPOILING)


def is_good(row):
    """Whether it may share its origin's connections with others of the kind."""
    return row['cause'] == 'none' and not row['warmup_path'] and \
        row['target'] in ('main', 'tls', 'reuse', 'tls_reuse', 'h2') and \
        row['scenario'] not in UNSOCIABLE


class Site:
    """One edge for nearly everything, a few for the scenarios that need settings of their own. Good
    requests go to a second lab, so that nothing that fails touches its connections."""

    def __init__(self, stack):
        self.stack, self.locks = stack, {}
        stack.callback(harness.Shared.stop_all)
        self.failing, self.good = (self._ends(Lab()) for _ in range(2))
        self.ca = stack.enter_context(tempfile.NamedTemporaryFile('w', suffix='.pem'))
        for lab in (self.failing, self.good):
            with open(lab.ca) as file:
                self.ca.write(file.read())
        self.ca.flush()
        good = [row for row in self.good.rows if is_good(row)]
        routes = {f'{host_of(r)}={url(r)}' for r in self.failing.rows if not needs_own_edge(r)}
        routes |= {f'{host_of(r, ".good")}={url(r)}' for r in good}
        self.edge = self._edge(routes=sorted(routes))
        self.edges = [self.edge]
        self.stops = [self._stop(row) for row in self.failing.rows]
        self.good_stops = [Stop(row, self.edge, host_of(row, '.good')) for row in good]

    def _ends(self, server):
        self.stack.callback(server.kill)
        return server

    def _edge(self, origin=None, own='', resolver='dns', flags=(), **more):
        config = harness.scenario_config({'edge_config': CONFIG + own})
        flags = ('--listen-plain', '127.0.0.1:0', '--origin-ca', self.ca.name,
                 '--resolver', self.failing.ports[resolver], *flags)
        return self._ends(harness.Edge(origin, certificates.edge_config(config), flags=flags,
                                       timeouts={}, **more))

    def _stop(self, row):
        edge, lock, occupied = self.edge, None, contextlib.nullcontext
        if row['target'] in SHARING:
            lock = self.locks.setdefault(url(row), threading.Lock())
        if needs_own_edge(row):
            name = ('--origin-name', row['origin_name']) if row['origin_name'] else ()
            resolver = 'resolver_down' if row['target'] == 'resolver_down' else 'dns'
            edge = self._edge(url(row), row['edge_config'], resolver, name)
            self.edges.append(edge)
        if row['warmup_in_flight']:
            def occupied():
                return occupying(edge, row)
        return Stop(row, edge, host_of(row), lock, occupied)


@contextlib.contextmanager
def occupying(edge, row):
    """Meanwhile the edge's connection to the origin of that row is in use."""
    def is_used():
        return harness.connections_to(edge.pid, row['port'])
    with wire.Client(edge.plain) as client:
        client.send(wire.request(path=row['warmup_path']))
        wire.eventually(is_used, STUCK)
        yield
    wire.eventually(lambda: not is_used(), STUCK)


__all__ = ['POOL_IDLE', 'Site']

"""Firewalls and routes that fail, in network namespaces: edge and client in one, the origin in
another."""
import os
import re
import threading
import unittest

import harness
import namespaces
import raw_origin
import wire
from namespaces import Namespace, inside, join

EDGE_IP, ORIGIN_IP, UNUSED_IP, ROUTER_IP = '10.79.0.1', '10.79.0.2', '10.79.0.99', '10.79.0.3'
EDGE_IP6, ORIGIN_IP6 = 'fd79::1', 'fd79::2'
ORIGIN_PORT = 8080
BEYOND = '198.51.100.7'  # an address that only a router leads to


class FirewallTest(harness.TestCase):
    def network(self, ipv6=False):
        """Two joined namespaces: (edge's, origin's)."""
        edge, origin = Namespace('edge'), Namespace('origin')
        for namespace in (edge, origin):
            self.addCleanup(namespace.remove)
            namespace.sysctl('net.ipv4.icmp_ratelimit', 0)
            namespace.sysctl('net.ipv6.icmp.ratelimit', 0)
        addresses = (EDGE_IP + '/24', ORIGIN_IP + '/24')
        join(edge, origin, 0, *addresses,
             *((EDGE_IP6 + '/64', ORIGIN_IP6 + '/64') if ipv6 else ()))
        return edge, origin

    def origin_in(self, namespace, behave=raw_origin.answering(), host=ORIGIN_IP, **more):
        return self.origin(behave, host=host, port=ORIGIN_PORT, namespace=namespace, **more)

    def client_in(self, namespace, edge):
        with inside(namespace):
            return edge.client()

    def through(self, edge, namespace, method='GET', path='/', body=None, client=None):
        """One request from a client in the edge's namespace."""
        with client or self.client_in(namespace, edge) as client:
            client.send_aside(wire.request(method, path, (('Connection', 'close'),), body))
            response = client.response(to=method)
            client.until_end(response)
            return response

    def fails(self, namespace, origin_url, cause, status, flags=(), **request):
        """A new edge's first request must fail so; gives the case file."""
        edge = self.edge(origin_url, namespace=namespace, flags=flags)
        response = self.through(edge, namespace, **request)
        case = self.assert_ray(edge, response, cause, status)
        self.assertFalse(response.cut, response)
        return case


class LabSetupTest(FirewallTest):
    """The lab's own `setup` of each scenario that needs a network."""

    def check(self, row):
        values = {'origin_ip': ORIGIN_IP, 'origin_ip6': ORIGIN_IP6, 'origin_port': str(ORIGIN_PORT),
                  'edge_ip': EDGE_IP, 'unused_ip': UNUSED_IP}

        def filled(text):
            return re.sub(r'\{(\w+)\}', lambda m: values[m[1]], text)

        host = filled(row['host'])
        edge_side, origin_side = self.network(ipv6=':' in host)
        lab = self.lab_in(origin_side, ORIGIN_IP6 if ':' in host else ORIGIN_IP)
        side = {'edge': edge_side, 'origin': origin_side}[row['setup_side']]
        url = f'http://[{host}]:{ORIGIN_PORT}' if ':' in host else f'http://{host}:{ORIGIN_PORT}'
        size = row['request_body_bytes']
        edge = self.edge(url, namespace=edge_side, config=harness.scenario_config(row), timeouts={})
        client = self.client_in(edge_side, edge)
        side.run('sh', '-c', filled(row['setup']))
        response = self.through(edge, edge_side, row['method'], row['path'], b'u' * size or None,
                                client)
        case = self.assert_ray(edge, response, row['cause'], row['status'])
        self.assertEqual(response.cut, row['aborts_client'], response)
        if 'reject with icmp' in row['setup']:
            offender = EDGE_IP if row['setup_side'] == 'edge' else host
            self.assertEqual(case['evidence']['icmp_offender'], offender)
            self.assertIn('icmp_code', case['evidence'])
        if row['teardown'] and host != UNUSED_IP:
            side.run('sh', '-c', filled(row['teardown']))
            again = self.through(edge, edge_side, path='/ok')
            self.assertEqual(again.status, 200, 'after the teardown the origin is reached again')
        self.assertIsNone(lab.process.poll())

    def lab_in(self, namespace, address):
        listen = f'[{address}]:{ORIGIN_PORT}' if ':' in address else f'{address}:{ORIGIN_PORT}'
        lab = harness.Server(['lab', '--listen', listen], namespace)
        lab.wait_for_line('main')
        self.addCleanup(lab.stop)
        return lab


def add_lab_tests():
    for row in harness.run_json('lab', '--list', '--json'):
        if row['target'] == 'namespace':
            name = f'test_{row["scenario"]}: {row["description"]}'.replace(' ', '_')
            setattr(LabSetupTest, name, lambda self, row=row: self.check(row))


class EstablishedTest(FirewallTest):
    """The connection is made, then the packets stop."""

    DROP_DATA = f'tcp dport {ORIGIN_PORT} meta length > 100 drop'

    def test_request_bytes_swallowed_after_the_handshake_are_522_at_the_ack_timeout(self):
        edge_side, origin_side = self.network()
        origin = self.origin_in(origin_side)
        origin_side.filter('input', self.DROP_DATA)
        case = self.fails(edge_side, origin.url, 'request.not_acked', 522,
                          ('--ack-timeout', '700ms', '--read-timeout', '10s'))
        self.assertEqual(origin.received, b'')
        self.assertEqual(len(case['attempts']), 1)
        self.assertGreater(case['evidence']['tcp_unacked_bytes'], 0)

    def test_request_bytes_swallowed_are_522_even_when_the_read_timeout_comes_first(self):
        edge_side, origin_side = self.network()
        origin = self.origin_in(origin_side)
        origin_side.filter('input', self.DROP_DATA)
        self.fails(edge_side, origin.url, 'request.not_acked', 522,
                   ('--ack-timeout', '10s', '--read-timeout', '700ms'))

    def test_an_acknowledged_request_without_an_answer_is_524(self):
        edge_side, origin_side = self.network()
        origin = self.origin_in(origin_side, lambda c: (c.read_request(), c.wait_for_end()))
        case = self.fails(edge_side, origin.url, 'time.first_byte', 524,
                          ('--ack-timeout', '500ms', '--read-timeout', '1s'))
        self.assertEqual(case['evidence']['tcp_unacked_bytes'], 0)
        self.assertEqual(case['attempts'][0]['origin'], f'{ORIGIN_IP}:{ORIGIN_PORT}')

    def test_a_firewall_that_closes_in_the_middle_of_an_upload_is_522(self):
        edge_side, origin_side = self.network()

        def behave(connection):
            connection.read_head()
            connection.take(10_000)
            origin_side.filter('input', f'tcp dport {ORIGIN_PORT} drop')
            connection.wait_for_end()
        origin = self.origin_in(origin_side, behave)
        self.fails(edge_side, origin.url, 'request.not_acked', 522,
                   ('--ack-timeout', '1s', '--read-timeout', '5s', '--write-timeout', '5s'),
                   method='POST', body=b'u' * 12_000_000)

    def test_an_origin_that_stops_reading_an_upload_is_524(self):
        edge_side, origin_side = self.network()

        def behave(connection):
            connection.read_head()
            done.wait(10)
        done = threading.Event()
        origin = self.origin_in(origin_side, behave, receive_buffer=8192)
        self.addCleanup(done.set)
        self.fails(edge_side, origin.url, 'request.write_stalled', 524,
                   ('--write-timeout', '1s', '--ack-timeout', '3s'), method='POST',
                   body=b'u' * 12_000_000)

    def test_packets_lost_in_the_middle_of_a_response_are_an_idle_body(self):
        edge_side, origin_side = self.network()

        def behave(connection):
            connection.read_request()
            connection.send(b'HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n' + b'x' * 100_000)
            started.wait(10)
            origin_side.filter('output', f'tcp sport {ORIGIN_PORT} drop')
            connection.send(b'x' * 100_000)
            connection.wait_for_end()
        started = threading.Event()
        origin = self.origin_in(origin_side, behave)
        edge = self.edge(origin, namespace=edge_side, flags=('--read-timeout', '700ms'))
        with self.client_in(edge_side, edge) as client:
            client.send(wire.request())
            response = client.response(body=False)
            client.take(50_000)
            started.set()
            client.read_body(response)
        self.assertTrue(response.cut)
        self.assert_ray(edge, response, 'time.body_idle', 200)

    def test_a_kept_connection_that_a_firewall_forgot_is_522_on_a_reused_connection(self):
        edge_side, origin_side = self.network()
        origin = self.origin_in(origin_side)
        edge = self.edge(origin, namespace=edge_side, flags=('--ack-timeout', '700ms'))
        self.assertEqual(self.through(edge, edge_side).status, 200)
        origin_side.filter('input', self.DROP_DATA)
        response = self.through(edge, edge_side)
        case = self.assert_ray(edge, response, 'request.not_acked', 522)
        self.assertTrue(case['attempts'][0]['connection']['reused'])

    def test_a_kept_connection_that_a_firewall_resets_is_stale_and_a_get_is_sent_again(self):
        edge_side, origin_side = self.network()
        origin = self.origin_in(origin_side)
        edge = self.edge(origin, namespace=edge_side)
        self.assertEqual(self.through(edge, edge_side).status, 200)
        port = origin.connections[0].socket.getpeername()[1]
        origin_side.filter('input', f'tcp sport {port} reject with tcp reset')
        response = self.through(edge, edge_side)
        self.assertEqual(response.status, 200)
        causes = [a['cause'] for a in edge.ray(response.ray)['attempts']]
        self.assertEqual(causes, ['reuse.stale', 'none'])


class EgressTest(FirewallTest):
    def test_an_origin_that_drops_one_egress_address_is_522_from_that_address_alone(self):
        sources = [EDGE_IP, '10.79.0.11', '10.79.0.12']
        edge_side, origin_side = self.network()
        for source in sources[1:]:
            edge_side.run('ip', 'addr', 'add', source + '/24', 'dev', 'e0')
        origin = self.origin_in(origin_side, lambda c: (c.read_request(), c.respond()))
        origin_side.filter('input', f'ip saddr {sources[1]} tcp dport {ORIGIN_PORT} drop')
        edge = self.edge(origin, namespace=edge_side, flags=('--connect-timeout', '300ms'),
                         config=f'egress = {sources}\n')
        seen = []
        for _ in range(9):
            response = self.through(edge, edge_side)
            case = edge.ray(response.ray)
            self.assertEqual(case['cause'], 'none' if response.status == 200 else 'connect.timeout')
            [attempt] = case['attempts']
            seen.append((attempt['source'].rpartition(':')[0], response.status))
        self.assertEqual(seen, [(s, 522 if s == sources[1] else 200) for s in sources * 3])


class RouterTest(FirewallTest):
    """A router stands between edge and origin and reports, or does not."""

    def routed(self, route, cause, status, offender=ROUTER_IP):
        edge_side, router = Namespace('edge'), Namespace('router')
        for namespace in (edge_side, router):
            self.addCleanup(namespace.remove)
        join(edge_side, router, 0, EDGE_IP + '/24', ROUTER_IP + '/24')
        edge_side.run('ip', 'route', 'add', '198.51.100.0/24', 'via', ROUTER_IP)
        router.sysctl('net.ipv4.ip_forward', 1)
        router.sysctl('net.ipv4.icmp_ratelimit', 0)
        if route:
            router.run('ip', 'route', 'add', *route.split())
        case = self.fails(edge_side, f'http://{BEYOND}:{ORIGIN_PORT}', cause, status)
        if offender:
            self.assertEqual(case['evidence']['icmp_offender'], offender)

    def test_a_router_without_a_route_is_unroutable(self):
        self.routed(None, 'connect.unroutable', 523)

    def test_a_router_with_an_unreachable_route_is_host_unreachable(self):
        self.routed('unreachable 198.51.100.0/24', 'connect.host_unreachable', 523)

    def test_a_router_that_prohibits_is_prohibited(self):
        self.routed('prohibit 198.51.100.0/24', 'connect.prohibited', 523)

    def test_a_router_with_a_black_hole_is_a_timeout(self):
        self.routed('blackhole 198.51.100.0/24', 'connect.timeout', 522, offender=None)


class EdgeSideTest(FirewallTest):
    """The fault is on the edge's own machine, and must not be laid at the origin's door."""

    def test_an_edge_without_any_route_to_the_origin_says_it_is_its_own(self):
        edge_side, _ = self.network()
        case = self.fails(edge_side, f'http://{BEYOND}:{ORIGIN_PORT}', 'connect.no_route', 523)
        self.assertEqual(case['actor'], 'edge')

    def test_an_edge_without_an_ipv6_route_says_it_is_its_own(self):
        edge_side, _ = self.network()
        self.fails(edge_side, f'http://[2001:db8::7]:{ORIGIN_PORT}', 'connect.no_route', 523)

    def test_packets_dropped_by_the_edges_own_firewall_are_a_timeout(self):
        edge_side, origin_side = self.network()
        origin = self.origin_in(origin_side)
        edge_side.filter('output', f'tcp dport {ORIGIN_PORT} drop')
        edge = self.edge(origin, namespace=edge_side)
        response = self.through(edge, edge_side)
        cause = edge.ray(response.ray)['cause']
        self.assertIn(cause, ('connect.timeout', 'connect.local_prohibited'))

    def test_an_edge_out_of_local_ports_answers_503_and_recovers(self):
        edge_side, origin_side = self.network()

        def behave(connection):
            while connection.read_request():
                release.wait(20)
                connection.respond()
        release = threading.Event()
        self.addCleanup(release.set)
        origin = self.origin_in(origin_side, behave)
        edge = self.edge(origin, namespace=edge_side, flags=('--read-timeout', '20s'))
        clients = [self.client_in(edge_side, edge) for _ in range(3)]
        edge_side.sysctl('net.ipv4.ip_local_port_range', '50000 50001')
        for client in clients[:2]:
            client.send(wire.request())
        self.assertTrue(wire.eventually(lambda: len(origin.requests) == 2))
        response = clients[2].get()
        case = self.assert_ray(edge, response, 'connect.local_exhausted', 503)
        self.assertEqual(case['actor'], 'edge')
        release.set()
        self.assertEqual([client.response().status for client in clients[:2]], [200, 200])
        self.assertEqual(clients[2].get().status, 200, 'recovered')
        for client in clients:
            client.close()


if __name__ == '__main__':
    impossible = namespaces.why_impossible()
    if impossible is None and os.path.exists(harness.BINARY):
        add_lab_tests()
    harness.main(impossible)

"""Names of origins: their time to live, several addresses, and names that resolve no more."""
import socket
import threading
import time

import harness
import raw_origin
import wire
from name_server import A, AAAA, NXDOMAIN, SERVFAIL, NameServer


class FullQueue:
    """Listens on a port and takes no connection: its queue is full, so SYNs are dropped, as a
    firewall would."""

    def __init__(self, host, port):
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind((host, port))
        self.socket.listen(0)
        self.fillers = []
        for _ in range(4):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex((host, port))
            self.fillers.append(filler)

    def stop(self):
        for one in (*self.fillers, self.socket):
            one.close()


class NameTestCase(harness.TestCase):
    def names(self, *addresses, **more):
        server = NameServer(*addresses, **more)
        self.addCleanup(server.stop)
        return server

    def closing_origin(self, host, body, port=0):
        """Each request needs a connection of its own."""
        return self.origin(raw_origin.answering(body, headers=(('Connection', 'close'),)),
                           host=host, port=port)

    def edge_by_name(self, names, port, config=''):
        return self.edge(f'http://origin.test:{port}',
                         config=f'resolver = "{names.address}"\n[timeouts]\ndns = "1s"\n{config}')

    def last_attempt(self, edge, response):
        return edge.ray(response.ray)['attempts'][-1]


class NamesTest(NameTestCase):
    def test_an_address_is_asked_for_again_when_its_time_to_live_is_over(self):
        first = self.closing_origin('127.0.0.2', b'first')
        self.closing_origin('127.0.0.3', b'second', first.port)
        names = self.names('127.0.0.2', ttl=2)
        edge = self.edge_by_name(names, first.port)
        self.assertEqual([edge.fetch().body for _ in range(5)], [b'first'] * 5)
        self.assertEqual(names.asked, 1)
        names.addresses = ['127.0.0.3']
        self.assertEqual(edge.fetch().body, b'first')
        self.assertTrue(wire.eventually(lambda: edge.fetch().body == b'second', 4))

    def test_a_name_that_resolves_no_more_keeps_its_addresses_and_says_so(self):
        origin = self.closing_origin('127.0.0.2', b'fine')
        for trouble, cause in ((NXDOMAIN, 'dns.nxdomain'), (SERVFAIL, 'dns.servfail')):
            names = self.names('127.0.0.2', ttl=1)
            edge = self.edge_by_name(names, origin.port)
            self.assertIsNone(self.last_attempt(edge, edge.fetch())['dns_stale'])
            names.rcode = trouble
            time.sleep(1.2)
            response = edge.fetch()
            self.assertEqual((response.status, response.body), (200, b'fine'))
            case = edge.ray(response.ray)
            self.assertEqual(case['attempts'][0]['dns_stale'], cause)
            self.assertIn('no longer resolves', case['summary'])
            self.assertIn(response.ray, [c['ray_id'] for c in edge.cases()])
            names.rcode = 0
            self.assertTrue(wire.eventually(
                lambda: self.last_attempt(edge, edge.fetch())['dns_stale'] is None))

    def test_requests_do_not_wait_for_a_name_server_that_is_silent(self):
        origin = self.closing_origin('127.0.0.2', b'fine')
        names = self.names('127.0.0.2', ttl=1)
        edge = self.edge_by_name(names, origin.port)
        edge.fetch()
        names.silent = True
        time.sleep(1.2)
        waits = []
        for _ in range(6):
            begin = time.monotonic()
            response = edge.fetch()
            waits.append(time.monotonic() - begin)
            self.assertEqual(response.body, b'fine')
        self.assertEqual(self.last_attempt(edge, response)['dns_stale'], 'dns.timeout')
        self.assertLess(waits[0], 1.9 * harness.SLOWNESS)
        self.assertLess(sum(waits[1:]), 0.5 * harness.SLOWNESS, 'only the first one waits')

    def test_old_addresses_serve_for_the_stated_time_and_no_longer(self):
        origin = self.closing_origin('127.0.0.2', b'fine')
        names = self.names('127.0.0.2', ttl=1)
        edge = self.edge_by_name(names, origin.port, 'dns_stale = "1s"\n')
        edge.fetch()
        names.rcode = NXDOMAIN
        time.sleep(1.2)
        self.assertEqual(edge.fetch().status, 200)
        time.sleep(1.2)
        self.assert_ray(edge, edge.fetch(), 'dns.nxdomain', 530)

    def test_without_a_stated_time_a_name_ends_with_its_time_to_live(self):
        origin = self.closing_origin('127.0.0.2', b'fine')
        names = self.names('127.0.0.2', ttl=1)
        edge = self.edge_by_name(names, origin.port, 'dns_stale = "0s"\n')
        edge.fetch()
        names.rcode = SERVFAIL
        time.sleep(1.2)
        self.assert_ray(edge, edge.fetch(), 'dns.servfail', 530)

    def test_a_family_whose_questions_are_dropped_costs_a_moment(self):
        origin = self.closing_origin('127.0.0.2', b'fine')
        names = self.names('127.0.0.2', ttl=1)
        names.silent_for = {AAAA}
        edge = self.edge_by_name(names, origin.port)
        for _ in range(3):
            begin = time.monotonic()
            response = edge.fetch()
            self.assertLess(time.monotonic() - begin, 0.4 * harness.SLOWNESS)
            self.assertEqual((response.body, self.last_attempt(edge, response)['dns_stale']),
                             (b'fine', None))
            time.sleep(1.1)

    def test_of_two_families_the_failure_that_says_more_is_told(self):
        for rcodes, silent, cause in (({A: SERVFAIL}, (), 'dns.servfail'),
                                      ({AAAA: SERVFAIL}, (), 'dns.servfail'),
                                      ({A: SERVFAIL}, (AAAA,), 'dns.servfail'),
                                      ({}, (A,), 'dns.timeout'),
                                      ({}, (), 'dns.nodata')):
            names = self.names(ttl=1)
            names.rcodes, names.silent_for = rcodes, set(silent)
            edge = self.edge_by_name(names, 9)
            self.assert_ray(edge, edge.fetch(), cause, 530)

    def test_a_reload_keeps_the_addresses_of_a_name_that_resolves_no_more(self):
        origin = self.closing_origin('127.0.0.2', b'fine')
        names = self.names('127.0.0.2', ttl=1)
        edge = self.edge_by_name(names, origin.port)
        edge.fetch()
        names.rcode = NXDOMAIN
        edge.reload()
        response = edge.fetch()
        self.assertEqual(response.body, b'fine')
        self.assertEqual(self.last_attempt(edge, response)['dns_stale'], 'dns.nxdomain')


class AddressesTest(NameTestCase):
    def test_an_address_that_refuses_costs_nothing_and_is_recorded(self):
        live = self.closing_origin('127.0.0.4', b'fine')
        for host in ('127.0.0.2', '127.0.0.3'):
            self.addCleanup(harness.ClosedPort(host, live.port).stop)
        edge = self.edge_by_name(self.names('127.0.0.2', '127.0.0.3', '127.0.0.4'), live.port)
        begin = time.monotonic()
        response = edge.fetch()
        self.assertLess(time.monotonic() - begin, 0.2 * harness.SLOWNESS)
        self.assertEqual(response.body, b'fine')
        attempts = edge.ray(response.ray)['attempts']
        self.assertEqual([(a['origin'].split(':')[0], a['cause'], a['retried']) for a in attempts],
                         [('127.0.0.2', 'connect.refused', True),
                          ('127.0.0.3', 'connect.refused', True), ('127.0.0.4', 'none', False)])

    def test_an_address_that_is_silent_is_outrun_after_a_quarter_of_a_second(self):
        live = self.closing_origin('127.0.0.3', b'fine')
        silent = FullQueue('127.0.0.2', live.port)
        self.addCleanup(silent.stop)
        edge = self.edge_by_name(self.names('127.0.0.2', '127.0.0.3'), live.port)
        begin = time.monotonic()
        response = edge.fetch()
        took = time.monotonic() - begin
        self.assertEqual(response.body, b'fine')
        self.assertTrue(0.24 < took < 0.6 * harness.SLOWNESS, took)
        case = edge.ray(response.ray)
        self.assertEqual([(a['cause'], a['outrun']) for a in case['attempts']],
                         [('none', True), ('none', False)])
        self.assertIn('another was quicker', case['summary'])
        self.assertIn('another was quicker',
                      harness.run('ray', response.ray, '--data-dir', edge.data_dir).stdout)

    def test_when_all_fail_each_has_its_cause_and_the_last_one_counts(self):
        with socket.socket() as reserved:
            reserved.bind(('127.0.0.9', 0))
            port = reserved.getsockname()[1]
        silent = FullQueue('127.0.0.2', port)
        self.addCleanup(silent.stop)
        edge = self.edge_by_name(self.names('127.0.0.2', '127.0.0.3'), port)
        response = edge.fetch()
        case = self.assert_ray(edge, response, 'connect.timeout', 522)
        self.assertEqual([(a['origin'].split(':')[0], a['cause']) for a in case['attempts']],
                         [('127.0.0.3', 'connect.refused'), ('127.0.0.2', 'connect.timeout')])

    def test_what_the_edge_itself_could_not_do_does_not_hide_what_the_origin_did(self):
        # A unique local address comes after IPv4, and its family has no egress address here.
        names = self.names('127.0.0.2', 'fd00::1')
        edge = self.edge('http://origin.test:9', config=f'resolver = "{names.address}"\n'
                         'egress = ["2001:db8::77"]\n')
        case = self.assert_ray(edge, edge.fetch(), 'connect.refused', 521)
        self.assertEqual([(a['origin'], a['cause']) for a in case['attempts']],
                         [('[fd00::1]:9', 'edge.egress_unavailable'),
                          ('127.0.0.2:9', 'connect.refused')])

    def test_a_client_that_leaves_in_the_race_ends_it(self):
        with socket.socket() as reserved:
            reserved.bind(('127.0.0.9', 0))
            port = reserved.getsockname()[1]
        for host in ('127.0.0.2', '127.0.0.3'):
            silent = FullQueue(host, port)
            self.addCleanup(silent.stop)
        edge = self.edge_by_name(self.names('127.0.0.2', '127.0.0.3'), port)
        with edge.client() as client:
            client.send(wire.request())
            time.sleep(0.5)
        edge.only_case('client.abort')

    def test_an_address_of_the_other_family_is_second(self):
        try:
            live = self.closing_origin('::1', b'six')
        except OSError:
            self.skipTest('no IPv6 on this machine')
        edge = self.edge_by_name(self.names('127.0.0.2', '127.0.0.3', '::1'), live.port)
        response = edge.fetch()
        self.assertEqual(response.body, b'six')
        order = [a['origin'] for a in edge.ray(response.ray)['attempts']]
        self.assertLessEqual(len(order), 2, order)

    def test_requests_side_by_side_share_one_question(self):
        live = self.closing_origin('127.0.0.2', b'fine')
        names = self.names('127.0.0.2', ttl=60)
        edge = self.edge_by_name(names, live.port)
        threads = [threading.Thread(target=edge.fetch) for _ in range(10)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(names.asked, 1)


if __name__ == '__main__':
    harness.main()

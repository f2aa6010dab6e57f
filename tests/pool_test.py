"""Pools of several origins: who gets a request, who is left out, and where a failed one goes."""
import collections
import json
import os
import signal
import threading
import time

import harness
import raw_origin
import wire

HEALTH = '''[pool.health]
path = "/healthz?from=edge"
expected = [200, 204]
interval = "250ms"
timeout = "250ms"
unhealthy_after = 2
healthy_after = 2
'''


def config(origins, balance='round_robin', more=''):
    """A pool of these origins (each a URL, or URL and weight) that every request goes to."""
    listed = ', '.join('{ url = "%s", weight = %d }' % (one if isinstance(one, tuple) else (one, 1))
                       for one in origins)
    return (f'[[pool]]\nname = "shop"\nbalance = "{balance}"\norigins = [{listed}]\n{more}\n'
            '[[route]]\npool = "shop"\n')


class Switch:
    """An origin whose health and answers can be turned; counts requests that are no checks."""

    def __init__(self, test, name):
        self.name = name.encode()
        self.healthy = True
        self.checks = []
        self.served = 0
        self.origin = test.origin(self.behave)
        self.url = self.origin.url

    def behave(self, connection):
        while request := connection.read_request():
            if request.target.startswith('/healthz'):
                self.checks.append(request)
                connection.respond(b'', '204 No Content' if self.healthy else '500 Down')
            else:
                self.served += 1
                connection.respond(self.name)


class PoolTest(harness.TestCase):
    def pool(self, origins, **more):
        flags = more.pop('flags', ())
        return self.edge(config=config(origins, **more), flags=flags)

    def closed(self):
        port = harness.ClosedPort()
        self.addCleanup(port.stop)
        return port.url

    def named(self, name, status='200 OK'):
        return self.origin(raw_origin.answering(name.encode(), status)).url

    def bodies(self, edge, count):
        return collections.Counter(edge.fetch().body for _ in range(count))


class BalanceTest(PoolTest):
    def test_requests_are_shared_by_weight(self):
        edge = self.pool([(self.named('a'), 3), (self.named('b'), 1)])
        self.assertEqual(self.bodies(edge, 40), {b'a': 30, b'b': 10})

    def test_the_record_names_the_origin_that_answered(self):
        urls = {b'a': self.named('a'), b'b': self.named('b')}
        edge = self.pool(urls.values())
        for _ in range(4):
            response = edge.fetch()
            case = edge.ray(response.ray)
            self.assertEqual(case['origin'], urls[response.body])
            self.assertEqual('http://' + case['attempts'][0]['origin'], urls[response.body])

    def test_the_host_sent_is_that_of_the_chosen_origin_when_the_clients_is_not_passed_on(self):
        live = self.origin(raw_origin.answering())
        edge = self.edge(config='host_to_origin = false\n' + config([self.closed(), live.url]))
        for _ in range(4):
            self.assertEqual(edge.fetch().status, 200)
        self.assertEqual({r.header('host') for r in live.requests}, {live.url[len('http://'):]})

    def test_one_client_stays_with_one_origin_under_consistent_hash(self):
        edge = self.pool([self.named(n) for n in 'abcd'], balance='consistent_hash')
        self.assertEqual(len(self.bodies(edge, 20)), 1)
        found = set()
        for last in range(1, 40):
            with edge.client(source=f'127.0.0.{last}') as client:
                found.add(client.get().body)
        self.assertGreater(len(found), 1, 'other clients go elsewhere')

    def test_a_busy_origin_is_spared_under_least_requests(self):
        release, held = threading.Event(), []
        self.addCleanup(release.set)

        def slow(connection):
            while connection.read_request():
                held.append(connection)
                release.wait(60)
                connection.respond(b'slow')
        edge = self.pool([self.origin(slow).url, self.named('fast')], balance='least_requests',
                         flags=('--read-timeout', '60s'))
        for _ in range(50):  # until one has met the slow origin and all others have their answer
            client = edge.client()
            self.addCleanup(client.close)
            client.send(wire.request())
            self.assertTrue(wire.eventually(lambda: held or not client.is_silent_for(0.02), 30))
            if held:
                break
        self.assertEqual(self.bodies(edge, 30), {b'fast': 30})
        self.assertEqual(len(held), 1)


class FailoverTest(PoolTest):
    def both(self, bad, good, **more):
        """One request that met `bad` first, and its case file."""
        edge = self.pool([bad, good], **more)
        for _ in range(2):
            response = edge.fetch()
            case = edge.ray(response.ray)
            if case['attempts'][0]['origin'] in bad:
                return response, case
        self.fail('the bad origin got no request')

    def test_a_521_is_tried_again_at_another_origin(self):
        good = self.named('good')
        response, case = self.both(self.closed(), good)
        self.assertEqual((response.status, response.body), (200, b'good'))
        self.assertEqual([(a['cause'], a['retried']) for a in case['attempts']],
                         [('connect.refused', True), ('none', False)])
        self.assertEqual((case['cause'], case['origin']), ('none', good))

    def test_a_post_whose_bytes_are_at_hand_is_tried_again_whole(self):
        good = self.origin(raw_origin.answering(b'good'))
        edge = self.pool([self.closed(), good.url])
        for _ in range(2):
            self.assertEqual(edge.fetch(method='POST', body=b'p' * 50_000).status, 200)
        self.assertEqual([len(r.body) for r in good.requests], [50_000] * 2)

    def test_there_is_one_failover_and_no_second(self):
        edge = self.pool([self.closed() for _ in range(3)])
        case = self.assert_ray(edge, edge.fetch(), 'connect.refused', 521)
        self.assertEqual(len(case['attempts']), 2)
        self.assertEqual(len({a['origin'] for a in case['attempts']}), 2)

    def test_a_520_stays_where_it_happened(self):
        bad = self.origin(raw_origin.sending(b'')).url
        response, case = self.both(bad, self.named('good'))
        self.assertEqual((response.status, case['cause']), (520, 'resp.empty_fin'))
        self.assertEqual((len(case['attempts']), case['origin']), (1, bad))

    def test_a_524_stays_where_it_happened(self):
        bad = self.origin(lambda c: (c.read_request(), c.wait_for_end())).url
        response, case = self.both(bad, self.named('good'), flags=('--read-timeout', '300ms'))
        self.assertEqual((response.status, case['cause']), (524, 'time.first_byte'))
        self.assertEqual(len(case['attempts']), 1)

    def test_an_origins_own_503_passes(self):
        bad = self.named('own', '503 Service Unavailable')
        response, case = self.both(bad, self.named('good'))
        self.assertEqual((response.status, response.body), (503, b'own'))
        self.assertEqual(len(case['attempts']), 1)

    def test_without_retries_there_is_no_failover(self):
        _, case = self.both(self.closed(), self.named('good'), more='[limits]\nretries = 0\n')
        self.assertEqual((case['edge_status'], len(case['attempts'])), (521, 1))


class EjectionTest(PoolTest):
    EJECTION = '[pool.ejection]\nfailures = 3\ntime = "%s"\n'

    def attempts(self, edge, count):
        return [len(edge.ray(edge.fetch().ray)['attempts']) for _ in range(count)]

    def test_an_origin_that_refuses_is_left_out_for_a_while(self):
        edge = self.pool([self.closed(), self.named('good')], more=self.EJECTION % '1h')
        self.assertEqual(self.attempts(edge, 6).count(2), 3)
        self.assertEqual(self.attempts(edge, 6).count(2), 0)

    def test_it_is_tried_again_after_its_time(self):
        edge = self.pool([self.closed(), self.named('good')], more=self.EJECTION % '300ms')
        self.attempts(edge, 6)
        self.assertTrue(wire.eventually(lambda: 2 in self.attempts(edge, 2)))

    def test_the_only_origin_is_never_left_out(self):
        edge = self.pool([self.closed()], more=self.EJECTION % '1h')
        for _ in range(6):
            self.assert_ray(edge, edge.fetch(), 'connect.refused', 521)

    def test_bad_answers_leave_it_out_only_when_asked_for(self):
        bad, good = self.named('bad', '500 Oops'), self.named('good')
        edge = self.pool([bad, good], more='[pool.ejection]\nfailures = 1\ntime = "1h"\n')
        self.assertEqual(self.bodies(edge, 12)[b'bad'], 6)
        edge = self.pool([bad, good], more='[pool.ejection]\nbad_answers = 2\ntime = "1h"\n')
        self.assertEqual(self.bodies(edge, 12)[b'bad'], 2)

    def test_the_edges_own_limit_is_not_the_origins_fault(self):
        release = threading.Event()
        self.addCleanup(release.set)

        def slow(connection):
            while connection.read_request():
                release.wait(10)
                connection.respond(b'ok')
        one, other = self.origin(slow), self.origin(slow)
        edge = self.pool([one.url, other.url], flags=('--read-timeout', '20s'),
                         more='[pool.ejection]\nfailures = 1\ntime = "1h"\n'
                              '[limits]\norigin_connections = 1\n')
        held = [edge.client() for _ in range(2)]
        for client in held:
            client.send(wire.request())
        self.assertTrue(wire.eventually(lambda: one.requests and other.requests))
        for _ in range(4):
            case = self.assert_ray(edge, edge.fetch(), 'connect.limit', 503)
            self.assertEqual(len(case['attempts']), 1)
        release.set()
        for client in held:
            self.assertEqual(client.response().status, 200)
            client.close()
        for _ in range(4):
            self.assertEqual(edge.fetch().status, 200)
        self.assertEqual([len(o.requests) for o in (one, other)], [3, 3])


class HealthTest(PoolTest):
    def two(self):
        one, other = Switch(self, 'one'), Switch(self, 'other')
        return one, other, self.pool([one.url, other.url], more=HEALTH)

    def all_from(self, edge, name):
        return self.bodies(edge, 6) == {name: 6}

    def test_checks_take_an_origin_out_and_bring_it_back(self):
        one, other, edge = self.two()
        self.assertTrue(wire.eventually(
            lambda: self.bodies(edge, 6) == {b'one': 3, b'other': 3}))
        one.healthy = False
        self.assertTrue(wire.eventually(lambda: self.all_from(edge, b'other')))
        one.healthy = True
        self.assertTrue(wire.eventually(lambda: self.bodies(edge, 6) == {b'one': 3, b'other': 3}))
        check = other.checks[0]
        self.assertEqual((check.method, check.target), ('GET', '/healthz?from=edge'))
        self.assertEqual(check.header('host'), other.url[len('http://'):])
        self.assertIn('Edgecase', check.header('user-agent'))

    def test_checks_leave_no_record(self):
        one, _, edge = self.two()
        one.healthy = False
        self.assertTrue(wire.eventually(lambda: len(one.checks) > 5))
        self.assertEqual(edge.cases(), [])

    def test_what_the_checks_found_outlives_a_reload(self):
        one, other, edge = self.two()
        one.healthy = False
        self.assertTrue(wire.eventually(lambda: self.all_from(edge, b'other')))
        edge.process.send_signal(signal.SIGHUP)
        self.assertTrue(wire.eventually(lambda: 'in force' in edge.errors()))
        self.assertTrue(self.all_from(edge, b'other'))
        one.healthy = True
        self.assertTrue(wire.eventually(lambda: b'one' in self.bodies(edge, 2)))

    def test_no_healthy_origin_is_503_and_says_why_of_each(self):
        one, other, edge = self.two()
        one.healthy = other.healthy = False
        self.assertTrue(wire.eventually(lambda: edge.fetch().status == 503))
        response = edge.fetch()
        case = self.assert_ray(edge, response, 'connect.no_healthy_origin', 503, actor='edge')
        self.assertEqual(case['attempts'], [])
        self.assertEqual(case['evidence']['pool'], 'shop')
        fault = ': Response code mismatch (origin.status, status 500)'
        self.assertEqual(case['evidence']['unhealthy_origins'], [one.url + fault, other.url + fault])
        one.healthy = True
        self.assertTrue(wire.eventually(lambda: edge.fetch().status == 200))

    def fault(self, url):
        """What the checks call an origin that never gets well."""
        edge = self.pool([url], more=HEALTH)
        self.assertTrue(wire.eventually(
            lambda: any(c['cause'] == 'connect.no_healthy_origin' for c in edge.cases())
            or not edge.fetch()))
        [*_, case] = [c for c in edge.cases() if c['cause'] == 'connect.no_healthy_origin']
        [fault] = edge.ray(case['ray_id'])['evidence']['unhealthy_origins']
        return fault[len(url) + 2:]

    def test_each_way_to_fail_a_check_has_its_name(self):
        silent = self.origin(lambda c: (c.read_request(), c.wait_for_end()))
        self.assertEqual(self.fault(self.closed()), 'TCP connection failed (connect.refused)')
        self.assertEqual(self.fault(silent.url), 'HTTP timeout occurred (time.first_byte)')
        rude = self.origin(raw_origin.sending(b'SSH-2.0-OpenSSH_9.2\r\n'))
        self.assertEqual(self.fault(rude.url), 'HTTP invalid response (resp.not_http.ssh)')
        reset = self.origin(raw_origin.sending(b'', 'reset'))
        self.assertEqual(self.fault(reset.url), 'Connection reset by peer (resp.empty_rst)')

    def test_several_workers_check_no_more_than_one(self):
        one = Switch(self, 'one')
        edge = self.pool([one.url], more=HEALTH.replace('"250ms"\ntimeout', '"1h"\ntimeout'),
                         flags=('--workers', '4'))
        self.assertTrue(wire.eventually(lambda: one.checks))
        self.assertEqual({edge.fetch().status for _ in range(12)}, {200})
        self.assertEqual(len(one.checks), 1)

    def test_an_edge_that_ends_during_a_check_ends_well(self):
        def silent(connection):
            if connection.read_request():
                asked.set()
                connection.wait_for_end()
        asked = threading.Event()
        edge = self.pool([self.origin(silent).url],
                         more=HEALTH.replace('"250ms"', '"20s"'))
        self.assertTrue(asked.wait(5))
        edge.stop(seconds=5)


class Lab:
    """A running lab: origins that speak TLS and HTTP/2."""

    def __init__(self):
        self.server = harness.Server(['lab', '--listen', '127.0.0.1:0'])
        port = int(self.server.wait_for_line(r'lab=127\.0\.0\.1:(\d+)')[1])
        listing = wire.fetch(('127.0.0.1', port), headers=[('Accept', 'application/json')])
        self.rows = {row['scenario']: row for row in json.loads(listing.body)}
        self.ca = next(row['ca'] for row in self.rows.values() if row['ca'])
        self.stop = self.server.stop

    def url(self, scenario):
        row = self.rows[scenario]
        return f'{row["scheme"]}://{row["host"]}:{row["port"]}'


lab = harness.Shared(Lab)


SLOW_HEALTH = HEALTH.replace('250ms', '500ms')  # a handshake under sanitizers takes its time


class TlsTest(PoolTest):
    def pool(self, origins, path='/ok', **more):
        top = f'origin_ca = "{lab.get().ca}"\n'
        health = more.pop('health', '').replace('/healthz?from=edge', path)
        return self.edge(config=top + config(origins, more=health), **more)

    def refused_after_checks(self, scenario, path):
        url = lab.get().url(scenario)
        edge = self.pool([url], path, health=SLOW_HEALTH)
        self.assertTrue(wire.eventually(lambda: edge.fetch(path).status == 503))
        case = edge.ray(edge.fetch(path).ray)
        self.assertEqual(case['cause'], 'connect.no_healthy_origin')
        return case['evidence']['unhealthy_origins'][0][len(url) + 2:]

    def test_checks_are_made_over_http_2_and_leave_no_connection_behind(self):
        url = lab.get().url('ok-h2')
        edge = self.pool([url], '/ok-h2', health=SLOW_HEALTH)
        self.assertEqual(edge.fetch('/ok-h2').status, 200)
        descriptors = len(os.listdir(f'/proc/{edge.pid}/fd'))
        time.sleep(4)  # some eight checks
        self.assertLess(len(os.listdir(f'/proc/{edge.pid}/fd')), descriptors + 5)
        response = edge.fetch('/ok-h2')
        self.assertEqual(response.status, 200)
        [attempt] = edge.ray(response.ray)['attempts']
        self.assertEqual((attempt['protocol'], attempt['connection']['reused']), ('HTTP/2', True))
        self.assertEqual(self.refused_after_checks('ok-h2', '/ok-h2-204x'),
                         'Response code mismatch (origin.status, status 404)')

    def test_checks_judge_the_certificate(self):
        self.assertEqual(self.refused_after_checks('tls.cert.name', '/tls.cert.name'),
                         'TLS name mismatch (tls.cert.name)')
        self.assertEqual(self.refused_after_checks('tls.cert.expired', '/tls.cert.expired'),
                         'TLS untrusted certificate (tls.cert.expired)')

    def test_a_525_and_a_526_are_tried_again_at_another_origin(self):
        for scenario in ('tls.peer_plaintext', 'tls.cert.expired'):
            edge = self.pool([lab.get().url(scenario), self.named('good')])
            cases = [edge.ray(edge.fetch('/' + scenario).ray) for _ in range(2)]
            self.assertEqual(sorted([a['cause'] for a in case['attempts']] for case in cases),
                             [['none'], [scenario, 'none']])


class EgressTest(PoolTest):
    def test_connections_are_made_from_each_egress_address_in_turn(self):
        def behave(connection):
            connection.read_request()
            connection.respond(connection.socket.getpeername()[0].encode())
        edge = self.edge(self.origin(behave),
                         config='egress = ["127.0.0.11", "::1", "127.0.0.12"]\n')
        seen = []
        for _ in range(4):
            response = edge.fetch()
            attempt = edge.ray(response.ray)['attempts'][0]
            self.assertEqual(attempt['source'].rpartition(':')[0], response.body.decode())
            seen.append(response.body)
        self.assertEqual(seen, [b'127.0.0.11', b'127.0.0.12'] * 2)

    def test_an_egress_address_that_this_machine_lacks_is_passed_over(self):
        edge = self.edge(self.origin(raw_origin.answering()),
                         config='egress = ["192.0.2.77", "127.0.0.12"]\n[limits]\n'
                                'pool_connections = 0\n')
        self.assertEqual({edge.fetch().status for _ in range(4)}, {200})


if __name__ == '__main__':
    harness.main()

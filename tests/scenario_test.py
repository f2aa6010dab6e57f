"""Every scenario of the lab through the real edge: the cause it states must be the cause the edge
claims."""
import collections
import json
import os
import re
import threading

import harness
import wire

# Phases that neither an origin nor a network brings about: client_test has those. Every other cause,
# of phases still to come too, needs a scenario.
OTHER_PHASES = ('none', 'client', 'edge')
ELSEWHERE = {'connect.no_healthy_origin': 'pool_test: it takes a pool, not an origin'}
RETRY_AFTER = {500: '30', 502: '60', 503: '30', 520: '60', 521: '120', 522: '120', 523: '120',
               524: '120',
               530: '120'}
# Evidence whose text would tell a visitor about the origin.
REVEALING = ('origin', 'edge_address', 'resolver', 'name', 'address', 'errno', 'rule', 'tcp_state',
             'icmp_offender', 'sample')

claims = collections.Counter()  # (true cause, claimed cause) -> scenarios


class Bench:
    """A running lab and the edges in front of it: one for each resolver, whose routes go by
    host."""

    def __init__(self):
        self.lab = harness.Server(['lab', '--listen', '127.0.0.1:0'])
        self.lab.wait_for_line(r'main')
        self.ports = dict(re.findall(r'(\w+)[= ](\d+\.\d+\.\d+\.\d+:\d+)',
                                     ' '.join(self.lab.first_lines)))
        host, port = self.ports['main'].split(':')
        listing = wire.fetch((host, int(port)), headers=[('Accept', 'application/json')])
        self.rows = {row['scenario']: row for row in json.loads(listing.body)}
        self.ca = next(row['ca'] for row in self.rows.values() if row['ca'])
        self.causes = {row['name']: row for row in harness.run_json('explain', '--list', '--json')}
        self.lock = threading.Lock()
        self.one_by_one = threading.Lock()
        self.edges = {}

    def edge_for(self, row):
        """The edge to use and the Host to ask it for."""
        target = row['target']
        if target in ('dns', 'resolver_down'):
            return self._edge(target, row), 'asked-for-' + row['host']
        # an edge, and a pool, of its own
        if row['warmup_path'] or row['edge_config'] or row['origin_name']:
            return self._edge(row['scenario'], row), 'main.test'
        return self._edge('plain', row), self._host(row)

    @staticmethod
    def _host(row):
        """The host that leads to a row's port."""
        name = row['scenario'] + '.own' if row['target'] == 'own' else row['target']
        return f'{name}.test'.replace('_', '-')

    def _edge(self, key, row):
        with self.lock:
            if key not in self.edges:
                self.edges[key] = self._start(key, row)
            return self.edges[key]

    def _start(self, key, row):
        port = self.ports['main'].split(':')[1]
        row = self.rows[row['scenario']]  # with its port, and the lab's files in its settings
        options = {'config': harness.scenario_config(row), 'timeouts': {}}
        if key in ('dns', 'resolver_down'):
            names = {r['host'] for r in rows() if r['target'] == key}
            return harness.Edge(routes=[f'asked-for-{n}=http://{n}:{port}' for n in names],
                                flags=('--resolver', self.ports[key]), **options)
        if key == 'plain':
            routes = {f'{self._host(r)}={self._origin(r)}' for r in self.rows.values()
                      if r['target'] not in ('dns', 'resolver_down', 'namespace')}
            return harness.Edge(routes=sorted(routes), flags=('--origin-ca', self.ca), **options)
        flags = ['--origin-ca', self.ca]
        if row['origin_name']:
            flags += ['--origin-name', row['origin_name']]
        return harness.Edge(self._origin(row), flags=flags, **options)

    @staticmethod
    def _origin(row):
        return f'{row["scheme"]}://{row["host"]}:{row["port"]}'

    def stop(self):
        for edge in self.edges.values():
            edge.stop()
        self.lab.stop()


bench = harness.Shared(Bench)
_rows = harness.Shared(lambda: harness.run_json('lab', '--list', '--json'))


def rows():
    return _rows.get()


class ScenarioTest(harness.TestCase):
    def check(self, row):
        edge, host = bench.get().edge_for(row)
        if row['target'] != 'h2':
            return self.check_on(edge, host, row)
        with bench.get().one_by_one:  # they share connections
            return self.check_on(edge, host, row)

    def check_on(self, edge, host, row):
        busy = self.warm_up(edge, host, row)
        size = row['request_body_bytes']
        response = wire.fetch(edge.address, row['method'], row['path'], row['request_headers'],
                              b'u' * size if size else None, host=host)
        case = edge.ray(response.ray)
        claims[row['cause'], case['cause']] += 1
        self.assert_case(case, row['cause'])
        self.assertEqual(response.status, row['status'], response)
        self.assertEqual(case['edge_status'], row['status'])
        self.assertEqual(response.cut, row['aborts_client'], response)
        self.assertEqual(case['aborted'], row['aborts_client'])
        if case['cause'] != 'none':
            self.assertTrue(case['summary'] and case['fix'], case)
        if ending := case['evidence'].get('close'):  # the origin's, as the cause says
            self.assertEqual(case['attempts'][-1]['connection']['close'], ending)
        cause = bench.get().causes[row['cause']]
        if cause['status'] and not row['aborts_client']:
            self.assertEqual(row['status'], cause['status'])
            self.check_reply(response, case, cause, host)
        else:
            self.assertNotIn('error=', response.header('proxy-status') or '')
        if busy:
            busy.close()

    def warm_up(self, edge, host, row):
        if not row['warmup_path']:
            return None
        if not row['warmup_in_flight']:
            self.assertEqual(wire.fetch(edge.address, path=row['warmup_path'], host=host).status,
                             200)
            return None
        client = edge.client()
        client.send(wire.request(path=row['warmup_path'], host=host))
        port = int(bench.get().ports['main'].split(':')[1])
        self.assertTrue(wire.eventually(lambda: harness.connections_to(edge.pid, port)))
        return client

    def check_reply(self, response, case, cause, host):
        """What the edge answers by itself: the right headers, and nothing of the evidence."""
        self.assertIn(f'error={cause["proxy_error"]}', response.header('proxy-status') or '')
        self.assertIn('no-store', response.header('cache-control'))
        self.assertEqual(response.header('retry-after'), RETRY_AFTER.get(response.status), response)
        page = response.body.decode()
        self.assertIn(response.ray, page)
        secrets = {cause['name'], cause['reason']}
        for key in REVEALING:
            value = case['evidence'].get(key)
            text = value['text'] if isinstance(value, dict) else str(value or '')
            secrets |= {line for line in text.split('\n') if len(line) > 4}
        page = page.replace(host, '')
        for secret in secrets:
            self.assertNotIn(secret, page)
            self.assertNotIn(secret, str(response.headers))


class CoverageTest(harness.TestCase):
    def test_each_cause_of_an_origin_or_a_network_has_a_scenario(self):
        causes = {row['name'] for row in harness.run_json('explain', '--list', '--json')
                  if row['name'].split('.')[0] not in OTHER_PHASES} - ELSEWHERE.keys()
        self.assertGreater(len(causes), 60)
        self.assertEqual(causes - {row['cause'] for row in rows()}, set())

    def test_scenarios_have_names_of_their_own_and_true_causes_that_exist(self):
        names = [row['scenario'] for row in rows()]
        self.assertEqual(len(names), len(set(names)))
        causes = {row['name'] for row in harness.run_json('explain', '--list', '--json')}
        self.assertEqual({row['cause'] for row in rows()} - causes, set())

    def test_the_names_and_numbers_of_causes_are_each_used_once(self):
        table = harness.run_json('explain', '--list', '--json')
        for key in ('name', 'number'):
            self.assertEqual(len({row[key] for row in table}), len(table), key)

    def test_no_sentence_of_a_cause_shows_how_its_source_was_wrapped(self):
        for row in harness.run_json('explain', '--list', '--json'):
            for key in ('reason', 'fix'):
                self.assertNotRegex(row[key], r'\w- \w|  | $', row['name'])

    def test_each_cause_can_be_explained(self):
        for row in harness.run_json('explain', '--list', '--json'):
            result = harness.run('explain', row['name'])
            self.assertEqual(result.returncode, 0, result.stderr)
            self.assertIn(row['name'], result.stdout)


def add_tests():
    for row in harness.run_json('lab', '--list', '--json'):
        if row['target'] != 'namespace':  # those are in firewall_test
            name = f'test_{row["scenario"]}: {row["description"]}'.replace(' ', '_')
            setattr(ScenarioTest, name, lambda self, row=row: self.check(row))


def print_confusion():
    right = sum(count for (true, claimed), count in claims.items() if true == claimed)
    print(f'confusion of true against claimed cause: {len({t for t, _ in claims})} causes, '
          f'{sum(claims.values())} scenarios, {right} on the diagonal')
    for (true, claimed), count in sorted(claims.items()):
        if true != claimed:
            print(f'  {count} x {true} claimed to be {claimed}')


if __name__ == '__main__':
    if os.path.exists(harness.BINARY):
        add_tests()
    harness.main(after=print_confusion)

"""`edgecase findings` over the records of a real edge: planted causes are named with what sets them apart, and
healthy traffic has none."""

import harness
import raw_origin
import wire

KEYS = {'cause', 'factor', 'inside_rate', 'outside_rate', 'confidence', 'since', 'sample_rays', 'fix'}


def findings(edge, *more):
    return harness.run_json('findings', '--data-dir', edge.data_dir, '--json', *more)


class FindingsTest(harness.TestCase):
    def load(self, edge, paths):
        """A request for each path, over one connection while it lasts."""
        client = edge.client()
        for path in paths:
            client.send(wire.request('GET', path))
            response = client.response()
            if response.cut or 'close' in (response.header('connection') or ''):
                client.close()
                client = edge.client()
        client.close()

    def recorded(self, edge, count):
        """Waits until the records are readable."""
        last = edge.fetch('/last').ray
        edge.ray(last, seconds=5)
        return count

    def test_healthy_traffic_has_no_findings(self):
        edge, _ = self.edge_before(raw_origin.answering())
        self.load(edge, [f'/item/{i}' for i in range(600)])
        self.recorded(edge, 600)
        self.assertEqual(findings(edge), [])
        text = harness.run('findings', '--data-dir', edge.data_dir)
        self.assertEqual(text.returncode, 0)
        self.assertIn('nothing found in 601 requests', text.stdout)

    def test_heads_that_are_too_large_on_one_path_are_found_there(self):
        def behave(connection):
            while request := connection.read_request():
                large = [('X-Debug', 'd' * 12_000)] * 3 if '/report' in request.target else []
                connection.respond(headers=large)

        edge, _ = self.edge_before(behave)
        self.load(edge, [f'/orders/{i}/report' if i % 8 == 0 else f'/orders/{i}'
                         for i in range(240)])
        self.recorded(edge, 240)
        [found] = findings(edge)
        self.assertLessEqual(KEYS, found.keys())
        self.assertEqual((found['cause'], found['factor'], found['value']),
                         ('resp.headers_too_large', 'path', '/orders/{n}/report'))
        self.assertEqual((found['inside_rate'], found['outside_rate']), (1.0, 0.0))
        self.assertGreater(found['confidence'], 0.999)
        for ray in found['sample_rays']:
            self.assertEqual(edge.ray(ray)['cause'], 'resp.headers_too_large')

    def test_one_bad_origin_of_a_pool_is_named(self):
        def dying(connection):
            while connection.read_request():
                connection.send(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart')
                return

        good, bad = self.origin(raw_origin.answering()), self.origin(dying)
        config = (f'[[pool]]\nname = "two"\norigins = ["{good.url}", "{bad.url}"]\n'
                  '[[route]]\npool = "two"\n[limits]\nhold_back_time = "2s"\n')
        edge = self.edge(None, config=config)
        self.load(edge, [f'/{i}' for i in range(120)])
        self.recorded(edge, 120)
        found = [f for f in findings(edge) if f['cause'] == 'body.short_fin']
        self.assertEqual([(f['factor'], f['value']) for f in found],
                         [('origin', f'127.0.0.1:{bad.port}')])

    def test_bad_input_is_a_clear_error(self):
        done = harness.run('findings', '--data-dir', '/no/such')
        self.assertEqual((done.returncode, done.stdout), (1, ''))
        self.assertIn('/no/such', done.stderr)
        done = harness.run('findings', '--since', 'yesterday')
        self.assertEqual(done.returncode, 2)
        self.assertIn('--since', done.stderr)


if __name__ == '__main__':
    harness.main()

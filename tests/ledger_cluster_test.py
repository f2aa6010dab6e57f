"""Many edges, one ledger on a cluster, sharded and replicated: it is made, filled while servers
come and go, and read while a part of it is away."""
import concurrent.futures
import json
import os
import time

import clickhouse
import harness
import relay
import wire
from ledger import HERE, STEPS, Ledger, LedgerTest, Load, metrics, mixed, until
from raw_origin import by_path

RECORDS = ('cases', 'successes')


def new_cluster():
    """The first shard has two replicas, the second one server."""
    return clickhouse.ClickHouseCluster(2, (2, 1)).up()


intact = harness.Shared(new_cluster)


class ClusterLedgerTest(LedgerTest):
    def own_cluster(self):
        cluster = new_cluster()
        self.addCleanup(cluster.stop)
        return cluster

    def ledger(self, servers, **more):
        return Ledger(servers.first, **{'urls': [one.url for one in servers.servers],
                                        'cluster': clickhouse.CLUSTER, **more})

    def by_node(self, ledger):
        """How many records each edge has in the ledger."""
        found = {}
        for table in RECORDS:
            for node, count in ledger.ask(f'select node, count() from {table} group by node'):
                found[node] = found.get(node, 0) + int(count)
        return found

    def insert(self, ledger, server, days):
        """A record that is so old."""
        server.query(f'insert into {ledger.database}.cases_local (ray, node, EdgeStartTimestamp, '
                     f"ended) select 1, 'old', now() - {days} * 86400, now() - {days} * 86400")

    def local(self, ledger, server, table):
        return int(server.query(f'select count() from {ledger.database}.{table}_local'))


class InitTest(ClusterLedgerTest):
    def test_init_makes_all_tables_on_all_servers_once(self):
        cluster = intact.get()
        ledger = self.ledger(cluster)
        version = f'select max(version) from {ledger.database}.schema_versions'
        for expected in ('made, schema version', 'there already', 'there already'):
            done = self.command('ledger', 'init', ledger=ledger)
            self.assertEqual((done.returncode, done.stderr), (0, ''))
            self.assertRegex(done.stdout, f'cluster {clickhouse.CLUSTER}: {expected}')
            ledger.settings['urls'].reverse()
            until(lambda: {one.query(version) for one in cluster.servers} == {'2'}, 5)
        tables = [one.query('select groupArray((name, engine)) from (select name, engine from '
                            f"system.tables where database = '{ledger.database}' order by name)")
                  for one in cluster.servers]
        self.assertEqual(len(set(tables)), 1)
        for name, engine in (('cases', 'Distributed'),
                             ('cases_local', 'ReplicatedReplacingMergeTree'),
                             ('traffic_hour_local', 'ReplicatedSummingMergeTree')):
            self.assertIn(f"('{name}','{engine}')", tables[0])
        for one in cluster.servers:
            self.assertEqual(one.query(version), '2')

    def test_init_of_two_at_the_same_time(self):
        ledger = self.ledger(intact.get())
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            done = list(pool.map(lambda _: self.command('ledger', 'init', ledger=ledger), range(2)))
        self.assertEqual([(one.returncode, one.stderr) for one in done], [(0, '')] * 2)
        self.assertIn('there already', self.command('ledger', 'init', ledger=ledger).stdout)

    def test_the_flag_names_the_cluster_and_a_wrong_one_is_told(self):
        ledger = self.ledger(intact.get(), cluster=None, urls=[intact.get().first.url])
        wrong = self.command('ledger', 'init', '--cluster', 'nowhere', ledger=ledger)
        self.assertEqual((wrong.returncode, wrong.stdout), (1, ''))
        self.assertRegex(wrong.stderr, '(?i)cluster.*nowhere|nowhere.*cluster')
        made = self.command('ledger', 'init', '--cluster', clickhouse.CLUSTER, '--json',
                            ledger=ledger)
        self.assertEqual(json.loads(made.stdout)['cluster'], clickhouse.CLUSTER)
        self.assertEqual(self.local(ledger, intact.get().servers[2], 'cases'), 0)

    def test_the_flag_takes_what_the_file_takes(self):
        ledger = self.ledger(intact.get(), cluster=None, urls=[intact.get().first.url])
        for name in ('a`b', 'a.b', '1a'):
            odd = self.command('ledger', 'init', '--print', '--cluster', name, ledger=ledger)
            self.assertEqual((odd.returncode, odd.stdout), (2, ''), odd.stderr)

    def test_what_init_prints_runs_by_hand(self):
        ledger = self.ledger(intact.get())
        printed = self.command('ledger', 'init', '--print', ledger=ledger).stdout
        self.assertIn(f'ON CLUSTER `{clickhouse.CLUSTER}`', printed)
        for statement in printed.split(';\n')[:-1]:
            intact.get().first.query(statement)
        self.assertIn('there already', self.command('ledger', 'init', ledger=ledger).stdout)

    def test_init_goes_through_the_second_url_when_the_first_is_down(self):
        closed = harness.ClosedPort()
        self.addCleanup(closed.stop)
        ledger = self.ledger(intact.get(), urls=[closed.url, intact.get().first.url])
        done = self.command('ledger', 'init', ledger=ledger)
        self.assertEqual((done.returncode, done.stderr), (0, ''))

    def test_trim_reaches_every_shard(self):
        cluster = intact.get()
        ledger = self.init(self.ledger(cluster, keep='48h'))
        for one in (cluster.shards[0][1], cluster.shards[1][0]):
            for days in (0, 5):
                self.insert(ledger, one, days)
        until(lambda: self.local(ledger, cluster.first, 'cases') == 2, 5)
        done = self.command('ledger', 'trim', ledger=ledger)
        self.assertEqual((done.returncode, done.stderr), (0, ''))
        until(lambda: self.local(ledger, cluster.first, 'cases') == 1, 5)
        self.assertEqual([self.local(ledger, one, 'cases') for one in cluster.servers], [1, 1, 1])

    def test_a_server_that_is_down_does_not_keep_trim_from_the_others(self):
        ledger = self.init(self.ledger(intact.get(), keep='48h'))
        down = harness.ClosedPort()
        self.addCleanup(down.stop)
        self.insert(ledger, intact.get().servers[2], 5)
        done = self.command('ledger', 'trim', ledger=ledger,
                            urls=[down.url, *ledger.settings['urls']])
        self.assertEqual(done.returncode, 1)
        self.assertIn(down.url, done.stderr)
        self.assertEqual(self.local(ledger, intact.get().servers[2], 'cases'), 0)


class SecondUrlTest(ClusterLedgerTest):
    def test_the_next_url_takes_over_for_shipping_and_for_reading(self):
        closed = harness.ClosedPort()
        self.addCleanup(closed.stop)
        ledger = self.init(self.ledger(intact.get()))
        ledger.settings['urls'] = [closed.url, intact.get().servers[2].url]
        edges = [self.ledger_edge(ledger, more=[('node', node)]) for node in ('a', 'b')]
        rays = [ray for edge in edges for ray in Load(edge, mixed(60)).wait().rays]
        self.assert_exactly(ledger, rays)
        self.assertEqual(sum(self.local(ledger, intact.get().servers[2], table)
                             for table in RECORDS), 120)
        cases = self.command('cases', '--json', '--limit', '100', ledger=ledger)
        self.assertEqual((cases.returncode, cases.stderr), (0, ''))
        self.assertEqual(len(json.loads(cases.stdout)), 30)
        status = self.command('ledger', 'status', ledger=ledger)
        self.assertEqual((status.returncode, status.stderr), (0, ''))

    def test_a_dead_server_beside_a_live_one_is_told_once_and_the_ledger_stays_up(self):
        """While it may have a batch, two lines came each five seconds."""
        servers = intact.get().servers
        dying = relay.Relay(servers[2].port, cases=[relay.Fault('between', 'rst',
                                                                lambda: dying.stop())])
        ledger = self.init(self.ledger(intact.get()))
        ledger.settings['urls'] = [servers[0].url, dying.url]
        # An edge's name says which server it prefers; these take the second.
        edges = [self.ledger_edge(ledger, more=[('node', node)]) for node in 'ab']
        for edge in edges:
            edge.fetch('/bad/1')
        self.assertTrue(until(lambda: dying.origin.stopped, 10))
        for _ in range(12):
            time.sleep(1)
            for edge in edges:
                edge.fetch('/bad/2')
                self.assertEqual(metrics(edge)['edgecase_ledger_up'], 1)
        for edge in edges:
            self.assertLessEqual(edge.errors().count('cannot be reached'), 2, edge.errors())
            self.assertNotIn('takes records again', edge.errors())


class ReaderTest(ClusterLedgerTest):
    def test_a_user_that_may_only_read_reads(self):
        ledger = self.init(self.ledger(intact.get()))
        rays = Load(self.ledger_edge(ledger), mixed(40)).wait().rays
        self.assert_exactly(ledger, rays)
        for argv in (['cases', '--json', '--limit', '100'], ['traffic', '--json'],
                     ['ledger', 'status', '--json'], ['ray', rays[0], '--json']):
            answers = [self.command(*argv, ledger=ledger, user=user) for user in (None, 'reader')]
            self.assertEqual([(one.returncode, one.stderr) for one in answers], [(0, '')] * 2, argv)
        self.assertEqual(answers[0].stdout, answers[1].stdout)


class PartialTest(ClusterLedgerTest):
    """A shard that is away is told by every command; a replica that is away is not missed."""

    def ask(self, *argv):
        return self.command(*argv, ledger=self.book)

    def assert_counts(self, traffic, requests):
        """Origins are added up by the edge, paths by the servers."""
        traffic = json.loads(traffic)
        self.assertEqual(traffic['totals']['requests'], requests)
        for top in ('origins', 'paths'):
            of_top = traffic['top'][top]
            self.assertEqual(sum(one['requests'] for one in of_top), requests, of_top)
            self.assertEqual(sum(one['failures'] for one in of_top), traffic['totals']['failures'])
        self.assertLessEqual(max(one['p95_ms'] for one in traffic['top']['paths']),
                             traffic['totals']['max_ms'])

    def test_what_is_read_while_a_shard_is_away_says_so(self):
        cluster = self.own_cluster()
        alone, second = cluster.shards[0][1], cluster.shards[1][0]
        self.book = self.init(self.ledger(cluster))
        of_shard = []
        for number, one in enumerate((cluster.first, second), 1):
            edge = self.ledger_edge(self.book, top=f'node_id = {number}',
                                    more=[('urls', [one.url]), ('node', f'n{number}')])
            of_shard.append(Load(edge, mixed(80)).wait().rays)
        self.assert_exactly(self.book, of_shard[0] + of_shard[1])
        whole = json.loads(self.ask('cases', '--json').stdout)
        self.assertEqual(len(whole), 40)
        log = os.path.join(self.temporary_directory(), 'access.log')
        with open(log, 'w') as file:
            file.write('1.2.3.4 - - [01/Nov/2026:10:00:01 +0000] "GET /x HTTP/1.1" 200 5 "-" "c"\n')

        alone.kill()
        for argv in (['cases', '--json'], ['traffic', '--json'], ['ledger', 'status']):
            done = self.ask(*argv)
            self.assertEqual((done.returncode, done.stderr), (0, ''), argv)
            if argv[0] == 'traffic':
                self.assert_counts(done.stdout, 160)
        alone.up()
        second.kill()
        missing = f'a part only: no answer from shard 2 (127.0.0.1:{second.native_port})'
        for argv in (['cases', '--json'], ['traffic', '--json'], ['findings', '--json'],
                     ['trace', '--origin-log', log, '--json']):
            done = self.ask(*argv)
            self.assertEqual(done.returncode, 0, (argv, done.stderr))
            self.assertIn(missing, done.stderr, argv)
            if argv[0] != 'trace':  # which has more to say
                self.assertEqual(done.stderr.count('\n'), 1, argv)
            if argv[0] == 'cases':
                self.assertEqual({c['ray_id'] for c in json.loads(done.stdout)},
                                 {c['ray_id'] for c in whole} & set(of_shard[0]))
            if argv[0] == 'traffic':
                self.assert_counts(done.stdout, 80)
        found = self.ask('ray', of_shard[0][0])
        self.assertEqual((found.returncode, found.stderr), (0, ''))  # it is whole
        lost = self.ask('ray', of_shard[1][0])
        self.assertEqual((lost.returncode, lost.stdout), (1, ''))
        self.assertIn(missing, lost.stderr)
        status = self.ask('ledger', 'status', '--json')
        self.assertEqual(status.returncode, 1)
        self.assertEqual(json.loads(status.stdout)['missing'],
                         [f'shard 2 (127.0.0.1:{second.native_port})'])
        self.assertIn(missing, self.ask('ledger', 'status').stderr)
        edge = self.ledger_edge(self.book, top='node_id = 3', more=[('node', 'n3')])
        for path in ('/api/cases', '/api/traffic', '/api/findings', '/api/origins'):
            answer = wire.fetch(edge.admin, path=path, host=HERE)
            self.assertEqual(answer.status, 200, answer.body)
            self.assertEqual(answer.header('edgecase-missing'), missing.split('from ')[1], path)
        second.up()
        again = self.ask('cases', '--json')
        self.assertEqual((again.returncode, again.stderr), (0, ''))
        self.assertEqual(json.loads(again.stdout), whole)


    def test_top_and_tail_say_so_as_well(self):
        cluster = self.own_cluster()
        self.book = self.init(self.ledger(cluster))
        cluster.servers[2].kill()
        for argv in (['top', '--once', '--json'], ['top', '--once'], ['tail', '--no-follow']):
            done = self.ask(*argv)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn('a part only: no answer from shard 2', done.stderr, argv)


class LoadTest(ClusterLedgerTest):
    def three_edges(self, ledger):
        origin = self.origin(by_path)
        return [self.ledger_edge(ledger, origin, f'node_id = {n}', [('node', f'edge-{n}')])
                for n in (1, 2, 3)]

    def settle(self, ledger, cluster, edges, loads):
        """In the end the ledger has what the edges counted and what the clients saw, once, and each
        replica has it."""
        rays = [ray for load in loads for ray in load.stop().rays]
        self.assertEqual([load.unanswered for load in loads], [0, 0, 0])
        until(lambda: ledger.records() >= len(rays), 90)
        until(lambda: min(ledger.counted()) >= len(rays), 30)
        self.assert_replicas_agree(ledger, cluster)
        self.assert_exactly(ledger, rays, 10)
        counted = {f'edge-{n}': metrics(edge) for n, edge in enumerate(edges, 1)}
        for name in ('edgecase_requests_total', 'edgecase_records_written_total'):
            self.assertEqual({node: int(m[name]) for node, m in counted.items()},
                             self.by_node(ledger), name)
        for step in STEPS:
            self.assertEqual({node: int(count) for node, count in ledger.ask(
                f'select node, toUInt64(sum(requests)) from {step} where family = 0 '
                'group by node')}, self.by_node(ledger))
        self.assertEqual({m['edgecase_ledger_records_lost_total'] for m in counted.values()}, {0})

    def test_three_edges_fill_it_together(self):
        ledger = self.init(self.ledger(intact.get()))
        edges = self.three_edges(ledger)
        loads = [Load(edge, mixed(1_000_000), clients=1, pause=0.01) for edge in edges]
        time.sleep(3)
        self.settle(ledger, intact.get(), edges, loads)

    def assert_replicas_agree(self, ledger, cluster):
        for table in (*RECORDS, *STEPS):
            rows = 'count()' if table in RECORDS else 'sum(requests)'
            sql = f'select toUInt64({rows}) from {ledger.database}.{table}_local'
            self.assertTrue(
                until(lambda: len({one.query(sql) for one in cluster.shards[0]}) == 1, 30), table)

    def test_servers_are_killed_and_come_back_under_load(self):
        cluster = self.own_cluster()
        ledger = self.init(self.ledger(cluster))
        edges = self.three_edges(ledger)
        loads = [Load(edge, mixed(1_000_000), clients=1, pause=0.01) for edge in edges]
        time.sleep(2)
        for one in (cluster.shards[1][0], cluster.shards[0][1]):
            one.kill()
            before = [len(load.rays) for load in loads]
            time.sleep(3)
            for load, count in zip(loads, before):
                # A busy machine is slow; who waited for the ledger would not come beyond one.
                self.assertGreater(len(load.rays), count + 8)
            one.up()
            time.sleep(1.5)
        self.settle(ledger, cluster, edges, loads)

    def test_without_zookeeper_records_wait_and_come_once(self):
        cluster = self.own_cluster()
        ledger = self.init(self.ledger(cluster))
        # With ON CLUSTER a server that loses its ZooKeeper dies of SIGSEGV.
        cluster.ddl = {}
        for shard, servers in enumerate(cluster.shards, 1):
            for replica, one in enumerate(servers, 1):
                one.kill()
                one.configure(cluster._membership(shard, replica))
                one.up()
        edges = self.three_edges(ledger)
        loads = [Load(edge, mixed(1_000_000), clients=1, pause=0.01) for edge in edges]
        time.sleep(2)
        cluster.zookeeper.kill()
        time.sleep(4)
        cluster.zookeeper.up()
        time.sleep(1)
        self.settle(ledger, cluster, edges, loads)


if __name__ == '__main__':
    harness.main(clickhouse.missing(cluster=True), jobs=3,
                 first=('without_zookeeper', 'come_back_under_load', 'while_a_shard_is_away'))

"""What the room `clickhouse` relies on, asked of real servers: what helps it, and what it must build
around."""
import concurrent.futures
import gzip
import itertools
import socket
import struct
import threading
import time
import urllib.parse

import certificates
import clickhouse
import harness
import wire

BITS_OF_VARINT = 7
SMALL_BLOCKS = {'max_insert_block_size': 1000, 'min_insert_block_size_rows': 1,
                'min_insert_block_size_bytes': 1}
ROW_BYTES = 105
numbers = itertools.count(1)

server = harness.Shared(lambda: clickhouse.ClickHouseServer().up())
cluster = harness.Shared(lambda: clickhouse.ClickHouseCluster(2, 2).up())


def varint(number):
    """As RowBinary writes lengths."""
    encoded = b''
    while number >> BITS_OF_VARINT:
        encoded += bytes([number & 0x7f | 0x80])
        number >>= BITS_OF_VARINT
    return encoded + bytes([number])


def binary_row(key, text):
    return struct.pack('<I', key) + varint(len(text)) + text


def eventually_equal(test, expected, question, seconds=10):
    """Replicas follow one another within milliseconds on an idle machine."""
    wire.eventually(lambda: question() == expected, seconds * harness.SLOWNESS)
    test.assertEqual(question(), expected)


class ServerTest(harness.TestCase):
    def up(self, **options):
        one = clickhouse.ClickHouseServer(**options)
        self.addCleanup(one.stop)
        return one.up()

    def test_an_acknowledged_row_survives_sigkill(self):
        one = self.up()
        one.query('create table kept (k UInt32) engine = MergeTree order by k')
        for key in range(3):
            one.query(f'insert into kept values ({key})')
            one.kill()
            one.up()
        self.assertEqual(one.query('select groupArray(k) from (select k from kept order by k)'),
                         '[0,1,2]')

    def test_https_with_user_and_password(self):
        one = self.up(user='edge', password='a<b&c', https=True)
        tls = certificates.client_context()
        self.assertEqual(one.query('select 7', tls=tls), '7')
        self.assertEqual(one.request('select 7', tls=tls, password='other').status, 401)

    def test_a_server_that_cannot_start_says_why(self):
        with self.assertRaisesRegex(AssertionError, 'nowhere.xml'):
            self.up(config={'users_config': '/nowhere.xml'})


class ClusterTest(harness.TestCase):
    """Helpers for tests with tables on a cluster."""

    def setUp(self):
        self.cluster = cluster.get()
        self.one, self.other = self.cluster.shards[0]

    def on_cluster(self, create, name, what):
        self.cluster.first.query(f'{create} {name} on cluster {clickhouse.CLUSTER} {what}')

    def table(self, columns='t DateTime, k UInt32, v String', engine='ReplicatedMergeTree',
              version='', order='k', more=''):
        """A new table on every server."""
        name = f't{next(numbers)}'
        keeper = (f"('/clickhouse/tables/{{shard}}/{name}', '{{replica}}'{version})"
                  if engine.startswith('Replicated') else '')
        self.on_cluster('create table', name,
                        f'({columns}) engine = {engine}{keeper} {more} order by {order}')
        return name

    def distributed(self, table, key='k'):
        self.on_cluster('create table', f'{table}_all', f'as {table} engine = '
                        f'Distributed({clickhouse.CLUSTER}, default, {table}, {key})')
        return f'{table}_all'

    def view(self, table, target, count='count()'):
        """Counts the rows of each key of `table`."""
        self.on_cluster('create materialized view', f'{table}_to_{target}',
                        f'to {target} as select k, {count} as n from {table} group by k')
        return target

    def summing(self, engine):
        return self.table('k UInt32, n UInt64', engine)

    def counts(self, table):
        """How many rows each server has."""
        return [int(one.query(f'select count() from {table}')) for one in self.cluster.servers]

    def total(self, one, target):
        return int(one.query(f'select sum(n) from {target}'))

    def insert(self, one, table, *rows, **settings):
        """Rows are (day, key, text)."""
        one.query(f'insert into {table} (t, k, v) format TSV', ''.join(
            f'2026-11-{day:02} 00:00:00\t{key}\t{text}\n' for day, key, text in rows).encode(),
            **settings)


class TablesTest(ClusterTest):
    def test_what_is_made_on_the_cluster_is_on_every_server(self):
        table = self.table()
        newest = self.table('k UInt32, v UInt32', 'ReplicatedReplacingMergeTree', ', v')
        both = self.distributed(table)
        engines = [one.query("select groupArray(engine) from (select engine from system.tables "
                             f"where name in ('{table}', '{newest}', '{both}') order by engine)")
                   for one in self.cluster.servers]
        self.assertEqual(engines, ["['Distributed','ReplicatedMergeTree',"
                                   "'ReplicatedReplacingMergeTree']"] * 4)

    def test_a_distributed_insert_goes_by_key_to_both_replicas_of_a_shard(self):
        table = self.table()
        self.insert(self.one, self.distributed(table), *((1, key, 'x') for key in range(40)),
                    insert_distributed_sync=1)
        eventually_equal(self, [20, 20, 20, 20], lambda: self.counts(table))
        self.assertEqual(self.cluster.first.query(f'select count() from {table}_all'), '40')

    def test_the_newest_of_replaced_rows_is_read_with_final_through_distributed(self):
        table = self.table('k UInt32, v UInt32', 'ReplicatedReplacingMergeTree', ', v')
        both = self.distributed(table)
        for value in (1, 3, 2):
            self.cluster.first.query(f'insert into {both} values (5, {value})',
                                     insert_distributed_sync=1)
        eventually_equal(self, [['5', '3']],
                         lambda: self.cluster.first.rows(f'select k, v from {both} final'))


class DuplicatesTest(ClusterTest):
    def test_an_equal_block_is_kept_once_through_one_replica_or_both(self):
        table = self.table()
        for one in (self.one, self.one, self.other):
            self.insert(one, table, (1, 1, 'x'), (1, 2, 'y'))
        eventually_equal(self, [2, 2, 0, 0], lambda: self.counts(table))

    def test_an_equal_block_is_kept_once_through_distributed(self):
        table = self.table()
        both = self.distributed(table)
        for _ in range(2):
            self.insert(self.one, both, *((1, key, 'x') for key in range(40)),
                        insert_distributed_sync=1)
        eventually_equal(self, [20, 20, 20, 20], lambda: self.counts(table))

    def test_a_block_is_equal_in_another_order_of_keys_but_not_within_a_key(self):
        table = self.table()
        self.insert(self.one, table, (1, 1, 'x'), (1, 2, 'x'))
        self.insert(self.one, table, (1, 2, 'x'), (1, 1, 'x'))
        self.assertEqual(self.one.query(f'select count() from {table}'), '2')
        self.insert(self.one, table, (1, 3, 'x'), (1, 3, 'y'))
        self.insert(self.one, table, (1, 3, 'y'), (1, 3, 'x'))
        self.assertEqual(self.one.query(f'select count() from {table}'), '6')

    def test_a_block_is_new_again_once_it_left_the_window(self):
        table = self.table(more='', order='k settings replicated_deduplication_window = 1, '
                                        'cleanup_delay_period = 1')
        for key in (1, 2, 3):
            self.insert(self.one, table, (1, key, 'x'))

        def count_again():
            self.insert(self.one, table, (1, 1, 'x'))
            return int(self.one.query(f'select count() from {table}'))
        self.assertEqual(count_again(), 3)
        self.assertTrue(wire.eventually(lambda: count_again() > 3, 30 * harness.SLOWNESS))

    def test_a_duplicate_reaches_no_view(self):
        table = self.table()
        alone = self.view(table, self.summing('SummingMergeTree'))
        both = self.view(table, self.summing('ReplicatedSummingMergeTree'))
        self.insert(self.one, table, (1, 1, 'x'))
        eventually_equal(self, [1, 1, 0, 0], lambda: self.counts(table))
        for one in (self.one, self.other):
            self.insert(one, table, (1, 1, 'x'))
        self.assertEqual([self.total(one, alone) for one in (self.one, self.other)], [1, 0])
        eventually_equal(self, [1, 1],
                         lambda: [self.total(one, both) for one in (self.one, self.other)])

    def test_blocks_that_a_view_makes_equal_both_count_if_its_source_is_replicated(self):
        table = self.table()
        target = self.view(table, self.summing('ReplicatedSummingMergeTree'))
        self.insert(self.one, table, (1, 1, 'x'))
        self.insert(self.one, table, (1, 1, 'y'))
        self.assertEqual(self.total(self.one, target), 2)

    def test_blocks_that_a_view_makes_equal_count_once_if_only_its_target_is_replicated(self):
        table = self.table(engine='MergeTree')
        target = self.view(table, self.summing('ReplicatedSummingMergeTree'))
        self.insert(self.one, table, (1, 1, 'x'))
        self.insert(self.one, table, (1, 1, 'y'))
        self.assertEqual(self.counts(table)[0], 2)
        self.assertEqual(self.total(self.one, target), 1)

    def test_a_block_known_in_one_of_its_partitions_reaches_no_view(self):
        for new, known in ((1, 2), (2, 1)):
            table = self.table(more='partition by toYYYYMMDD(t)')
            target = self.view(table, self.summing('ReplicatedSummingMergeTree'))
            self.insert(self.one, table, (known, 1, 'x'))
            self.insert(self.one, table, (1, 1, 'x'), (2, 1, 'x'))
            self.assertEqual(self.counts(table)[0], 2)
            self.assertEqual(self.total(self.one, target), 1, f'new is day {new}')

    def test_a_view_that_failed_is_not_fed_by_the_retry(self):
        table = self.table()
        target = self.view(table, self.summing('MergeTree'), "count() + throwIf(any(v) = 'bad')")
        with self.assertRaisesRegex(clickhouse.ClickHouseError, 'Code: 395'):
            self.insert(self.one, table, (1, 1, 'bad'))
        self.assertEqual(self.counts(table)[0], 1)
        self.insert(self.one, table, (1, 1, 'bad'))
        self.assertEqual([self.counts(table)[0], self.total(self.one, target)], [1, 0])


class QuorumTest(ClusterTest):
    def test_a_row_is_on_both_replicas_when_a_quorum_of_two_returns(self):
        table = self.table()
        for key in range(5):
            self.insert(self.one, table, (1, key, 'x'), insert_quorum=2)
            self.assertEqual(self.other.query(f'select count() from {table}'), str(key + 1))

    def test_concurrent_quorum_inserts_refuse_each_other(self):
        table = self.table()

        def insert(key):
            try:
                self.insert((self.one, self.other)[key % 2], table, (1, key, 'x'), insert_quorum=2)
                return 0
            except clickhouse.ClickHouseError as error:
                return error.code
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            codes = list(pool.map(insert, range(40)))
        self.assertIn(286, codes)
        self.assertLessEqual(set(codes), {0, 286})
        eventually_equal(self, [codes.count(0)] * 2, lambda: self.counts(table)[:2])

    def test_a_row_without_its_quorum_is_stored_and_its_retry_settles_it(self):
        self.cluster = clickhouse.ClickHouseCluster(1, 2)
        self.addCleanup(self.cluster.stop)
        self.cluster.up()
        self.one, self.other = self.cluster.servers
        table = self.table()
        self.other.kill()
        with self.assertRaises(clickhouse.ClickHouseError) as refused:
            self.insert(self.one, table, (1, 1, 'x'), insert_quorum=2, insert_quorum_timeout=500)
        self.assertEqual(refused.exception.code, 319)
        self.assertEqual(self.one.query(f'select count() from {table}'), '1')
        self.other.up()

        def settled():
            response = self.one.request(f'insert into {table} (t, k, v) format TSV',
                                        b'2026-11-01 00:00:00\t1\tx\n', insert_quorum=2)
            return response.status == 200
        self.assertTrue(wire.eventually(settled, 30 * harness.SLOWNESS))
        eventually_equal(self, [1, 1], lambda: self.counts(table))


class KeeperTest(ClusterTest):
    def test_without_zookeeper_inserts_are_refused_reads_work_and_all_mends_itself(self):
        self.cluster = clickhouse.ClickHouseCluster(1, 1, ddl=False)
        self.addCleanup(self.cluster.stop)
        one = self.cluster.up().first
        one.query("create table kept (k UInt32) engine = "
                  "ReplicatedMergeTree('/clickhouse/tables/{shard}/kept', '{replica}') order by k")
        one.query('insert into kept values (1)')
        self.cluster.zookeeper.kill()
        with self.assertRaises(clickhouse.ClickHouseError) as refused:
            one.query('insert into kept values (2)')
        self.assertIn(refused.exception.code, (225, 242, 319, 999))
        self.assertEqual(one.query('select k from kept where k = 1'), '1')
        self.cluster.zookeeper.up()
        self.assertTrue(wire.eventually(
            lambda: one.request('insert into kept values (3)').status == 200,
            30 * harness.SLOWNESS))


def _with_a_shard_down():
    """Three shards with ten rows each, of which the second is gone."""
    wounded = clickhouse.ClickHouseCluster(3, 1).up()
    for name in ('r', 'w'):
        wounded.first.query(f'create table {name} on cluster {clickhouse.CLUSTER} (k UInt32) '
                            'engine = MergeTree order by k')
        wounded.first.query(f'create table {name}_all on cluster {clickhouse.CLUSTER} as {name} '
                            f'engine = Distributed({clickhouse.CLUSTER}, default, {name}, k)')
    wounded.first.query('insert into r_all select toUInt32(number) from numbers(30)',
                        insert_distributed_sync=1)
    wounded.servers[1].kill()
    return wounded


wounded = harness.Shared(_with_a_shard_down)


class ShardDownTest(harness.TestCase):
    def setUp(self):
        self.cluster = wounded.get()
        self.down = self.cluster.servers[1]

    def refused(self, sql, **settings):
        with self.assertRaises(clickhouse.ClickHouseError) as refused:
            self.cluster.first.query(sql, **settings)
        return refused.exception

    def test_a_query_is_code_279_and_names_the_address_of_the_shard(self):
        error = self.refused('select count() from r_all')
        self.assertEqual((error.status, error.code), (500, 279))
        self.assertIn(f'(127.0.0.1:{self.down.native_port})', error.text)

    def test_skip_unavailable_shards_is_partial_and_says_nothing(self):
        response = self.cluster.first.request('select count() from r_all',
                                                   skip_unavailable_shards=1)
        self.assertEqual((response.status, response.body), (200, b'20\n'))

    def test_the_shards_that_answer_are_found_by_their_macro(self):
        shards = self.cluster.first.rows('select distinct shard_num from system.clusters '
                                   f"where cluster = '{clickhouse.CLUSTER}' order by shard_num")
        answering = self.cluster.first.rows(
            f"select substitution from cluster('{clickhouse.CLUSTER}', system, macros) "
            "where macro = 'shard' order by substitution", skip_unavailable_shards=1)
        self.assertEqual((shards, answering), ([['1'], ['2'], ['3']], [['01'], ['03']]))

    def test_each_replica_is_asked_alone_by_its_address_in_system_clusters(self):
        answers = {}
        for host, port in self.cluster.first.rows('select host_address, port from system.clusters '
                                            f"where cluster = '{clickhouse.CLUSTER}'"):
            response = self.cluster.first.request(
                f"select 1 from remote('{host}:{port}', system, one)")
            answers[int(port)] = response.status
        self.assertEqual(answers, {one.native_port: 500 if one is self.down else 200
                                   for one in self.cluster.servers})

    def test_a_synchronous_distributed_insert_is_code_279(self):
        error = self.refused('insert into w_all select toUInt32(number) from numbers(30)',
                             insert_distributed_sync=1)
        self.assertEqual(error.code, 279)

    def test_on_cluster_runs_where_it_can_and_ends_in_code_159(self):
        error = self.refused(f'create table late on cluster {clickhouse.CLUSTER} (k UInt32) '
                             'engine = MergeTree order by k', distributed_ddl_task_timeout=1)
        self.assertEqual(error.code, 159)
        self.assertEqual(self.cluster.servers[2].query('exists table late'), '1')


class SingleTest(harness.TestCase):
    def setUp(self):
        self.server = server.get()

    def table(self, columns='k UInt32, v String', engine='MergeTree order by k'):
        name = f't{next(numbers)}'
        self.server.query(f'create table {name} ({columns}) engine = {engine}')
        return name

    def count(self, table):
        return int(self.server.query(f'select count() from {table}'))


class FormatTest(SingleTest):
    def test_every_byte_passes_through_a_string_of_row_binary(self):
        table = self.table()
        row = binary_row(7, bytes(range(256)) * 3)
        self.server.query(f'insert into {table} format RowBinary', row)
        self.assertEqual(self.server.query_bytes(f'select k, v from {table} format RowBinary'), row)

    def test_a_gzipped_insert_is_read_with_all_its_members(self):
        table = self.table()
        body = gzip.compress(binary_row(1, b'x')) + gzip.compress(binary_row(2, b'y'))
        self.server.query(f'insert into {table} format RowBinary', body,
                          headers=(('Content-Encoding', 'gzip'),))
        self.assertEqual(self.count(table), 2)

    def test_responses_and_errors_are_gzipped_when_asked_for(self):
        accept = (('Accept-Encoding', 'gzip'),)
        for sql, expected in (('select 7', b'7\n'), ('select * from nowhere', b'Code: 60,')):
            response = self.server.request(sql, headers=accept, enable_http_compression=1)
            self.assertEqual(response.header('content-encoding'), 'gzip')
            self.assertTrue(gzip.decompress(response.body).startswith(expected))
        unasked = self.server.request('select 7', headers=accept)
        self.assertIsNone(unasked.header('content-encoding'))


class ErrorTest(SingleTest):
    def test_each_fault_has_its_status_and_its_code_in_the_body(self):
        table = self.table()
        insert = f'insert into {table} format RowBinary'
        for status, code, sql, more in (
                (401, 192, 'select 1', {'user': 'nobody'}),
                (401, 193, 'select 1', {'password': 'wrong'}),
                (400, 62, 'selec 1', {}),
                (404, 60, 'select * from nowhere', {}),
                (404, 81, 'select * from nowhere.nowhere', {}),
                (404, 47, 'select nothing', {}),
                (404, 46, 'select nothing()', {}),
                (404, 115, 'select 1', {'modern_setting': 1}),
                (404, 73, 'select 1 format Parquet', {}),
                (500, 57, f'create table {table} (k UInt8) engine = Memory', {}),
                (500, 33, insert, {'body': b'\1'}),
                (500, 27, f'insert into {table} format TSV', {'body': b'x\n'}),
                (500, 354, insert, {'body': b'x', 'headers': (('Content-Encoding', 'gzip'),)}),
                (500, 89, insert, {'body': b'x', 'headers': (('Content-Encoding', 'zstd'),)}),
                (500, 159, 'select count() from numbers(100000000000)',
                 {'max_execution_time': 1})):
            with self.assertRaises(clickhouse.ClickHouseError) as refused:
                self.server.query(sql, **more)
            self.assertEqual((refused.exception.status, refused.exception.code), (status, code),
                             refused.exception)

    def test_an_error_behind_the_first_rows_ends_a_complete_200(self):
        late = "select throwIf(number = 3000000), toString(number) from numbers(10000000)"
        response = self.server.request(late)
        self.assertEqual((response.status, response.complete), (200, True))
        self.assertRegex(response.body[-200:].decode(), r'\nCode: 395, .*DB::Exception\n$')
        self.assertEqual(self.server.request(late, wait_end_of_query=1).status, 500)

    def test_a_connection_stays_usable_behind_an_error_and_tells_its_idle_time(self):
        with wire.Client(('127.0.0.1', self.server.port)) as client:
            for status in (400, 200):
                sql = 'selec' if status == 400 else 'select+1'
                client.send(wire.request('POST', f'/?query={sql}', body=b''))
                response = client.response()
                self.assertEqual((response.status, response.header('keep-alive')),
                                 (status, 'timeout=10'))

    def test_a_refused_insert_is_answered_behind_a_mebibyte_of_its_body(self):
        request = wire.request('POST', '/?query=insert+into+nowhere+format+TSV',
                               (('Content-Length', '100000000'), ('Connection', 'close')))
        with wire.Client(('127.0.0.1', self.server.port)) as client:
            client.send(request + b'x' * ((1 << 20) - 1))
            self.assertTrue(client.is_silent_for(0.5))
            client.send(b'x')
            self.assertEqual(client.response().status, 404)


class CutInsertTest(SingleTest):
    """50 000 rows of ROW_BYTES each are announced, and the connection ends earlier."""

    rows = b''.join(binary_row(key, b'x' * 100) for key in range(50_000))

    def kept(self, body, reset=False, length=len(rows), headers=(), **settings):
        """How many rows the table has after the connection ended behind `body`."""
        table = self.table()
        query = {'query': f'insert into {table} format RowBinary', **settings}
        request = wire.request('POST', '/?' + urllib.parse.urlencode(query),
                               (('Content-Length', str(length)), *headers))
        with wire.Client(('127.0.0.1', self.server.port)) as client:
            client.send(request + body)
            if reset:
                self.wait_until_read(client)
                client.reset()
            else:
                client.socket.shutdown(socket.SHUT_WR)
                client.response()
        running = f"select count() from system.processes where query like 'insert into {table} %'"
        wire.eventually(lambda: self.server.query(running) == '0', 10 * harness.SLOWNESS)
        return self.count(table)

    @staticmethod
    def wait_until_read(client):
        """Until the server has taken all bytes: behind a reset they would be lost."""
        mine = client.socket.getsockname()[1]

        def unread():
            with open('/proc/net/tcp') as table:
                rows = [line.split() for line in list(table)[1:]]
            return sum(int(queue, 16) for row in rows
                       if mine in (int(row[1].split(':')[1], 16), int(row[2].split(':')[1], 16))
                       for queue in row[4].split(':'))
        wire.eventually(lambda: not unread(), 10 * harness.SLOWNESS)

    def test_a_body_ended_by_fin_between_rows_is_taken_for_a_whole_one(self):
        self.assertEqual(self.kept(self.rows[:40_000 * ROW_BYTES]), 40_000)

    def test_a_body_ended_by_fin_inside_a_row_is_dropped(self):
        self.assertEqual(self.kept(self.rows[:40_000 * ROW_BYTES + 50]), 0)

    def test_a_body_ended_by_rst_is_dropped(self):
        self.assertEqual(self.kept(self.rows[:40_000 * ROW_BYTES], reset=True), 0)

    def test_small_blocks_ahead_of_the_cut_are_kept(self):
        body = self.rows[:40_000 * ROW_BYTES + 50]
        self.assertEqual(self.kept(body, **SMALL_BLOCKS), 40_000)
        # The last of the mebibytes that it reads at a time was not full yet.
        self.assertIn(self.kept(body, reset=True, **SMALL_BLOCKS), range(29_000, 40_000))

    def test_a_small_max_insert_block_size_alone_does_not_split_an_insert(self):
        body = self.rows[:40_000 * ROW_BYTES + 50]
        self.assertEqual(self.kept(body, max_insert_block_size=1000), 0)

    def test_a_gzipped_body_that_is_cut_is_dropped_wherever_the_cut_is(self):
        body = gzip.compress(self.rows, 1)
        for end in (len(body) // 3, len(body) // 2, len(body) - 1):
            self.assertEqual(self.kept(body[:end], length=len(body),
                                       headers=(('Content-Encoding', 'gzip'),)), 0)

    def test_a_row_that_cannot_be_read_drops_its_whole_insert(self):
        table = self.table()
        response = self.server.request(f'insert into {table} format TSV', b'1\tx\n' * 1000 + b'y\n')
        self.assertEqual((response.status, self.count(table)), (500, 0))


class AggregateTest(SingleTest):
    """Rollups of requests by minute: counts, histograms of latency, the worst."""

    def assert_merges_into_one(self, table):
        self.server.query(f'optimize table {table} final')
        self.assertEqual(self.count(table), 1)

    def test_a_summing_table_adds_the_counts_of_equal_buckets(self):
        table = self.table('minute UInt32, n UInt64, latencyMap Nested(bucket UInt16, count '
                           'UInt64)', 'SummingMergeTree order by minute')
        for bucket, count in ((1, 10), (2, 5), (1, 20)):
            self.server.query(f'insert into {table} values (7, 1, [{bucket}], [{count}])')
        self.assertEqual(
            self.server.query(f'select sum(n), sumMap(latencyMap.bucket, latencyMap.count) '
                              f'from {table}'), '3\t([1,2],[30,5])')
        self.assert_merges_into_one(table)
        self.assertEqual(self.server.query(f'select * from {table}'), '7\t3\t[1,2]\t[30,5]')

    def test_a_summing_table_adds_every_number_so_a_maximum_is_a_state(self):
        table = self.table('minute UInt32, plain UInt32, worst AggregateFunction(max, UInt32)',
                           'SummingMergeTree order by minute')
        for ms in (10, 5, 20):
            self.server.query(f'insert into {table} select 7, {ms}, maxState(toUInt32({ms}))')
        self.assert_merges_into_one(table)
        self.assertEqual(self.server.query(f'select any(plain), maxMerge(worst) from {table}'),
                         '35\t20')
        self.assertEqual(self.server.request('create table simple (m SimpleAggregateFunction(max, '
                                             'UInt32)) engine = Memory').status, 404)

    def test_a_view_makes_rollups_of_which_quantiles_are_computed(self):
        rollup = self.table('minute DateTime, n UInt64, latencyMap Nested(bucket UInt16, count '
                            'UInt64), worst AggregateFunction(max, UInt32)',
                            'SummingMergeTree order by minute')
        raw = self.table('t DateTime, ms UInt32', 'MergeTree order by t')
        self.server.query(
            f'create materialized view {raw}_view to {rollup} as select toStartOfMinute(t) as '
            'minute, count() as n, groupArray(toUInt16(intDiv(ms, 10))) as `latencyMap.bucket`, '
            'groupArray(toUInt64(1)) as `latencyMap.count`, maxState(ms) as worst '
            f'from {raw} group by minute')
        for rows in ('(60, 10), (61, 25), (62, 11)', '(70, 990)', '(119, 27)'):
            self.server.query(f'insert into {raw} values {rows}')
        self.assert_merges_into_one(rollup)
        self.assertEqual(self.server.query(
            'select sum(n), maxMerge(worst), (sumMap(latencyMap.bucket, latencyMap.count) as m).1 '
            'as buckets, arrayCumSum(m.2) as sums, arrayFirst((bucket, below) -> below >= 0.5 * '
            f'sums[-1], buckets, sums) as median from {rollup}'),
            '5\t990\t[1,2,99]\t[2,4,5]\t2')

    def test_an_aggregating_table_merges_states(self):
        table = self.table('k UInt8, n AggregateFunction(count), m AggregateFunction(sumMap, '
                           'Array(UInt16), Array(UInt64))', 'AggregatingMergeTree order by k')
        for bucket in (1, 2, 1):
            self.server.query(f'insert into {table} select 1, countState(), '
                              f'sumMapState([toUInt16({bucket})], [toUInt64(1)])')
        self.assert_merges_into_one(table)
        self.assertEqual(self.server.query(f'select countMerge(n), sumMapMerge(m) from {table}'),
                         '3\t([1,2],[2,1])')


if __name__ == '__main__':
    harness.main(clickhouse.missing(cluster=True), jobs=4)

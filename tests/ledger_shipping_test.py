"""An edge's records on their way to one real ClickHouse server that is away, dies or is cut off:
each is there in the end, once, in the tables and in the rollups."""
import contextlib
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import threading
import time

import clickhouse
import harness
import relay
import wire
from harness import SLOWNESS
from ledger import (HERE, Ledger, Load, OneServerTest, metrics, mixed, server, stored,
                    until)
from raw_origin import by_path

# A record of 6 KB.
LONG = 'x' * 3000
LARGE = [(name, LONG) for name in ('User-Agent', 'Referer')]

CORPUS = os.path.join(os.path.dirname(harness.BINARY), 'bench', 'record_corpus')


class AwayTest(OneServerTest):
    def test_an_edge_starts_without_its_ledger_and_ships_later(self):
        one = clickhouse.ClickHouseServer()
        self.addCleanup(one.stop)
        ledger = Ledger(one)
        edge = self.ledger_edge(ledger)
        rays = Load(edge, mixed(200)).wait().rays
        self.assertEqual(len(rays), 200)
        said = wire.eventually(lambda: 'cannot be reached' in edge.errors() and edge.errors())
        self.assertIn('records wait in', said)
        self.assertEqual(metrics(edge)['edgecase_ledger_up'], 0)
        api = wire.fetch(edge.admin, path='/api/cases', host=HERE)
        self.assertGreaterEqual(api.status, 500)
        self.assertIn(one.url.encode(), api.body)
        one.up()
        rays += Load(edge, mixed(50)).wait().rays  # still no tables
        self.assertTrue(wire.eventually(lambda: 'there is no ledger' in edge.errors(), 20 * SLOWNESS))
        self.init(ledger)
        self.assert_exactly(ledger, rays, 40)
        self.assertTrue(wire.eventually(lambda: 'takes records again' in edge.errors()))
        self.assertEqual(metrics(edge)['edgecase_ledger_up'], 1)

    def test_an_edge_with_a_ledger_starts_while_its_store_is_locked(self):
        ledger, origin = self.ledger(), self.origin(by_path)
        data_dir = os.path.join(self.temporary_directory(), 'data')
        os.mkdir(data_dir, 0o700)
        file = os.path.join(data_dir, 'records.sqlite')
        with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as other:
            other.execute('begin exclusive')
            edge = self.ledger_edge(ledger, origin, data_dir=data_dir)
            rays = [edge.fetch('/bad/1').ray]
            self.assertTrue(wire.eventually(lambda: 'ledger: ' in edge.errors(), 10 * SLOWNESS))
            self.assertEqual(metrics(edge)['edgecase_ledger_up'], 0)
        self.assert_exactly(ledger, rays, 20)
        self.assertEqual(metrics(edge)['edgecase_ledger_up'], 1)

    def test_an_idle_edge_says_so_when_its_ledger_is_back(self):
        """Without a record to ship it counted as away for ever."""
        one = clickhouse.ClickHouseServer()
        self.addCleanup(one.stop)
        ledger = Ledger(one)
        edge = self.ledger_edge(ledger)
        self.assertTrue(wire.eventually(lambda: not metrics(edge)['edgecase_ledger_up']))
        one.up()
        self.init(ledger)
        self.assertTrue(until(lambda: metrics(edge)['edgecase_ledger_up'], 25))
        self.assertIn('takes records again', edge.errors())

    def test_proxying_goes_on_while_the_ledger_is_away_and_nothing_is_missing(self):
        one = self.own_server()
        ledger = self.init(Ledger(one))
        edge = self.ledger_edge(ledger)
        load = Load(edge, mixed(100_000), pause=0.005)
        for end in (one.kill, one.terminate):
            time.sleep(1.5)
            end()
            before = len(load.rays)
            time.sleep(1.5)
            self.assertGreater(len(load.rays), before + 50)
            one.up()
        time.sleep(1)
        load.stop()
        self.assertEqual(load.unanswered, 0)
        self.assert_exactly(ledger, load.rays, 20)

    def test_failures_drain_before_successes(self):
        one = self.own_server()
        ledger = self.init(Ledger(one))
        one.terminate()
        edge = self.ledger_edge(ledger)
        rays = [edge.fetch('/bad/first').ray]
        time.sleep(1.5)
        rays += Load(edge, (f'/fine/{n}?{LONG}' for n in range(3000)), headers=LARGE).wait().rays
        rays += Load(edge, (f'/bad/{n}?{LONG}' for n in range(300)), headers=LARGE).wait().rays
        one.up()
        sightings = []

        def done():
            row = ledger.ask('select (select count() from cases), (select count() from successes)')
            sightings.append(tuple(map(int, row[0])))
            return sum(sightings[-1]) == len(rays)
        self.assertTrue(wire.eventually(done, 45 * SLOWNESS), sightings[-1])
        partly = [sight for sight in sightings if 0 < sight[1] < 3000]
        self.assertTrue(partly, 'never seen while it drained')
        self.assertEqual({cases for cases, _ in partly}, {301}, sightings)
        self.assert_exactly(ledger, rays)

    def test_the_end_of_an_edge_ships_what_is_there_and_never_hangs(self):
        ledger, rays, whole = self.ledger(), [], 0
        origin = self.origin(by_path)
        data_dir = os.path.join(self.temporary_directory(), 'data')
        for _ in range(3):
            edge = harness.Edge(origin.url, config=ledger.toml(), data_dir=data_dir)
            rays += Load(edge, mixed(100)).wait().rays
            edge.stop(5)
            whole += ledger.records() == len(rays)
        # A busy machine may need longer than an edge waits; the next one ships the rest.
        self.assertGreater(whole, 0)
        self.ledger_edge(ledger, origin, data_dir=data_dir)
        self.assert_exactly(ledger, rays)
        silent = self.origin(lambda connection: connection.wait_for_end(60))
        edge = harness.Edge(self.origin(by_path).url,
                            config=ledger.toml(urls=[silent.url]))
        Load(edge, mixed(10)).wait()
        self.assertTrue(wire.eventually(lambda: silent.connections, 5 * SLOWNESS))
        edge.stop(8)

    def test_room_for_what_waits_is_bounded_and_what_is_lost_is_counted(self):
        one = clickhouse.ClickHouseServer()
        self.addCleanup(one.stop)
        ledger = Ledger(one)
        edge = self.edge(self.origin(by_path), config=ledger.toml('retention.bytes = "4MiB"'))
        rays = Load(edge, mixed(60, 2), headers=LARGE).wait().rays
        rays += Load(edge, (f'/fine/{n}' for n in range(900)), headers=LARGE).wait().rays
        self.assertEqual(len(rays), 960)

        def settled():
            now = metrics(edge)
            return (now['edgecase_records_written_total'] == 960 and
                    now['edgecase_ledger_records_lost_total'] > 0)
        self.assertTrue(until(settled, 20), metrics(edge))
        self.assertRegex(edge.errors(), 'no room is left for what waits for the ledger: [0-9]+ rec')
        one.up()
        self.init(ledger)
        self.assertTrue(until(
            lambda: ledger.records() + metrics(edge)['edgecase_ledger_records_lost_total'] >= 960,
            45), (ledger.records(), metrics(edge)))
        lost = int(metrics(edge)['edgecase_ledger_records_lost_total'])
        self.assertTrue(wire.eventually(
            lambda: metrics(edge)['edgecase_ledger_records_shipped_total'] == 960 - lost))
        self.assertEqual(ledger.records(), 960 - lost)
        self.assertEqual(ledger.number('select count() from cases'), 30)  # failures go last
        self.assertLess(lost, 930)
        self.assertEqual(len(set(ledger.rays())), 960 - lost)
        self.assertEqual(ledger.counted(), [960 - lost] * 6)

        def reported():
            nodes = harness.run_json('ledger', 'status', '--json', '--config', config)['nodes']
            return [(n['recorded'], n['shipped'], n['waiting'], n['lost']) for n in nodes]
        config, expected = self.config(ledger.toml()), [(960, 960 - lost, 0, lost)]
        until(lambda: reported() == expected, 40)
        self.assertEqual(reported(), expected)


class KillTest(OneServerTest):
    def restarted(self, ledger, data_dir, origin):
        """An edge on that folder that may be killed."""
        edge = harness.Edge(origin.url, config=ledger.toml('node_id = 7'), data_dir=data_dir)
        self.addCleanup(shutil.rmtree, edge.own_directory, ignore_errors=True)
        self.addCleanup(lambda: edge.process.poll() is None and edge.kill())
        return edge

    def test_an_edge_killed_under_load_neither_loses_nor_doubles_what_it_had_stored(self):
        ledger = self.ledger()
        origin = self.origin(by_path)
        data_dir = os.path.join(self.temporary_directory(), 'data')
        rays = []
        for pause in (0.4, 1.1, 1.6, 2.2):
            edge = self.restarted(ledger, data_dir, origin)
            load = Load(edge, mixed(100_000), pause=0.003)
            time.sleep(pause + random.random() / 5)
            edge.kill()
            rays += load.stop().rays
        edge = self.restarted(ledger, data_dir, origin)
        rays += Load(edge, mixed(20)).wait().rays
        time.sleep(1.2)
        count = stored(edge)
        self.assertGreater(count, 200)
        until(lambda: ledger.records() >= count, 10)
        until(lambda: min(ledger.counted()) >= count, 5)
        time.sleep(1)
        there = ledger.rays()
        self.assertEqual((len(there), len(set(there))), (count, count))
        self.assertEqual(ledger.counted(), [count] * 6)
        # A request whose client was killed with it may be recorded as well.
        self.assertLess(len(set(there) - set(rays)), 4 * 3 + 1)
        edge.stop()

    def test_an_edge_killed_while_its_insert_is_on_the_way_does_not_double_it(self):
        for at in ('request', 'sent', 'between', 'answer'):
            edges = []
            fault = relay.Fault(at, 'rst', lambda: edges[0].kill())
            cutting = relay.Relay(server.get().port, cases=[fault], successes=[])
            self.addCleanup(cutting.stop)
            ledger = self.ledger(urls=[cutting.url])
            origin = self.origin(by_path)
            data_dir = os.path.join(self.temporary_directory(), 'data')
            edges.append(self.restarted(ledger, data_dir, origin))
            # Behind the relay's back nothing is sent before the case is stored.
            edges[0].fetch('/bad/1')
            edges[0].process.wait(10 * SLOWNESS)
            edge = self.restarted(ledger, data_dir, origin)
            edge.fetch('/bad/2')
            until(lambda: min(ledger.records(), *ledger.counted()) >= 2, 10)
            self.assertEqual((ledger.records(), ledger.counted()), (2, [2] * 6), at)
            edge.stop()

    def test_a_clickhouse_killed_in_the_middle_of_inserts_has_all_once(self):
        one = self.own_server()
        for delay in (0.01, 0.02, 0.03, 0.05):
            def die():
                time.sleep(delay)
                one.kill()
            cutting = relay.Relay(one.port, cases=[relay.Fault('sent', 'rst', die)])
            self.addCleanup(cutting.stop)
            ledger = self.init(Ledger(one, urls=[cutting.url]))
            edge = self.ledger_edge(ledger)
            rays = Load(edge, mixed(400, 2)).wait().rays
            self.assertTrue(until(lambda: cutting.inserts, 5))
            time.sleep(0.2)
            one.up()
            self.assert_exactly(ledger, rays, 10)

    def test_a_view_that_fails_in_the_middle_of_an_insert_leaves_no_rollup_short(self):
        ledger = self.ledger()
        # In the way like a full disk: the records are stored by then, and some rollups are not.
        ledger.server.query(f'create materialized view {ledger.database}.a_view_of_mine '
                            'engine = Log '
                            "as select throwIf(any(ClientRequestPath) like '/bad%') as x "
                            f'from {ledger.database}.cases')
        edge = self.ledger_edge(ledger)
        rays = Load(edge, mixed(100, 2)).wait().rays
        self.assertTrue(wire.eventually(lambda: 'Code: 395' in edge.errors(), 5 * SLOWNESS),
                        edge.errors())
        ledger.server.query(f'drop table {ledger.database}.a_view_of_mine')
        self.assert_exactly(ledger, rays, 20)


class MidnightTest(OneServerTest):
    """A server keeps each day by itself, and a batch has what waited, of whichever days."""

    def test_a_batch_of_four_days_comes_once(self):
        if not os.path.exists(CORPUS):
            self.skipTest('record_corpus was not built')
        for at in ('request', 'sent', 'between'):
            data_dir = os.path.join(self.temporary_directory(), 'data')
            subprocess.run([CORPUS, data_dir, '3000', '3'], stdout=subprocess.DEVNULL, check=True)
            # The second day, behind which the third is still to come.
            cutting = relay.Relay(server.get().port, successes=[None, relay.Fault(at, 'rst')])
            self.addCleanup(cutting.stop)
            ledger = self.ledger(urls=[cutting.url])
            edge = self.ledger_edge(ledger, data_dir=data_dir)
            until(lambda: min(ledger.records(), *ledger.counted()) >= 3000, 20)
            self.assertEqual((ledger.records(), ledger.counted()), (3000, [3000] * 6), at)
            edge.stop()
            self.assertEqual(len(set(ledger.rays())), 3000)
            days = ledger.ask('select count() from successes group by toDate(EdgeStartTimestamp)')
            self.assertIn(len(days), (3, 4))
            counted = ledger.ask('select toUInt64(sum(requests)) from traffic_hour where family = 0'
                                 ' group by toDate(start) order by toDate(start)')
            ended = ledger.ask('select count() from (select ended from cases union all select ended'
                               ' from successes) group by toDate(ended) order by toDate(ended)')
            self.assertEqual(counted, ended)
            self.assertIsNotNone(cutting.inserts[1], 'the second day was not cut off')

    def test_a_batch_of_days_comes_once_when_the_second_day_is_refused_a_connection(self):
        """The first day was there by then, and came again with the others."""
        if not os.path.exists(CORPUS):
            self.skipTest('record_corpus was not built')
        data_dir = os.path.join(self.temporary_directory(), 'data')
        subprocess.run([CORPUS, data_dir, '1000', '3'], stdout=subprocess.DEVNULL, check=True)
        closing = relay.Fault('passed', then=lambda: cutting.refuse_connections(0.7))
        cutting = relay.Relay(server.get().port, listens=harness.free_port(), successes=[closing])
        self.addCleanup(cutting.stop)
        ledger = self.ledger(urls=[cutting.url])
        edge = self.ledger_edge(ledger, data_dir=data_dir)
        until(lambda: metrics(edge)['edgecase_ledger_records_shipped_total'] >= 1000, 20)
        self.assertEqual((ledger.records(), ledger.counted()), (1000, [1000] * 6))
        self.assertIn('cannot be reached', edge.errors())

    def test_rollups_that_are_kept_no_longer_are_not_counted_again(self):
        """Servers that forget by themselves let the minutes of old records go; a batch of unknown
        fate then had each of them counted once more."""
        data_dir = os.path.join(self.temporary_directory(), 'data')
        subprocess.run([CORPUS, data_dir, '1000', '3'], stdout=subprocess.DEVNULL, check=True)

        def forget():
            table = f'{ledger.database}.traffic_minute'
            [[old]] = ledger.ask('select min(toYYYYMMDD(start)) from traffic_minute')
            ledger.server.query(f'alter table {table} drop partition {old}')
            forgotten.append(old)
        forgotten = []
        cutting = relay.Relay(server.get().port,
                              successes=[relay.Fault('between', 'rst', forget)])
        self.addCleanup(cutting.stop)
        ledger = self.ledger(urls=[cutting.url])
        edge = self.ledger_edge(ledger, data_dir=data_dir)
        until(lambda: ledger.records() >= 1000, 20)
        self.assertEqual((ledger.records(), len(forgotten)), (1000, 1))
        shipped = 'edgecase_ledger_records_shipped_total'
        self.assertTrue(until(lambda: metrics(edge)[shipped] >= 1000, 10))
        self.assertEqual(ledger.number('select count() from traffic_minute '
                                       f'where toYYYYMMDD(start) = {forgotten[0]}'), 0)


class NetworkTest(OneServerTest):
    def exactly_once(self, *faults, seconds=15):
        """A case and a success run into these faults, one after the other."""
        cutting = relay.Relay(server.get().port, cases=list(faults), successes=list(faults))
        self.addCleanup(cutting.stop)
        ledger = self.ledger(urls=[cutting.url])
        edge = self.ledger_edge(ledger)
        rays = Load(edge, mixed(300)).wait().rays
        deadline = time.monotonic() + seconds * SLOWNESS * wire.PATIENCE
        while any(cutting.faults.values()) and time.monotonic() < deadline:
            time.sleep(0.5)
            rays += Load(edge, mixed(20)).wait().rays  # each fault wants an insert of its own
        self.assertFalse(any(cutting.faults.values()), cutting.faults)
        rays += Load(edge, mixed(40)).wait().rays
        self.assert_exactly(ledger, rays, seconds)
        time.sleep(0.5)
        self.assertEqual(ledger.records(), len(rays))
        counted = metrics(edge)
        # A status that came through, though its answer was cut, says that it is done.
        least = sum(fault.at != 'answer' for fault in faults) * 2
        self.assertLessEqual(least, counted['edgecase_ledger_errors_total'])
        # A busy server may still be at the insert when it is asked again, and again.
        self.assertLessEqual(counted['edgecase_ledger_errors_total'], len(faults) * 6)
        self.assertEqual(counted['edgecase_ledger_records_shipped_total'], len(rays))
        return edge

    def test_a_cut_in_the_middle_of_an_insert(self):
        for how in ('fin', 'rst'):
            self.exactly_once(relay.Fault('request', how))

    def test_a_cut_when_the_server_has_all_of_an_insert(self):
        for how in ('fin', 'rst'):
            self.exactly_once(relay.Fault('sent', how))

    def test_a_cut_between_an_insert_and_its_answer(self):
        for how in ('fin', 'rst'):
            self.exactly_once(relay.Fault('between', how))

    def test_a_cut_in_the_middle_of_an_answer(self):
        for how in ('fin', 'rst'):
            self.exactly_once(relay.Fault('answer', how))

    def test_a_proxy_in_front_that_gives_up_an_insert_which_goes_on(self):
        """It said 502, the rows were not there yet, and so they were sent again."""
        self.exactly_once(relay.Fault('aside', '502', seconds=0.5))

    def test_an_insert_goes_on_while_the_server_refuses_to_say_so(self):
        cutting = relay.Relay(server.get().port, cases=[relay.Fault('aside', 'rst', seconds=2)])
        cutting.refuses = 'system.processes'
        self.addCleanup(cutting.stop)
        ledger = self.ledger(urls=[cutting.url])
        edge = self.ledger_edge(ledger)
        rays = Load(edge, mixed(60)).wait().rays
        self.assertTrue(wire.eventually(lambda: 'Code: 202' in edge.errors(), 10 * SLOWNESS))
        until(lambda: ledger.records(), 10)
        cutting.refuses = None
        self.assert_exactly(ledger, rays, 20)
        time.sleep(1)
        self.assert_exactly(ledger, rays)

    def test_one_cut_after_the_other(self):
        edge = self.exactly_once(relay.Fault('between'), relay.Fault('request'),
                                 relay.Fault('answer', 'rst'), seconds=40)
        self.assertRegex(edge.errors(), '(?s)cannot be reached.*again after [0-9]+ s')

    def test_without_a_cut_nothing_fails(self):
        self.assertEqual(self.exactly_once().errors(), '')

    def test_a_server_that_stands_still_and_goes_on_with_two_inserts_at_once(self):
        one = self.own_server()

        def stand_still():
            os.kill(one.pid, signal.SIGSTOP)
            threading.Timer(2.5, lambda: os.kill(one.pid, signal.SIGCONT)).start()
        for records in (20, 1000):
            cutting = relay.Relay(one.port, successes=[relay.Fault('sent', 'rst', stand_still)])
            self.addCleanup(cutting.stop)
            ledger = self.init(Ledger(one, urls=[cutting.url]))
            edge = self.ledger_edge(ledger)
            rays = Load(edge, mixed(records)).wait().rays
            self.assertTrue(until(lambda: cutting.inserts, 5))
            time.sleep(3)
            self.assert_exactly(ledger, rays, 20)
            time.sleep(0.5)
            self.assert_exactly(ledger, rays)

    def test_a_stall_holds_up_nobody(self):
        stall = relay.Fault('between', then=lambda: time.sleep(4))
        cutting = relay.Relay(server.get().port, cases=[stall])
        self.addCleanup(cutting.stop)
        ledger = self.ledger(urls=[cutting.url])
        edge = self.ledger_edge(ledger)
        rays = Load(edge, mixed(100)).wait().rays
        self.assertTrue(until(lambda: cutting.inserts, 5))
        start = time.monotonic()
        rays += Load(edge, mixed(200)).wait().rays
        self.assertLess(time.monotonic() - start, 3 * SLOWNESS)
        self.assertEqual(len(rays), 300)
        self.assert_exactly(ledger, rays, 20)


if __name__ == '__main__':
    harness.main(clickhouse.missing(), jobs=6)

"""The ledger on a ClickHouse of this year: the tests of the ledger, but those of users, TLS and
processes, on chDB (see newer/server.mjs). For it: `npm install --no-save` in tests/newer, half a
gigabyte."""
import os
import shutil

import clickhouse
import harness

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'newer')


class NewerClickHouse(clickhouse.ClickHouseServer):
    def configure(self, more):
        super().configure(more)
        self.argv = [shutil.which('node'), os.path.join(FOLDER, 'server.mjs'),
                     self.path('data'), str(self.port)]


clickhouse.ClickHouseServer = NewerClickHouse

import ledger_shipping_test as shipping  # noqa: E402
import ledger_suite_test as suite  # noqa: E402
import ledger_test as ledger  # noqa: E402

OF_OLD_SERVERS = {
    'test_what_init_prints_makes_the_same_ledger_by_hand',  # a status of 18.16
    'test_password_by_file_and_by_environment_and_odd_bytes_of_it',
    'test_a_server_that_is_down_unknown_or_refuses_the_password',
    'test_a_user_without_the_right_to_make_tables_is_told',
    'test_an_old_partition_goes_and_a_young_one_stays',  # it goes by itself, as rollups of old minutes do
}


def but_those(case):
    return type(case.__name__, (case,), {name: None for name in OF_OLD_SERVERS & set(dir(case))})


InitTest, TrimTest = but_those(ledger.InitTest), but_those(ledger.TrimTest)
ReadingTest, FollowTest, ContentTest = ledger.ReadingTest, ledger.FollowTest, ledger.ContentTest
AwayTest, NetworkTest = shipping.AwayTest, shipping.NetworkTest
LedgerSuiteTest = suite.LedgerSuiteTest


if __name__ == '__main__':
    missing = None
    if not os.path.exists(os.path.join(FOLDER, 'node_modules', 'chdb')):
        missing = 'chDB is not installed: npm install --no-save in tests/newer'
    harness.main(missing, jobs=4)

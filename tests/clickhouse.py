"""ClickHouse servers, alone or as a cluster with ZooKeeper, from their Debian packages, each from a
folder of its own on loopback ports."""
import os
import re
import shutil
import socket
import struct
import urllib.parse
from xml.sax.saxutils import escape

import certificates
import harness
import real_servers
import wire

PROGRAM = shutil.which('clickhouse-server', path=os.environ.get('PATH', '') + ':/usr/sbin:/sbin')
ZOOKEEPER_JAR = '/usr/share/java/zookeeper.jar'
LOG_TO_STDERR_JAR = '/usr/share/java/slf4j-simple.jar'
CLUSTER = 'edgecase'


def missing(cluster=False):
    """The sentence for a skip when a server, or with `cluster` a cluster, cannot start here, else
    None."""
    needed = {'clickhouse-server': PROGRAM}
    if cluster:
        needed |= {'default-jre-headless': shutil.which('java'),
                   'libzookeeper-java': os.path.exists(ZOOKEEPER_JAR)}
    absent = [package for package, found in needed.items() if not found]
    return f'not installed: {", ".join(absent)}' if absent else None


def xml(tag, inside):
    """An element; `inside` is a dictionary of elements, a list for one that repeats, or a text."""
    if isinstance(inside, list):
        return ''.join(xml(tag, one) for one in inside)
    if isinstance(inside, dict):
        text = '\n' + ''.join(xml(*item) for item in inside.items())
    else:
        text = escape(str(inside))
    return f'<{tag}>{text}</{tag}>\n'


class ClickHouseError(Exception):
    """What the server answered instead of a result. `code` is its own number for the fault."""

    def __init__(self, response):
        self.status = response.status
        self.text = response.body.decode(errors='replace').strip()
        found = re.search(r'Code: (\d+)', self.text)
        self.code = int(found[1]) if found else None
        super().__init__(f'{self.status}: {self.text}')


class Process(real_servers.RealServer):
    """A server that can be ended and come up again on the same folder and ports."""

    def __enter__(self):
        return self.up()

    def __exit__(self, *_):
        self.stop()

    @property
    def pid(self):
        return self.processes[-1].pid

    def up(self):
        """Starts it and waits until it answers."""
        self.begin()
        self.wait_until_ready()
        return self

    def begin(self):
        """Starts it and does not wait."""
        with open(self.path('output.log'), 'a') as log:
            self.processes.append(harness.spawn(self.argv, stdout=log, stderr=log,
                                                cwd=self.directory, start_new_session=True))

    def wait_until_ready(self, seconds=30):
        process = self.processes[-1]
        wire.eventually(lambda: process.poll() is not None or self.is_ready(),
                        seconds * harness.SLOWNESS)
        if process.poll() is not None or not self.is_ready():
            said = self.said()
            self.stop()
            raise AssertionError(f'{self.argv[0]} did not come up: {said}')

    def terminate(self):
        """SIGTERM, and until it has ended."""
        self.processes[-1].terminate()
        self.processes[-1].wait(30 * harness.SLOWNESS)

    def kill(self):
        """SIGKILL: what it had not given to the kernel is lost."""
        self.processes[-1].kill()
        self.processes[-1].wait()


class ClickHouseServer(Process):
    """One server. `user` and `password` are those it demands; with `https` it listens for TLS too,
    with the certificate of `certificates.authority()`. `config` and `settings` are more elements of
    its configuration and of the profile of its user."""

    def __init__(self, user='default', password='', https=False, config=None, settings=None):
        super().__init__()
        self.argv = [PROGRAM, f'--config-file={self.path("config.xml")}']
        self.user, self.password = user, password
        self.port, self.native_port, self.replication_port = (harness.free_port() for _ in range(3))
        self.https_port = harness.free_port() if https else None
        self._write_users(settings or {})
        self.configure(config or {})

    def configure(self, more):
        """Writes its configuration with these elements added; takes effect at the next start."""
        for folder in ('data', 'tmp', 'schemas'):
            os.makedirs(self.path(folder), exist_ok=True)
        self.write('config.xml', xml('yandex', {
            'logger': {'level': 'information', 'log': self.path('server.log'),
                       'errorlog': self.path('error.log')},
            'listen_host': '127.0.0.1',
            'http_port': self.port,
            'tcp_port': self.native_port,
            'interserver_http_port': self.replication_port,
            'interserver_http_host': '127.0.0.1',
            'path': self.path('data/'),
            'tmp_path': self.path('tmp/'),
            'format_schema_path': self.path('schemas/'),
            'users_config': self.path('users.xml'),
            'default_profile': 'default',
            'default_database': 'default',
            'timezone': 'UTC',
            'mark_cache_size': 64 << 20,
            **(self._https() if self.https_port else {}),
            **more}))

    def _https(self):
        leaf = certificates.authority().localhost
        return {'https_port': self.https_port,
                'openSSL': {'server': {'certificateFile': leaf.certificate,
                                       'privateKeyFile': leaf.key,
                                       'verificationMode': 'none',
                                       'disableProtocols': 'sslv2,sslv3'}}}

    def _write_users(self, settings):
        # A busy machine needs longer for a connection than the usual 50 ms.
        profile = {'connect_timeout_with_failover_ms': 2000, **settings}
        self.write('users.xml', xml('yandex', {
            'profiles': {'default': profile, 'reading': {**profile, 'readonly': 1}},
            'quotas': {'default': ''},
            # Another one may only read.
            'users': {name: {'password': password, 'networks': {'ip': ['127.0.0.1']},
                             'profile': profile, 'quota': 'default'}
                      for name, password, profile in ((self.user, self.password, 'default'),
                                                      ('reader', '', 'reading'))}}))

    @property
    def https_url(self):
        return f'https://localhost:{self.https_port}'

    def said(self):
        """The faults in its log, without their stacks."""
        if not os.path.exists(self.path('error.log')):
            return super().said()
        with open(self.path('error.log'), errors='replace') as log:
            return ''.join(re.findall('.*(?:<Error>|<Fatal>|Exception).*\n', log.read()))[-4000:]

    def is_ready(self):
        try:
            return wire.fetch(('127.0.0.1', self.port), path='/ping', timeout=2).status == 200
        except OSError:
            return False

    def request(self, sql, body=None, headers=(), user=None, password=None, tls=None, timeout=60,
                **settings):
        """The response to `sql`, whatever it is. Rows to insert are the `body`. `tls`: an ssl
        context, for its port of HTTPS."""
        path = '/?' + urllib.parse.urlencode({'query': sql, **settings})
        credentials = (('X-ClickHouse-User', self.user if user is None else user),
                       ('X-ClickHouse-Key', self.password if password is None else password))
        return wire.fetch(('127.0.0.1', self.https_port if tls else self.port), 'POST', path,
                          (*credentials, *headers), body or b'', timeout, tls)

    def query(self, sql, body=None, **more):
        """What `sql` gives, as text without the last line feed. `more`: as for `request`.
        Errors: ClickHouseError."""
        return self.query_bytes(sql, body, **more).decode().removesuffix('\n')

    def query_bytes(self, sql, body=None, **more):
        response = self.request(sql, body, **more)
        if response.status != 200 or not response.complete:
            raise ClickHouseError(response)
        return response.body

    def rows(self, sql, **more):
        """The rows that `sql` gives, as lists of texts."""
        text = self.query(sql, **more)
        return [line.split('\t') for line in text.split('\n')] if text else []


class ZooKeeper(Process):
    """One ZooKeeper, as far as a cluster of ClickHouse needs it."""

    def __init__(self):
        super().__init__()
        self.port = harness.free_port()
        self.write('zoo.cfg', f'tickTime=500\ndataDir={self.path("data")}\n'
                              f'clientPortAddress=127.0.0.1\nclientPort={self.port}\n')
        self.argv = ['java', '-cp', f'{ZOOKEEPER_JAR}:{LOG_TO_STDERR_JAR}', '-Xmx128m',
                     '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1',
                     '-Dzookeeper.admin.enableServer=false', '-Dzookeeper.jmx.log4j.disable=true',
                     '-Dzookeeper.forceSync=no',
                     'org.apache.zookeeper.server.quorum.QuorumPeerMain', self.path('zoo.cfg')]

    def is_ready(self):
        """It opens a session: version, last id, timeout, session, password of 16 zeros."""
        hello = struct.pack('>iiqiqi16x', 44, 0, 0, 1000, 0, 16)
        try:
            with socket.create_connection(('127.0.0.1', self.port), 2) as asking:
                asking.sendall(hello)
                return len(asking.recv(64)) > 4
        except OSError:
            return False


class ClickHouseCluster:
    """`shards` times `replicas` servers that know each other as the cluster CLUSTER, with the macros
    `{shard}` and `{replica}` and one ZooKeeper; `replicas` may be a number for each shard. `ddl`:
    ON CLUSTER works, but a server that loses its ZooKeeper dies of SIGSEGV. `more`: as for
    ClickHouseServer."""

    def __init__(self, shards=1, replicas=1, ddl=True, **more):
        self.zookeeper = ZooKeeper()
        self.ddl = {'distributed_ddl': {'path': '/clickhouse/task_queue/ddl'}} if ddl else {}
        counts = replicas if isinstance(replicas, tuple) else (replicas,) * shards
        self.shards = [[ClickHouseServer(**more) for _ in range(count)] for count in counts]
        added = more.get('config') or {}
        for shard, servers in enumerate(self.shards, 1):
            for replica, server in enumerate(servers, 1):
                server.configure({**self._membership(shard, replica), **added})

    @property
    def servers(self):
        return [server for shard in self.shards for server in shard]

    @property
    def first(self):
        return self.shards[0][0]

    def _membership(self, shard, replica):
        return {'remote_servers': {CLUSTER: {'shard': [
                    {'internal_replication': 'true', 'replica': [
                        {'host': '127.0.0.1', 'port': server.native_port, 'user': server.user,
                         'password': server.password} for server in servers]}
                    for servers in self.shards]}},
                'macros': {'shard': f'{shard:02}', 'replica': f'{shard:02}-{replica:02}'},
                'zookeeper': {'node': {'host': '127.0.0.1', 'port': self.zookeeper.port},
                              'session_timeout_ms': 4_000},
                # A server that was killed does not start if half the rows of a table are in parts that
                # ZooKeeper does not know, which is one merge where there are few rows.
                'merge_tree': {'replicated_max_ratio_of_wrong_parts': 1,
                               'zookeeper_session_expiration_check_period': 1},
                **self.ddl}

    def __enter__(self):
        return self.up()

    def __exit__(self, *_):
        self.stop()

    def up(self):
        """Starts all and waits until each answers."""
        try:
            self.zookeeper.up()
            # Started by this thread: a process ends with the thread that started it.
            for server in self.servers:
                server.begin()
            for server in self.servers:
                server.wait_until_ready()
        except AssertionError:
            self.stop()
            raise
        return self

    def stop(self):
        for server in self.servers:
            if server.processes:
                server.processes[-1].terminate()
        for server in (*self.servers, self.zookeeper):
            server.stop()

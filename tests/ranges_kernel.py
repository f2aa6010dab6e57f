#!/usr/bin/env python3
"""The proof of `edgecase ranges check`: random rules in a real kernel, real connections, and what was
predicted. usage: ranges_kernel.py [--cases CONNECTIONS] [--seed N] [--kinds nft,iptables-nft,...]"""
import argparse
import collections
import concurrent.futures
import errno
import ipaddress
import itertools
import json
import os
import random
import re
import select
import socket
import subprocess
import tempfile
import threading
import time

import harness
import namespaces
import ranges_rules
from namespaces import Namespace, inside, join
from ranges_rules import PORTS

ORIGIN_V4, ORIGIN_V6 = '10.79.0.2', 'fd79::2'
RANGES = ('10.80.0.0/12', 'fd80::/16')
KINDS = ('nft', 'iptables-nft', 'iptables-legacy')
PATIENCE = 0.3  # seconds until silence counts; nothing here takes more than a millisecond
UNREACHABLE = {errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EACCES, errno.ENOPROTOOPT, errno.EPERM}


def spawn(namespace, argv, text=None):
    # A child belongs where the thread that started it does; `ip netns exec` costs more than the tool.
    with inside(namespace):
        return subprocess.run(argv, input=text, text=True, capture_output=True, timeout=60)


def run(namespace, *argv, text=None):
    result = spawn(namespace, argv, text)
    if result.returncode:
        raise RuntimeError(f'{" ".join(argv)}: {result.stderr.strip()}\n{text or ""}')
    return result.stdout


def load(namespace, argv, text):
    """Loads rules; a line that the tool refuses is left out. Gives what was loaded."""
    for _ in range(40):
        result = spawn(namespace, argv, text)
        if result.returncode == 0:
            return text
        number = re.search(r'stdin:(\d+):|line:? (\d+)', result.stderr)
        if not number:
            break
        lines = text.split('\n')
        del lines[int(number[1] or number[2]) - 1]
        text = '\n'.join(lines)
    raise RuntimeError(f'{" ".join(argv)}: {result.stderr.strip()}\n{text}')


class Rig:
    """An edge with many addresses, and an origin that listens, in namespaces of their own."""

    def __init__(self, seed):
        chance = random.Random(seed)
        self.edge, self.origin = Namespace('edge'), Namespace('origin')
        join(self.edge, self.origin, 0, '10.79.0.1/24', f'{ORIGIN_V4}/24', 'fd79::1/64', f'{ORIGIN_V6}/64')
        v4 = sorted({f'10.{80 + chance.randrange(16)}.{chance.choice((0, 1, chance.randrange(256)))}.'
                     f'{1 + chance.randrange(254)}' for _ in range(14)})
        v6 = sorted({f'fd80:{chance.randrange(4):x}:{chance.randrange(65536):x}::{1 + chance.randrange(9)}'
                     for _ in range(8)})
        self.sources = v4 + v6
        commands = [f'addr add {a}/32 dev e0' for a in v4] + [f'-6 addr add {a}/128 dev e0 nodad' for a in v6]
        run(self.edge, 'ip', '-batch', '-', text='\n'.join(c.replace('-6 ', '') for c in commands))
        self.origin.run('ip', 'route', 'add', RANGES[0], 'via', '10.79.0.1')
        self.origin.run('ip', '-6', 'route', 'add', RANGES[1], 'via', 'fd79::1')
        # The rules may drop neighbour discovery, which is not what is asked.
        for here, there, address in ((self.edge, self.origin, ORIGIN_V6), (self.origin, self.edge, 'fd79::1')):
            link = json.loads(there.run('ip', '-j', 'link', 'show', 'e0').stdout)[0]['address']
            here.run('ip', 'neigh', 'replace', address, 'lladdr', link, 'dev', 'e0', 'nud', 'permanent')
        for namespace in (self.edge, self.origin):
            # No error message may be held back: silence has a meaning here.
            for name, value in (('net.ipv4.icmp_ratemask', 0), ('net.ipv4.icmp_ratelimit', 0),
                                ('net.ipv6.icmp.ratelimit', 0), ('net.ipv6.icmp.ratemask', 255), ('net.ipv4.conf.all.rp_filter', 0),
                                ('net.ipv4.conf.e0.rp_filter', 0), ('net.ipv4.tcp_ecn', 0)):
                namespace.sysctl(name, value)
        self.listeners = []
        with inside(self.origin):
            for port in PORTS:
                self.listeners += [self.listen(socket.AF_INET, ORIGIN_V4, port),
                                   self.listen(socket.AF_INET6, ORIGIN_V6, port)]

    @staticmethod
    def listen(family, host, port):
        listener = socket.socket(family)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(512)
        listener.setblocking(False)
        return listener

    def close(self):
        for listener in self.listeners:
            listener.close()
        self.edge.remove()
        self.origin.remove()

    def connect(self, targets, patience):
        """Outcome of a connection for each (source, port), all at once."""
        waiting, outcomes = {}, {}
        poll = select.poll()
        with inside(self.edge):
            for source, port in targets:
                family = socket.AF_INET6 if ':' in source else socket.AF_INET
                client = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
                client.bind((source, 0))
                client.connect_ex((ORIGIN_V6 if ':' in source else ORIGIN_V4, port))
                waiting[client.fileno()] = (client, (source, port))
                poll.register(client, select.POLLOUT)
        deadline = time.monotonic() + patience
        while waiting and (left := deadline - time.monotonic()) > 0:
            for descriptor, _ in poll.poll(left * 1000):
                client, target = waiting.pop(descriptor)
                poll.unregister(descriptor)
                error = client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                outcomes[target] = ('connected' if error == 0 else
                                    'refused' if error == errno.ECONNREFUSED else
                                    'unreachable' if error in UNREACHABLE else errno.errorcode[error])
                client.close()
        for client, target in waiting.values():
            outcomes[target] = 'timeout'
            client.close()
        for listener in self.listeners:
            try:
                while True:
                    listener.accept()[0].close()
            except BlockingIOError:
                pass
        return outcomes


class Firewall:
    """Random rules of one kind, loaded; and what the tools then print of them."""

    def __init__(self, kind, rig, chance):
        self.kind, self.rig, self.chance = kind, rig, chance

    def load(self):
        """Gives lists of (name, text): what a check may be told, in one form and in another."""
        namespace = self.rig.origin
        if self.kind == 'nft':
            text = ranges_rules.NftRules(self.chance, self.rig.sources).text()
            text = load(namespace, ['nft', '-f', '-'], 'flush ruleset\n' + text)
            return [[('rules.nft', run(namespace, 'nft', '-a', 'list', 'ruleset'))],
                    [('rules.json', run(namespace, 'nft', '-j', 'list', 'ruleset'))],
                    [('source.nft', text)]]
        files, names = [], {4: f'iptables-{self.kind[9:]}', 6: f'ip6tables-{self.kind[9:]}'}
        for version in (4, 6):
            rules = ranges_rules.IptablesRules(self.chance, self.rig.sources, version)
            run(namespace, 'ipset', 'restore', text=rules.ipsets())
            load(namespace, [names[version] + '-restore'], rules.text())
            files.append((f'rules.v{version}', run(namespace, names[version] + '-save')))
        files.append(('sets', run(namespace, 'ipset', 'save') or 'create none hash:net\n'))
        both = [files]
        if self.kind == 'iptables-nft':
            listing = spawn(namespace, ['nft', 'list', 'ruleset']).stdout
            both.append(files + [('too.nft', listing)])
        return both

    def unload(self):
        namespace = self.rig.origin
        if self.kind == 'nft':
            run(namespace, 'nft', 'flush', 'ruleset')
            return
        for tool in ('iptables', 'ip6tables'):
            name = f'{tool}-{self.kind[9:]}'
            run(namespace, name + '-restore', text=''.join(
                f'*{table}\n' + ''.join(f':{chain} ACCEPT [0:0]\n' for chain in chains) + 'COMMIT\n'
                for table, chains in (('raw', ('PREROUTING', 'OUTPUT')),
                                      ('mangle', ('PREROUTING', 'INPUT', 'OUTPUT')),
                                      ('filter', ('INPUT', 'OUTPUT')))))
        # A set of sets holds the others; and the kernel lets go of them a moment after the rules are gone.
        run(namespace, 'ipset', 'flush')
        for _ in range(100):
            spawn(namespace, ['ipset', 'destroy'])
            if not run(namespace, 'ipset', 'list', '-n').strip():
                return
            time.sleep(0.02)
        raise RuntimeError('sets that nobody names are still held')


def predict(files, directory):
    """Outcome and rows by (source network, port) of `ranges check`."""
    paths = []
    for name, text in files:
        paths.append(os.path.join(directory, name))
        with open(paths[-1], 'w') as file:
            file.write(text)
    ranges = os.path.join(directory, 'ranges')
    with open(ranges, 'w') as file:
        file.write('\n'.join(RANGES))
    result = harness.run('ranges', 'check', '--rules', *paths, '--ranges', ranges, '--interface', 'e0', '--destination', ORIGIN_V4, ORIGIN_V6,
                         '--json')
    if result.returncode not in (0, 1):
        raise AssertionError(f'exit {result.returncode}: {result.stderr}')
    return json.loads(result.stdout)


def is_in(address, cidrs):
    address = ipaddress.ip_address(address)
    return any(address in network for network in cidrs)


class Prediction:
    """What was predicted, in the words of `Rig.connect`; several where the end of a connection that was
    made is not seen by connect alone."""
    SEEN = {'connect.refused': {'refused'}, 'connect.rejected': {'refused'},
            'connect.reset': {'connected', 'ECONNRESET', 'refused'},
            'request.not_acked': {'connected', 'refused', 'unreachable'}}

    def __init__(self, rows):
        networks = lambda cidrs: [ipaddress.ip_network(c) for c in cidrs]  # noqa: E731
        self.rows = {}
        for row in rows:
            parts = {name: networks(row[name])
                     for name in ('admitted', 'dropped', 'rejected', 'rate_limited', 'unknown')}
            deciders = [(networks(d['cidrs']), self.seen(d))
                        for d in row['decided_by'] if d['outcome'] in ('rejected', 'dropped')]
            self.rows[':' in row['cidr'], row['port']] = parts, deciders

    def seen(self, decided):
        if decided['outcome'] == 'dropped':
            return {'timeout'} if decided['cause'] == 'connect.timeout' else {'connected'}
        return self.SEEN.get(decided['cause'], {'unreachable'})

    def of(self, source, port):
        parts, deciders = self.rows[':' in source, port]
        found = [name for name, cidrs in parts.items() if is_in(source, cidrs)]
        assert len(found) == 1, (source, port, found)
        if found[0] in ('rejected', 'dropped'):
            seen = [how for cidrs, how in deciders if is_in(source, cidrs)]
            return seen[0] if all(how == seen[0] for how in seen) else {f'any of {seen}'}
        return {'connected'} if found[0] == 'admitted' else {found[0]}


class Proof:
    def __init__(self, seed, kinds, connections, workers=6):
        self.seed, self.kinds, self.wanted, self.workers = seed, kinds, connections, workers
        self.lock = threading.Lock()
        self.done = collections.Counter()
        self.outcomes = collections.Counter()
        self.failures = []
        self.numbers = itertools.count()

    def worker(self, index):
        rig = Rig(f'{self.seed} {index}')
        try:
            while True:
                with self.lock:
                    if sum(self.done.values()) >= self.wanted or len(self.failures) > 20:
                        return
                    number = next(self.numbers)
                self.one(rig, self.kinds[number % len(self.kinds)], number)
        finally:
            rig.close()

    def one(self, rig, kind, number):
        chance = random.Random(f'{self.seed} {number}')
        firewall = Firewall(kind, rig, chance)
        targets = [(s, p) for s in rig.sources for p in PORTS]
        forms = firewall.load()
        try:
            seen = rig.connect(targets, PATIENCE)
            with tempfile.TemporaryDirectory(prefix='edgecase-test-') as directory:
                predictions = [Prediction(predict(files, directory)) for files in forms]
            wrong = self.compare(predictions, seen)
            # A busy machine can be slower than the patience.
            late = [t for t, _, _ in wrong if seen[t] == 'timeout']
            if late:
                seen.update(rig.connect(late, 5 * PATIENCE))
                wrong = self.compare(predictions, seen)
        finally:
            firewall.unload()
        with self.lock:
            self.done[kind] += len(targets)
            self.outcomes.update(seen.values())
            for target, form, predicted in wrong:
                self.failures.append(
                    f'{kind} rule set {number}, {target[0]} to {target[1]}: predicted {predicted}, '
                    f'was {seen[target]}\n' + '\n'.join(f'--- {n}\n{t}' for n, t in forms[form]))

    @staticmethod
    def compare(predictions, seen):
        return [(target, form, predicted) for form, prediction in enumerate(predictions)
                for target, outcome in seen.items()
                if outcome not in (predicted := prediction.of(*target))]

    def run(self):
        with concurrent.futures.ThreadPoolExecutor(self.workers) as pool:
            for future in [pool.submit(self.worker, i) for i in range(self.workers)]:
                future.result()
        return self


def possible_kinds():
    """Those whose tools and kernel modules are here, and why others are not."""
    kinds, reasons = [], []
    try:
        trial = Namespace('trial')
    except RuntimeError as error:
        return [], [str(error)]
    try:
        for kind in KINDS:
            tools = ['nft'] if kind == 'nft' else [f'{kind}-save', f'ip6tables-{kind[9:]}-save', 'ipset']
            try:
                for tool in tools:
                    if tool == 'ipset':
                        run(trial, 'ipset', 'create', 'trial', 'hash:net')
                        run(trial, 'ipset', 'destroy', 'trial')
                    elif tool == 'nft':
                        run(trial, 'nft', 'list', 'ruleset')
                    else:
                        run(trial, tool.replace('-save', ''), '-t', 'filter', '-A', 'INPUT', '-p', 'tcp',
                            '-m', 'conntrack', '--ctstate', 'NEW', '-j', 'REJECT')
                kinds.append(kind)
            except (RuntimeError, OSError) as error:
                reasons.append(f'{kind}: {error}')
    finally:
        trial.remove()
    return kinds, reasons


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--cases', type=int, default=20_000)
    parser.add_argument('--seed', default='1')
    parser.add_argument('--kinds', default=','.join(KINDS))
    arguments = parser.parse_args()
    if reason := namespaces.why_impossible():
        raise SystemExit(reason)
    begin = time.monotonic()
    proof = Proof(arguments.seed, arguments.kinds.split(','), arguments.cases).run()
    for failure in proof.failures[:40:8]:
        print(failure)
    print(f'{sum(proof.done.values())} connections ({dict(proof.done)}) through {next(proof.numbers)} rule sets '
          f'in {time.monotonic() - begin:.1f} s: {dict(proof.outcomes)}; {len(proof.failures)} disagreements')
    return 1 if proof.failures else 0


if __name__ == '__main__':
    raise SystemExit(main())

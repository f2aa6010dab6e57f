"""The soak: one edge under all kinds of clients and all kinds of failing origins at once, for
minutes. Every cause must be right, every good request good, and nothing may be left behind.

    tests/soak.py [MINUTES] [--seed NUMBER]
"""
import argparse
import contextlib
import os
import random
import re
import statistics
import sys
import time

import certificates
import harness
import http2_wire
import wire
from soak_book import SETTLED, Book, metrics
from soak_site import POOL_IDLE, Site
from soak_traffic import STUCK, Deck, Http1Client, Http2Client

# What the last third of the time may add to the middle one, in the median; the first warms up. Caches
# fill and the heap finds its shape within so many requests, and then nothing may grow any more.
WARM_REQUESTS = 40_000
GROWN_BYTES_WARM, GROWN_BYTES_COLD = 1 << 20, 8 << 20
GROWN_DESCRIPTORS = 15  # so many more connections may be open by chance
LEFT_DESCRIPTORS = 2  # more than at the start, once all clients have left
END = 5 * harness.SLOWNESS  # seconds from SIGTERM to the end, with requests that take one
CLIENTS = (  # kind, class, by TLS
    ('HTTP/1.1', Http1Client, None), ('HTTP/1.1', Http1Client, None),
    ('HTTP/1.1 over TLS', Http1Client, certificates.h1_context),
    ('HTTP/1.1 over TLS', Http1Client, certificates.h1_context),
    ('HTTP/2', Http2Client, None), ('HTTP/2 over TLS', Http2Client, certificates.h2_context))


class Gauge:
    """What a process holds, sampled over the time."""

    def __init__(self, pid):
        self.pid, self.samples = pid, []

    def sample(self):
        with open(f'/proc/{self.pid}/smaps_rollup') as file:
            sizes = {name.lower(): int(kilobytes) << 10
                     for name, kilobytes in re.findall(r'^(\w+): +(\d+) kB', file.read(), re.M)}
        self.samples.append(sizes | {'descriptors': len(os.listdir(f'/proc/{self.pid}/fd'))})
        return self.samples[-1]

    def medians(self, name):
        """Of the first, of the middle and of the last third of the time."""
        values = [sample[name] for sample in self.samples]
        third = max(1, len(values) // 3)
        return [statistics.median(part)
                for part in (values[:third], values[third:-third] or values, values[-third:])]


def mib(size):
    return f'{size / (1 << 20):.1f} MiB'


class Soak:
    def __init__(self, site, seconds, seed):
        self.site, self.edge, self.seconds = site, site.edge, seconds
        self.book = Book(harness.run_json('explain', '--list', '--json'))
        self.deck = Deck(site.stops, site.good_stops, seed)
        self.gauge = Gauge(self.edge.pid)
        self.left, self.end_seconds = {}, {}
        self.before = {edge: Gauge(edge.pid).sample() for edge in site.edges}

    def run(self):
        self.traffic()
        self.check_growth()
        for edge in self.site.edges:
            self.check_leftovers(edge)
        self.book.compare_counters(self.edge)
        self.check_end()
        for edge in self.site.edges[1:]:
            self.stop(edge)

    def traffic(self):
        clients = [make(kind, self.site.edges if make is Http1Client else [self.edge], self.deck,
                        self.book, context and context()) for kind, make, context in CLIENTS]
        start = told = time.monotonic()
        while (now := time.monotonic()) < start + self.seconds:
            time.sleep(min(2, self.seconds / 60))
            sample = self.gauge.sample()
            if now > told + 10:
                told = now
                self.book.look_up()
                self.tell(now - start, sample)
        self.deck.is_over = True
        for client in clients:
            client.thread.join(2 * STUCK)
            if client.thread.is_alive():
                self.book.trouble(f'the client {client.kind} does not end')
        time.sleep(SETTLED)  # the promise is a second
        self.book.look_up()

    def tell(self, seconds, sample):
        print(f'{seconds:5.0f} s {self.book.by_kind.total():7} requests '
              f'{self.book.failed_by_kind.total():7} failing {sample["descriptors"]:5} descriptors'
              f'   {mib(sample["anonymous"])} anonymous, {mib(sample["pss"])} Pss'
              f'   {len(self.book.troubles)} troubles', flush=True)

    def check_growth(self):
        is_warm = self.book.by_kind.total() > WARM_REQUESTS
        for name, bound in (('anonymous', GROWN_BYTES_WARM if is_warm else GROWN_BYTES_COLD),
                            ('descriptors', GROWN_DESCRIPTORS)):
            _, middle, last = self.gauge.medians(name)
            # What is freed under a sanitizer stays for a while, to be looked at.
            if last - middle > bound and not (harness.SANITIZED and name == 'anonymous'):
                self.book.trouble(f'{name} grew from {middle:.0f} to {last:.0f}, over {bound}')

    def check_leftovers(self, edge):
        allowed = self.before[edge]['descriptors'] + LEFT_DESCRIPTORS

        def is_clean():
            self.left[edge] = (metrics(edge)['edgecase_connections_open'],
                               Gauge(edge.pid).sample()['descriptors'])
            return self.left[edge][0] == 0 and self.left[edge][1] <= allowed
        if not wire.eventually(is_clean, POOL_IDLE + STUCK):
            connections, descriptors = self.left[edge]
            self.book.trouble(f'left behind: {connections} client connections, {descriptors} '
                              f'descriptors where {allowed} are allowed ({edge.argv})')

    def check_end(self):
        """SIGTERM while a response of one second is under way to a client of each kind."""
        path, host = '/ok-slow_body', 'main.good.test'
        with wire.Client(self.edge.plain, STUCK) as plain, \
                wire.Client(self.edge.address, STUCK, tls=certificates.h1_context()) as secure, \
                http2_wire.Client(self.edge.address, certificates.h2_context(),
                                  timeout=STUCK) as http2:
            plain.send(wire.request(path=path, host=host))
            secure.send(wire.request(path=path, host=host))
            stream = http2.ask(path=path, host=host)
            port = int(self.site.good.ports['main'].split(':')[1])
            wire.eventually(lambda: harness.connections_to(self.edge.pid, port) == 3)
            self.stop(self.edge)
            for response in (plain.response(), secure.response(), http2.response(stream)):
                if (response.status, len(response.body), response.complete) != (200, 10240, True):
                    self.book.trouble(f'what ran at SIGTERM came to {response}')

    def stop(self, edge):
        start = time.monotonic()
        try:
            edge.stop(END)
        except AssertionError as error:
            self.book.trouble(f'the end: {error}')
        self.end_seconds[edge] = time.monotonic() - start

    def summary(self):
        book, draws = self.book, self.deck.draws
        visited = sum(map(bool, draws.values()))
        first, middle, last = ([mib(part) for part in self.gauge.medians(name)]
                               for name in ('anonymous', 'pss', 'rss'))
        yield f'{visited} of {len(draws)} scenarios, each {min(draws.values())} to ' \
              f'{max(draws.values())} times, {len(book.own_statuses)} causes known, ' \
              f'{len(set().union(*book.by_cause.values()))} seen'
        for kind, count in book.by_kind.items():
            yield f'{kind}: {count} requests, {book.failed_by_kind[kind]} of them failing'
        yield f'{book.not_reused} visits to a reused connection found none'
        yield 'slowest answer {:.1f} s ({})'.format(*book.slowest)
        yield f'medians of the thirds: anonymous {", ".join(first)}; Pss {", ".join(middle)}; Rss ' \
              f'{", ".join(last)}; descriptors {self.gauge.medians("descriptors")}'
        yield f'descriptors {self.before[self.edge]["descriptors"]} before, ' \
              f'{max(s["descriptors"] for s in self.gauge.samples)} at most, ' \
              f'{self.left[self.edge][1]} after'
        yield f'SIGTERM with three requests under way: ended after ' \
              f'{self.end_seconds[self.edge]:.1f} s'


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n\n')[0])
    parser.add_argument('minutes', nargs='?', type=float, default=3)
    parser.add_argument('--seed', type=int, default=random.randrange(1 << 32))
    options = parser.parse_args()
    if not os.path.exists(harness.BINARY):
        print(f'skipped: no binary at {harness.BINARY}; set EDGECASE_BINARY')
        sys.exit(harness.SKIPPED)
    print(f'soaking for {options.minutes} min, --seed {options.seed}', flush=True)
    with contextlib.ExitStack() as stack:
        soak = Soak(Site(stack), options.minutes * 60, options.seed)
        soak.run()
    for line in soak.summary():
        print(line)
    troubles = soak.book.troubles
    print(f'{soak.book.by_kind.total()} requests, {len(troubles)} troubles')
    sys.exit(bool(troubles))


if __name__ == '__main__':
    main()

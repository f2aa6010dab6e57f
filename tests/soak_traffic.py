"""The traffic of the soak: what is asked for next, and a client of each kind that asks."""
import collections
import contextlib
import random
import select
import threading
import time

import harness
import http2_wire
import wire

STREAMS = 8  # at once on one HTTP/2 connection
LIFETIME = 300  # requests of one client connection; then comes a new one
STUCK = 20 * harness.SLOWNESS  # seconds; the slowest scenario takes a few


class Ask:
    """One request, and what must come of it."""

    def __init__(self, row, edge, host, warmup=None):
        self.edge, self.host, self.name = edge, host, row['scenario']
        self.method, self.path, self.headers, self.size = 'GET', warmup, [], 0
        self.cause, self.status, self.is_cut = 'none', 200, False
        self.wants_reuse = bool(row['warmup_path']) and not row['warmup_in_flight'] and not warmup
        if warmup is None:
            self.method, self.path = row['method'], row['path']
            self.headers, self.size = row['request_headers'], row['request_body_bytes']
            self.cause, self.status = row['cause'], row['status']
            self.is_cut = row['aborts_client']


class Stop:
    """A scenario as the clients know it. `lock`: held by who asks for it, where requests that share
    an origin's connections would disturb each other. `occupied()`: a context in which the origin is
    as the scenario needs it."""

    def __init__(self, row, edge, host, lock=None, occupied=contextlib.nullcontext):
        self.name, self.edge, self.lock, self.occupied = row['scenario'], edge, lock, occupied
        warmups = [] if row['warmup_in_flight'] else [row['warmup_path']]
        self.asks = [Ask(row, edge, host, warmup) for warmup in (*filter(None, warmups), None)]
        self.needs_http1 = row['warmup_in_flight'] or \
            any(name == 'Connection' for name, _ in row['request_headers'])

    def fits(self, client):
        return self.edge in client.edges and (client.speaks_http1 or not self.needs_http1)

    def take(self):
        return self.lock is None or self.lock.acquire(blocking=False)

    def leave(self):
        if self.lock:
            self.lock.release()


class Deck:
    """All scenarios, shuffled again and again, and good requests as often in between."""

    def __init__(self, stops, good, seed):
        self.stops, self.good, self.chance = stops, good, random.Random(seed)
        self.left, self.lock, self.is_over = [], threading.Lock(), False
        self.draws = collections.Counter({stop.name: 0 for stop in stops})

    def draw(self, client):
        """What this client asks for next, taken; None when the time is over."""
        with self.lock:
            if self.is_over:
                return None
            stop = self.chance.random() < 0.5 and self._next_scenario(client)
            return stop or self.chance.choice([s for s in self.good if s.fits(client)])

    def _next_scenario(self, client):
        # Those that waited for their lock stay in front.
        if len(self.left) < len(self.stops) / 2:
            new = self.chance.sample(self.stops, len(self.stops))
            self.left += [stop for stop in new if stop not in self.left]
        stop = next((s for s in self.left if s.fits(client) and s.take()), None)
        if stop:
            self.left.remove(stop)
            self.draws[stop.name] += 1
        return stop


class Client:
    """One client on a thread of its own, until the deck gives nothing more. `edges`: those it may
    talk to."""

    def __init__(self, kind, edges, deck, book, tls=None):
        self.kind, self.edges, self.deck, self.book, self.tls = kind, edges, deck, book, tls
        self.thread = threading.Thread(target=self._run, name=kind, daemon=True)
        self.thread.start()

    def _run(self):
        try:
            self.run()
        except Exception as error:  # nobody else would hear of it
            self.book.trouble(f'the client {self.kind} broke: {error!r}')
            raise

    def address(self, edge):
        return edge.address if self.tls else edge.plain


class Http1Client(Client):
    """One request after the other, on a kept connection to each edge."""

    speaks_http1 = True

    def run(self):
        self.kept = {}
        while stop := self.deck.draw(self):
            try:
                with stop.occupied():
                    for ask in stop.asks:
                        self.ask(ask)
            finally:
                stop.leave()
        for client in self.kept.values():
            client.close()

    def ask(self, ask):
        started = time.monotonic()
        client = self.kept.pop(ask.edge, None)
        try:
            client = client or wire.Client(self.address(ask.edge), STUCK, tls=self.tls)
            client.send_listening(wire.request(ask.method, ask.path, ask.headers,
                                               b'u' * ask.size if ask.size else None,
                                               host=ask.host))
            response = client.response(to=ask.method)
            if response.framing == 'tunnel':
                response.body = client.until_end()
            response.surplus = client.buffer
        except (OSError, wire.Malformed) as error:
            self.book.trouble(f'{ask.name} ({self.kind}): {error!r} after '
                              f'{time.monotonic() - started:.1f} s')
            if client:
                client.close()
            return
        self.book.note(self.kind, ask, response, started)
        client.served = getattr(client, 'served', 0) + 1
        closes = (response.header('connection') or '').lower() == 'close'
        if closes or response.end or client.end or client.served == LIFETIME:
            client.close()
        else:
            self.kept[ask.edge] = client


class Stream:
    """One request on an HTTP/2 connection, and those of the same scenario that follow it."""

    def __init__(self, stop, asks):
        self.stop, self.ask, self.later = stop, asks[0], asks[1:]
        self.unsent, self.started = self.ask.size, time.monotonic()


class Http2Client(Client):
    """Several requests at once, on one connection to one edge."""

    speaks_http1 = False

    def run(self):
        edge, = self.edges
        while not self.deck.is_over:
            with http2_wire.Client(self.address(edge), self.tls, timeout=STUCK) as self.client:
                self.streams, self.begun = {}, 0
                try:
                    self.serve()
                except (OSError, http2_wire.Malformed) as error:
                    self.book.trouble(f'{self.under_way()} ({self.kind}): {error!r}')
                finally:
                    for stream in self.streams.values():
                        stream.stop.leave()

    def under_way(self):
        return ', '.join(stream.ask.name for stream in self.streams.values()) or 'no stream'

    def serve(self):
        while True:
            while len(self.streams) < STREAMS and self.begun < LIFETIME and \
                    (stop := self.deck.draw(self)):
                self.begin(Stream(stop, stop.asks))
            if not self.streams:
                return
            sent = self.send_bodies()
            if self.has_bytes(0 if sent else 1):
                frame = self.client.step()
                if frame is None:
                    raise ConnectionError(f'the connection ended ({self.client.end})')
            self.take_responses()

    def begin(self, stream):
        ask = stream.ask
        headers = [(name.lower(), value) for name, value in ask.headers]
        if ask.size:  # else it is chunked to the origin, which the lab does not read
            headers.append(('content-length', str(ask.size)))
        number = self.client.ask(ask.method, ask.path, headers, not ask.size, ask.host)
        self.streams[number] = stream
        self.begun += 1

    def send_bodies(self):
        """One frame of each stream whose windows are open; whether there was any."""
        client, sent = self.client, False
        for number, stream in self.streams.items():
            room = min(client.windows[0], client.windows[number], 16384, stream.unsent)
            if room > 0 and client.responses[number].reset is None:
                stream.unsent -= room
                client.data(number, b'u' * room, end=not stream.unsent)
                sent = True
        return sent

    def has_bytes(self, seconds):
        waiting = self.client.buffer or self.tls and self.client.socket.pending()
        return waiting or select.select([self.client.socket], [], [], seconds)[0]

    def take_responses(self):
        """A request is over with its response, and with its upload or a reset."""
        for number, stream in list(self.streams.items()):
            response = self.client.responses[number]
            if response.reset is not None or response.complete and not stream.unsent:
                del self.streams[number], self.client.responses[number]
                self.book.note(self.kind, stream.ask, response, stream.started)
                if stream.later:
                    self.begin(Stream(stream.stop, stream.later))
                else:
                    stream.stop.leave()
            elif time.monotonic() - stream.started > STUCK:
                raise TimeoutError(f'{stream.ask.name} is stuck, {stream.unsent} bytes unsent, '
                                   f'windows {self.client.windows[0]} for all, '
                                   f'{self.client.windows[number]} for it: {response}')



__all__ = ['Deck', 'Http1Client', 'Http2Client', 'STUCK', 'Stop']

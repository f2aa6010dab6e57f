"""The raw HTTP/1.1 client of the tests: sends exactly the bytes it is given, sees exactly the bytes
that come."""
import contextlib
import select
import socket
import ssl
import struct
import threading
import time

# Factor on every wait for what must come: a busy machine takes longer, and nobody waits in vain for long.
PATIENCE = 4


class Malformed(Exception):
    """What came back is not an HTTP/1.1 response."""


class Response:
    """One response as the client saw it. `complete` says that its framing ended properly; `end` is
    how the connection ended: 'fin', 'rst', or None while it is open."""

    def __init__(self, version, status, reason, headers):
        self.version, self.status, self.reason, self.headers = version, status, reason, headers
        self.body = b''
        self.trailers = []
        self.interim = []
        self.complete = False
        self.framing = None
        self.end = None
        self.surplus = b''

    def header(self, name, default=None):
        """The first value of that header."""
        return next((v for n, v in self.headers if n.lower() == name.lower()), default)

    def all(self, name):
        return [v for n, v in self.headers if n.lower() == name.lower()]

    @property
    def ray(self):
        return (self.header('cf-ray') or '')[:16]

    @property
    def cut(self):
        """The client can tell that this was no whole response."""
        return not self.complete

    def __repr__(self):
        return (f'<{self.status} {self.reason} {len(self.body)} bytes complete={self.complete} '
                f'end={self.end} {self.headers} {self.body[:200]!r}>')


class Client:
    """One connection to the edge."""

    def __init__(self, address, timeout=15, receive_buffer=None, source=None, tls=None,
                 server_name='localhost'):
        self.socket = socket.socket(socket.AF_INET6 if ':' in address[0] else socket.AF_INET)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.settimeout(timeout)
        if source:
            self.socket.bind((source, 0))
        self.socket.connect(address)
        if tls:  # an ssl context
            try:
                self.socket = tls.wrap_socket(self.socket, server_hostname=server_name,
                                              suppress_ragged_eofs=False)
            except OSError:
                self.socket.close()
                raise
        self.buffer = b''
        self.end = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def send_aside(self, data):
        """Sends on a thread of its own: a large body must not keep us from reading an early
        answer."""
        def send():
            try:
                self.socket.sendall(data)
            except OSError:
                pass  # the edge has had enough; what it answered is what counts
        threading.Thread(target=send, daemon=True).start()

    def send_listening(self, data):
        """Sends and takes what comes meanwhile; an end of the connection is left to the reader. For
        TLS, which two threads must not use at once."""
        timeout, rest = self.socket.gettimeout(), memoryview(data)
        self.socket.setblocking(False)
        try:
            while rest and not self.end:
                may_read, may_write, _ = select.select([self.socket], [self.socket], [], timeout)
                if not may_read and not may_write:
                    raise TimeoutError(f'{len(rest)} bytes could not be sent')
                with contextlib.suppress(BlockingIOError, ssl.SSLWantReadError):
                    if may_read:
                        self.more()
                with contextlib.suppress(BlockingIOError, ssl.SSLWantReadError,
                                         ssl.SSLWantWriteError):
                    rest = rest[self.socket.send(rest[:65536]):]
        except (ConnectionError, ssl.SSLError):
            pass  # the other side has had enough; what it answered is what counts
        finally:
            self.socket.settimeout(timeout)

    def get(self, path='/', headers=(), **more):
        """Sends a GET and reads its response; the connection stays open."""
        self.send(request('GET', path, headers))
        return self.response(**more)

    def finish(self):
        """Closes the sending side only."""
        self.socket.shutdown(socket.SHUT_WR)

    def close(self):
        self.socket.close()

    def reset(self):
        """Closes with RST."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
        self.socket.close()

    def more(self):
        """Waits for bytes. False at the end of the connection (then `end` is set)."""
        if self.end:
            return False
        try:
            data = self.socket.recv(262144)
        except (ConnectionError, ssl.SSLEOFError):  # the latter: without TLS's own end
            self.end = 'rst'
            return False
        if not data:
            self.end = 'fin'
            return False
        self.buffer += data
        return True

    def take_until(self, mark):
        """The bytes before `mark`, which is used up. None when the connection ended first."""
        while mark not in self.buffer:
            if not self.more():
                return None
        taken, self.buffer = self.buffer.split(mark, 1)
        return taken

    def take(self, size):
        """Exactly `size` bytes, fewer only at the end of the connection."""
        pieces, missing = [], size
        while True:
            piece, self.buffer = self.buffer[:missing], self.buffer[missing:]
            pieces.append(piece)
            missing -= len(piece)
            if not missing or not self.more():
                return b''.join(pieces)

    def head(self):
        """The next response head, interim ones too. None when the connection ended before any
        byte."""
        head = self.take_until(b'\r\n\r\n')
        if head is None:
            if self.buffer:
                raise Malformed(f'ended ({self.end}) inside a head: {self.buffer[:300]!r}')
            return None
        lines = head.split(b'\r\n')
        parts = lines[0].decode('latin-1').split(' ', 2)
        if len(parts) < 2 or not parts[0].startswith('HTTP/1.') or len(parts[1]) != 3:
            raise Malformed(f'not a status line: {lines[0][:200]!r}')
        headers = []
        for line in lines[1:]:
            name, colon, value = line.decode('latin-1').partition(':')
            if not colon or not name or name != name.strip():
                raise Malformed(f'not a header line: {line[:200]!r}')
            headers.append((name, value.strip()))
        return Response(parts[0], int(parts[1]), parts[2] if len(parts) > 2 else '', headers)

    def response(self, to='GET', body=True):
        """The next final response (or 101). `body=False` leaves the body unread. Raises Malformed
        when the connection ended without one."""
        interim = []
        while True:
            response = self.head()
            if response is None:
                raise Malformed(f'connection ended ({self.end}) without a response')
            if response.status >= 200 or response.status == 101:
                break
            interim.append(response)
        response.interim = interim
        if response.status == 101:
            response.complete, response.framing = True, 'tunnel'
        elif body:
            self.read_body(response, to)
        return response

    def read_body(self, response, to='GET'):
        if to == 'HEAD' or response.status in (204, 304):
            response.complete, response.framing = True, 'none'
        elif (response.header('transfer-encoding') or '').lower() == 'chunked':
            response.framing = 'chunked'
            self._read_chunks(response)
        elif response.header('content-length') is not None:
            response.framing = 'length'
            length = int(response.header('content-length'))
            response.body = self.take(length)
            response.complete = len(response.body) == length
        else:
            response.framing = 'close'
            while self.more():
                pass
            response.body, self.buffer = self.buffer, b''
            response.complete = self.end == 'fin'
        response.end = self.end

    def _read_chunks(self, response):
        pieces = []
        while True:
            line = self.take_until(b'\r\n')
            if line is None:
                break
            size = int(line.split(b';')[0], 16)
            if size == 0:
                while (trailer := self.take_until(b'\r\n')) not in (b'', None):
                    name, _, value = trailer.decode('latin-1').partition(':')
                    response.trailers.append((name, value.strip()))
                response.complete = trailer == b''
                break
            piece = self.take(size)
            pieces.append(piece)
            if len(piece) < size or self.take(2) != b'\r\n':
                break
        response.body = b''.join(pieces)

    def until_end(self, response=None):
        """Reads until the connection ends and returns what came; notes it in `response`."""
        while self.more():
            pass
        rest, self.buffer = self.buffer, b''
        if response is not None:
            response.surplus, response.end = rest, self.end
        return rest

    def is_closed_within(self, seconds):
        """Whether the edge ends this connection, without another byte, in that time."""
        self.socket.settimeout(seconds)
        try:
            return not self.more()
        except TimeoutError:
            return False

    def is_silent_for(self, seconds):
        """Whether no byte and no end comes in that time."""
        if self.buffer:
            return False
        self.socket.settimeout(seconds)
        try:
            self.more()
            return False
        except TimeoutError:
            return True
        finally:
            self.socket.settimeout(15)


def request(method='GET', path='/', headers=(), body=None, host='edge.test', version='HTTP/1.1'):
    """The bytes of a request. `body` bytes get a Content-Length unless a header frames them."""
    lines = [f'{method} {path} {version}']
    if host is not None:
        lines.append(f'Host: {host}')
    lines += [f'{name}: {value}' for name, value in headers]
    framed = any(name.lower() in ('content-length', 'transfer-encoding') for name, _ in headers)
    if body is not None and not framed:
        lines.append(f'Content-Length: {len(body)}')
    return '\r\n'.join(lines).encode('latin-1') + b'\r\n\r\n' + (body or b'')


def chunk(data):
    return b'%x\r\n%s\r\n' % (len(data), data)


def fetch(address, method='GET', path='/', headers=(), body=None, timeout=15, tls=None, **more):
    """One request on a connection of its own, read to the connection's end."""
    with Client(address, timeout, tls=tls) as client:
        # Two threads must not use one TLS connection.
        send = client.send if tls else client.send_aside
        send(request(method, path, (*headers, ('Connection', 'close')), body, **more))
        response = client.response(to=method)
        client.until_end(response)
        return response


def eventually(condition, seconds=5):
    """Polls until `condition()` gives something true and returns that; the last value at the
    deadline. `seconds` is what a quiet machine takes at most, here and wherever PATIENCE is."""
    deadline = time.monotonic() + seconds * PATIENCE
    while True:
        value = condition()
        if value or time.monotonic() > deadline:
            return value
        time.sleep(0.02)

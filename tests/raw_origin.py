"""Origins written byte by byte: a test says what each connection does, and the origin remembers
what it was sent."""
import contextlib
import socket
import struct
import threading
import time

import namespaces

KEEP_BYTES = 1 << 20  # of what one connection received: enough for assertions, not for bulk


class Request:
    def __init__(self, head, method, target, headers):
        self.head, self.method, self.target, self.headers = head, method, target, headers
        self.body = b''
        self.trailers = []
        self.whole = False

    def header(self, name, default=None):
        return next((v for n, v in self.headers if n.lower() == name.lower()), default)

    def all(self, name):
        return [v for n, v in self.headers if n.lower() == name.lower()]

    @property
    def ray(self):
        return (self.header('cf-ray') or '')[:16]


class Connection:
    """The origin's end of one connection. `nth` counts the requests read from it."""

    def __init__(self, origin, sock, number):
        self.origin, self.socket, self.number = origin, sock, number
        self.buffer = bytearray()
        self.received = bytearray()
        self.nth = 0
        self.end = None

    def more(self):
        if self.end:
            return False
        try:
            data = self.socket.recv(262144)
        except OSError:
            self.end = 'rst'
            return False
        if not data:
            self.end = 'fin'
            return False
        if len(self.received) < KEEP_BYTES:
            self.received += data
        self.buffer += data
        return True

    def line(self):
        while b'\r\n' not in self.buffer:
            if not self.more():
                return None
        return self.cut(self.buffer.index(b'\r\n'), 2)

    def cut(self, size, more=0):
        """The next bytes of the buffer, without `more` bytes behind them."""
        taken = bytes(self.buffer[:size])
        del self.buffer[:size + more]
        return taken

    def take(self, size):
        while len(self.buffer) < size and self.more():
            pass
        return self.cut(size)

    def read_head(self):
        """The next request without its body, or None when the edge closed."""
        while b'\r\n\r\n' not in self.buffer:
            if not self.more():
                return None
        head = self.cut(self.buffer.index(b'\r\n\r\n'), 4)
        lines = head.decode('latin-1').split('\r\n')
        method, target, _ = lines[0].split(' ')
        headers = [(n, v.strip()) for n, _, v in (line.partition(':') for line in lines[1:])]
        request = Request(head, method, target, headers)
        self.nth += 1
        self.origin.requests.append(request)
        return request

    def read_body(self, request):
        if (request.header('transfer-encoding') or '').lower() == 'chunked':
            while (line := self.line()) is not None:
                size = int(line.split(b';')[0], 16)
                if size == 0:
                    while (trailer := self.line()) not in (b'', None):
                        name, _, value = trailer.decode('latin-1').partition(':')
                        request.trailers.append((name, value.strip()))
                    request.whole = trailer == b''
                    return request
                request.body += self.take(size)
                self.take(2)
            return request
        length = int(request.header('content-length') or 0)
        request.body = self.take(length)
        request.whole = len(request.body) == length
        return request

    def read_request(self):
        request = self.read_head()
        return request and self.read_body(request)

    def send(self, data):
        try:
            self.socket.sendall(data)
            return True
        except OSError:
            self.end = self.end or 'rst'
            return False

    def respond(self, body=b'ok', status='200 OK', headers=()):
        lines = [f'HTTP/1.1 {status}', f'Content-Length: {len(body)}']
        lines += [f'{n}: {v}' for n, v in headers]
        return self.send('\r\n'.join(lines).encode('latin-1') + b'\r\n\r\n' + body)

    def finish(self):
        self.socket.shutdown(socket.SHUT_WR)

    def close(self):
        self.socket.close()

    def reset(self):
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
        self.socket.close()

    def wait_for_end(self, seconds=10):
        """Reads until the edge ends the connection; 'fin', 'rst' or None at the deadline."""
        self.socket.settimeout(seconds)
        try:
            while self.more():
                self.buffer = b''
        except TimeoutError:
            pass
        return self.end


class Origin:
    """Listens on a loopback port (or inside a namespace) and runs `behave(connection)` on a thread
    per connection. When `behave` returns, the connection is closed."""

    def __init__(self, behave, host='127.0.0.1', port=0, namespace=None, backlog=128,
                 receive_buffer=None):
        self.behave = behave
        self.connections, self.requests, self.troubles = [], [], []
        self.stopped = False
        with namespaces.inside(namespace):
            self.socket = socket.socket(socket.AF_INET6 if ':' in host else socket.AF_INET)
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if receive_buffer:
                self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
            self.socket.bind((host, port))
            self.socket.listen(backlog)
        self.host, self.port = host, self.socket.getsockname()[1]
        self.thread = threading.Thread(target=self._accept, daemon=True)
        self.thread.start()

    @property
    def url(self):
        return f'http://[{self.host}]:{self.port}' if ':' in self.host else \
               f'http://{self.host}:{self.port}'

    @property
    def received(self):
        """All bytes that ever came, over all connections."""
        return b''.join(bytes(c.received) for c in self.connections)

    def _accept(self):
        while True:
            try:
                sock, _ = self.socket.accept()
            except OSError:
                if self.stopped:
                    return
                continue  # a connection that was reset in the queue
            with contextlib.suppress(OSError):  # it may be reset already
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection = Connection(self, sock, len(self.connections) + 1)
            self.connections.append(connection)
            threading.Thread(target=self._run, args=(connection,), daemon=True).start()

    def _run(self, connection):
        try:
            self.behave(connection)
        except OSError as error:
            self.troubles.append(error)
        finally:
            connection.socket.close()

    def stop(self):
        self.stopped = True
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        for connection in self.connections:
            try:
                connection.socket.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


def answering(body=b'ok', status='200 OK', headers=()):
    """An origin that answers every request the same way and keeps its connections open."""
    def behave(connection):
        while connection.read_request():
            connection.respond(body, status, headers)
    return behave


def by_path(connection):
    """An origin that answers, or breaks off at `/bad`; `/error` is its own 500, `/wait/SECONDS/`
    takes so long."""
    while request := connection.read_request():
        if request.target.startswith('/wait/'):
            time.sleep(float(request.target.split('/')[2]))
        if '/bad' in request.target:
            return
        if '/error' in request.target:
            connection.respond(status='500 Oops')
        else:
            connection.respond()


def sending(data, then='finish'):
    """An origin that reads one request, sends `data` and ends the connection (`finish` or
    `reset`)."""
    def behave(connection):
        connection.read_request()
        connection.send(data)
        getattr(connection, then)()
        if then == 'finish':
            connection.wait_for_end()
    return behave

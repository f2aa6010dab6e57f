"""A relay between an edge and ClickHouse that understands so much of HTTP that it can fail at a
chosen moment of an insert."""
import contextlib
import socket
import struct
import threading
import time
import urllib.parse

import raw_origin
import wire


class Fault:
    """`at`: `request` cuts in the middle of the insert, `answer` in the middle of its answer,
    `between` when the server has answered, `sent` as soon as the server has the whole insert,
    `aside` as soon as it has half, and gives it the rest `seconds` later; `passed` cuts nothing.
    `how`: fin, rst or 502, an answer of the relay's own. `then()` runs before the cut."""

    def __init__(self, at, how='fin', then=lambda: None, seconds=0):
        self.at, self.how, self.then, self.seconds = at, how, then, seconds


class Relay:
    """Passes everything on to `port` but those inserts for which `faults` has something: a list for
    each table, used up from its beginning; None passes one on. `listens`: its own port. As long as
    `refuses` is a text, statements that have it are answered with code 202."""

    def __init__(self, port, listens=0, **faults):
        self.port, self.faults = port, faults
        self.refuses = None
        self.lock = threading.Lock()
        self.inserts = []  # the fault of each, None if it was passed on
        self.origin = raw_origin.Origin(self._serve, port=listens)
        self.url, self.stop = self.origin.url, self.origin.stop

    def refuse_connections(self, seconds):
        """New ones. Needs `listens`: another port would be given back."""
        self.origin.socket.shutdown(socket.SHUT_RDWR)
        threading.Timer(seconds, lambda: self.origin.socket.listen(128)).start()

    def _serve(self, connection):
        with contextlib.suppress(OSError, wire.Malformed):
            while request := connection.read_head():
                fault = self._fault_of(request)
                if not self._pass(connection, request, fault):
                    return

    def _fault_of(self, request):
        sql = urllib.parse.unquote_plus(request.target)
        with self.lock:
            for table, faults in self.faults.items():
                if 'INSERT INTO' in sql and f'`{table}' in sql:
                    fault = faults.pop(0) if faults else None
                    self.inserts.append(fault)
                    return fault
        return None

    def _pass(self, connection, request, fault):
        """False: the connection is over."""
        length = int(request.header('content-length') or 0)
        with wire.Client(('127.0.0.1', self.port), timeout=60) as server:
            server.send(request.head + b'\r\n\r\n')
            if fault and fault.at == 'request':
                server.send(connection.take(length // 2))
                fault.then()
                # As a network does: the server learns of it in the same way.
                getattr(server, 'reset' if fault.how == 'rst' else 'finish')()
                return self._cut(connection, fault)
            body = connection.take(length)
            if self.refuses and self.refuses.encode() in body:
                return connection.respond(b'Code: 202, too many queries', '500 Error')
            if fault and fault.at == 'aside':
                server.send(body[:length // 2])
                self._cut(connection, fault)
                time.sleep(fault.seconds)
                body = body[length // 2:]
            server.send(body)
            if fault and fault.at == 'sent':
                fault.then()
                self._cut(connection, fault)
            response = server.response()
        answer = self._bytes_of(response)
        if fault and fault.at == 'passed':
            fault.then()
        if not fault or fault.at == 'passed':
            return connection.send(answer)
        if fault.at in ('sent', 'aside'):
            return False
        if fault.at == 'answer':
            connection.send(answer[:len(answer) // 2])
        fault.then()
        return self._cut(connection, fault)

    @staticmethod
    def _cut(connection, fault):
        if fault.how == '502':
            connection.respond(b'', '502 Bad Gateway')
        if fault.how == 'rst':
            connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                         struct.pack('ii', 1, 0))
        else:
            connection.socket.shutdown(socket.SHUT_WR)
        connection.close()
        return False

    @staticmethod
    def _bytes_of(response):
        lines = [f'{response.version} {response.status} {response.reason}',
                 f'Content-Length: {len(response.body)}']
        return '\r\n'.join(lines).encode() + b'\r\n\r\n' + response.body

"""A name server that answers as a test tells it to."""
import socket
import struct
import threading

A, AAAA = 1, 28
NOERROR, SERVFAIL, NXDOMAIN = 0, 2, 3


class NameServer:
    """Answers for every name with `addresses` and `ttl`, or with `rcode`, or not at all if
    `silent`; all may be changed while it runs. `rcodes` and `silent_for` do so for one
    kind of question. `asked` counts the questions for A."""

    def __init__(self, *addresses, ttl=1):
        self.addresses, self.ttl = list(addresses), ttl
        self.rcode, self.silent, self.asked = NOERROR, False, 0
        self.rcodes, self.silent_for = {}, set()
        self.socket = socket.socket(type=socket.SOCK_DGRAM)
        self.socket.bind(('127.0.0.1', 0))
        self.address = '%s:%d' % self.socket.getsockname()
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self):
        while True:
            query, client = self.socket.recvfrom(4096)
            if not query:
                return  # stop() woke us
            kind, reply = self._reply(query)
            if not self.silent and kind not in self.silent_for:
                self.socket.sendto(reply, client)

    def _reply(self, query):
        end = query.index(b'\0', 12) + 5
        question = query[12:end]
        kind = struct.unpack('>H', question[-4:-2])[0]
        self.asked += kind == A
        family = {A: socket.AF_INET, AAAA: socket.AF_INET6}.get(kind)
        packed = [socket.inet_pton(family, address) for address in self.addresses
                  if family and (':' in address) == (kind == AAAA)]
        rcode = self.rcodes.get(kind, self.rcode)
        if rcode:
            packed = []
        answers = b''.join(struct.pack('>HHHIH', 0xc00c, kind, 1, self.ttl, len(one)) + one
                           for one in packed)
        return kind, (query[:2] + struct.pack('>HHHHH', 0x8180 | rcode, 1, len(packed), 0, 0) +
                      question + answers)

    def stop(self):
        with socket.socket(type=socket.SOCK_DGRAM) as waker:
            waker.sendto(b'', self.socket.getsockname())
        self.thread.join()
        self.socket.close()

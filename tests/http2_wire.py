"""The raw HTTP/2 client of the tests: sends exactly the frames it is given, well-formed or not, and
sees exactly the frames that come. Frames and HPACK are written out here; nothing is checked for
us."""
import struct

import wire

PREFACE = b'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, \
    CONTINUATION = range(10)
END_STREAM, ACK, END_HEADERS, PADDED = 1, 1, 4, 8
NO_ERROR, PROTOCOL_ERROR, INTERNAL_ERROR, FLOW_CONTROL_ERROR = 0, 1, 2, 3
STREAM_CLOSED, FRAME_SIZE_ERROR, REFUSED_STREAM, CANCEL, COMPRESSION_ERROR = 5, 6, 7, 8, 9
ENHANCE_YOUR_CALM = 11
HEADER_TABLE_SIZE, ENABLE_PUSH, MAX_CONCURRENT_STREAMS, INITIAL_WINDOW_SIZE = 1, 2, 3, 4
LARGEST_WINDOW = (1 << 31) - 1

STATIC = [tuple(line.partition('=')[::2]) for line in (
    ':authority,:method=GET,:method=POST,:path=/,:path=/index.html,:scheme=http,:scheme=https,'
    ':status=200,:status=204,:status=206,:status=304,:status=400,:status=404,:status=500,'
    'accept-charset,accept-encoding=gzip; deflate,accept-language,accept-ranges,accept,'
    'access-control-allow-origin,age,allow,authorization,cache-control,content-disposition,'
    'content-encoding,content-language,content-length,content-location,content-range,content-type,'
    'cookie,date,etag,expect,expires,from,host,if-match,if-modified-since,if-none-match,if-range,'
    'if-unmodified-since,last-modified,link,location,max-forwards,proxy-authenticate,'
    'proxy-authorization,range,referer,refresh,retry-after,server,set-cookie,'
    'strict-transport-security,transfer-encoding,user-agent,vary,via,www-authenticate').split(',')]

# Bits of each byte's Huffman code, in runs. The code is canonical, so the lengths say it all.
_BITS = [int(word) for word in '''
13 23 28 28 28 28 28 28 28 24 30 28 28 30 28 28 28 28 28 28 28 28 30 28 28 28 28 28 28 28 28 28
6 10 10 12 13 6 8 11 10 10 8 11 8 6 6 6 5 5 5 6 6 6 6 6 6 6 7 8 15 6 12 10
13 6 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 8 7 8 13 19 13 14 6
15 5 6 5 6 5 6 6 6 5 7 7 6 6 6 5 6 7 6 5 5 6 7 7 7 7 7 15 11 14 13 28'''.split()]


def _huffman_codes():
    """Of printable ASCII: nothing else is in the fields of these tests."""
    # Bytes above 127 have 19 bits or more, so all shorter codes follow from these lengths alone;
    # what is missing are control bytes and the backslash.
    codes, code, bits = {}, 0, 0
    for length, byte in sorted((b, i) for i, b in enumerate(_BITS) if b < 19):
        code <<= length - bits
        bits = length
        codes[(bits, code)] = byte
        code += 1
    return codes


_CODES = _huffman_codes()


class Malformed(Exception):
    """What came back is not HTTP/2."""


def _unhuffman(data):
    text, code, bits = bytearray(), 0, 0
    for byte in data:
        for shift in range(7, -1, -1):
            code, bits = code << 1 | byte >> shift & 1, bits + 1
            if (bits, code) in _CODES:
                text.append(_CODES[(bits, code)])
                code = bits = 0
    if bits > 7 or code != (1 << bits) - 1:
        raise Malformed(f'not a Huffman code: {data!r}')
    return bytes(text)


def _integer(value, prefix_bits, flags=0):
    most = (1 << prefix_bits) - 1
    if value < most:
        return bytes([flags | value])
    text, value = bytearray([flags | most]), value - most
    while value > 127:
        text.append(value & 127 | 128)
        value >>= 7
    return bytes(text) + bytes([value])


def _text(text):
    data = text if isinstance(text, bytes) else text.encode('latin-1')
    return _integer(len(data), 7) + data


def literal(name, value, indexed=False):
    """One field with its name written out; `indexed` adds it to the decoder's table."""
    return (b'\x40' if indexed else b'\x00') + _text(name) + _text(value)


def encode(fields):
    return b''.join(literal(name, value) for name, value in fields)


def dynamic(index):
    """A reference to a field that was added to the table; 0 is the newest."""
    return _integer(62 + index, 7, 0x80)


class Decoder:
    """HPACK with a dynamic table of no size, as our SETTINGS say."""

    def decode(self, data):
        self.data, self.at, fields = data, 0, []
        while self.at < len(data):
            first = data[self.at]
            if first & 0x80:
                fields.append(STATIC[self._number(7) - 1])
            elif first & 0xe0 == 0x20:
                if self._number(5) != 0:
                    raise Malformed('a table larger than allowed')
            else:
                index = self._number(6 if first & 0x40 else 4)
                name = STATIC[index - 1][0] if index else self._string()
                fields.append((name, self._string()))
        return fields

    def _number(self, bits):
        most = (1 << bits) - 1
        value = self.data[self.at] & most
        self.at += 1
        if value < most:
            return value
        shift = 0
        while True:
            byte = self.data[self.at]
            self.at += 1
            value += (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    def _string(self):
        huffman = self.data[self.at] & 0x80
        size = self._number(7)
        text, self.at = self.data[self.at:self.at + size], self.at + size
        return (_unhuffman(text) if huffman else text).decode('latin-1')


def frame(kind, flags=0, stream=0, payload=b''):
    return struct.pack('>I', len(payload))[1:] + bytes([kind, flags]) + \
        struct.pack('>I', stream) + payload


def settings_frame(values=()):
    return frame(SETTINGS, payload=b''.join(struct.pack('>HI', k, v) for k, v in values))


class Frame:
    def __init__(self, kind, flags, stream, payload):
        self.kind, self.flags, self.stream, self.payload = kind, flags, stream, payload

    @property
    def error(self):
        """The error code of RST_STREAM or GOAWAY."""
        return struct.unpack('>I', self.payload[4:8] if self.kind == GOAWAY else self.payload)[0]

    @property
    def last_stream(self):
        return struct.unpack('>I', self.payload[:4])[0]

    def __repr__(self):
        return f'<{self.kind} flags={self.flags} stream={self.stream} {self.payload[:80]!r}>'


class Response(wire.Response):
    """`reset`: the error code, if the stream ended with RST_STREAM."""

    def __init__(self):
        super().__init__('HTTP/2', 0, '', [])
        self.reset = None


class Client(wire.Client):
    """One HTTP/2 connection to the edge: with `tls` (an ssl context that offers `h2`) or with prior
    knowledge. Windows are as large as can be, so that only the tests that ask for it meet them."""

    def __init__(self, address, tls=None, server_name='localhost', settings=None, greet=True,
                 window=LARGEST_WINDOW, **more):
        super().__init__(address, tls=tls, server_name=server_name, **more)
        if tls and self.socket.selected_alpn_protocol() != 'h2':
            raise Malformed(f'ALPN chose {self.socket.selected_alpn_protocol()}')
        self.decoder = Decoder()
        self.responses = {}
        self.next_stream = 1
        self.goaway = None
        self.peer_settings = None
        self.pings = []
        self.windows = {0: 65535}
        self.initial_window = 65535
        if greet:
            values = {HEADER_TABLE_SIZE: 0, ENABLE_PUSH: 0, INITIAL_WINDOW_SIZE: window}
            self.send(PREFACE + settings_frame((values | (settings or {})).items()))
            if window > 65535:
                self.send_frame(WINDOW_UPDATE, payload=struct.pack('>I', window - 65535))

    def send_frame(self, kind, flags=0, stream=0, payload=b''):
        self.send(frame(kind, flags, stream, payload))

    def headers(self, fields, end=True, stream=None):
        """Sends one HEADERS frame; the number of its stream."""
        if stream is None:
            stream, self.next_stream = self.next_stream, self.next_stream + 2
            self.responses[stream] = Response()
            self.windows[stream] = self.initial_window
        self.send_frame(HEADERS, END_HEADERS | (END_STREAM if end else 0), stream, encode(fields))
        return stream

    def ask(self, method='GET', path='/', headers=(), end=True, host='edge.test', scheme='https'):
        return self.headers([(':method', method), (':scheme', scheme), (':authority', host),
                             (':path', path), *headers], end)

    def data(self, stream, data=b'', end=False):
        """Sends within the windows of the edge, reading on while they are closed."""
        while True:
            room = min(self.windows[0], self.windows[stream], 16384)
            if data and room <= 0:
                if not self.step():
                    raise Malformed(f'ended ({self.end}) with the window closed')
                continue
            part, data = data[:room], data[room:]
            self.windows[0] -= len(part)
            self.windows[stream] -= len(part)
            self.send_frame(DATA, END_STREAM if end and not data else 0, stream, part)
            if not data:
                return

    def reset(self, stream=None, error=CANCEL):
        """RST_STREAM; without a stream, RST of the connection."""
        if stream is None:
            super().reset()
        else:
            self.send_frame(RST_STREAM, 0, stream, struct.pack('>I', error))

    def allow(self, size, stream=0):
        self.send_frame(WINDOW_UPDATE, 0, stream, struct.pack('>I', size))

    def next_frame(self):
        """None at the end of the connection."""
        head = self.take(9)
        if len(head) < 9:
            if head:
                raise Malformed(f'ended ({self.end}) inside a frame: {head!r}')
            return None
        size = int.from_bytes(head[:3], 'big')
        payload = self.take(size)
        if len(payload) < size:
            raise Malformed(f'ended ({self.end}) inside a frame: {head!r}')
        return Frame(head[3], head[4], int.from_bytes(head[5:9], 'big') & LARGEST_WINDOW, payload)

    def step(self):
        """Takes the next frame and does what it asks for; the frame, None at the end."""
        got = self.next_frame()
        if got is None:
            return None
        response = self.responses.get(got.stream)
        if got.kind == SETTINGS and not got.flags & ACK:
            self._take_settings(got)
        elif got.kind == PING:
            if got.flags & ACK:
                self.pings.append(got.payload)
            else:
                self.send_frame(PING, ACK, 0, got.payload)
        elif got.kind == GOAWAY:
            self.goaway = got
        elif got.kind == WINDOW_UPDATE:
            self.windows[got.stream] = \
                self.windows.get(got.stream, 0) + int.from_bytes(got.payload, 'big')
        elif got.kind == HEADERS:
            self._take_headers(got, response)
        elif got.kind == DATA:
            response.body += got.payload
        elif got.kind == RST_STREAM and response is not None:
            response.reset = got.error
        if got.kind in (HEADERS, DATA) and got.flags & END_STREAM:
            response.complete = True
        return got

    def _take_settings(self, got):
        first = self.peer_settings is None
        self.peer_settings = {} if first else self.peer_settings
        for at in range(0, len(got.payload), 6):
            key, value = struct.unpack('>HI', got.payload[at:at + 6])
            self.peer_settings[key] = value
            if key == INITIAL_WINDOW_SIZE:
                for stream in self.windows:
                    if stream:
                        self.windows[stream] += value - self.initial_window
                self.initial_window = value
        self.send_frame(SETTINGS, ACK)

    def _take_headers(self, got, response):
        payload, flags = got.payload, got.flags
        if flags & PADDED:
            payload = payload[1:len(payload) - payload[0]]
        while not flags & END_HEADERS:
            more = self.next_frame()
            if more is None or more.kind != CONTINUATION or more.stream != got.stream:
                raise Malformed(f'not a CONTINUATION: {more}')
            payload, flags = payload + more.payload, more.flags
        fields = self.decoder.decode(payload)
        status = int(dict(fields).get(':status', 0))
        fields = [(n, v) for n, v in fields if not n.startswith(':')]
        if response.status:
            response.trailers = fields
        elif 100 <= status < 200:
            interim = Response()
            interim.status, interim.headers = status, fields
            response.interim.append(interim)
        else:
            response.status, response.headers = status, fields

    def wait(self, stream, until):
        """Steps until `until(response)` is true or the stream is over."""
        response = self.responses[stream]
        while not until(response) and not response.complete and response.reset is None:
            if self.step() is None:
                response.end = self.end
                break
        return response

    def response(self, stream):
        """The whole response of that stream, as far as it comes."""
        return self.wait(stream, lambda response: False)

    def get(self, path='/', headers=(), **more):
        return self.response(self.ask('GET', path, headers, **more))

    def ping(self):
        """Everything the edge had to say before its answer has been taken then."""
        self.send_frame(PING, payload=b'edgecase')
        answers = len(self.pings)
        while len(self.pings) == answers:
            if self.step() is None:
                raise Malformed(f'ended ({self.end}) without an answer to PING')

    def until_end(self, response=None):
        """Takes all frames to the connection's end; the GOAWAY that came, or None."""
        try:
            while self.step():
                pass
        except TimeoutError:
            raise AssertionError('the edge did not end the connection') from None
        return self.goaway


def fetch(address, method='GET', path='/', headers=(), body=None, trailers=None, **more):
    """One request on a connection of its own."""
    with Client(address, **more) as client:
        stream = client.ask(method, path, headers, end=body is None and trailers is None)
        if body is not None:
            client.data(stream, body, end=trailers is None)
        if trailers is not None:
            client.headers(trailers, stream=stream)
        return client.response(stream)


__all__ = ['Client', 'Frame', 'Malformed', 'Response', 'fetch', 'frame', 'settings_frame']

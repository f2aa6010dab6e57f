"""Requests that must be refused: (sentence, cause, status, bytes). The offending byte follows the
mark §, which is not sent; without a mark any offset will do."""

MARK = '§'.encode('latin-1')
HOST = 'Host: edge.test\r\n'


def field(line, method='GET'):
    """A request that is fine but for this field line."""
    return f'{method} /refused HTTP/1.1\r\n{HOST}{line}\r\n\r\n'


def line(text):
    """A request that is fine but for its first line."""
    return f'{text}\r\n{HOST}\r\n'


HEADS = [
    # The start line.
    ('an HTTP/0.9 request', 'client.bad_request_line', 400, line('GET /refused§')),
    ('two spaces in the request line', 'client.bad_request_line', 400,
     line('GET § /refused HTTP/1.1')),
    ('a tab in the request line', 'client.bad_request_line', 400, line('GET§\t/refused HTTP/1.1')),
    ('a space behind the version', 'client.bad_request_line', 400,
     line('GET /refused HTTP/1.1§ ')),
    ('a space before the method', 'client.bad_request_line', 400, line('§ GET /refused HTTP/1.1')),
    ('a target with a space', 'client.bad_request_line', 400, line('GET /re §fused HTTP/1.1')),
    ('a method with a bracket', 'client.bad_method', 400, line('G§(T /refused HTTP/1.1')),
    ('a method with a NUL', 'client.bad_method', 400, line('GET§\0 /refused HTTP/1.1')),
    ('a relative target', 'client.bad_target', 400, line('GET §refused.html HTTP/1.1')),
    ('a target with a fragment', 'client.bad_target', 400, line('GET /refused§#x HTTP/1.1')),
    ('a target with a control byte', 'client.bad_target', 400, line('GET /refused§\x01 HTTP/1.1')),
    ('a target that is not ASCII', 'client.bad_target', 400, line('GET /refused§\xe4 HTTP/1.1')),
    ('a target of another scheme', 'client.bad_target', 400,
     line('GET §ftp://edge.test/ HTTP/1.1')),
    ('a target with user information', 'client.bad_target', 400,
     line('GET http://me§@edge.test/ HTTP/1.1')),
    ('a CONNECT', 'client.bad_target', 400, line('CONNECT edge.test:443 HTTP/1.1')),
    ('HTTP/2.0 in a request line', 'client.bad_version', 505, line('GET /refused HTTP/§2.0')),
    ('HTTP/1.2 in a request line', 'client.bad_version', 505, line('GET /refused HTTP/1.§2')),
    ('a second empty line before a request', 'client.bad_request_line', 400,
     '\r\n§\r\nGET /refused HTTP/1.1\r\nHost: edge.test\r\n\r\n'),
    # Not HTTP at all.
    ('the HTTP/2 preface', 'client.not_http.h2', 400,
     '§PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0'),
    ('a TLS hello', 'client.not_http.tls', 400,
     '§\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03' + 'r' * 32),
    ('an SSH banner', 'client.not_http.other', 400, '§SSH-2.0-OpenSSH_9.2\r\n'),
    ('a PROXY protocol header', 'client.not_http.other', 400,
     '§PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\nGET /refused HTTP/1.1\r\nHost: edge.test\r\n\r\n'),
    ('binary garbage', 'client.not_http.other', 400, '§\x01\x02\x03\x04'),
    # Lines.
    ('a bare LF behind the request line', 'client.bare_lf', 400,
     'GET /refused HTTP/1.1§\nHost: a\n\n'),
    ('a bare LF behind a header', 'client.bare_lf', 400, field('X-A: b§\nX-C: d')),
    ('a bare LF as the blank line', 'client.bare_lf', 400,
     'GET /refused HTTP/1.1\r\nHost: edge.test\r\n§\n'),
    ('a bare CR behind the request line', 'client.bare_cr', 400,
     'GET /refused HTTP/1.1§\rHost: edge.test\r\n\r\n'),
    ('a bare CR in a header', 'client.bare_cr', 400, field('X-A: b§\rX-C: d')),
    ('a folded header', 'client.obs_fold', 400, field('X-A: b\r\n§ c')),
    ('a folded header as the first one', 'client.obs_fold', 400,
     'GET /refused HTTP/1.1\r\n§ Host: edge.test\r\n\r\n'),
    ('white space before a colon', 'client.bad_header_name.space', 400, field('X-A§ : b')),
    ('a tab before a colon', 'client.bad_header_name.space', 400, field('X-A§\t: b')),
    ('a header name with a control byte', 'client.bad_header_name.byte', 400, field('X§\x01: b')),
    ('a header name with a NUL', 'client.bad_header_name.byte', 400, field('§\0X: b')),
    ('a header name that is not ASCII', 'client.bad_header_name.byte', 400, field('X§\xe4: b')),
    ('a header without a name', 'client.bad_header_name.empty', 400, field('§: b')),
    ('a header line without a colon', 'client.no_colon', 400, field('X-A§')),
    ('a NUL in a header value', 'client.bad_header_value.nul', 400, field('X-A: b§\0c')),
    ('a control byte in a header value', 'client.bad_header_value.control', 400,
     field('X-A: b§\x02')),
    ('a DEL in a header value', 'client.bad_header_value.control', 400, field('X-A: b§\x7f')),
    # Host.
    ('no Host', 'client.missing_host', 400, 'GET /refused HTTP/1.1\r\n§\r\n'),
    ('an absolute target without Host', 'client.missing_host', 400,
     'GET http://edge.test/refused HTTP/1.1\r\n§\r\n'),
    ('two Hosts', 'client.duplicate_host', 400, field('§Host: edge.test')),
    ('two Hosts that differ', 'client.duplicate_host', 400, field('§Host: other.test')),
    *((f'a Host with {what}', 'client.bad_host', 400,
       f'GET /refused HTTP/1.1\r\nHost: {value}\r\n\r\n')
      for what, value in (('a space', 'a§ b'), ('a comma', 'a§,b'), ('a path', 'a§/b'),
                          ('user information', 'me§@a'), ('a port too high', 'a:6553§6'),
                          ('a port that is a word', 'a:§b'), ('two ports', 'a:80§:80'),
                          ('an open bracket', '[::1§'), ('a percent escape', 'a§%20b'))),
    # What frames a request decides where the next one begins.
    ('Content-Length and Transfer-Encoding', 'client.cl_and_te', 400,
     field('Content-Length: 5\r\n§Transfer-Encoding: chunked', 'POST')),
    ('Transfer-Encoding and Content-Length', 'client.cl_and_te', 400,
     field('§Transfer-Encoding: chunked\r\nContent-Length: 5', 'POST')),
    ('two lengths that differ', 'client.conflicting_length', 400,
     field('Content-Length: 5\r\nContent-Length: §6', 'POST')),
    ('two lengths that differ in one field', 'client.conflicting_length', 400,
     field('Content-Length: 5, §6', 'POST')),
    ('the same length twice', 'client.duplicate_length', 400,
     field('Content-Length: 5\r\nContent-Length: §5', 'POST')),
    ('the same length twice in one field', 'client.duplicate_length', 400,
     field('Content-Length: 5, §5', 'POST')),
    *((f'a length of {what}', 'client.bad_length', 400, field('Content-Length: ' + value, 'POST'))
      for what, value in (('a plus and a digit', '§+5'), ('minus one', '§-1'),
                          ('a word', '§five'),
                          ('hexadecimal digits', '0§x5'), ('two numbers', '5§ 5'),
                          ('more than 64 bits', '99999999999999999999'), ('nothing', ''))),
    ('white space before the colon of Content-Length', 'client.bad_header_name.space', 400,
     field('Content-Length§ : 5', 'POST')),
    ('white space before the colon of Transfer-Encoding', 'client.bad_header_name.space', 400,
     field('Transfer-Encoding§ : chunked', 'POST')),
    ('a folded Transfer-Encoding', 'client.obs_fold', 400,
     field('Transfer-Encoding:\r\n§ chunked', 'POST')),
    ('a vertical tab before chunked', 'client.bad_header_value.control', 400,
     field('Transfer-Encoding: §\x0bchunked', 'POST')),
    ('a bare LF before Transfer-Encoding', 'client.bare_lf', 400,
     field('X-A: b§\nTransfer-Encoding: chunked', 'POST')),
    ('chunked twice', 'client.te_not_final', 400,
     field('Transfer-Encoding: chunked\r\nTransfer-Encoding: §chunked', 'POST')),
    ('chunked twice in one field', 'client.te_not_final', 400,
     field('Transfer-Encoding: chunked, §chunked', 'POST')),
    ('chunked not last', 'client.te_not_final', 400,
     field('Transfer-Encoding: chunked, §identity', 'POST')),
    ('an unknown transfer coding', 'client.bad_te', 501,
     field('Transfer-Encoding: §xchunked', 'POST')),
    ('gzip as a transfer coding', 'client.bad_te', 501,
     field('Transfer-Encoding: §gzip, chunked', 'POST')),
    ('identity as a transfer coding', 'client.bad_te', 501,
     field('Transfer-Encoding: §identity', 'POST')),
    ('Transfer-Encoding in HTTP/1.0', 'client.te_in_http10', 400,
     'POST /refused HTTP/1.0\r\nHost: edge.test\r\nTransfer-Encoding: chunked\r\n\r\n'),
    # Semantics and limits.
    ('an expectation nobody knows', 'client.bad_expectation', 417,
     field('Expect: §magic', 'POST')),
    ('a request line of 20000 bytes', 'client.uri_too_long', 414,
     line('GET /refused?' + 'q' * 20_000 + ' HTTP/1.1')),
    ('a header line of 20000 bytes', 'client.header_line_too_large', 431,
     field('X-A: ' + 'v' * 20_000)),
    ('40000 bytes of cookies', 'client.headers_too_large', 431,
     field('\r\n'.join(f'Cookie: a{i}=' + 'c' * 4000 for i in range(10)))),
    ('200 headers', 'client.too_many_headers', 431,
     field('\r\n'.join(f'X-{i}: v' for i in range(200)))),
]

CHUNKED = f'POST /refused HTTP/1.1\r\n{HOST}Transfer-Encoding: chunked\r\n\r\n'

# Offsets count from the first byte of the body.
BODIES = [
    ('a chunk size that is no number', 'client.bad_chunk', 400, '§xyz\r\n'),
    ('a chunk size with a minus', 'client.bad_chunk', 400, '§-1\r\n'),
    ('a chunk size with a prefix', 'client.bad_chunk', 400, '0§x5\r\nhello\r\n'),
    ('a chunk size of more than 64 bits', 'client.bad_chunk', 400, 'fffffffffffffffff\r\n'),
    ('a chunk size ended by a bare LF', 'client.bad_chunk', 400, '5§\nhello\r\n'),
    ('a chunk longer than it says', 'client.bad_chunk', 400, '5\r\nhello§!\r\n'),
    ('a chunk shorter than it says', 'client.bad_chunk', 400, '5\r\nhel\r\n§0\r\n\r\n'),
    ('a trailer line without a colon', 'client.bad_trailer', 400,
     '5\r\nhello\r\n0\r\nnonsense§\r\n\r\n'),
    ('a trailer with white space before its colon', 'client.bad_trailer', 400,
     '5\r\nhello\r\n0\r\nX-A§ : b\r\n\r\n'),
]


def split_mark(text):
    """(bytes to send, offset of the offending byte or None)."""
    raw = text.encode('latin-1')
    offset = raw.find(MARK)
    return raw.replace(MARK, b''), None if offset < 0 else offset

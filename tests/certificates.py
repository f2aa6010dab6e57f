"""A CA and certificates of its own for each run of a test file, made by the `openssl` command."""
import functools
import os
import shutil
import ssl
import subprocess
import tempfile

import harness


def _openssl(*argv):
    done = subprocess.run(['openssl', *argv], capture_output=True, text=True, timeout=60)
    if done.returncode:
        raise AssertionError(f'openssl {argv}: {done.stderr}')


class Leaf:
    """A certificate and its key, as paths of PEM files."""

    def __init__(self, certificate, key):
        self.certificate, self.key = certificate, key

    def pem(self):
        with open(self.certificate) as file:
            return file.read()


class Authority:
    """Signs certificates; all files are in its folder, which `stop` removes."""

    def __init__(self):
        self.directory = tempfile.mkdtemp(prefix='edgecase-test-')
        os.chmod(self.directory, 0o755)
        self.certificate = self._path('ca.pem')
        self.key = self._path('ca.key')
        _openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes',
                 '-days', '2', '-subj', '/CN=Edgecase test CA', '-keyout', self.key, '-out',
                 self.certificate, '-addext', 'basicConstraints=critical,CA:TRUE')

    def _path(self, name):
        return os.path.join(self.directory, name)

    def leaf(self, name, *names, days=2):
        """`names`: as in a subjectAltName, `DNS:localhost` or `IP:127.0.0.1`. `days`: of validity; below 0 it
        is over."""
        key, request, leaf, extension = (self._path(f'{name}.{kind}')
                                         for kind in ('key', 'csr', 'pem', 'ext'))
        _openssl('req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj',
                 f'/CN={name}', '-keyout', key, '-out', request)
        with open(extension, 'w') as file:
            file.write(f'subjectAltName={",".join(names)}\nextendedKeyUsage=serverAuth\n')
        _openssl('x509', '-req', '-in', request, '-CA', self.certificate, '-CAkey', self.key,
                 '-CAcreateserial', '-days', str(days), '-out', leaf, '-extfile', extension)
        os.chmod(key, 0o644)  # servers that gave up root read it too
        return Leaf(leaf, key)

    def stop(self):
        shutil.rmtree(self.directory, ignore_errors=True)


class _All(Authority):
    def __init__(self):
        super().__init__()
        self.localhost = self.leaf('localhost', 'DNS:localhost', 'IP:127.0.0.1')
        self.other = self.leaf('other.test', 'DNS:other.test', 'DNS:*.wild.test')


_shared = harness.Shared(_All)


def shown(address):
    """The certificate that a server shows, as PEM."""
    return ssl.get_server_certificate(address)


def authority():
    return _shared.get()


def edge_config(more=''):
    """The configuration of an edge that speaks TLS, with `more` lines behind it."""
    ca = authority()
    return (f'tls_cert = "{ca.localhost.certificate}"\ntls_key = "{ca.localhost.key}"\n'
            f'origin_ca = "{ca.certificate}"\n{more}')


def client_context(*alpn, version=None, trusted=True):
    """What Python's ssl needs to talk to our servers. `version`: the only ssl.TLSVersion."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if trusted:
        context.load_verify_locations(authority().certificate)
    if alpn:
        context.set_alpn_protocols(alpn)
    if version:
        if version < ssl.TLSVersion.TLSv1_2:
            context.set_ciphers('ALL:@SECLEVEL=0')
        context.minimum_version = context.maximum_version = version
    return context


@functools.cache
def h2_context():
    return client_context('h2')


@functools.cache
def h1_context():
    return client_context('http/1.1')

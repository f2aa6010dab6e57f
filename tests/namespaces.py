"""Network namespaces for the tests: made under names of our own, removed at the end."""
import contextlib
import ctypes
import itertools
import os
import re
import socket
import subprocess

_libc = ctypes.CDLL(None, use_errno=True)
_CLONE_NEWNET = 0x40000000
_counter = itertools.count(1)
_PREFIX = 'edgecase-test-'


def run(*argv, check=True):
    result = subprocess.run(argv, capture_output=True, text=True)
    if check and result.returncode:
        raise RuntimeError(f'{" ".join(argv)}: {result.stderr.strip()}')
    return result


class Namespace:
    """One network namespace with loopback up."""

    def __init__(self, role):
        self.name = f'{_PREFIX}{os.getpid()}-{next(_counter)}-{role}'
        run('ip', 'netns', 'add', self.name)
        self.run('ip', 'link', 'set', 'lo', 'up')

    def run(self, *argv, check=True):
        return run('ip', 'netns', 'exec', self.name, *argv, check=check)

    def sysctl(self, name, value):
        self.run('sysctl', '-qw', f'{name}={value}')

    def filter(self, hook, *rules):
        """Replaces the firewall of this namespace by these nft rules at `input` or `output`."""
        lines = ['flush ruleset', 'table inet test {', ' chain only {',
                 f'  type filter hook {hook} priority 0;', *rules, ' }', '}']
        process = subprocess.run(['ip', 'netns', 'exec', self.name, 'nft', '-f', '-'], text=True,
                                 input='\n'.join(lines) + '\n', capture_output=True)
        if process.returncode:
            raise RuntimeError(f'nft: {process.stderr.strip()}')

    def remove(self):
        run('ip', 'netns', 'del', self.name, check=False)


def join(left, right, number, left_v4, right_v4, left_v6=None, right_v6=None):
    """A veth pair between two namespaces; its ends are called eNUMBER on both sides."""
    name = f'e{number}'
    run('ip', 'link', 'add', name, 'netns', left.name, 'type', 'veth', 'peer', 'name', name,
        'netns', right.name)
    for namespace, v4, v6 in ((left, left_v4, left_v6), (right, right_v4, right_v6)):
        namespace.run('ip', 'addr', 'add', v4, 'dev', name)
        if v6:
            namespace.run('ip', '-6', 'addr', 'add', v6, 'dev', name, 'nodad')
        namespace.run('ip', 'link', 'set', name, 'up')
    if left_v6:
        _wait_for_ipv6(left, right_v6.split('/')[0])


def _wait_for_ipv6(namespace, address):
    """A new link carries IPv6 only after a second or so; a closed port answers once it does."""
    for _ in range(100):
        with inside(namespace), socket.socket(socket.AF_INET6) as probe:
            probe.settimeout(0.05)
            try:
                probe.connect((address, 9))
            except ConnectionRefusedError:
                return
            except OSError:
                pass
    raise RuntimeError(f'no IPv6 to {address}')


@contextlib.contextmanager
def inside(namespace):
    """Sockets made by this thread within the block belong to the namespace. None: no change."""
    if namespace is None:
        yield
        return
    home = os.open('/proc/thread-self/ns/net', os.O_RDONLY)
    away = os.open(f'/run/netns/{namespace.name}', os.O_RDONLY)
    try:
        if _libc.setns(away, _CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), 'setns')
        try:
            yield
        finally:
            if _libc.setns(home, _CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), 'setns back')
    finally:
        os.close(home)
        os.close(away)


def why_impossible():
    """None when namespaces with firewalls can be made here, else the reason in a sentence."""
    for tool in ('ip', 'nft', 'sysctl'):
        if run('sh', '-c', f'command -v {tool}', check=False).returncode:
            return f'`{tool}` is not installed'
    _remove_leftovers()
    try:
        trial = Namespace('trial')
    except RuntimeError as error:
        return f'no right to make a network namespace ({error})'
    try:
        trial.filter('input', 'tcp dport 9 drop')
        with inside(trial):
            pass
    except (RuntimeError, OSError) as error:
        return f'a network namespace cannot be used here ({error})'
    finally:
        trial.remove()
    return None


def _remove_leftovers():
    """Namespaces of test runs that were killed."""
    for line in run('ip', 'netns', 'list', check=False).stdout.splitlines():
        match = re.match(rf'({_PREFIX}(\d+)-\S+)', line)
        if match and not os.path.exists(f'/proc/{match[2]}'):
            run('ip', 'netns', 'del', match[1], check=False)

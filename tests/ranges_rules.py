"""Random firewall rules for the proof of `edgecase ranges`: nft, and iptables with ipset."""
import ipaddress
import re

PORTS = (80, 443)
REJECTS_V4 = ('icmp-port-unreachable', 'icmp-net-unreachable', 'icmp-host-unreachable',
              'icmp-proto-unreachable', 'icmp-net-prohibited', 'icmp-host-prohibited',
              'icmp-admin-prohibited', 'tcp-reset')
REJECTS_V6 = ('icmp6-no-route', 'icmp6-adm-prohibited', 'icmp6-addr-unreachable',
              'icmp6-port-unreachable', 'tcp-reset')


class Chooser:
    """Addresses and ports that have something to do with those that will connect."""

    def __init__(self, random, sources):
        self.random = random
        self.sources = {4: [s for s in sources if ':' not in s],
                        6: [s for s in sources if ':' in s]}

    def prefix(self, version):
        source = self.random.choice(self.sources[version])
        width = 32 if version == 4 else 128
        length = self.random.choice((8, 12, 16, 20, 22, 24, 25, 26, 27, 28, 29, 30, 31, 32))
        length = length * width // 32
        return str(ipaddress.ip_network(f'{source}/{length}', strict=False))

    def span(self, version):
        source = int(ipaddress.ip_address(self.random.choice(self.sources[version])))
        make = ipaddress.IPv4Address if version == 4 else ipaddress.IPv6Address
        low = source - self.random.randrange(0, 5000)
        return f'{make(low)}-{make(source + self.random.randrange(-40, 5000) if low < source - 40 else source)}'

    def distinct(self, version, most, spans=False):
        """Blocks that do not overlap: an interval set refuses others."""
        found = []
        for _ in range(self.random.randrange(1, most)):
            network = ipaddress.ip_network(self.prefix(version))
            if network.prefixlen and not any(network.overlaps(other) for other in found):
                found.append(network)
        return [str(network) for network in found]

    def ports(self):
        return self.random.choice(('443', '80', '80-100', '1-442', '400-65535', '22'))


class NftRules:
    """A whole rule set as text for `nft -f`."""

    def __init__(self, random, sources):
        self.random = random
        self.choose = Chooser(random, sources)
        self.sets = {}  # name: kind
        self.chains = [f'c{i}' for i in range(random.randrange(0, 5))]

    def text(self):
        family = self.random.choice(('inet', 'inet', 'inet', 'ip', 'ip6'))
        self.versions = {'inet': (4, 6), 'ip': (4,), 'ip6': (6,)}[family]
        lines = [f'table {family} proof {{']
        for i in range(self.random.randrange(0, 5)):
            lines += self.set(f's{i}')
        bases = [('in0', 'input', self.random.choice(('filter', '-10', 'security', 'filter + 5')))]
        if self.random.random() < 0.4:
            bases.append(('pre', 'prerouting', self.random.choice(('raw', 'mangle', '-310'))))
        if self.random.random() < 0.3:
            bases.append(('in1', 'input', '20'))
        if self.random.random() < 0.25:
            bases.append(('out', 'output', 'filter'))
        # Later ones first: a chain may only lead to those that are there.
        for i in reversed(range(len(self.chains))):
            lines += self.chain(self.chains[i], None, self.chains[i + 1:])
        lines += self.maps()
        for name, hook, priority in bases:
            policy = self.random.choice(('accept', 'drop'))
            head = f'type filter hook {hook} priority {priority}; policy {policy};'
            lines += self.chain(name, head, self.chains, hook)
        return '\n'.join(lines + ['}', ''])

    def set(self, name):
        version = self.random.choice(self.versions)
        kind = self.random.choice(('net', 'net', 'pair', 'port'))
        self.sets[name] = (kind, version)
        address = 'ipv4_addr' if version == 4 else 'ipv6_addr'
        if kind == 'net':
            elements = self.choose.distinct(version, 12)
            return [f'set {name} {{ type {address}; flags interval; elements = {{ {", ".join(elements)} }} }}']
        if kind == 'pair':
            pairs = {f'{s} . {self.random.choice((80, 443, 22))}'
                     for s in self.random.sample(self.choose.sources[version], 3)}
            return [f'set {name} {{ type {address} . inet_service; elements = {{ {", ".join(pairs)} }} }}']
        return [f'set {name} {{ type inet_service; elements = {{ {self.random.choice(("80", "443", "80, 443", "22, 80"))} }} }}']

    def maps(self):
        version = self.random.choice(self.versions)
        address = 'ipv4_addr' if version == 4 else 'ipv6_addr'
        elements = [f'{net} : {self.verdict(self.chains)}' for net in self.choose.distinct(version, 5)]
        self.sets['m'] = ('map', version)
        return [f'map m {{ type {address} : verdict; flags interval; elements = {{ {", ".join(elements)} }} }}']

    def verdict(self, below):
        choices = ['accept', 'drop', 'accept', 'drop', 'return', 'continue']
        if below:
            choices += [f'jump {self.random.choice(below)}'] * 3 + [f'goto {self.random.choice(below)}']
        return self.random.choice(choices)

    def chain(self, name, head, below, hook='input'):
        lines = [f'chain {name} {{'] + ([head] if head else [])
        if hook == 'output':
            lines.append('meta l4proto != tcp accept')  # errors by ICMP: whether they leave is not followed
        rules = self.random.randrange(1, 9)
        lines += [self.rule(below, hook, head is None) for _ in range(rules)]
        # Else a policy of drop hides all the rest too often.
        if head and hook == 'output' and self.random.random() < 0.7:
            lines.append('ct state established accept')
        return lines + ['}']

    def reject(self):
        version = self.random.choice(self.versions)
        kinds = ['reject', 'reject with tcp reset']
        if len(self.versions) == 2:
            kinds += [f'reject with icmpx {x}' for x in ('port-unreachable', 'admin-prohibited',
                                                        'no-route', 'host-unreachable')]
        elif version == 4:
            kinds += [f'reject with icmp {x}' for x in (
                'net-unreachable', 'host-unreachable', 'prot-unreachable', 'port-unreachable',
                'net-prohibited', 'host-prohibited', 'admin-prohibited')]
        else:
            kinds += [f'reject with icmpv6 {x}' for x in ('no-route', 'admin-prohibited',
                                                         'addr-unreachable', 'port-unreachable')]
        return 'meta l4proto tcp ' + self.random.choice(kinds)

    def rule(self, below, hook, is_inner):
        parts = [self.match(hook) for _ in range(self.random.choice((0, 1, 1, 1, 2, 2, 3)))]
        if self.random.random() < 0.2:
            parts.append('counter')
        if self.random.random() < 0.12:
            return ' '.join(parts + [self.vmap(below)])
        # Unconditional verdicts make what follows dead; they are kept rare.
        if not parts and self.random.random() < 0.8:
            parts = [self.match(hook)]
        # Inner chains may be called from any hook, and from prerouting no rejection is possible here.
        may_reject = hook in ('input', 'output') and not is_inner
        if may_reject and self.random.random() < 0.25:
            return ' '.join(parts + [self.reject()])
        return ' '.join(parts + [self.verdict(below)])

    def vmap(self, below):
        kind = self.random.choice(('port', 'state', 'address', 'named'))
        version = self.random.choice(self.versions)
        word = 'ip' if version == 4 else 'ip6'
        if kind == 'port':
            return f'tcp dport vmap {{ 80 : {self.verdict(below)}, 443 : {self.verdict(below)} }}'
        if kind == 'state':
            return f'ct state vmap {{ established : accept, new : {self.verdict(below)} }}'
        if kind == 'named' and 'm' in self.sets and below == self.chains:
            word = 'ip' if self.sets['m'][1] == 4 else 'ip6'
            return f'{word} saddr vmap @m'
        elements = [f'{net} : {self.verdict(below)}' for net in self.choose.distinct(version, 5)]
        return f'{word} saddr vmap {{ {", ".join(elements)} }}'

    def match(self, hook):
        side, port = ('daddr', 'sport') if hook == 'output' else ('saddr', 'dport')
        version = self.random.choice(self.versions)
        word = 'ip' if version == 4 else 'ip6'
        sign = self.random.choice(('', '', '', '!= '))
        kind = self.random.random()
        if kind < 0.2:
            return f'{word} {side} {sign}{self.choose.prefix(version)}'
        if kind < 0.3:
            return f'{word} {side} {sign}{self.choose.span(version)}'
        if kind < 0.42:
            return f'{word} {side} {sign}{{ {", ".join(self.choose.distinct(version, 9))} }}'
        if kind < 0.62:
            return self.set_match(side, port, sign)
        if kind < 0.78:
            return f'tcp {port} {sign}{self.random.choice((self.choose.ports(), "{ 80, 22 }", "{ 443-500, 1000-2000 }", "443"))}'
        return self.random.choice((
            'ct state new', 'ct state established,related', 'ct state { new, established }',
            'ct state != established', 'tcp flags & (fin | syn | rst | ack) == syn', 'tcp flags syn',
            'tcp flags & (fin | syn) == (fin | syn)', 'meta l4proto tcp', 'meta l4proto { udp, tcp }',
            'meta l4proto udp', 'udp dport 443', 'meta nfproto ipv4' if len(self.versions) == 2 else 'meta l4proto tcp',
            'meta mark 0x1', 'meta mark != 0x1', 'tcp dport > 79' if port == 'dport' else 'tcp sport >= 443',
            'iifname "lo"' if hook != 'output' else 'oifname "lo"',
            'iifname "e0"' if hook != 'output' else 'oifname "e*"',
            'iifname != "e1"' if hook != 'output' else 'oifname != "e0"',
            'fib daddr type local' if hook == 'prerouting' else 'ct state new,established'))

    def set_match(self, side, port, sign):
        if not self.sets:
            return 'tcp dport 443'
        name, (kind, version) = self.random.choice(sorted(self.sets.items()))
        word = 'ip' if version == 4 else 'ip6'
        if kind == 'net':
            return f'{word} {side} {sign}@{name}'
        if kind == 'pair':
            return f'{word} {side} . tcp {port} {sign}@{name}'
        if kind == 'port':
            return f'tcp {port} {sign}@{name}'
        return 'ct state new'


class IptablesRules:
    """Rules of one family for iptables-restore, and the sets they name for `ipset restore`."""

    def __init__(self, random, sources, version):
        self.random = random
        self.version = version
        self.choose = Chooser(random, sources)
        self.sets = []

    def ipsets(self):
        lines = []
        family = 'inet' if self.version == 4 else 'inet6'
        for i in range(self.random.randrange(0, 4)):
            name = f's{self.version}{i}'
            kind = self.random.choice(('hash:net', 'hash:ip', 'hash:ip,port', 'list:set'))
            if kind == 'list:set' and not self.sets:
                kind = 'hash:net'
            if kind == 'list:set':
                members = [n for n, k in self.sets if k == 'src'][:2]
                if not members:
                    continue
                lines.append(f'create {name} list:set')
                lines += [f'add {name} {member}' for member in members]
                self.sets.append((name, 'list'))
                continue
            lines.append(f'create {name} {kind} family {family}')
            if kind == 'hash:net':
                for net in sorted({self.choose.prefix(self.version) for _ in range(6)}):
                    lines.append(f'add {name} {net}' + self.random.choice(('', '', '', ' nomatch')))
            else:
                for source in self.random.sample(self.choose.sources[self.version], 4):
                    tail = self.random.choice((',tcp:443', ',tcp:80', ',udp:443')) if 'port' in kind else ''
                    lines.append(f'add {name} {source}{tail}')
            self.sets.append((name, 'src,dst' if 'port' in kind else 'src'))
        return '\n'.join(lines + [''])

    def text(self):
        lines = []
        if self.random.random() < 0.3:
            lines += ['*raw', f':PREROUTING {self.random.choice(("ACCEPT", "ACCEPT", "DROP"))} [0:0]',
                      ':OUTPUT ACCEPT [0:0]']
            lines += [self.rule('PREROUTING', (), 'raw') for _ in range(self.random.randrange(1, 5))]
            lines += ['COMMIT']
        if self.random.random() < 0.3:
            lines += ['*mangle', ':INPUT ACCEPT [0:0]', ':PREROUTING ACCEPT [0:0]']
            lines += [self.rule('INPUT', (), 'mangle') for _ in range(self.random.randrange(1, 5))]
            lines += ['COMMIT']
        chains = [f'c{i}' for i in range(self.random.randrange(0, 4))]
        lines += ['*filter', f':INPUT {self.random.choice(("ACCEPT", "DROP"))} [0:0]',
                  f':OUTPUT {self.random.choice(("ACCEPT", "ACCEPT", "ACCEPT", "DROP"))} [0:0]']
        lines += [f':{chain} - [0:0]' for chain in chains]
        for i, chain in enumerate(chains):
            lines += [self.rule(chain, chains[i + 1:], 'filter') for _ in range(self.random.randrange(1, 6))]
        lines += [self.rule('INPUT', chains, 'filter') for _ in range(self.random.randrange(1, 9))]
        lines.append('-A OUTPUT ! -p tcp -j ACCEPT')
        if self.random.random() < 0.3:
            lines.append(f'-A OUTPUT -d {self.choose.prefix(self.version)} -p tcp -m tcp --sport 443 -j DROP')
        lines += ['-A OUTPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT', 'COMMIT', '']
        return '\n'.join(lines)

    def rule(self, chain, below, table):
        matches = {}
        for _ in range(self.random.choice((1, 1, 1, 2, 2, 3))):
            match = self.match(table)
            # iptables-nft-save shows the last of two alike alone, though both are in the kernel.
            kind = 'flags' if '-flags' in match or '--syn' in match else re.sub(r'[^-a-z].*', '', match.replace('! ', '').replace('-m tcp ', ''))
            matches.setdefault(kind, match)
        # The protocol comes first, for matches that need it.
        return ' '.join(['-A', chain, '-p tcp', *matches.values(), self.target(below, table)])

    def target(self, below, table):
        choices = ['-j ACCEPT', '-j DROP', '-j ACCEPT', '-j RETURN', '-j LOG', '']
        if table == 'filter':
            rejects = REJECTS_V4 if self.version == 4 else REJECTS_V6
            choices += [f'-j REJECT --reject-with {self.random.choice(rejects)}'] * 2
        if below:
            choices += [f'-j {self.random.choice(below)}'] * 3 + [f'-g {self.random.choice(below)}']
        return self.random.choice(choices)

    def match(self, table):
        sign = self.random.choice(('', '', '', '! '))
        kind = self.random.random()
        if kind < 0.3:
            return f'{sign}-s {self.choose.prefix(self.version)}'
        if kind < 0.4:
            return f'-m iprange {sign}--src-range {self.choose.span(self.version)}'
        if kind < 0.6 and self.sets:
            name, dimensions = self.random.choice(self.sets)
            return f'-m set {sign}--match-set {name} {"src" if dimensions == "list" else dimensions}'
        if kind < 0.75:
            return self.random.choice((
                f'-m tcp {sign}--dport {self.choose.ports().replace("-", ":")}',
                f'-m multiport {sign}--dports 80,22', f'-m multiport {sign}--dports 443,1000:2000'))
        choices = [f'-m tcp {sign}--syn', f'-m tcp {sign}--tcp-flags SYN,FIN SYN,FIN',
                   f'-m tcp --sport 1024:65535', f'{sign}-i e0', f'{sign}-i lo', '-i e+',
                   f'-m mark {sign}--mark 0x1', f'-m addrtype {sign}--dst-type LOCAL',
                   '-m comment --comment "a \\"quoted\\" -j DROP"']
        if table != 'raw':
            choices += [f'-m conntrack {sign}--ctstate NEW', f'-m state {sign}--state NEW,ESTABLISHED',
                        '-m conntrack --ctstate RELATED,ESTABLISHED', f'-m conntrack {sign}--ctstate INVALID']
        return self.random.choice(choices)

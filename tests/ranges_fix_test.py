"""The fix that `edgecase ranges check` prints, applied: everything gets in afterwards."""
import json
import os
import re
import shlex
import subprocess
import unittest

import harness
import namespaces
import ranges_kernel

BLOCKS = ('173.245.48.0/20', '103.21.244.0/22', '103.22.200.0/22', '103.31.4.0/22', '141.101.64.0/18',
          '108.162.192.0/18', '190.93.240.0/20', '188.114.96.0/20', '197.234.240.0/22', '198.41.128.0/17',
          '162.158.0.0/15', '104.16.0.0/13', '104.24.0.0/14', '172.64.0.0/13', '131.0.72.0/22')
ESTABLISHED = '-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT'


def filter_table(*rules, input='ACCEPT', output='ACCEPT', forward='ACCEPT'):
    return '\n'.join(['*filter', f':INPUT {input} [0:0]', f':FORWARD {forward} [0:0]', f':OUTPUT {output} [0:0]',
                      *rules, 'COMMIT', ''])


def both(text, legacy=False):
    """The same rules for each family."""
    middle = '-legacy' if legacy else ''
    return [([f'iptables{middle}-restore'], text), ([f'ip6tables{middle}-restore'], text)]


def v4_only(text):
    return [(['iptables-restore'], text), (['ip6tables-restore'], filter_table())]


def nft(text):
    return [(['nft', '-f', '-'], text)]


def chain(hook, *rules, policy='accept', priority='filter', family='inet', name='c'):
    return nft(f'table {family} t {{\n chain {name} {{\n  type filter hook {hook} priority {priority}; '
               f'policy {policy};\n  ' + '\n  '.join(rules) + '\n }\n}\n')


STALE_SET = '\n'.join(['create edge4 hash:net family inet', *(f'add edge4 {b}' for b in BLOCKS[:11])]) + '\n'
# Each: what is loaded, by which tool, and a word that the fix must have.
BROKEN = {
    'INPUT drops': (both(filter_table(input='DROP')), 'iptables -I INPUT '),
    'OUTPUT drops': (both(filter_table(output='DROP')), 'iptables -I OUTPUT '),
    'INPUT and OUTPUT drop': (both(filter_table(input='DROP', output='DROP')), '--ctstate ESTABLISHED'),
    'no rule for packets after the first': (
        both(filter_table('-A INPUT -p tcp -m conntrack --ctstate NEW -m multiport --dports 80,443 -j ACCEPT',
                          input='DROP')), 'iptables -I INPUT '),
    'a rejection before the acceptance': (
        both(filter_table('-A INPUT -p tcp -m multiport --dports 80,443 -j REJECT --reject-with tcp-reset',
                          '-A INPUT -p tcp -m multiport --dports 80,443 -j ACCEPT')), 'iptables -I INPUT '),
    'a rejection whose reset is dropped': (
        both(filter_table('-A INPUT -p tcp --dport 443 -j REJECT --reject-with tcp-reset',
                          '-A OUTPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT', output='DROP')),
        'iptables -I INPUT '),
    'an old ipset': ([(['ipset', 'restore'], STALE_SET)] + v4_only(
        filter_table(f'-A INPUT {ESTABLISHED}', '-A INPUT -p tcp -m set --match-set edge4 src -j ACCEPT',
                     input='DROP')), '104.16.0.0/13'),
    'raw PREROUTING drops': (
        v4_only('*raw\n:PREROUTING ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n-A PREROUTING -s 104.16.0.0/12 -j DROP\n'
                'COMMIT\n'), 'iptables -t raw -I PREROUTING '),
    'raw OUTPUT drops': (v4_only('*raw\n:PREROUTING ACCEPT [0:0]\n:OUTPUT DROP [0:0]\nCOMMIT\n'),
                         'iptables -t raw -I OUTPUT '),
    'mangle POSTROUTING drops': (
        v4_only('*mangle\n:POSTROUTING ACCEPT [0:0]\n-A POSTROUTING -d 162.158.0.0/15 -p tcp --sport 443 -j DROP\n'
                'COMMIT\n'), 'iptables -t mangle -I POSTROUTING '),
    'a rate limit': (
        both(filter_table(f'-A INPUT {ESTABLISHED}',
                          '-A INPUT -p tcp -m multiport --dports 80,443 -m limit --limit 10/min -j ACCEPT',
                          input='DROP')), 'iptables -I INPUT '),
    'a chain of its own': (
        both('*filter\n:INPUT ACCEPT [0:0]\n:web - [0:0]\n-A INPUT -p tcp --dport 443 -j web\n'
             '-A web -j DROP\nCOMMIT\n'), 'iptables -I INPUT '),
    'FORWARD drops, which is nothing to us': (both(filter_table(input='DROP', forward='DROP')), 'iptables -I INPUT '),
    'the other backend drops': (both(filter_table()) + both(filter_table(input='DROP'), legacy=True),
                                'iptables-legacy -I INPUT '),
    'nft input drops': (chain('input', 'ct state established,related accept', 'iifname "lo" accept', policy='drop'),
                        'nft insert rule inet t c ip saddr '),
    'nft output drops': (chain('output', policy='drop'), 'nft insert rule inet t c ip daddr '),
    'nft output drops before it is tracked': (chain('output', 'tcp sport 443 drop', priority='raw'),
                                              "tcp sport '{ 443 }' accept"),
    'nft postrouting drops': (chain('postrouting', 'ip daddr 104.16.0.0/13 drop'),
                              'nft insert rule inet t c ip daddr '),
    'nft prerouting drops one family': (chain('prerouting', 'drop', family='ip6', priority='-310'),
                                        'nft insert rule ip6 t c ip6 saddr '),
    'nft drops in two tables': (
        chain('input', policy='drop') + nft('table ip other {\n chain i {\n  type filter hook input priority 10;\n'
                                            '  tcp dport 80 reject\n }\n}\n'), 'nft insert rule ip other i '),
    'nft rejects before it accepts': (
        chain('input', 'tcp dport { 80, 443 } reject with icmpx admin-prohibited', 'tcp dport { 80, 443 } accept'),
        'nft insert rule inet t c ip saddr '),
    'nft has an old set': (
        nft('table inet t {\n set edge4 {\n  type ipv4_addr; flags interval; elements = { ' + ', '.join(BLOCKS[3:]) +
            ' }\n }\n chain c {\n  type filter hook input priority 0; policy drop;\n  ct state established accept\n'
            '  ip saddr @edge4 tcp dport { 80, 443 } accept\n }\n}\n'), '173.245.48.0/20'),
    'nft lets only the first packet out': (
        chain('output', 'tcp flags & (syn | ack) == (syn | ack) ip6 daddr 2400::/8 accept', 'meta l4proto udp accept',
              policy='drop'), 'nft insert rule inet t c ip6 daddr '),
}


def commands(text):
    """The lines of the fix, without those for people."""
    _, found, fix = text.partition('\nfix\n')
    fix = fix.split('\nnote:')[0]
    return [line.strip() for line in fix.splitlines() if found and line.strip() and not line.strip().startswith('#')]


class Checks(harness.TestCase):
    def check(self, namespace=None, *argv, status):
        inside = ['ip', 'netns', 'exec', namespace.name] if namespace else []
        result = subprocess.run([*inside, harness.BINARY, 'ranges', 'check', *argv], capture_output=True, text=True,
                                timeout=60)
        self.assertEqual(result.returncode, status, result.stdout + result.stderr)
        return result.stdout


@unittest.skipIf(namespaces.why_impossible(), namespaces.why_impossible() or '')
class FixTest(Checks):
    def test_the_printed_fix_admits_every_range(self):
        kinds, reasons = ranges_kernel.possible_kinds()
        for number, (name, (loaded, wanted)) in enumerate(BROKEN.items()):
            tools = ' '.join(argv[0] for argv, _ in loaded)
            needed = ['iptables-legacy'] if 'legacy' in tools else ['iptables-nft'] if 'tables' in tools else ['nft']
            if not set(needed) <= set(kinds):
                print(f'left out: {name}: {reasons}')
                continue
            with self.subTest(name):
                namespace = namespaces.Namespace(f'fix{number}')
                try:
                    self.fix(namespace, loaded, wanted)
                finally:
                    namespace.remove()

    def fix(self, namespace, loaded, wanted):
        for argv, text in loaded:
            ranges_kernel.run(namespace, *argv, text=text)
        said = self.check(namespace, '--live', status=1)
        fix = commands(said)
        self.assertIn(wanted, '\n'.join(fix))
        for command in fix:
            ranges_kernel.run(namespace, 'sh', '-c', command)
        self.check(namespace, '--live', status=0)


class OtherFixTest(Checks):
    """What no kernel can be asked: applied to the text."""

    def file(self, name, content):
        path = os.path.join(self.temporary_directory(), name)
        with open(path, 'w') as file:
            file.write(content)
        return path

    def test_a_network_acl_gets_entries_for_both_directions(self):
        everyone = [{'CidrBlock': '0.0.0.0/0'}, {'Ipv6CidrBlock': '::/0'}]
        acl = {'NetworkAclId': 'acl-1', 'Entries': [
            {'RuleNumber': 100 + 1000 * egress + i, 'Egress': bool(egress), 'Protocol': '6', 'RuleAction': 'allow',
             'PortRange': {'From': 443, 'To': 443}, **source}
            for egress in range(2) for i, source in enumerate(everyone)]}
        path = self.file('acl.json', json.dumps({'NetworkAcls': [acl]}))
        fix = commands(self.check(None, '--rules', path, status=1))
        self.assertEqual(sum('--egress' in line for line in fix), 22)
        self.assertFalse([line for line in fix if '--ingress' in line and 'From=443' in line], '443 gets in already')
        for line in fix:
            words = shlex.split(line)
            value = dict(zip(words, words[1:]))
            port = dict(part.split('=') for part in value['--port-range'].split(','))
            acl['Entries'].append({
                'RuleNumber': int(value['--rule-number']), 'Egress': '--egress' in words, 'Protocol': '6',
                'RuleAction': value['--rule-action'], 'PortRange': {k: int(v) for k, v in port.items()},
                **({'CidrBlock': value['--cidr-block']} if '--cidr-block' in value else
                   {'Ipv6CidrBlock': value['--ipv6-cidr-block']})})
        numbers = [(e['RuleNumber'], e['Egress']) for e in acl['Entries']]
        self.assertEqual(len(numbers), len(set(numbers)), 'AWS refuses a number twice')
        self.check(None, '--rules', self.file('acl.json', json.dumps({'NetworkAcls': [acl]})), status=0)

    def test_a_security_group_gets_permissions(self):
        group = {'GroupId': 'sg-1', 'GroupName': 'web', 'IpPermissions': []}
        path = self.file('group.json', json.dumps({'SecurityGroups': [group]}))
        fix = commands(self.check(None, '--rules', path, status=1))
        for line in fix:
            words = shlex.split(line)[-1]
            parts = re.fullmatch(r'IpProtocol=tcp,FromPort=(\d+),ToPort=(\d+),(\w+)=\[(.*)\]', words)
            ranges = [dict([pair.strip('{}').split('=')]) for pair in parts[4].split(',')]
            group['IpPermissions'].append({'IpProtocol': 'tcp', 'FromPort': int(parts[1]), 'ToPort': int(parts[2]),
                                           parts[3]: ranges})
        self.check(None, '--rules', self.file('group.json', json.dumps({'SecurityGroups': [group]})), status=0)

    def test_firewalld_gets_rich_rules_before_what_denies(self):
        zone = ('public (active)\n  target: default\n  interfaces: eth0\n  services: ssh\n  ports: \n  rich rules: \n'
                '\trule family="ipv4" source address="104.16.0.0/12" drop\n')
        fix = commands(self.check(None, '--rules', self.file('zone', zone), '--interface', 'eth0',
                                  status=1))
        rules = [re.fullmatch(r"firewall-cmd --zone=public --add-rich-rule='(.*)'", line)[1] for line in fix]
        self.assertEqual(len(rules), 44)
        zone += ''.join(f'\t{rule}\n' for rule in rules)
        self.check(None, '--rules', self.file('zone', zone), '--interface', 'eth0', status=0)

    def test_ufw_prepends(self):
        status = 'Status: active\nDefault: deny (incoming), allow (outgoing), disabled (routed)\n\nTo  Action  From\n'
        said = self.check(None, '--rules', self.file('ufw', status), '--port', '443', status=1)
        self.assertIn('ufw prepend allow proto tcp from 104.16.0.0/13 to any port 443\n', said)
        self.assertIn('ufw prepend allow proto tcp from 2400:cb00::/32 to any port 443\n', said)

    def test_each_of_two_systems_is_mended(self):
        nginx = self.file('nginx.conf', 'server {\n listen 443;\n listen 80;\n allow 10.0.0.0/8;\n deny all;\n}\n')
        rules = self.file('rules.nft', chain('input', policy='drop')[0][1])
        fix = '\n'.join(commands(self.check(None, '--rules', rules, nginx, status=1)))
        self.assertIn('nft insert rule inet t c ip saddr', fix)
        self.assertIn('allow 2c0f:f248::/32;', fix)

    def test_what_overlaps_is_named_once(self):
        rules = self.file('rules.nft', chain('input', policy='drop')[0][1])
        ranges = self.file('ranges', '104.16.0.0/12\n104.16.0.0/13\n104.24.0.0/14\n')
        said = self.check(None, '--rules', rules, '--ranges', ranges, status=1)
        self.assertIn("ip saddr '{ 104.16.0.0/12 }'", said, 'nft refuses intervals that overlap')


if __name__ == '__main__':
    harness.main()

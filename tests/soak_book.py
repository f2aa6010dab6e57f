"""What came of each request of the soak, held against what had to come of it."""
import collections
import hashlib
import json
import re
import threading
import time

import harness
import wire

SETTLED = 2 * harness.SLOWNESS  # seconds after which a record is certainly readable
TOLD = 20  # troubles shown in full


def metrics(edge):
    """The samples of the admin listener: name and labels -> value."""
    text = wire.fetch(edge.admin, path='/metrics', host='localhost').body.decode()
    return {name: int(value) for name, value in re.findall(r'^([^#\s].*) (\d+)$', text, re.M)}


# `started` is a time of day, `ended` monotonic.
Outcome = collections.namedtuple('Outcome', 'ray ask faults started ended')


class Book:
    """The outcome of every request. All clients write it, one thread looks records up."""

    def __init__(self, causes):
        self.own_statuses = {row['name']: row['status'] for row in causes}
        self.lock = threading.Lock()
        self.troubles, self.slowest = [], (0, '')
        self.by_kind, self.failed_by_kind = collections.Counter(), collections.Counter()
        self.by_cause = collections.defaultdict(collections.Counter)  # of each edge
        self.open = collections.defaultdict(list)  # by edge: outcomes without a judgement yet
        self.bodies, self.not_reused = {}, 0

    def trouble(self, text):
        with self.lock:
            self.troubles.append(text)
            if len(self.troubles) <= TOLD:
                print('TROUBLE ' + text, flush=True)

    def note(self, kind, ask, response, started):
        """A response as its client has it."""
        took = time.monotonic() - started
        faults = [f'{ask.name} ({kind}) ray {response.ray or "none"} after {took:.1f} s: {fault}'
                  for fault in self._faults(ask, response)]
        with self.lock:
            self.by_kind[kind] += 1
            self.failed_by_kind[kind] += ask.cause != 'none'
            self.by_cause[ask.edge][ask.cause] += 1
            self.slowest = max(self.slowest, (took, ask.name))
            self.open[ask.edge].append(Outcome(response.ray, ask, faults, time.time() - took,
                                               time.monotonic()))

    def _faults(self, ask, response):
        if response.status != ask.status:
            yield f'status {response.status} where {ask.status} is due'
        if response.cut != ask.is_cut:
            yield 'cut, and must not be' if response.cut else 'whole, and must not be'
        if response.surplus:
            yield f'{len(response.surplus)} bytes behind the response: {response.surplus[:100]}'
        if ask.method == 'HEAD' or ask.is_cut or response.status != ask.status:
            return
        if self.own_statuses[ask.cause]:
            if response.ray.encode() not in response.body:
                yield f'the page does not show the ray'
            return
        digest = hashlib.sha256(response.body).digest()
        with self.lock:
            first = self.bodies.setdefault((ask.name, ask.path), digest)
        if digest != first:
            yield f'another body than at first: {len(response.body)} bytes'

    def look_up(self, settled=SETTLED):
        """Judges all requests that ended so long ago, with their records."""
        for edge, outcomes in list(self.open.items()):
            with self.lock:  # they are in the order of their ends
                count = sum(time.monotonic() - one.ended >= settled for one in outcomes)
                due, outcomes[:count] = outcomes[:count], []
            if not due:
                continue
            ago = int(time.time() - min(one.started for one in due)) + 2
            cases = {case['ray_id'][:16]: case['cause']
                     for case in edge.cases('--since', f'{ago}s', '--limit', '10000')}
            for one in due:
                self._judge(edge, one, cases.get(one.ray, 'none'))

    def _judge(self, edge, one, claimed):
        if claimed != one.ask.cause:
            one.faults.append(f'{one.ask.name} ray {one.ray}: claimed {claimed}, '
                              f'true is {one.ask.cause}')
        if not one.faults:
            return
        case = self._case(edge, one.ray)
        # Rarely the edge is too busy to have put the connection of the warm-up back in time.
        if case and one.ask.wants_reuse and not case['attempts'][0]['connection']['reused']:
            with self.lock:
                self.not_reused += 1
                self.by_cause[edge].subtract([one.ask.cause])
                self.by_cause[edge].update([claimed])
            return
        for fault in one.faults:
            self.trouble(fault)
        if case:
            print('    ' + json.dumps({'evidence': case['evidence'], 'attempts': [
                (a['cause'], a['connection']) for a in case['attempts']]}), flush=True)

    @staticmethod
    def _case(edge, ray):
        try:
            return edge.ray(ray)
        except AssertionError:
            return None

    def compare_counters(self, edge):
        """What the edge counted must be what its clients saw, to the request."""
        counted = metrics(edge)
        causes = {re.search('cause="(.*?)"', name)[1]: value for name, value in counted.items()
                  if name.startswith('edgecase_causes_total')}
        seen = self.by_cause[edge]
        for cause in sorted(causes.keys() | seen.keys()):
            if causes.get(cause, 0) != seen[cause]:
                self.trouble(f'{cause}: the edge counted {causes.get(cause, 0)}, '
                             f'its clients {seen[cause]}')
        written, total = counted['edgecase_records_written_total'], sum(seen.values())
        if written != total:
            self.trouble(f'{written} records of {total} requests')
        for name, value in counted.items():
            if value and ('dropped' in name or 'errors' in name):
                self.trouble(f'{name} {value}')


__all__ = ['Book', 'metrics']

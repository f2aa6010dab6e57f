"""Made-up logs with a known truth, and how well `edgecase trace` finds it."""
import json
import os
import subprocess

import harness

CORPUS = os.path.join(os.path.dirname(harness.BINARY), 'bench', 'trace_corpus')


def make(directory, **options):
    os.makedirs(directory, exist_ok=True)
    subprocess.run([CORPUS, directory, *(f'{k}={v}' for k, v in options.items())], check=True)
    return directory


def origin_logs(directory):
    return sorted(os.path.join(directory, name) for name in os.listdir(directory)
                  if name.startswith('access.log'))


def trace(directory, *more):
    done = subprocess.run([harness.BINARY, 'trace', '--json',
                           '--edge-log', os.path.join(directory, 'edge.ndjson'),
                           '--origin-log', *origin_logs(directory),
                           '--error-log', os.path.join(directory, 'error.log'), *more],
                          capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def score(directory, report):
    """`precision` of the lines that were called matched, `recall` of those that are there, and
    the rays called never arrived though they did, or though their time was lost."""
    with open(os.path.join(directory, 'truth.ndjson')) as file:
        truth = {one['ray']: one for one in map(json.loads, file)}
    matched = right = there = false_never = never = found_never = ambiguous = 0
    for ray in report['rays']:
        true = truth[ray['ray_id']]
        lines = [line['text'] for line in ray['origin_lines']]
        there += true['line'] is not None
        never += true['line'] is None and not true['hidden']
        ambiguous += ray['outcome'] == 'ambiguous'
        if ray['outcome'] == 'matched':
            matched += 1
            right += true['line'] in lines
        elif ray['outcome'] == 'never_arrived':
            false_never += true['line'] is not None or true['hidden']
            found_never += true['line'] is None and not true['hidden']
    return {'rays': len(report['rays']), 'precision': right / max(1, matched),
            'recall': right / max(1, there), 'false_never_arrived': false_never,
            'never_arrived_recall': found_never / max(1, never), 'ambiguous': ambiguous}

"""A strict reader of Prometheus' text format 0.0.4 and of its naming conventions."""
import re

NAME = re.compile(r'[a-zA-Z_:][a-zA-Z0-9_:]*')
SAMPLE = re.compile(r'([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)')
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)')
TYPES = ('counter', 'gauge', 'histogram')
# Source: Prometheus, metric and label naming: base units only.
ODD_UNITS = re.compile(r'_(milliseconds|ms|us|minutes|hours|kilobytes|kb|megabytes|percent)(_|$)')


def labels_of(text):
    labels, rest = {}, text or ''
    while rest:
        match = LABEL.match(rest)
        assert match, f'labels {text!r}'
        assert match[1] not in labels, f'{match[1]} twice in {text!r}'
        labels[match[1]] = match[2]
        rest = rest[match.end():]
    return labels


def check_histogram(name, samples):
    buckets = [(labels, value) for sample, labels, value in samples if sample == name + '_bucket']
    count = [value for sample, _, value in samples if sample == name + '_count']
    total = [value for sample, _, value in samples if sample == name + '_sum']
    bounds = [float(labels['le'].replace('+Inf', 'inf')) for labels, _ in buckets]
    values = [value for _, value in buckets]
    assert bounds == sorted(set(bounds)) and bounds[-1] == float('inf'), f'{name}: bounds {bounds}'
    assert values == sorted(values), f'{name}: steps do not add up: {values}'
    assert len(count) == len(total) == 1 and count[0] == values[-1], f'{name}: count {count}'


def parse(text):
    """{name: {labels as a sorted tuple: value}}. Raises AssertionError for what breaks a rule."""
    assert text.endswith('\n'), 'the last line has no end'
    metrics, types, seen = {}, {}, {}
    current = None
    for line in text.splitlines():
        if line.startswith('# HELP '):
            current, _, words = line[7:].partition(' ')
            assert NAME.fullmatch(current) and words.strip(), line
            assert current not in seen, f'{current} in two places'
            seen[current] = []
        elif line.startswith('# TYPE '):
            name, kind = line[7:].split(' ')
            assert name == current and kind in TYPES and not seen[name], line
            assert name.endswith('_total') == (kind == 'counter'), f'{name} is a {kind}'
            assert not ODD_UNITS.search(name), f'{name}: not a base unit'
            types[name] = kind
        else:
            match = SAMPLE.fullmatch(line)
            assert match, f'no sample: {line!r}'
            base = match[1]
            if types.get(current) == 'histogram':
                base = re.sub('_(bucket|sum|count)$', '', base)
            assert base == current, f'{match[1]} under {current}'
            labels = labels_of(match[2])
            key = tuple(sorted(labels.items()))
            assert key not in metrics.setdefault(match[1], {}), f'twice: {line}'
            metrics[match[1]][key] = float(match[3])
            seen[current].append((match[1], labels, float(match[3])))
    for name, kind in types.items():
        if kind == 'histogram':
            check_histogram(name, seen[name])
    return metrics

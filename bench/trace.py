"""`./dev bench trace [MEGABYTES] [ROUNDS]`: edgecase trace beside grep -F, awk and GoAccess, on generated logs.

Runs are interleaved; what counts is the ratio of medians. grep looks for the same ray, awk (the
system's) makes the same join: failures of the edge's log found in the origin's, counted by status.
"awk, counting" does no more than count statuses and bytes; GoAccess makes its report of the access
log."""
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
EDGECASE = os.path.join(ROOT, 'build/release/edgecase')
CORPUS = os.path.join(ROOT, 'build/release/bench/trace_corpus')
AWK_JOIN = r'''
FILENAME ~ /ndjson$/ {
    if (match($0, /"EdgeResponseStatus":(499|5[0-9][0-9])/)) { ++failed; want[substr($0, 11, 16)] }
    next
}
{ ray = substr($NF, 1, 16); if (ray in want) { ++n[$9 " " ($10 == 0)]; delete want[ray] } }
END { for (s in n) print s, n[s]; for (ray in want) ++m; print "never", m, "of", failed }
'''
BYTES_PER_SECOND = 2000 * 153  # of the access log that the generator makes


def measured(argv, output):
    """Wall seconds, CPU seconds and peak memory in MiB of a program run to its end."""
    begin = time.monotonic()
    with open(output, 'wb') as file:
        process = subprocess.Popen(argv, stdout=file, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f'{argv[0]} ended with {process.returncode}')
    return time.monotonic() - begin, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main():
    megabytes = int(sys.argv[1]) if len(sys.argv) > 1 else 1024
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    directory = tempfile.mkdtemp(prefix='edgecase-bench-')
    try:
        subprocess.run([CORPUS, directory, 'edge=0.02',
                        f'seconds={megabytes * 1_000_000 // BYTES_PER_SECOND}'], check=True)
        edge, access = (os.path.join(directory, name) for name in ('edge.ndjson', 'access.log'))
        output = os.path.join(directory, 'output')
        with open(os.path.join(directory, 'truth.ndjson')) as file:
            ray = [line for _, line in zip(range(500), file)][-1][8:24]
        size = os.path.getsize(access) + os.path.getsize(edge)
        trace = [EDGECASE, 'trace', '--edge-log', edge, '--origin-log', access]
        runs = {
            'trace, one ray': [*trace, '--ray', ray],
            'grep -F': ['grep', '-F', ray, access, edge],
            'trace, all': trace,
            'trace, all, JSON': [*trace, '--json'],
            'awk': ['awk', AWK_JOIN, edge, access],
            'awk, counting': ['awk', '{n[$9]++; b += $10} END {for (s in n) print s, n[s], b}', access],
        }
        if shutil.which('goaccess'):
            runs['goaccess'] = ['goaccess', access, '--log-format',
                                '%h %^[%d:%t %^] "%r" %s %b "%R" "%u" %^', '--date-format',
                                '%d/%b/%Y', '--time-format', '%T', '--no-progress', '-o',
                                os.path.join(directory, 'report.json')]
        print(f'access log {os.path.getsize(access) / 1e6:.0f} MB, edge log '
              f'{os.path.getsize(edge) / 1e6:.0f} MB, {rounds} rounds, medians')
        results = {name: [] for name in runs}
        for turn in range(rounds):
            for name, argv in runs.items():
                if name == 'goaccess' and turn > 0:
                    continue  # minutes of CPU time
                results[name].append(measured(argv, output))
        median = {name: [statistics.median(one[i] for one in all_runs) for i in range(3)]
                  for name, all_runs in results.items()}
        for name, (wall, cpu, memory) in median.items():
            print(f'{name:18} {wall:8.2f} s {cpu:8.2f} CPU s {memory:7.0f} MiB')
        print(f"one ray: {median['trace, one ray'][0] / median['grep -F'][0]:.2f} of grep's time")
        print(f"all: {size / median['trace, all'][0] / 1e6:.0f} MB/s")
        for other in ('awk', 'awk, counting', 'goaccess'):
            if other in median:
                print(f"all: {median[other][1] / median['trace, all'][1]:.1f} times less CPU than "
                      f'{other}')
    finally:
        shutil.rmtree(directory)


if __name__ == '__main__':
    main()

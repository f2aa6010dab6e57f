"""The outside of every benchmark program: its options, its folder, its exit status."""

import argparse
import json
import os
import shutil
import signal
import sys
import tempfile

from rig import harness
from rig import haproxy
from rig import rounds


def parser(description, all_proxies):
    """The options that every program has."""
    options = argparse.ArgumentParser(description=description)
    build = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(
        os.path.abspath(__file__)))), "build", "release")
    add = options.add_argument
    add("--binary", default=os.path.join(build, "edgecase"))
    add("--tools", default=os.path.join(build, "bench"),
        help="folder of bench_origin, bench_load, bench_relay")
    add("--quick", action="store_true", help="fewer cells, 3 rounds, fewer requests")
    add("--rounds", type=int, help="interleaved rounds per cell (5; quick: 3)")
    add("--requests", type=int, help="requests per run at 1 KiB, others in proportion "
        "(30000; quick: 8000)")
    add("--proxies", type=names_of(all_proxies), default=list(all_proxies),
        help=f"of: {','.join(all_proxies)}")
    add("--idle-connections", type=int, help="0 skips (quick: fewer)")
    add("--congestion", default="reno", help="for every socket (%(default)s)")
    add("--plain-malloc", action="store_true",
        help="peers as shipped, without keeping freed memory (see README.md)")
    add("--haproxy-bufsize", type=int, default=haproxy.Haproxy.buffer_bytes,
        help="its tune.bufsize (%(default)s)")
    add("--edgecase-arg", action="append", default=[], metavar="ARG",
        help="passed on to `edgecase serve`, as in --edgecase-arg=--profile=NAME")
    add("--limit-minutes", type=float, default=30, help="no new round after (%(default)s)")
    add("--json", metavar="FILE", help="write every figure there")
    add("--keep", action="store_true", help="keep logs and data, and say where")
    return options


def names_of(known):
    def parse(text):
        names = text.split(",")
        for name in names:
            if name not in known:
                raise argparse.ArgumentTypeError(
                    f"unknown name {name!r}, expected some of {','.join(known)}")
        return names
    return parse


def main(kind, arguments, render):
    """Runs a `kind` of Run in a folder of its own, prints `render(result)`; gives the status."""
    def leave(_signal, _frame):
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGHUP, leave)
    haproxy.Haproxy.buffer_bytes = arguments.haproxy_bufsize
    arguments.rounds = arguments.rounds or (3 if arguments.quick else 5)
    arguments.requests = arguments.requests or (8000 if arguments.quick else 30000)
    directory = tempfile.mkdtemp(prefix="edgecase-bench-")
    run = kind(arguments, directory)
    try:
        run.settle_in()
        figures = run.measure()
    except harness.BenchError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("bench: interrupted", file=sys.stderr)
        return 130
    finally:
        run.processes.end_all()
        if arguments.keep:
            print(f"kept: {directory}", file=sys.stderr)
        else:
            shutil.rmtree(directory, ignore_errors=True)
    result = {"machine": run.machine(), "disturbed_share": rounds.DISTURBED_SHARE,
              "proxies": run.described, "rounds": arguments.rounds, **figures,
              "records": run.records, "notes": run.notes, "faults": run.faults}
    print(render(result))
    if arguments.json:
        with open(arguments.json, "w", encoding="utf-8") as file:
            json.dump(result, file, indent=1)
            file.write("\n")
    return 1 if result["faults"] else 0

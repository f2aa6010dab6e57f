#!/usr/bin/env python3
"""How many records a second the store takes, and what each costs: runs store_bench, prints a table.

usage: ./dev bench store [--json] [--directory DIRECTORY]
"""
import argparse
import json
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ROWS = (  # title, key for successes, key for cases, format
    ("records a second", "successes_per_second", "cases_per_second", ",.0f"),
    ("writer thread, CPU us a record", "cpu_us_per_success", "cpu_us_per_case", ".2f"),
    ("worker thread, CPU ns a record", "worker_ns_per_success", "worker_ns_per_case", ",.0f"),
    ("bytes of file a record", "bytes_per_success", "bytes_per_case", ",.0f"),
)


def main():
    parser = argparse.ArgumentParser(description="how many records a second the store takes")
    parser.add_argument("--json", action="store_true", help="the figures as one JSON object")
    parser.add_argument("--directory", help="where to write the file (default: TMPDIR or /tmp)")
    parser.add_argument("--tools", default=os.path.join(ROOT, "build", "release", "bench"),
                        help="where store_bench is")
    arguments = parser.parse_args()
    program = os.path.join(arguments.tools, "store_bench")
    command = [program] + ([arguments.directory] if arguments.directory else [])
    try:
        run = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        figures = json.loads(run.stdout)
    except (OSError, subprocess.CalledProcessError, json.JSONDecodeError) as error:
        print(f"bench: no figures from {program}: {error}", file=sys.stderr)
        return 1
    if arguments.json:
        print(json.dumps(figures, indent=1))
    else:
        print(f"{'':34}{'success':>12}{'case':>12}")
        for title, success, case, form in ROWS:
            print(f"{title:34}{figures[success]:>12{form}}{figures[case]:>12{form}}")
        print(f"{'dropped':34}{figures['dropped']:>12}")
    return 1 if figures["dropped"] else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""`./dev bench recording`: what records and rollups cost a request, as CPU of one edge beside the same edge without
them, interleaved."""

import sys

from proxy import ProxyRun, WORKLOADS
from rig import program
from rig import report

PEERS = ["failures_only", "unrecorded"]


def parse_arguments():
    options = program.parser(__doc__, ["edgecase", *PEERS])
    options.add_argument("--workloads", type=program.names_of(WORKLOADS), default=["1k"],
                         help=f"of: {','.join(WORKLOADS)}")
    options.add_argument("--connections", default="64", help="comma-separated (64)")
    arguments = options.parse_args()
    arguments.connections = [int(n) for n in arguments.connections.split(",")]
    arguments.idle_connections = 0
    return arguments


class RecordingRun(ProxyRun):
    def measure(self):
        arguments = self.arguments
        running = self.started(arguments.proxies, self.plain_place())
        cells = [self.measure_cell(running, workload, connections)
                 for workload in arguments.workloads for connections in arguments.connections]
        self.end(running)
        return {"cells": cells}


def render(result):
    result["targets"] = []
    return "\n".join([*report.head(result), *report.cpu(result, PEERS), *report.records(result),
                      *report.tail(result)])


if __name__ == "__main__":
    sys.exit(program.main(RecordingRun, parse_arguments(), render))

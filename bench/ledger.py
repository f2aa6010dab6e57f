#!/usr/bin/env python3
"""Records in ClickHouse beside SQLite: what shipping costs, how large they are, how quick questions are; and the
records of very many edges through the real schema.

usage: ./dev bench ledger [--records N] [--days N] [--rounds N] [--nodes N] [--simulated N]
                        [--part server|simulation] [--json]
"""
import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile

import analytics

sys.path.insert(0, os.path.join(analytics.ROOT, "tests"))
import clickhouse  # noqa: E402

TOOL = os.path.join(analytics.RELEASE, "bench", "ledger_bench")
TICK = os.sysconf("SC_CLK_TCK")
QUERIES = {name: path for name, path in analytics.QUERIES.items() if name not in ("origins", "status")}


def say(text):
    print(text, file=sys.stderr, flush=True)


def run(*command):
    result = subprocess.run([str(one) for one in command], stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(result.stdout)


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def cpu_of(servers):
    return sum(cpu_seconds(server.processes[0].pid) for server in servers)


def table_bytes(servers, database):
    """By table, of all servers."""
    sizes = {}
    for server in servers:
        for table, size in server.rows("select table, sum(bytes_on_disk) from system.parts "
                                       f"where active and database = '{database}' group by table"):
            name = table.removesuffix("_local")
            sizes[name] = sizes.get(name, 0) + int(size)
    return sizes


class Edge:
    """An edge that serves nobody: its admin listener answers from the records."""

    def __init__(self, data, config):
        self.process = subprocess.Popen(
            [os.path.join(analytics.RELEASE, "edgecase"), "serve", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0",
             "--data-dir", data, "--config", config, "--origin", "http://127.0.0.1:1"], stdout=subprocess.PIPE, text=True)
        self.admin = analytics.Admin(int(re.search(r"admin=\S+?:(\d+)", self.process.stdout.readline())[1]))

    def __enter__(self):
        return self.admin

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)


def questions(admin, rays, rounds):
    lookups = [admin.milliseconds(f"/api/rays/{ray}") for ray in rays]
    queries = {}
    for name, path in QUERIES.items():
        first = admin.milliseconds(path)
        again = [admin.milliseconds(path) for _ in range(rounds)]
        queries[name] = {"first_ms": first, "median_ms": analytics.percentile(again, 0.5)}
    return {"ray_p50_ms": analytics.percentile(lookups, 0.5), "ray_p99_ms": analytics.percentile(lookups, 0.99),
            "queries": queries}


def one_server(directory, arguments):
    data = os.path.join(directory, "data")
    say(f"writing {arguments.records:,} records of {arguments.days} days")
    corpus = subprocess.run([os.path.join(analytics.RELEASE, "bench", "record_corpus"), data, str(arguments.records),
                             str(arguments.days)], stdout=subprocess.PIPE, text=True, check=True)
    rays = corpus.stdout.split()[:arguments.lookups]
    kept = f'[retention]\nage = "{arguments.days * 24 + 48}h"\nbytes = "100GiB"\n'
    alone = os.path.join(directory, "alone.toml")
    with open(alone, "w") as file:
        file.write(kept)
    sqlite_bytes = os.path.getsize(os.path.join(data, "records.sqlite"))
    say("asking SQLite")
    with Edge(data, alone) as admin:
        sqlite = questions(admin, rays, arguments.rounds)
    with clickhouse.ClickHouseServer() as server:
        say("shipping to ClickHouse")
        cpu = cpu_of([server])
        shipped = run(TOOL, "ship", data, "edgecase", server.url)
        shipped["server_cpu_us_per_record"] = (cpu_of([server]) - cpu) / shipped["records"] * 1e6
        server.query("optimize table edgecase.successes")
        sizes = table_bytes([server], "edgecase")
        config = os.path.join(directory, "ledger.toml")
        with open(config, "w") as file:
            file.write(kept + f'[ledger]\nkind = "clickhouse"\nurls = ["{server.url}"]\nnode = "bench"\n'
                              f'keep = "{arguments.days * 24 + 48}h"\n')
        say("asking ClickHouse")
        with Edge(data, config) as admin:
            asked = questions(admin, rays, arguments.rounds)
    return {"records": shipped["records"], "shipping": shipped,
            "sqlite": {"bytes_per_record": sqlite_bytes / shipped["records"], **sqlite},
            "clickhouse": {"bytes_per_record": sum(sizes.values()) / shipped["records"], "tables": sizes, **asked}}


def simulation(arguments):
    """Of so many edges, into a cluster of three shards."""
    say(f"{arguments.simulated:,} records of {arguments.nodes:,} edges")
    with clickhouse.ClickHouseCluster(shards=3, replicas=1) as cluster:
        cpu = cpu_of(cluster.servers)
        figures = run(TOOL, "simulate", arguments.nodes, arguments.simulated, arguments.per_batch, "edgecase",
                      clickhouse.CLUSTER, *[server.url for server in cluster.servers])
        figures["servers_cpu_us_per_record"] = (cpu_of(cluster.servers) - cpu) / figures["records"] * 1e6
        sizes = table_bytes(cluster.servers, "edgecase")
        records = sum(int(cluster.first.query(f"select count() from edgecase.{table}")) for table in
                      ("cases", "successes"))
        counted = int(cluster.first.query("select sum(requests) from edgecase.traffic_minute where family = 0"))
        seen = int(cluster.first.query("select uniqExact(node) from edgecase.successes"))
        figures |= {"stored": records, "counted": counted, "nodes": seen, "tables": sizes,
                    "bytes_per_record": sum(sizes.values()) / figures["records"]}
        say(json.dumps(figures))  # removing the parts of so many inserts takes minutes
        return figures


def show_server(one):
    shipping = one["shipping"]
    print(f"{one['records']:,} records, one ClickHouse server")
    print(f"shipping    {shipping['records_per_second']:,.0f} records a second in {shipping['batches']} batches, "
          f"{shipping['cpu_us_per_record']:.2f} us of the edge's CPU a record, "
          f"{shipping['server_cpu_us_per_record']:.2f} us of the server's")
    print(f"{'':32}{'SQLite':>14}{'ClickHouse':>14}")
    places = (one["sqlite"], one["clickhouse"])

    def line(title, form, *values):
        print(f"{title:32}" + "".join(f"{value:>14{form}}" for value in values))
    line("bytes a record", ".0f", *(place["bytes_per_record"] for place in places))
    line("ray lookup, p50 ms", ".2f", *(place["ray_p50_ms"] for place in places))
    line("ray lookup, p99 ms", ".2f", *(place["ray_p99_ms"] for place in places))
    for name in QUERIES:
        line(name + ", ms", ".1f", *(place["queries"][name]["median_ms"] for place in places))


def show_simulation(many):
    print(f"{many['nodes']:,} edges, {many['stored']:,} records stored and {many['counted']:,} counted, three shards: "
          f"{many['records_per_second']:,.0f} a second, {many['cpu_us_per_record']:.2f} us of the edges' CPU a record, "
          f"{many['servers_cpu_us_per_record']:.2f} us of the servers', {many['bytes_per_record']:.0f} bytes")


def main():
    parser = argparse.ArgumentParser(description="records in ClickHouse beside SQLite")
    parser.add_argument("--records", type=int, default=10_000_000)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--lookups", type=int, default=1000)
    parser.add_argument("--nodes", type=int, default=1000)
    parser.add_argument("--simulated", type=int, default=5_000_000)
    parser.add_argument("--per-batch", type=int, default=5000, help="records of one edge at once")
    parser.add_argument("--part", choices=("server", "simulation"), help="that one alone")
    parser.add_argument("--json", action="store_true", help="the figures as one JSON object")
    parser.add_argument("--directory", help="where to write (default: TMPDIR or /tmp); 8 GB")
    arguments = parser.parse_args()
    if missing := clickhouse.missing(cluster=True):
        print(f"bench: {missing}", file=sys.stderr)
        return 1
    directory = tempfile.mkdtemp(prefix="edgecase-ledger-", dir=arguments.directory)
    try:
        figures = {}
        if arguments.part != "simulation":
            figures["server"] = one_server(directory, arguments)
        if arguments.part != "server":
            figures["simulation"] = simulation(arguments)
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    if arguments.json:
        print(json.dumps(figures, indent=1))
        return 0
    if "server" in figures:
        show_server(figures["server"])
    if "simulation" in figures:
        show_simulation(figures["simulation"])
    return 0


if __name__ == "__main__":
    sys.exit(main())

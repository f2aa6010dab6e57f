"""What an idle client connection takes of a proxy's memory."""

import time

from rig import harness
from rig import run

SETTLE_SECONDS = 2.0
# As many as the generators have busy at a time while they open connections, or more, so that peak
# buffers are in the baseline already.
WARM_CONNECTIONS = 16


def measure(bench, name, place, warm, hold):
    """Bytes of memory per client connection that has made one request and waits.
    `warm(proxy)` makes requests over WARM_CONNECTIONS; `hold(proxy, count)` starts a generator that
    opens `count` connections, says so in JSON, and says how many are left when its input ends."""
    count = bench.arguments.idle_connections
    bench.say(f"idle memory: {name}")
    running = bench.started([name], place)
    load = None
    try:
        for proxy in running.values():
            warm(proxy)
            time.sleep(SETTLE_SECONDS)
            before, before_anonymous = harness.memory_bytes(proxy.pids)
            load = hold(proxy, count)
            opened = harness.read_json(load, "the load", run.RUN_SECONDS + 10)
            time.sleep(SETTLE_SECONDS)
            after, after_anonymous = harness.memory_bytes(proxy.pids)
            load.stdin.close()
            held = harness.read_json(load, "the load", 30)
            if opened["errors"] or held["still_open"] != count:
                raise harness.BenchError(
                    f"{held['still_open']} of {count} idle connections were kept, "
                    f"first error: {opened['first_error']}")
            return {"connections": count, "bytes_per_connection": (after - before) / count,
                    "anonymous_bytes_per_connection": (after_anonymous - before_anonymous) / count,
                    "pss_before": before, "pss_after": after}
    except (harness.BenchError, OSError) as error:
        bench.fault(f"{name}: idle memory not measured: {error}")
    finally:
        if load:
            bench.processes.end(load)
        for proxy in running.values():
            proxy.end()
    return None

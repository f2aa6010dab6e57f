"""The table and the verdicts of a benchmark run, from its figures alone."""

PEERS = ["nginx", "haproxy", "relay"]
COLUMNS = ["edgecase", *PEERS]

# workload, peer, most that Edgecase may cost relative to it
RATIO_TARGETS = [
    ("1k", "nginx", 0.90), ("1k", "haproxy", 0.90),
    ("64k", "nginx", 1.00), ("64k", "haproxy", 1.00),
    ("1m", "nginx", 1.00), ("1m", "haproxy", 1.00),
]
IDLE_TARGET_BYTES = 1536
IDLE_FEWEST = 1000  # below it the noise of the process itself (~1 MB) drowns the figure


def judge(result):
    """One row per target. A ratio is reached when it is at every number of connections, and nothing
    counts as reached on the strength of rounds that did not all succeed."""
    rows = []
    for workload, peer, limit in RATIO_TARGETS:
        cells = [cell for cell in result["cells"] if cell["workload"] == workload]
        if not cells:
            continue
        measured = {cell["connections"]: cell["ratios"][peer]["median"]
                    for cell in cells if peer in cell["ratios"] and
                    cell["ratios"][peer]["rounds"] == result["rounds"]}
        verdict = "not measured"
        if len(measured) == len(cells):
            verdict = "reached" if max(measured.values()) <= limit else "missed"
        rows.append({"target": f"{cells[0]['title']}, CPU edgecase/{peer} <= {limit:.2f}",
                     "measured": ", ".join(f"{ratio:.2f} at {connections}"
                                           for connections, ratio in measured.items()) or "-",
                     "verdict": verdict})
    if result["idle"]:
        idle = result["idle"].get("edgecase")
        each = (idle["bytes_per_connection"]
                if idle and idle["connections"] >= IDLE_FEWEST else None)
        rows.append({"target": f"idle connection < {IDLE_TARGET_BYTES} bytes",
                     "measured": "-" if each is None else f"{each:.0f}",
                     "verdict": "not measured" if each is None else
                                "reached" if each < IDLE_TARGET_BYTES else "missed"})
    return rows


def aligned(rows, left):
    """Rows of strings as lines; the first `left` columns to the left, the others to the right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return ["  " + "  ".join(cell.ljust(width) if i < left else cell.rjust(width)
                             for i, (cell, width) in enumerate(zip(row, widths))).rstrip()
            for row in rows]


def figure(value, decimals=1):
    return "-" if value is None else f"{value:.{decimals}f}"


def store_line(store):
    """Inserts per second; store_bench tells successes, which it packs, from cases."""
    kinds = [(store[key], kind) for key, kind in (("inserts_per_second", "inserts"),
                                                  ("successes_per_second", "successes"),
                                                  ("cases_per_second", "cases")) if key in store]
    dropped = f", {store['dropped']} dropped" if store.get("dropped") else ""
    return ", ".join(f"{value:.0f} {kind} a second" for value, kind in kinds) + dropped


def render(result):
    machine = result["machine"]
    lines = [f"{machine['cpu']}, Linux {machine['kernel']}; "
             f"proxies on core {machine['proxy_core']}, "
             f"origin and load on core {machine['load_core']}; "
             f"congestion control {machine['congestion_default']}", ""]
    lines += aligned([[name, about["version"], about["how"]]
                      for name, about in result["proxies"].items()] or [["nothing", "", ""]], 3)
    lines += ["", f"CPU microseconds per request, median of {result['rounds']} interleaved rounds; "
              "ratios are Edgecase to the peer, below 1 is cheaper"]
    rows = [["", "connections", *COLUMNS, *(f"/{peer}" for peer in PEERS)]]
    for cell in result["cells"]:
        rows.append([cell["title"], str(cell["connections"]),
                     *(figure(cell["us_per_request"].get(name)) for name in COLUMNS),
                     *(figure(cell["ratios"][peer]["median"] if peer in cell["ratios"] else None, 2)
                       for peer in PEERS)])
    lines += aligned(rows, 1)
    if result["idle"]:
        lines += ["", "Idle client connections, bytes of the proxy's memory (PSS) for each"]
        lines += aligned([[name, figure(idle and idle["bytes_per_connection"], 0)]
                          for name, idle in result["idle"].items()], 1)
    store = result["store"]
    lines += ["", "Store: " + (store_line(store) if store else "not measured (no store_bench)")]
    records = result["records"]
    if records and records["kept"] is not None:
        lost = max(0, records["requests"] - records["kept"]) / max(1, records["requests"])
        lines.append(f"Records: {records['kept']} kept of {records['requests']} requests"
                     + (f"; {lost:.1%} dropped, and those requests were cheaper for it"
                        if lost > 0 else ""))
    if result["targets"]:
        lines += ["", "Targets"]
        lines += aligned([[row["target"], row["measured"], row["verdict"]]
                          for row in result["targets"]], 3)
    shares = [each["foreign_share"] for cell in result["cells"] for per_round in cell["rounds"]
              for each in per_round.values()]
    limit = result["disturbed_share"]
    disturbed = sum(share > limit for share in shares)
    if disturbed:
        lines += ["", f"Disturbed: in {disturbed} of {len(shares)} runs other work took more than "
                  f"{limit:.0%} of a core, up to {max(shares):.0%}: repeat on a quiet machine."]
    for note in result["notes"]:
        lines += ["", f"Note: {note}"]
    for fault in result["faults"]:
        lines += ["", f"Fault: {fault}"]
    return "\n".join(lines)

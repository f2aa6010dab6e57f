"""The table and the verdicts of a benchmark run, from its figures alone."""


def judge_ratios(result, targets):
    """One row per target: a workload, a peer, the most that Edgecase may cost relative to it. It is
    reached when it is in every cell of the workload, and nothing counts as reached on the strength
    of rounds that did not all succeed."""
    rows = []
    for workload, peer, limit in targets:
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
    return rows


def aligned(rows, left):
    """Rows of strings as lines; the first `left` columns to the left, the others to the right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return ["  " + "  ".join(cell.ljust(width) if i < left else cell.rjust(width)
                             for i, (cell, width) in enumerate(zip(row, widths))).rstrip()
            for row in rows]


def figure(value, decimals=1):
    return "-" if value is None else f"{value:.{decimals}f}"


def head(result):
    """The machine and what was measured on it."""
    machine = result["machine"]
    lines = [f"{machine['cpu']}, Linux {machine['kernel']}; "
             f"proxies on core {machine['proxy_core']}, "
             f"origin and load on core {machine['load_core']}; "
             f"congestion control {machine['congestion_default']}", ""]
    return lines + aligned([[name, about["version"], about["how"]]
                            for name, about in result["proxies"].items()] or [["nothing", "", ""]],
                           3)


def cpu(result, peers):
    columns = ["edgecase", *peers]
    rows = [["", "connections", *columns, *(f"/{peer}" for peer in peers)]]
    for cell in result["cells"]:
        rows.append([cell["title"], str(cell["connections"]),
                     *(figure(cell["us_per_request"].get(name)) for name in columns),
                     *(figure(cell["ratios"][peer]["median"] if peer in cell["ratios"] else None, 2)
                       for peer in peers)])
    return ["", f"CPU microseconds per request, median of {result['rounds']} interleaved rounds; "
            "ratios are Edgecase to the peer, below 1 is cheaper", *aligned(rows, 1)]


def idle(title, figures):
    if not figures:
        return []
    return ["", f"{title}, bytes of the proxy's memory (PSS) for each",
            *aligned([[name, figure(each and each["bytes_per_connection"], 0)]
                      for name, each in figures.items()], 1)]


def records(result):
    """Whether Edgecase recorded what it was asked; under load it may drop records of successes."""
    kept, requests = (result["records"][key] for key in ("kept", "requests"))
    if not requests:
        return []
    lost = max(0, requests - kept) / requests
    return [f"Records: {kept} kept of {requests} requests" +
            (f"; {lost:.1%} dropped, and those requests were cheaper for it" if lost > 0 else "")]


def tail(result):
    """Verdicts, and what the reader must know before believing them."""
    lines = []
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
    return lines

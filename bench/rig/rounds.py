"""What interleaved rounds say: medians of each proxy, and of the ratios within each round."""

import statistics

# A run that lost more of a core to other work says little at 1 connection, where it can triple the
# figure; it is repeated, and the quietest of the tries counts.
DISTURBED_SHARE = 0.15


def undisturbed_or_all(groups):
    """The groups of runs none of which was disturbed; all groups if that leaves nothing."""
    return [group for group in groups
            if all(run["foreign_share"] <= DISTURBED_SHARE for run in group)] or groups


def summarise(rounds):
    """Medians per proxy, and the median over rounds of Edgecase's ratio to each peer in that round:
    the machine drifts, and only figures taken side by side may be divided. Disturbed runs count
    only where there are no others."""
    medians, ratios = {}, {}
    for name in sorted({name for each in rounds for name in each}):
        runs = [each[name] for each in rounds if name in each]
        if runs:
            medians[name] = statistics.median(
                run["us_per_request"] for (run,) in undisturbed_or_all([[run] for run in runs]))
        pairs = [[each["edgecase"], each[name]] for each in rounds
                 if name in each and "edgecase" in each]
        if pairs and name != "edgecase":
            values = [own["us_per_request"] / peer["us_per_request"]
                      for own, peer in undisturbed_or_all(pairs)]
            ratios[name] = {"median": statistics.median(values), "min": min(values),
                            "max": max(values), "rounds": len(pairs)}
    return {"us_per_request": medians, "ratios": ratios}

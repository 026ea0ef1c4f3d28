"""What the synthetic batches say about an alerted address in its window. Nothing here knows what launders."""

import random
import statistics
from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from orchestration.domains.alerts.sources.sample_graph import clustering_coefficient, core_numbers, pagerank
from orchestration.domains.alerts.sources.sample_process import START, WINDOW_DAYS, Transfer

Row = dict[str, Any]


def describe_addresses(
    rng: random.Random,
    day: datetime,
    window: list[Transfer],
    addresses: list[str],
    first_seen: Mapping[str, datetime],
    networks: Mapping[str, str],
) -> list[Row]:
    """Return one row per address, with the columns of `features.parquet`."""
    neighbours: dict[str, set[str]] = defaultdict(set)
    payees: dict[str, set[str]] = defaultdict(set)
    by_address: dict[str, list[Transfer]] = defaultdict(list)
    for transfer in window:
        neighbours[transfer.payer].add(transfer.payee)
        neighbours[transfer.payee].add(transfer.payer)
        payees[transfer.payer].add(transfer.payee)
        by_address[transfer.payer].append(transfer)
        by_address[transfer.payee].append(transfer)
    ranks, cores = pagerank(payees, sorted(neighbours)), core_numbers(neighbours)
    rows = []
    for address in addresses:
        own = by_address[address]
        incoming = [t.usd for t in own if t.payee == address]
        outgoing = [t.usd for t in own if t.payer == address]
        amounts = incoming + outgoing
        per_day = Counter((t.at - START).days for t in own)
        per_party = dict.fromkeys(sorted(neighbours[address]), 0.0)
        for t in own:
            per_party[t.payee if t.payer == address else t.payer] += t.usd
        total_in, total_out, volume = sum(incoming), sum(outgoing), sum(amounts)
        spread = statistics.pstdev(amounts)
        mean = volume / len(amounts)
        row = {
            "total_in_usd": total_in,
            "tx_in_count": len(incoming),
            "avg_tx_in_usd": statistics.fmean(incoming or [0.0]),
            "median_tx_in_usd": statistics.median(incoming or [0.0]),
            "degree_in": len({t.payer for t in own if t.payee == address}),
            "total_out_usd": total_out,
            "tx_out_count": len(outgoing),
            "avg_tx_out_usd": statistics.fmean(outgoing or [0.0]),
            "median_tx_out_usd": statistics.median(outgoing or [0.0]),
            "degree_out": len(payees[address]),
            "external_in_usd": rng.lognormvariate(10, 0.5),
            "external_out_usd": rng.lognormvariate(9.8, 0.4),
            "cash_usd": 0.0,
            "degree_total": len(neighbours[address]),
            "total_volume_usd": volume,
            "net_flow_usd": total_in - total_out,
            "tx_total_count": len(own),
            "max_tx_usd": max(amounts),
            "min_tx_usd": min(amounts),
            "unique_counterparties": len(neighbours[address]),
            "amount_variance": spread**2,
            "amount_skewness": statistics.fmean(((usd - mean) / spread) ** 3 for usd in amounts)
            if spread
            else 0,
            "activity_days": len(per_day),
            "activity_span_days": max(per_day) - min(per_day) + 1,
            "night_transaction_ratio": statistics.fmean(t.at.hour < 6 for t in own),
            "weekend_transaction_ratio": statistics.fmean(t.at.weekday() >= 5 for t in own),
            "structuring_score": statistics.fmean(800 <= usd < 1000 for usd in amounts),
            "counterparty_concentration": sum((usd / volume) ** 2 for usd in per_party.values()),
            "burst_factor": max(per_day.values()) * len(per_day) / len(own),
            "reciprocity_ratio": min(total_in, total_out) / max(total_in, total_out),
            "velocity_score": len(own) / WINDOW_DAYS,
            "pagerank": ranks[address],
            "clustering_coefficient": clustering_coefficient(neighbours, address),
            "kcore": cores[address],
            "behavioral_anomaly_score": rng.random(),
            "days_since_first_activity": (day - first_seen[address]).days,
        }
        numbers = {name: round(float(value), 5) for name, value in row.items()}
        rows.append({"address": address, **numbers, "network": networks[address]})
    return rows

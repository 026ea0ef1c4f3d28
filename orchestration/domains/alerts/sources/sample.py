"""The embedded alert batches: deterministic, synthetic, in the layout of real ones, for trials without data.

The payments come from the process that `alert_sample_process.py` documents; here the rules fire on them.
An alert is labelled 1 when its address took part in a laundering payment within the window.
"""

import hashlib
import json
import random
import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ml.store.files import move_into_place
from orchestration.domains.alerts.sources.sample_features import describe_addresses
from orchestration.domains.alerts.sources.sample_process import (
    SEED,
    START,
    WINDOW_DAYS,
    Transfer,
    draw_accounts,
    draw_transfers,
)
from orchestration.facts import FACTS

BATCHES = 10
_FIRST_DAY = 42
_RULE_DAYS = 7
# Whatever a rule says is more than information.
_SEVERITIES = FACTS["severities"][1:]

Row = dict[str, Any]


def write_sample(folder: Path) -> None:
    """Write `folder`/batches/… and `folder`/accounts.parquet; the same bytes every time."""
    rng = random.Random(SEED)
    accounts = draw_accounts(rng)
    transfers = draw_transfers(rng, accounts)
    networks = {account.address: account.network for account in accounts}
    for week in range(BATCHES):
        day = START + timedelta(days=_FIRST_DAY + 7 * week)
        seen = [transfer for transfer in transfers if transfer.at < day]
        window = [transfer for transfer in seen if transfer.at >= day - timedelta(days=WINDOW_DAYS)]
        tables = _batch(random.Random(f"{SEED} {week}"), day, window, seen, networks)
        _write_batch(folder / "batches" / day.date().isoformat() / str(WINDOW_DAYS), day, tables)
    _write(folder / "accounts.parquet", [vars(account) for account in accounts])


def _batch(
    rng: random.Random,
    day: datetime,
    window: list[Transfer],
    seen: list[Transfer],
    networks: Mapping[str, str],
) -> dict[str, list[Row]]:
    stamp: Row = {"processing_date": day.date(), "window_days": WINDOW_DAYS}
    alerts = [{**stamp, **alert} for alert in _alerts(rng, day, window, networks)]
    alerted = {alert["address"] for alert in alerts}
    first_seen: dict[str, datetime] = {}
    for transfer in seen:
        first_seen.setdefault(transfer.payer, transfer.at)
        first_seen.setdefault(transfer.payee, transfer.at)
    features = describe_addresses(rng, day, window, sorted(alerted), first_seen, networks)
    guilty = {address for t in window if t.launders for address in (t.payer, t.payee)}
    return {
        "alerts": alerts,
        "features": [{**stamp, **feature} for feature in features],
        "clusters": [{**stamp, **cluster} for cluster in _clusters(day, alerts, window)],
        "money_flows": [{**stamp, **flow} for flow in _flows(window, alerted, networks)],
        "ground_truth": [
            {
                "alert_id": alert["alert_id"],
                "address": alert["address"],
                "network": alert["network"],
                "processing_date": day.date(),
                "ground_truth": int(alert["address"] in guilty),
                "labelled_at": day + timedelta(days=rng.randint(5, 30)),
            }
            for alert in alerts
        ],
    }


def _alerts(
    rng: random.Random, day: datetime, window: list[Transfer], networks: Mapping[str, str]
) -> list[Row]:
    recent = [transfer for transfer in window if transfer.at >= day - timedelta(days=_RULE_DAYS)]
    sums: dict[str, Row] = defaultdict(
        lambda: {"payers": set(), "payees": set(), "in": 0.0, "out": 0.0, "n": 0}
    )
    for transfer in recent:
        payer, payee = sums[transfer.payer], sums[transfer.payee]
        payer["payees"].add(transfer.payee)
        payee["payers"].add(transfer.payer)
        payer["out"] += transfer.usd
        payee["in"] += transfer.usd
        payer["n"] += 1
        payee["n"] += 1
    in_window = Counter(address for t in window for address in (t.payer, t.payee))
    alerts = []
    for address, week in sorted(sums.items()):
        rules = [
            name
            for name, fires in (
                ("MOTIF_FANIN", len(week["payers"]) >= 3),
                ("MOTIF_FANOUT", len(week["payees"]) >= 3),
                ("TEMPORAL_BURST", week["n"] >= 3 and week["n"] > 0.55 * in_window[address]),
                ("LAYERING_PATH", 0.7 < week["out"] / max(week["in"], 1.0) < 1.1),
            )
            if fires
        ]
        volume = round(week["in"] + week["out"], 2)
        for rule in rules:
            key = f"{day.date()} {address} {rule}"
            severity = min(int(volume / 1500) + (len(rules) > 1), 3)
            alerts.append(
                {
                    "alert_id": f"SYNTHETIC-{day:%Y%m%d}-{hashlib.sha256(key.encode()).hexdigest()[:10]}",
                    "address": address,
                    "network": networks[address],
                    "typology_type": rule,
                    "pattern_id": "",
                    "severity": _SEVERITIES[severity],
                    "alert_confidence_score": round(rng.uniform(0.45, 0.95), 6),
                    "volume_usd": volume,
                    "evidence_json": json.dumps(
                        {
                            "fan_in": len(week["payers"]),
                            "fan_out": len(week["payees"]),
                            "in_7d": round(week["in"], 2),
                            "out_7d": round(week["out"], 2),
                            "tx_7d": week["n"],
                        }
                    ),
                    "risk_indicators": [rule] + ["multi_rule"] * (len(rules) > 1),
                    "created_at": day + timedelta(seconds=rng.randrange(6 * 3600)),
                }
            )
    return alerts


def _flows(window: list[Transfer], alerted: set[str], networks: Mapping[str, str]) -> list[Row]:
    pairs: dict[tuple[str, str], list[Transfer]] = defaultdict(list)
    for transfer in window:
        if transfer.payer in alerted or transfer.payee in alerted:
            pairs[transfer.payer, transfer.payee].append(transfer)
    return [
        {
            "from_address": payer,
            "to_address": payee,
            "tx_count": len(transfers),
            "amount_usd_sum": round(sum(t.usd for t in transfers), 2),
            "first_seen_timestamp": transfers[0].at,
            "last_seen_timestamp": transfers[-1].at,
            "active_days": len({t.at.date() for t in transfers}),
            "network": networks[payer],
        }
        for (payer, payee), transfers in sorted(pairs.items())
    ]


def _clusters(day: datetime, alerts: list[Row], window: list[Transfer]) -> list[Row]:
    """Alerts of one address, and of addresses that paid each other on the last day, belong together."""
    parent = {alert["address"]: alert["address"] for alert in alerts}

    def root(address: str) -> str:
        while parent[address] != address:
            address = parent[address]
        return address

    since = day - timedelta(days=1)
    for t in window:
        if t.at >= since and t.payer in parent and t.payee in parent:
            one, other = sorted((root(t.payer), root(t.payee)))
            parent[other] = one
    members: dict[str, list[Row]] = defaultdict(list)
    for alert in alerts:
        members[root(alert["address"])].append(alert)
    return [_cluster(day, group) for _, group in sorted(members.items()) if len(group) > 1]


def _cluster(day: datetime, group: list[Row]) -> Row:
    addresses = sorted({alert["address"] for alert in group})
    first = max(group, key=lambda alert: (alert["volume_usd"], alert["alert_id"]))
    volumes = {alert["address"]: alert["volume_usd"] for alert in group}
    times = [int((alert["created_at"] - datetime(1970, 1, 1)).total_seconds() * 1000) for alert in group]
    return {
        "cluster_id": f"SYNTHETIC-CLUSTER-{day:%Y%m%d}-{addresses[0]}",
        "cluster_type": "network" if len(addresses) > 1 else "same_entity",
        "network": first["network"],
        "primary_address": first["address"],
        "primary_alert_id": first["alert_id"],
        "related_alert_ids": [alert["alert_id"] for alert in group],
        "addresses_involved": addresses,
        "total_alerts": len(group),
        "total_volume_usd": round(sum(volumes.values()), 2),
        "severity_max": max((alert["severity"] for alert in group), key=_SEVERITIES.index),
        "confidence_avg": round(statistics.fmean(alert["alert_confidence_score"] for alert in group), 6),
        "earliest_alert_timestamp": min(times),
        "latest_alert_timestamp": max(times),
    }


def _write_batch(folder: Path, day: datetime, tables: Mapping[str, list[Row]]) -> None:
    files = {f"{name}.parquet": _write(folder / f"{name}.parquet", rows) for name, rows in tables.items()}
    meta = {
        "processing_date": day.date().isoformat(),
        "window_days": WINDOW_DAYS,
        "origin": "synthetic",
        "files": files,
    }
    _place(folder / "META.json", json.dumps(meta, indent=1).encode())


def _write(path: Path, rows: Iterable[Row]) -> Row:
    table = pa.Table.from_pylist(list(rows))
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd")
    content = sink.getvalue().to_pybytes()
    _place(path, content)
    return {"rows": table.num_rows, "md5": hashlib.md5(content, usedforsecurity=False).hexdigest()}


def _place(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.partial")
    temporary.write_bytes(content)
    move_into_place(temporary, path)

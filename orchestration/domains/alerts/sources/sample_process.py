"""The latent process of the synthetic alerts: who pays whom, which payments launder. Nothing here is real.

300 accounts of three networks pay for 112 days:

- everybody pays two to four regular partners every one to two weeks; 16 merchants are paid by many (a
  harmless fan-in, which the rules take for a pattern), 8 payrolls pay many (a harmless fan-out);
- 42 laundering patterns, most of their members from a ring of 45 accounts that is used again and again, each
  spread over 4 to 12 days: gathering (many pay one, who passes nearly all of it on), scattering (the reverse)
  and cycles. Each hop keeps 2 to 8 %.

So what tells a laundering account from a busy one is that money passes through, that those it deals with deal
with each other, and that it or they were reported before; amount, hour and region carry nothing.
"""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

SEED = 20240617
START = datetime(2024, 1, 1)
DAYS = 112
WINDOW_DAYS = 28
NETWORKS = ("synthetic_north", "synthetic_south", "synthetic_west")
_ACCOUNTS, _MERCHANTS, _PAYROLLS, _RING, _PATTERNS = 300, 16, 8, 45, 42


@dataclass(frozen=True)
class Account:
    """Somebody who pays and is paid."""

    address: str
    network: str
    region: str
    age_band: str


@dataclass(frozen=True, order=True)
class Transfer:
    """One payment; `launders` is the latent truth and reaches nothing but the label."""

    at: datetime
    payer: str
    payee: str
    usd: float
    launders: bool


def draw_accounts(rng: random.Random) -> list[Account]:
    """Draw the accounts; region and age band are independent of everything else."""
    return [
        Account(
            address=f"synthetic{number:04d}",
            network=rng.choices(NETWORKS, [5, 3, 2])[0],
            region=f"region_{rng.randrange(6)}",
            age_band=rng.choices(("16-29", "30-44", "45-64", "65+"), [3, 4, 4, 2])[0],
        )
        for number in range(_ACCOUNTS)
    ]


def draw_transfers(rng: random.Random, accounts: list[Account]) -> list[Transfer]:
    """Draw all payments, ordered by time."""
    addresses = [account.address for account in accounts]
    merchants, payrolls = addresses[:_MERCHANTS], addresses[_MERCHANTS : _MERCHANTS + _PAYROLLS]
    people = addresses[_MERCHANTS + _PAYROLLS :]
    transfers = []
    for payer in people:
        partners = rng.sample(people, rng.randint(1, 2)) + rng.sample(merchants, rng.randint(1, 2))
        transfers += [
            _pay(rng, payer, payee, day) for payee in partners if payee != payer for day in _days(rng)
        ]
    for payroll in payrolls:
        transfers += [
            _pay(rng, payroll, payee, day)
            for payee in rng.sample(people, rng.randint(4, 9))
            for day in _days(rng)
        ]
    ring = rng.sample(people, _RING)
    for _ in range(_PATTERNS):
        members = rng.sample([*ring, *rng.sample(people, _RING // 2)], 12)
        transfers += _pattern(rng, list(dict.fromkeys(members)))
    return sorted(transfers)


def _days(rng: random.Random) -> list[int]:
    step = rng.randint(7, 16)
    return [day for day in range(rng.randrange(step), DAYS, step) if rng.random() < 0.85]


def _pay(
    rng: random.Random, payer: str, payee: str, day: int, usd: float = 0, launders: bool = False
) -> Transfer:
    at = START + timedelta(days=day, seconds=rng.randrange(86400))
    return Transfer(at, payer, payee, round(usd or rng.lognormvariate(6.3, 0.4), 2), launders)


def _pattern(rng: random.Random, members: list[str]) -> list[Transfer]:
    first, span = rng.randrange(5, DAYS - 12), rng.randint(4, 12)
    kept = rng.uniform(0.92, 0.98)

    def moves(payer: str, payee: str, usd: float, part: float) -> Transfer:
        day = first + int(span * part) + rng.randrange(2)
        return _pay(rng, payer, payee, min(day, DAYS - 1), usd, launders=True)

    usd = rng.lognormvariate(6.3, 0.3)
    kind = rng.choice(("gather", "scatter", "cycle"))
    if kind == "cycle":
        loop = members[: rng.randint(4, 6)]
        hops = zip(loop, [*loop[1:], loop[0]], strict=True)
        return [moves(a, b, usd * kept**hop, hop / len(loop)) for hop, (a, b) in enumerate(hops)]
    head, middle, tail = members[0], members[2 : rng.randint(5, 8)], members[1]
    source, sink = (head, tail) if kind == "scatter" else (tail, head)
    return [moves(source, mule, usd, 0.2) for mule in middle] + [
        moves(mule, sink, usd * kept, 0.6) for mule in middle
    ]

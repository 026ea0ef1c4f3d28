"""Graph measures for the synthetic batches, in plain Python: their graphs have a few hundred nodes."""

from collections.abc import Mapping, Sequence
from itertools import combinations


def pagerank(
    payees: Mapping[str, set[str]], nodes: Sequence[str], damping: float = 0.85, rounds: int = 40
) -> dict[str, float]:
    """PageRank by power iteration; what has no way out shares its rank with all (Page et al. 1999)."""
    rank = dict.fromkeys(nodes, 1 / len(nodes))
    for _ in range(rounds):
        dangling = sum(rank[node] for node in nodes if not payees.get(node))
        following = dict.fromkeys(nodes, (1 - damping + damping * dangling) / len(nodes))
        for node in nodes:
            # Sorted: the order of a set of strings changes from run to run, and so the last bit of a sum.
            for payee in sorted(payees.get(node, ())):
                following[payee] += damping * rank[node] / len(payees[node])
        rank = following
    return rank


def clustering_coefficient(neighbours: Mapping[str, set[str]], node: str) -> float:
    """Share of the pairs of neighbours that are neighbours themselves (0 with fewer than two)."""
    around = sorted(neighbours[node])
    pairs = len(around) * (len(around) - 1) // 2
    closed = sum(other in neighbours[one] for one, other in combinations(around, 2))
    return closed / pairs if pairs else 0.0


def core_numbers(neighbours: Mapping[str, set[str]]) -> dict[str, int]:
    """For each node the largest k for which it is in a subgraph where everyone has k neighbours."""
    degree = {node: len(around) for node, around in neighbours.items()}
    core, level = {}, 0
    while degree:
        node = min(degree, key=lambda name: (degree[name], name))
        level = max(level, degree.pop(node))
        core[node] = level
        for other in neighbours[node]:
            if other in degree:
                degree[other] -= 1
    return core

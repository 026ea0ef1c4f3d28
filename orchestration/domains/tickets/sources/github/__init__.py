"""The `github` source: issues live from GitHub, as page files that are both landing and checkpoint."""

from orchestration.domains.tickets.sources.github.source import GitHubSource

__all__ = ["GitHubSource"]

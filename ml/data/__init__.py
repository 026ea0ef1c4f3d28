"""The training set: its contract, what is known of its outcomes, its split in time, labels and weights."""

from __future__ import annotations

from ml.data.dataset import Dataset, DomainConfig

__all__ = ["Dataset", "DomainConfig"]

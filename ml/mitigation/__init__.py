"""Models that treat slices more alike: how they are made, tried on later rows, and served."""

from __future__ import annotations

from ml.mitigation.run import Mitigation, mitigate_models

__all__ = ["Mitigation", "mitigate_models"]

"""Files of a run: written whole or not at all, known by their hash, and the record of what was trained."""

from __future__ import annotations

from ml.store.record import Evaluation
from ml.store.run_folder import RunFolder

__all__ = ["Evaluation", "RunFolder"]

"""The settings of a training run."""

from __future__ import annotations

from ml.tasks.duration import TrainingConfig

__all__ = ["TrainingConfig"]

"""A run: train into a folder, choose among what was trained, and describe it."""

from __future__ import annotations

from ml.runs.card import leaderboard_text, model_card
from ml.runs.select import Choice, Gate, choose_best, leaderboard
from ml.runs.train import train_models

__all__ = ["Choice", "Gate", "choose_best", "leaderboard", "leaderboard_text", "model_card", "train_models"]

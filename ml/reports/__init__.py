"""What a run shows: the files of the bias report, and pictures."""

from __future__ import annotations

from ml.reports.bias import write_bias, write_bias_page

__all__ = ["write_bias", "write_bias_page"]

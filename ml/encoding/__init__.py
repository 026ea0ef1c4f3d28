"""Items to matrices: encoders of columns, fitted on training rows only, and the matrix shared by models."""

from __future__ import annotations

from ml.encoding.matrix import PreprocessingConfig, new_encoder
from ml.encoding.tree import tree_encoder

__all__ = ["PreprocessingConfig", "new_encoder", "tree_encoder"]

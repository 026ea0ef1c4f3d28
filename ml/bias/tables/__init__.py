"""Every column of the published bias tables: name, type, unit, description."""

from ml.bias.tables.catalogue import MEANINGS, columns, names, table_names
from ml.bias.tables.column import Column

__all__ = ["MEANINGS", "Column", "columns", "names", "table_names"]

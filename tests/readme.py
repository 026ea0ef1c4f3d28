"""The queries of the README, one by one, as printed."""

import re

from tests.paths import ROOT


def queries() -> list[str]:
    """Every query, with the question before it as a comment."""
    blocks = re.findall(
        r"```sql\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), flags=re.DOTALL
    )
    return [query.strip() for block in blocks for query in block.split(";\n") if query.strip()]

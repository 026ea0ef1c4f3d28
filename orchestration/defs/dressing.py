"""What every asset carries beside its own: an owner, its domain, and a kind where it names none."""

from collections.abc import Iterable
from typing import Any

import dagster as dg

OWNERS = ["team:maintainers"]


def dressed(assets: Iterable[Any], **tags: str) -> list[Any]:
    """Assets with an owner, with tags that they lack, and of the kind Python where they name none."""

    def dress(spec: dg.AssetSpec) -> dg.AssetSpec:
        return spec.replace_attributes(
            owners=spec.owners or OWNERS, tags={**tags, **spec.tags}, kinds=spec.kinds or {"python"}
        )

    return list(dg.map_asset_specs(dress, assets))

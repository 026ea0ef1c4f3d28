"""What can be run as a whole: everything, what is new without training, and the search for what is gone."""

import dagster as dg

# A search for parameters is asked for: nothing of a run reads them unless it is told to.
everything = dg.define_asset_job(
    "everything",
    selection=dg.AssetSelection.all() - dg.AssetSelection.groups("tuning"),
    description="From the source to the daily page, training included.",
)

refresh = dg.define_asset_job(
    "refresh",
    selection=(
        dg.AssetSelection.all() - dg.AssetSelection.groups("tuning", "models", "bias", "selection")
        | dg.AssetSelection.checks(dg.AssetCheckKey(dg.AssetKey("best_model"), "drift"))
    ),
    description="What is new is predicted and shown; nothing is trained, and the champion stays.",
)

# What is read of the models comes from the warehouse: nothing that leads to them is made again.
predict = dg.define_asset_job(
    "predict",
    selection=(
        dg.AssetSelection.assets("tickets_open", "remaining_open", "train_remaining").upstream()
        | dg.AssetSelection.assets("ticket_predictions")
    ),
    description="The shortest way from the source to the predictions of the open tickets: all else stays.",
)

sweep = dg.define_asset_job(
    "sweep",
    selection=dg.AssetSelection.assets("raw_issues"),
    config={"ops": {"raw_issues": {"config": {"sweep": True}}}},
    description="Fetch what changed, and look for issues that are gone; only the source github does more.",
)

JOBS = [everything, refresh, predict, sweep]

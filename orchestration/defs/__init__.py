"""The Dagster definitions, one module per stage of the pipeline."""

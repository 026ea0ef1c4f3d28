"""DuckDB, landing files, snapshots and results: what every domain uses; knows no domain and no Dagster."""

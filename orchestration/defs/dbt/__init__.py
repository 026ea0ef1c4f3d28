"""The dbt project as assets; the only room that imports dagster-dbt, which takes seconds."""

"""What a domain needs: its folder, its dbt folder and its raw tables. Here the files of one are."""

DOMAIN = '''"""What parcels are: boxes that break on the way, or not."""

from orchestration.declarations import Domain, RawInput
from orchestration.domains.parcels.tasks import PARCELS, SCORER


def load_folder(database, settings, folder):
    database.execute(
        "insert into raw.parcels select * from read_parquet(?)", [str(folder / "parcels.parquet")]
    )


DOMAIN = Domain(
    name="parcels",
    raw=RawInput("parcels", "raw.parcels", "--parcels", load_folder),
    training_sets=(PARCELS,),
    tasks=(SCORER,),
)
'''
TASKS = '''"""What is learned of parcels."""

from orchestration.declarations import Task, TrainingSet

PARCELS = TrainingSet("parcels", "train_parcels", "label_parcels", "parcel_snapshot")
SCORER = Task("parcel_scorer", PARCELS, "scorer", "The chance that a parcel breaks.")
'''
ASSETS = '''"""Parcels after dbt."""

import dagster as dg

from orchestration.defs.bias import bias_asset
from orchestration.defs.models import model_asset
from orchestration.defs.resources import Project
from orchestration.defs.snapshots import snapshot_assets
from orchestration.domains.parcels.domain import DOMAIN


@dg.asset(group_name="ingestion")
def raw_parcels(project: Project) -> None:
    """The parcels."""
    with project.database() as database:
        database.execute("delete from raw.parcels")
        database.execute(
            """
            select setseed(0.5);
            insert into raw.parcels
            select
                'p' || n, 'week' || lpad((n // 30)::varchar, 2, '0'),
                timestamp '2024-01-01' + to_days((n // 30)::integer), random() as grams,
                (random() < 0.15 + 0.5 * (n % 3 = 0)::integer)::integer, n % 3, 'sample'
            from range(1200) as t (n)
            """
        )


parcel_snapshots = snapshot_assets(DOMAIN)
parcel_models = [model_asset(task) for task in DOMAIN.tasks]
parcel_bias = bias_asset(
    DOMAIN,
    ("binary",),
    name="parcel_bias",
    after=("models/parcel_scorer",),
    description="Whose parcels break unforeseen.",
    show=lambda tables, runs: {"rows": len(tables["score_metrics"])},
)
'''
TRAIN = """select
    item_id,
    event_at,
    item_id as entity_id,
    batch_id as group_id,
    grams,
    kind,
    'kind ' || kind::varchar as slice_kind
from {{ source('raw_parcels', 'parcels') }}
"""
LABEL = """select
    item_id,
    broken::double as y,
    false as is_censored,
    event_at + interval 1 hour as observed_until,
    broken::integer as relevance,
    1.0::double as weight,
    event_at + interval 1 hour as labelled_at
from {{ source('raw_parcels', 'parcels') }}
"""
SOURCES = """version: 2
sources:
  - name: raw_parcels
    schema: raw
    tables:
      - name: parcels
        meta: {dagster: {asset_key: [raw_parcels]}}
"""
RAW = """create schema if not exists raw;
create table if not exists raw.parcels (
    item_id varchar, batch_id varchar, event_at timestamp, grams double, broken integer, kind integer,
    source varchar
);
"""
FILES = {
    "orchestration/domains/parcels/__init__.py": '"""Parcels: which of them break."""\n',
    "orchestration/domains/parcels/domain.py": DOMAIN,
    "orchestration/domains/parcels/tasks.py": TASKS,
    "orchestration/domains/parcels/assets.py": ASSETS,
    "dbt_project/models/staging/parcels/sources.yml": SOURCES,
    "dbt_project/models/training/parcels/train_parcels.sql": TRAIN,
    "dbt_project/models/training/parcels/label_parcels.sql": LABEL,
    "warehouse/raw_parcels.sql": RAW,
}

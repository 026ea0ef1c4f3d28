"""What the assignees are: the people of a repository, who may take a ticket of it."""

from orchestration.declarations import Domain, RawInput
from orchestration.domains.assignees.tasks import ASSIGNEES, RANKER
from orchestration.tables import ASSIGNEE_CANDIDATES

DOMAIN = Domain(
    name="assignees",
    # Loaded by whoever loads issues.
    raw=RawInput("issues", "raw.issues"),
    training_sets=(ASSIGNEES,),
    tasks=(RANKER,),
    tables=(ASSIGNEE_CANDIDATES.name,),
)

"""What is learned of people: which of them had a ticket when it was closed."""

from orchestration.declarations import Task, TrainingSet

ASSIGNEES = TrainingSet(
    "assignees",
    "train_assignees",
    "label_assignees",
    "assignee_snapshot",
    {
        "timeline": "slice_repo",
        # A ticket has a handler: one who is not among the candidates is a miss, for every order alike.
        "groups_are_questions": True,
        # Whoever has this week's tickets has many of them: the tickets of a week are drawn together.
        "block_days": 7,
        "baselines": {
            "most_active": ["acts_180d", "acts_30d"],
            "last_assigned": ["-days_since_handled", "handled_30d"],
        },
    },
)
RANKER = Task(
    name="assignee_ranker",
    learns_from=ASSIGNEES,
    kind="ranker",
    description="The order of the people of a repository for a ticket: who had it when it was closed.",
    # Thousands of short lists: a faster rate than that of a few long ones costs nothing. Grades of 0 and 1
    # have no gain to start from.
    params={"learning_rate": 0.1, "gain_trees": 0},
)

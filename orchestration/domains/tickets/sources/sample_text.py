"""Words of the synthetic issues. Which of them slow an issue down is decided in `sample_process.py`."""

import random
from dataclasses import dataclass

# Natural-log hours that each word of the text adds: the part of the latent process that only the text shows.
KEYWORD_EFFECTS = {
    "python": -0.2, "go": -0.3, "c++": 0.5, "c#": 0.3, "rust": 0.2, "sql": 0.1, "docker": -0.4, "api": -0.1,
    "memory": 0.7, "crash": -0.5, "timeout": 0.4, "javascript": 0.0, "kotlin": 0.2, "regression": -0.6,
    "deadlock": 0.9, "documentation": -0.8, "cache": 0.1, "unicode": 0.3, "windows": 0.5, "kubernetes": 0.2,
}  # fmt: skip


@dataclass(frozen=True)
class Severity:
    """One degree of severity: how often it occurs, what it adds to the log hours, and its words."""

    weight: int
    effect: float
    phrases: tuple[str, ...]


SEVERITY = {
    "urgent": Severity(15, -1.0, ("It blocks our release.", "Production is down.", "We lose data here.")),
    "plain": Severity(65, 0.0, ("", "Happens every time.", "Seen since the last update.")),
    "minor": Severity(20, 0.9, ("Only cosmetic.", "No hurry, we have a workaround.", "Nice to have.")),
}

_COMPONENTS = ("router", "parser", "scheduler", "loader", "session", "index", "printer", "login form")
_SYMPTOMS = {
    "bug": ("fails", "returns the wrong result", "hangs", "raises an unexpected error", "ignores its option"),
    "enhancement": ("should support streaming", "could accept a list", "needs a dry-run option"),
    "question": ("how is it meant to be used", "where is it configured", "why does the manual differ"),
    "documentation": ("example is out of date", "page misses an option", "link is broken"),
    "performance": ("is slow on large input", "uses too much CPU", "got slower in 2.4"),
}
_ACTIONS = (
    "after the update",
    "in a clean install",
    "behind a proxy",
    "on the second call",
    "with no settings",
)
_SENTENCES = {
    "bug": "I ran into this while we go through the migration. The {component} {symptom} {action}.",
    "enhancement": "As a user of the {component} I would like this: it {symptom}.",
    "question": "I could not find this in the manual. The {component}: {symptom}?",
    "documentation": "Reading about the {component}: the {symptom}.",
    "performance": "We measured the {component} {action}: it {symptom}.",
}
_KEYWORD_SENTENCES = (
    "We use {word} here.", "It seems related to {word}.", "The log says {word}.", "We depend on {word}.",
)  # fmt: skip
_CODE = "```\n$ run --{component} --verbose\nexit status 1\n```"
_TRACES = (
    'Traceback (most recent call last):\n  File "app/{component}.py", line {line}, in handle\n'
    "    return self.next(request)\nValueError: unexpected state",
    "thread 'main' panicked at src/{component}.rs:{line}:17:\nout of bounds\nstack backtrace:\n   0: run",
    'Exception in thread "main" java.lang.IllegalStateException\n\tat org.{component}.run(Main.java:{line})',
)
_CHECKLIST = (
    "- [x] I searched the existing issues\n- [ ] I can send a patch\n- [ ] It happens in a clean install"
)
_COMMENTS = (
    "Thanks for the report, can you share the log?", "I can reproduce this.", "Same here on 2.4.",
    "Fixed on the main branch, please try again.", "Could you test the nightly build?", "+1",
)  # fmt: skip


@dataclass(frozen=True)
class IssueText:
    """Title and body, and the facts in them that the latent process uses."""

    title: str
    body: str | None
    keywords: tuple[str, ...]
    severity: str
    has_stack_trace: bool


def compose(
    rng: random.Random, kind: str, vocabulary: tuple[str, ...], number: int, maintainer: str
) -> IssueText:
    """Write one issue of the given kind with the words of its repository."""
    component = rng.choice(_COMPONENTS)
    symptom = rng.choice(_SYMPTOMS[kind])
    action = rng.choice(_ACTIONS)
    severity = rng.choices(list(SEVERITY), [degree.weight for degree in SEVERITY.values()])[0]
    keywords = tuple(sorted({rng.choice(vocabulary) for _ in range(rng.randrange(4))}))
    has_stack_trace = kind == "bug" and rng.random() < 0.4
    parts = [_SENTENCES[kind].format(component=component, symptom=symptom, action=action)]
    parts += [rng.choice(_KEYWORD_SENTENCES).format(word=word) for word in keywords]
    parts.append(rng.choice(SEVERITY[severity].phrases))
    if has_stack_trace:
        trace = rng.choice(_TRACES).format(component=component.split()[0], line=rng.randrange(10, 900))
        parts.append(f"```\n{trace}\n```")
    elif rng.random() < 0.3:
        parts.append(_CODE.format(component=component.split()[0]))
    if rng.random() < 0.2:
        parts.append(_CHECKLIST)
    if rng.random() < 0.15:
        parts.append(f"See https://example.org/logs/{rng.randrange(10_000)} for the whole log.")
    if number > 1 and rng.random() < 0.15:
        parts.append(f"Related to #{rng.randrange(1, number)}.")
    if rng.random() < 0.1:
        parts.append(f"cc @{maintainer}")
    title = f"{component}: {symptom}"
    if rng.random() < 0.7:
        title = f"{component.capitalize()} {symptom} {action}"
    body: str | None = "\n\n".join(filter(None, parts))
    # Some leave the body empty; never one whose body says what decides the time.
    if severity == "plain" and not keywords and not has_stack_trace and rng.random() < 0.1:
        body = None
    return IssueText(title, body, keywords, severity, has_stack_trace)


def compose_comment(rng: random.Random) -> str:
    """Write one comment."""
    return rng.choice(_COMMENTS)

"""What a run is doing, read from the lines that Dagster logs. It knows no asset."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from orchestration.failures import in_words

_STEP = re.compile(r" - (?P<step>\S+) - STEP_(?P<event>START|SUCCESS|FAILURE|RESTARTED) - (?P<message>.*)")
_UNCHANGED = re.compile(r" - (?P<step>\S+) - unchanged: ")
_CHECK = re.compile(r"ASSET_CHECK_EVALUATION - (?P<message>Asset check .* did not pass\.)")
_LOGGED = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \S+ - \w+ - [A-Z]+ - ")
_ERROR = re.compile(
    r"(?P<kind>[A-Za-z_][\w.]*(?:Error|Exception|Failure|Interrupt))(?::\s*(?P<message>\S.*))?$"
)
_TOOK = re.compile(r" in (?P<time>\S+?)\.?$")


@dataclass
class Progress:
    """Told the lines of a run's log one by one, it says a line per stage.

    Attributes
    ----------
    say : callable (line)
        Gets the line about a stage that ended.
    begin, end : callable (stage)
        Told that a stage began or ended; several may be under way.
    failures : dict of str to str
        Why each failed stage failed, in a sentence; under "" what stopped the run outside of any stage.
    checks : list of str
        The asset checks that did not pass.
    stages : dict of str to str
        How long each stage took that ended well, or that it was unchanged.
    """

    say: Callable[[str], None]
    begin: Callable[[str], None] = lambda stage: None
    end: Callable[[str], None] = lambda stage: None
    failures: dict[str, str] = field(default_factory=dict)
    checks: list[str] = field(default_factory=list)
    stages: dict[str, str] = field(default_factory=dict)
    _failing: str = ""
    _unchanged: set[str] = field(default_factory=set)

    def feed(self, line: str) -> None:
        """Take one line of the log."""
        if step := _STEP.search(line):
            self._note(step["step"].replace("__", "/"), step["event"], step["message"])
        elif same := _UNCHANGED.search(line):
            self._unchanged.add(same["step"].replace("__", "/"))
        elif check := _CHECK.search(line):
            self.checks.append(check["message"])
        elif _LOGGED.match(line):
            self._failing = ""
        elif error := _ERROR.match(line.rstrip()):
            # It follows the line that says that its stage failed; its cause, which says more, comes last.
            self.failures[self._failing] = error["message"] or in_words(error["kind"])

    def _note(self, stage: str, event: str, message: str) -> None:
        self._failing = ""
        if event in ("SUCCESS", "FAILURE"):
            self.end(stage)
        if event == "SUCCESS":
            took = _TOOK.search(message)
            self.stages[stage] = took["time"] if took else ""
            if stage in self._unchanged:
                self.stages[stage] = "unchanged"
            self.say(f"  {stage:<40} {self.stages[stage]:>8}")
        elif event == "FAILURE":
            self.say(f"  {stage:<40}   failed")
            self._failing = stage
            self.failures[stage] = message
        else:
            self.begin(stage)

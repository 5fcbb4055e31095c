"""The progress of a training run, on stderr."""

from __future__ import annotations

from typing import Any


class TrainingBar:
    """A rich progress bar on stderr, fed with log lines."""

    def __init__(self, steps: int, *, quiet: bool) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        self._bar = Progress(
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.description}"),
            console=Console(stderr=True),
            disable=quiet,
        )
        self._task = self._bar.add_task("", total=steps)
        self._loss, self._valid, self._waiting = "-", "-", "-"

    def __enter__(self) -> Any:
        return self._take

    def __exit__(self, *_: object) -> None:
        if self._bar.live.is_started:
            self._bar.stop()

    def _take(self, line: dict[str, Any]) -> None:
        self._bar.start()  # only now: what is wrong with the recipe is one line, with no bar above it
        if line.get("loss") is not None:
            self._loss = f"{line['loss']:.4f}"
        for name, value in line.items():
            if name.startswith("valid") and name.endswith("_db") and value is not None:
                self._valid = f"{value:.2f} dB"
        if "wait_share" in line:
            self._waiting = f"{100 * line['wait_share']:.0f} %"
        shown = f"loss {self._loss}  valid {self._valid}  waiting {self._waiting}"
        self._bar.update(self._task, completed=line["step"], description=shown)

"""Lines of numbers: cut where a training goes on, whole where a kill left half of one."""

from __future__ import annotations

from pathlib import Path

from training.parts import MetricsLog, read_lines


def test_later_and_torn_lines_are_cut(tmp_path: Path) -> None:
    path = tmp_path / "new" / "curve.jsonl"
    assert read_lines(path) == []
    curve = MetricsLog(path, after=0)
    for step in (1, 2, 3):
        curve.add({"step": step, "loss": step / 2})
    curve.close()
    with path.open("a") as file:
        file.write('{"step": 4, "lo')
    assert [line["step"] for line in read_lines(path)] == [1, 2, 3]
    again = MetricsLog(path, after=2)
    again.add({"step": 3, "loss": 9.0})
    again.close()
    assert read_lines(path) == [{"step": 1, "loss": 0.5}, {"step": 2, "loss": 1.0}, {"step": 3, "loss": 9.0}]

"""Which runs a batch has, under which names, and what makes one of them another run."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from a2v_core.errors import A2VError
from a2v_core.headless.batch.fingerprint import fingerprint_of
from a2v_core.headless.batch.labels import LABEL_BYTES, Key, labels_of
from a2v_core.headless.batch.plan import plan_units
from a2v_core.headless.batch.table import read_table
from tests.headless.batch.parts import write_table


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def test_names_are_safe_and_each_another(tmp_path: Path) -> None:
    odd = os.fsdecode(b"caf\xe9.wav")
    touch(tmp_path, "a.wav", "b/a.wav", "b a.wav", "B_A.mp3", "x.y.ogg", "\u97f3\u4e50.wav", odd, "...wav")
    units = plan_units(tmp_path, None, 2, tmp_path / "out")
    ids = [unit.id for unit in units]
    assert len({name.casefold() for name in ids}) == len(ids) == 16
    assert {"a_seed0", "a_seed1", "x_y_seed0", "\u97f3\u4e50_seed1", "caf_seed0"} <= set(ids)
    assert sum(name.casefold().startswith("b_a_") for name in ids) == 6
    assert all("." not in name and "/" not in name and name.isprintable() for name in ids)
    assert [unit.group for unit in units[:2]] == [units[0].id.removesuffix("_seed0")] * 2
    assert plan_units(tmp_path, None, 2, tmp_path / "out") == units


def test_a_name_that_is_too_long_is_cut() -> None:
    keys = [Key(("\u97f3" * 100 + end,), end) for end in "ab"]
    first, second = labels_of(keys)
    assert first != second
    assert len(first.encode()) <= LABEL_BYTES + 9


def test_what_the_batch_makes_is_no_sound_of_it(tmp_path: Path) -> None:
    touch(tmp_path, "a.wav", "out/b.flac", "out/.batch/files/c/c.flac")
    assert [unit.id for unit in plan_units(tmp_path, None, None, tmp_path / "out")] == ["a"]
    with pytest.raises(A2VError, match="is the folder of the sounds"):
        plan_units(tmp_path, None, None, tmp_path)
    assert len(plan_units(tmp_path / "out", None, None, tmp_path)) == 2


def test_a_table_in_the_dialects_of_spreadsheets(tmp_path: Path) -> None:
    for separator in (",", ";", "\t"):
        text = f'id{separator}"A, b.text"{separator}audio\r\nx{separator}"1{separator}2"\r\n\r\ny\r\n'
        (tmp_path / "t.csv").write_bytes(b"\xef\xbb\xbf" + text.encode())
        if separator != ",":
            rows = read_table(tmp_path / "t.csv")
            assert [(row.name, row.audio, row.inputs) for row in rows] == [
                ("x", None, (("A, b.text", f"1{separator}2"),)),
                ("y", None, ()),
            ]


@pytest.mark.parametrize(
    ("columns", "rows", "message"),
    [
        (["3.seed"], [], "has no rows"),
        (["seed"], [[1]], "the column 'seed' sets nothing; expected NODE.INPUT"),
        (["3.seed", "3.seed"], [[1, 2]], "the column '3.seed' is there twice"),
        (["id", "3.seed"], [["a", 1], ["a", 2]], "the id 'a' stands in several rows"),
        (["3.seed"], [[1, 2]], "row 1 has 2 cells, and there are 1 columns"),
    ],
)
def test_a_table_that_does_not_fit(
    tmp_path: Path, columns: list[str], rows: list[list[object]], message: str
) -> None:
    with pytest.raises(A2VError, match=message):
        read_table(write_table(tmp_path / "t.csv", columns, rows))


def test_a_column_of_sounds_beside_a_folder_of_them(tmp_path: Path) -> None:
    touch(tmp_path, "sounds/a.wav")
    table = write_table(tmp_path / "t.csv", ["audio"], [["b.wav"]])
    with pytest.raises(A2VError, match="both --audio and the column audio"):
        plan_units(tmp_path / "sounds", table, None, tmp_path / "out")
    (unit,) = plan_units(None, table, None, tmp_path / "out")
    assert (unit.id, unit.sound, unit.shown) == ("b_row1", tmp_path / "b.wav", "b.wav")


def saved(x: int, value: int) -> dict[str, Any]:
    """A saved workflow of one node that names a file, at place `x`."""
    node = {"id": 1, "pos": [x, 0], "widgets_values": ["picture.png", value]}
    return {"nodes": [node], "extra": {"ds": {"offset": [x, 0]}}}


def test_what_a_fingerprint_depends_on(tmp_path: Path) -> None:
    """Not on where nodes lie or what the file of a sound is called, but on what is in every file named."""
    for name in ("a.wav", "copy.wav", "other.wav", "picture.png"):
        (tmp_path / name).write_bytes(b"other" if name == "other.wav" else b"same")
    graph, moved, changed = saved(0, 3), saved(5, 3), saved(0, 4)

    def of(workflow: dict[str, Any], *overrides: str, seed: int | None = 0, sound: str = "a.wav") -> str:
        return fingerprint_of(workflow, overrides, seed, tmp_path / sound, [tmp_path])

    plain = of(graph)
    assert of(moved) == of(graph, sound="copy.wav") == plain
    others = [
        of(changed),
        of(graph, "1.a=2"),
        of(graph, seed=1),
        of(graph, seed=None),
        of(graph, sound="other.wav"),
    ]
    (tmp_path / "picture.png").write_bytes(b"new")
    others.append(of(graph))
    assert len({plain, *others}) == 7

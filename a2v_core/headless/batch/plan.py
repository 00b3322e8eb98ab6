"""The runs of a batch: every sound with every row of the table and every seed, each under its own name."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from ...errors import A2VError
from ...listing import SOUND_ENDINGS, media_files
from .labels import Key, labels_of
from .table import AUDIO, TableRow, read_table


@dataclass(frozen=True)
class Unit:
    """One run. `id` names its row and files; `group` is the same for all seeds of a sound and table row;
    `shown`: the sound as the user knows it; `inputs`: (NODE.INPUT, value) of its table row."""

    id: str
    group: str
    sound: Path | None
    shown: str
    seed: int | None
    inputs: tuple[tuple[str, str], ...] = ()


class _Sound(NamedTuple):
    path: Path
    shown: str


_Pair = tuple[_Sound | None, TableRow | None]


def plan_units(audio: Path | None, table: Path | None, seeds: int | None, out: Path) -> list[Unit]:
    """All runs, in their order: by sound, then table row, then seed 0 to `seeds` - 1 (None leaves the
    workflow's own).

    audio  a sound file, or a folder that is searched through, but for what lies in `out`

    Raises A2VError where there is nothing to run.
    """
    if audio is None and table is None:
        raise A2VError("a batch needs --audio FOLDER, --table FILE, or both: what shall it run?")
    if seeds is not None and seeds < 1:
        raise A2VError(f"--seeds {seeds}: expected 1 or more")
    sounds = [] if audio is None else _sounds(audio, out)
    rows = [] if table is None else read_table(table)
    if sounds and any(row.audio for row in rows):
        raise A2VError(f"both --audio and the column {AUDIO} of {table} give the sound: leave one out")
    pairs: list[_Pair] = [(sound, None) for sound in sounds]
    if table is not None:
        pairs = _pairs(sounds, rows, table.parent)
    labels = labels_of([_key(sound, row) for sound, row in pairs])
    return [
        _unit(label, sound, row, seed)
        for (sound, row), label in zip(pairs, labels, strict=True)
        for seed in ([None] if seeds is None else range(seeds))
    ]


def _sounds(audio: Path, out: Path) -> Sequence[_Sound]:
    if not audio.is_dir():
        if not audio.exists():
            raise A2VError(f"--audio: there is no file or folder {audio}")
        return [_Sound(audio, audio.name)]
    found = media_files(audio, SOUND_ENDINGS)
    if out.resolve() == audio.resolve():
        raise A2VError(f"--out {out} is the folder of the sounds: name another, it may lie inside")
    if out.resolve().is_relative_to(audio.resolve()):
        found = [path for path in found if not path.resolve().is_relative_to(out.resolve())]
    if not found:
        raise A2VError(f"--audio {audio}: the folder holds no sound ({', '.join(SOUND_ENDINGS)})")
    return [_Sound(path, path.relative_to(audio).as_posix()) for path in found]


def _pairs(sounds: Sequence[_Sound], rows: Sequence[TableRow], beside: Path) -> list[_Pair]:
    """Every sound with every row; without sounds, every row with the sound that it names, if it does. That
    may be missing: it is found out when it runs."""
    if sounds:
        return [(sound, row) for sound in sounds for row in rows]
    return [(_Sound(beside / row.audio, row.audio) if row.audio else None, row) for row in rows]


def _key(sound: _Sound | None, row: TableRow | None) -> Key:
    named = [sound.shown] if sound else []
    parts = [os.path.splitext(name)[0] for name in named] + ([row.name] if row else [])
    return Key(tuple(parts), "/".join(named + parts))


def _unit(label: str, sound: _Sound | None, row: TableRow | None, seed: int | None) -> Unit:
    return Unit(
        id=label if seed is None else f"{label}_seed{seed}",
        group=label,
        sound=sound and sound.path,
        shown=sound.shown if sound else "",
        seed=seed,
        inputs=row.inputs if row else (),
    )

"""What the commands of `__main__` do: read a file, print text or JSON."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from ..audio import BEATs, load_beats
from ..demo import demo_path
from ..errors import A2VError
from .cuts import (
    HITS,
    PROMPT_FORMATS,
    heard_prompts,
    parse_grid,
    prompt_relay,
    prompts_record,
    sound_cuts,
    sound_cuts_record,
    sound_cuts_text,
)
from .events import (
    Phrases,
    Segment,
    SoundEvents,
    class_curves,
    events_record,
    events_table,
    hits_schedule,
    names_of,
    presence_schedule,
    read_label_table,
    read_phrases,
    sound_events,
    sound_segments,
)
from .schedule import Schedule, Shape, frame_axis, keyframe_text, sound_schedule

NO_NAMES = "none"
DEMO_NOTE = (
    "names are those of the bundled demo model, which knows only the sounds of its own world "
    "({}); --beats takes a fine-tuned BEATs checkpoint"
)


def run_events(options: argparse.Namespace) -> None:
    """Hits with their names, and with --segments the sustained sounds."""
    found, segments, note = _heard(options, options.segments)
    found = SoundEvents(found.duration, found.events, found.note or note)
    if options.json:
        _print_json(events_record(found, segments))
    else:
        print(events_table(found, segments))


def run_schedule(options: argparse.Namespace) -> None:
    """A value for every frame: keyframe text, or JSON with all values."""
    shape = Shape(**{name: getattr(options, name) for name in Shape.__dataclass_fields__})
    label = options.hits_of or options.presence_of
    if label is None:
        found = sound_schedule(options.file, options.signal, options.fps, options.frames, shape)
    else:
        found = _class_schedule(options, label, shape)
    text = keyframe_text(found.values)
    if options.json:
        values = [round(value, 5) for value in found.floats()]
        signal = {"signal": options.signal} if label is None else {"class": label}
        facts = {**signal, "fps": float(found.axis.fps), "frames": found.axis.frames}
        _print_json({**facts, "values": values, "keyframes": text})
    else:
        print(text)


def _class_schedule(options: argparse.Namespace, label: str, shape: Shape) -> Schedule:
    beats, note = _beats(options)
    if beats is None:
        raise A2VError("a schedule of a class needs a BEATs model: leave out --beats none")
    if note:
        print(f"note: {note}", file=sys.stderr)
    make = hits_schedule if options.hits_of else presence_schedule
    names = _names(beats, options)
    return make(options.file, beats, label, options.fps, options.frames, shape, names)


def run_prompts(options: argparse.Namespace) -> None:
    """Prompts with times from the names of what is heard."""
    phrases = Phrases() if options.map is None else read_phrases(options.map)
    found, segments, note = _heard(options, options.sounds != HITS)
    axis = frame_axis(options.fps, options.frames, found.duration)
    if found.note:
        raise A2VError(f"{options.file}: {found.note}; prompts need names")
    track = heard_prompts(
        options.sounds,
        axis,
        found.events,
        segments,
        phrases,
        options.template,
        options.quiet,
        options.longest,
        options.shortest,
    )
    if options.json:
        _print_json({**prompts_record(track), **prompt_relay(track)._asdict(), "note": note})
    else:
        if note:
            print(f"note: {note}", file=sys.stderr)
        print(PROMPT_FORMATS[options.format](track))


def run_cuts(options: argparse.Namespace) -> None:
    """A cut list on beats or onsets."""
    found = sound_cuts(
        options.file,
        options.fps,
        options.frames,
        options.on,
        options.every,
        options.shortest,
        options.longest,
        parse_grid(options.lengths),
        options.gate,
    )
    if options.json:
        _print_json(sound_cuts_record(found))
    else:
        print(sound_cuts_text(found))


def _heard(options: argparse.Namespace, sustained: bool) -> tuple[SoundEvents, tuple[Segment, ...], str]:
    """Hits, sustained sounds where they are wanted, and what has to be said of their names."""
    beats, note = _beats(options)
    names = _names(beats, options)
    found = sound_events(options.file, beats, names, options.window, options.least)
    if not sustained:
        return found, (), note
    if beats is None or names is None:
        raise A2VError("sustained sounds are classes: they need a BEATs checkpoint with a classifier head")
    curves = class_curves(beats, options.file, found.duration)
    return found, tuple(sound_segments(curves, names, found.duration)), note


def _beats(options: argparse.Namespace) -> tuple[BEATs | None, str]:
    """The model that names sounds, and what has to be said of it."""
    if options.beats == NO_NAMES:
        return None, ""
    if options.beats is not None:
        return load_beats(Path(options.beats)), ""
    beats = load_beats(demo_path("beats"))
    return beats, DEMO_NOTE.format(", ".join(names_of(beats)))


def _names(beats: BEATs | None, options: argparse.Namespace) -> tuple[str, ...] | None:
    if beats is None or beats.predictor is None:
        return None
    return names_of(beats, None if options.labels is None else read_label_table(options.labels))


def _print_json(record: Any) -> None:
    print(json.dumps(record, indent=1, ensure_ascii=False, allow_nan=False))

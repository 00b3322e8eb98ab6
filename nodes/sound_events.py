"""Sound Events: what is heard when, as text that other nodes and people read."""

from __future__ import annotations

import json
from typing import Any

from comfy_api.latest import io, ui

from ..a2v_core.audio import BEATs
from ..a2v_core.errors import A2VError
from ..a2v_core.media import Waveform
from ..a2v_core.preview import events_pixels
from ..a2v_core.signals.events import (
    SUSTAINED_LEAST,
    Segment,
    SoundEvents,
    caption,
    class_curves,
    events_record,
    events_table,
    names_of,
    parse_label_table,
    parse_phrases,
    read_label_table,
    sound_events,
    sound_segments,
)
from . import folders, runtime
from .beats import require_beats
from .sockets import CATEGORY, search_words
from .sound import only_sound
from .sound_pictures import as_image, width_input

NODE = "Sound Events"


class A2VSoundEvents(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="A2VSoundEvents",
            display_name=NODE,
            category=CATEGORY,
            description=(
                "Says what is heard when: every hit with its time, its strength and, with a fine-tuned "
                "BEATs, its name. Timed Prompts makes prompts of it. All outputs are text that can be edited."
            ),
            is_output_node=True,
            **search_words("onset detection", "audio tagging", "sound classification", "audio reactive"),
            inputs=[
                io.Audio.Input("audio", tooltip="The sound, of any length."),
                io.Float.Input(
                    "threshold",
                    default=0.2,
                    min=0.0,
                    max=1.0,
                    step=0.01,
                    tooltip=(
                        "Probability below which a hit has no name; a sustained sound needs at least 0.5."
                    ),
                ),
                io.Float.Input(
                    "window",
                    default=0.48,
                    min=0.18,
                    max=10.0,
                    step=0.01,
                    tooltip=(
                        "Seconds that are heard of every hit, from its start; less where the next one comes "
                        "sooner."
                    ),
                ),
                io.Boolean.Input(
                    "sustained",
                    default=False,
                    tooltip=(
                        "Also look for sounds that last, such as rain or speech: good to a quarter of a "
                        "second. Takes a BEATs with names."
                    ),
                ),
                io.String.Input(
                    "labels",
                    multiline=True,
                    default="",
                    tooltip=(
                        "Names of the classes, if not AudioSet's or the checkpoint's own: the text of a "
                        "class_labels_indices.csv, or the name of such a file in the input folder."
                    ),
                ),
                io.String.Input(
                    "phrases",
                    multiline=True,
                    default="",
                    tooltip="What the caption says for a sound, a line each, such as Dog: a dog barks.",
                ),
                width_input(),
                io.AudioEncoder.Input(
                    "audio_encoder",
                    optional=True,
                    tooltip=(
                        "From Load BEATs: a fine-tuned checkpoint names the sounds. Without one there are "
                        "times and strengths."
                    ),
                ),
            ],
            outputs=[
                io.String.Output(
                    display_name="events",
                    tooltip="JSON with all hits and sustained sounds, for Timed Prompts.",
                ),
                io.String.Output(
                    display_name="table",
                    tooltip="The same as a table to read and edit; Timed Prompts takes it too.",
                ),
                io.String.Output(
                    display_name="caption",
                    tooltip="One sentence of what is heard when, such as for a prompt.",
                ),
                io.Image.Output(
                    display_name="picture", tooltip="The waveform over a lane for every sound that is heard."
                ),
            ],
        )

    @classmethod
    def execute(
        cls,
        audio: Any,
        threshold: float,
        window: float,
        sustained: bool,
        labels: str,
        phrases: str,
        width: int,
        audio_encoder: Any = None,
    ) -> io.NodeOutput:
        sound, said = only_sound(audio, NODE), parse_phrases(phrases, f"{NODE}: phrases")
        names = None if not labels.strip() else _label_table(labels)
        beats = None if audio_encoder is None else require_beats(audio_encoder, NODE).classifier()
        found, segments = _heard(sound, beats, names, window, threshold, sustained)
        table = events_table(found, segments)
        image = as_image(events_pixels(sound, found, segments, width))
        shown = ui.PreviewText(table).as_dict() | ui.PreviewImage(image).as_dict()
        record = json.dumps(events_record(found, segments), indent=1, ensure_ascii=False)
        return io.NodeOutput(record, table, caption(found, segments, said), image, ui=shown)


def _label_table(labels: str) -> dict[str, str]:
    """Id -> name, of the text of a table or of the name of a file."""
    if "\n" in labels.strip():
        return parse_label_table(labels.strip(), f"{NODE}: labels")
    return read_label_table(folders.input_file(labels.strip(), NODE))


def _heard(
    sound: Waveform,
    beats: BEATs | None,
    table: dict[str, str] | None,
    window: float,
    threshold: float,
    sustained: bool,
) -> tuple[SoundEvents, tuple[Segment, ...]]:
    progress = runtime.Progress(1)
    named = beats is not None and beats.predictor is not None
    names = names_of(beats, table) if beats is not None and named else None
    found = sound_events(sound, beats, names, window, threshold, progress)
    if not sustained:
        return found, ()
    if beats is None or names is None:
        raise A2VError(
            f"{NODE}: sustained sounds are classes, which need names: connect Load BEATs with a fine-tuned "
            "checkpoint, or switch sustained off"
        )
    curves = class_curves(beats, sound, found.duration, progress)
    return found, sound_segments(curves, names, found.duration, max(threshold, SUSTAINED_LEAST))

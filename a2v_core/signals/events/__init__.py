"""What is heard when: hits and sustained sounds with the names of their classes."""

from .class_schedules import hits_schedule, presence_schedule
from .classes import HIT_SECONDS, class_probabilities, hit_probabilities, hit_spans
from .events import Event, Heard, SoundEvents, classified, names_of, sound_events
from .names import AUDIOSET_LABELS, audioset_names, class_names, parse_label_table, read_label_table
from .phrases import Phrases, parse_phrases, read_phrases
from .records import ReadEvents, parse_events, read_events
from .segments import SUSTAINED_LEAST, Segment, class_curve, class_curves, sound_segments
from .tables import caption, events_record, events_table
from .windows import Span

__all__ = [
    "AUDIOSET_LABELS",
    "HIT_SECONDS",
    "SUSTAINED_LEAST",
    "Event",
    "Heard",
    "Phrases",
    "ReadEvents",
    "Segment",
    "SoundEvents",
    "Span",
    "audioset_names",
    "caption",
    "class_curve",
    "class_curves",
    "class_names",
    "class_probabilities",
    "classified",
    "events_record",
    "events_table",
    "hit_probabilities",
    "hit_spans",
    "hits_schedule",
    "names_of",
    "parse_events",
    "parse_label_table",
    "parse_phrases",
    "presence_schedule",
    "read_events",
    "read_label_table",
    "read_phrases",
    "sound_events",
    "sound_segments",
]

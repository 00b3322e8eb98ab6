"""Which sound is heard: hits by short windows, sustained sounds by longer ones, on the bundled model."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from a2v_core.audio import BEATs, BEATsConfig, beats_fbank, load_beats, resample, save_beats
from a2v_core.errors import A2VError
from a2v_core.media import Waveform
from a2v_core.signals import Event, SoundEvents, events_record, events_table, parse_events, sound_events
from a2v_core.signals.events import (
    Heard,
    Phrases,
    Segment,
    Span,
    caption,
    class_curve,
    class_curves,
    class_probabilities,
    hit_probabilities,
    hit_spans,
    names_of,
    read_events,
    sound_segments,
)
from a2v_core.signals.events.windows import windows_16k
from tests.audio.tiny import TINY_CFG
from tests.media.files import write_sound
from tests.signals.sounds import bursts, noise, waveform
from training.demo_world.held_out import held_out
from training.demo_world.sounds import SAMPLE_RATE, hit_sound
from training.demo_world.world import SHAPES, Actor, Hit, Scene


def scene(name: str, number: int) -> tuple[dict[float, set[str]], Waveform]:
    """Which shapes are hit when, and the sound."""
    world, samples = held_out(number, name)
    truth: dict[float, set[str]] = {}
    sounding: list[Scene | Actor] = [world, *world.others]
    for one in sounding:
        for hit in one.hits:
            truth.setdefault(hit.time, set()).add(one.shape)
    return dict(sorted(truth.items())), waveform(samples, SAMPLE_RATE)


def struck(hits: Sequence[tuple[str, float]], seconds: int) -> Waveform:
    """The sound of shapes that are hit at times."""
    rng = np.random.default_rng(4)
    samples = np.zeros(seconds * SAMPLE_RATE, np.float32)
    for shape, time in hits:
        start = round(time * SAMPLE_RATE)
        hit = hit_sound(shape, Hit(0.0), rng)[: len(samples) - start]
        samples[start : start + len(hit)] += hit
    return waveform(samples, SAMPLE_RATE)


@pytest.mark.parametrize(("name", "scenes"), [("long", 4), ("two", 12), ("off_screen", 8)])
def test_every_hit_has_its_name(name: str, scenes: int, demo_beats: BEATs) -> None:
    """Every hit of one object is right; the share over whole sets is in `benchmarks.signals_study`."""
    alone = 0
    for number in range(scenes):
        truth, sound = scene(name, number)
        found = sound_events(sound, demo_beats)
        assert found.note == ""
        assert [event.time for event in found.events] == pytest.approx(list(truth), abs=0.002)
        for event, shapes in zip(found.events, truth.values(), strict=True):
            if len(shapes) == 1:
                assert event.label in shapes
                alone += 1
    assert alone >= 20


def test_a_string_that_rings_on_does_not_give_its_name_to_another_hit(demo_beats: BEATs) -> None:
    """A block is struck 0.35 s after a string: what sounded before is none of its names."""
    truth, sound = scene("two", 35)
    times = list(truth)
    assert list(truth.values()) == [{"ring", "box"}, {"box"}, {"ring", "box"}]
    before = Span(times[1] - 0.02 - 0.335, times[1] - 0.02)
    names = names_of(demo_beats)
    string = names.index("ring")
    assert class_probabilities(demo_beats, sound, [before])[0, string] > 0.9
    found = hit_probabilities(demo_beats, sound, times)[1]
    assert names[int(found.argmax())] == "box"
    assert found[string] < 0.01


def test_a_string_that_is_struck_while_it_rings_keeps_its_name(demo_beats: BEATs) -> None:
    times = [1.0, 1.4, 1.8]
    sound = struck([("ring", time) for time in times], 3)
    names = names_of(demo_beats)
    string = names.index("ring")
    before = Span(times[1] - 0.02 - 0.335, times[1] - 0.02)
    assert class_probabilities(demo_beats, sound, [before])[0, string] > 0.9
    found = hit_probabilities(demo_beats, sound, times)
    assert found[:, string].min() > 0.9


def test_a_file_gives_what_its_samples_give(tmp_path: Path, demo_beats: BEATs) -> None:
    _, sound = scene("long", 2)
    path = write_sound(tmp_path / "a.wav", sound.samples.numpy(), SAMPLE_RATE, "pcm_f32le")
    assert sound_events(path, demo_beats) == sound_events(sound, demo_beats)


def test_windows_are_cut_from_the_stream_as_from_the_whole() -> None:
    sound = noise(0.1, 10.0, 16000)
    spans = [Span(-0.1, 0.3), Span(0.5, 1.0), Span(0.6, 5.5), Span(3.99, 4.5), Span(9.8, 10.4)]
    padded = torch.nn.functional.pad(sound.samples[0], (1600, 6400))
    for span, window in zip(spans, windows_16k(sound, spans), strict=True):
        first, last = round(span.start * 16000) + 1600, round(span.end * 16000) + 1600
        assert torch.equal(window, padded[first:last])


def test_a_window_is_heard_alone(demo_beats: BEATs) -> None:
    """The probabilities are those of the head on that window by itself."""
    _, sound = scene("long", 1)
    span = Span(1.0, 1.495)
    found = class_probabilities(demo_beats, sound, [Span(0.2, 0.695), span, Span(2.0, 2.335)])
    assert demo_beats.predictor is not None
    part = sound.samples[:, round(1.0 * SAMPLE_RATE) : round(1.495 * SAMPLE_RATE)]
    with torch.no_grad():
        tokens = demo_beats(beats_fbank(resample(part, SAMPLE_RATE, 16000)))[-1]
        expected = demo_beats.predictor(tokens).mean(1).sigmoid()[0]
    assert found[1] == pytest.approx(expected.numpy(), abs=1e-5)


def test_a_window_ends_before_the_next_hit_but_holds_a_step_of_beats() -> None:
    spans = hit_spans([1.0, 1.36, 1.4, 3.0], 0.5)
    assert [round(span.start, 3) for span in spans] == [0.98, 1.34, 1.38, 2.98]
    assert [round(span.end - span.start, 3) for span in spans] == [0.335, 0.175, 0.495, 0.495]


def test_a_model_without_a_head_gives_times_and_says_so(demo_beats: BEATs) -> None:
    _, sound = scene("plain", 1)
    headless = BEATs(BEATsConfig.from_cfg({**TINY_CFG, "finetuned_model": False}))
    named = sound_events(sound, demo_beats)
    for model, says in (
        (None, "no BEATs model was given"),
        (headless, "no classifier head; load a fine-tuned one"),
    ):
        found = sound_events(sound, model)
        assert says in found.note
        assert [(event.time, event.strength) for event in found.events] == [
            (event.time, event.strength) for event in named.events
        ]
        assert {event.heard for event in found.events} == {()}
        assert class_curves(headless, sound, 2.0).shape == (5, 0)


def test_labels_travel_with_the_checkpoint(tmp_path: Path, demo_beats: BEATs) -> None:
    assert demo_beats.labels == tuple(SHAPES)
    save_beats(tmp_path / "again.safetensors", demo_beats)
    assert load_beats(tmp_path / "again.safetensors").labels == tuple(SHAPES)
    tiny = BEATs(BEATsConfig.from_cfg(TINY_CFG))
    published = dict(enumerate(["/m/05rwpb", "/m/0bt9lr", "/m/09x0r", "x", "/m/04rlf"]))
    torch.save({"cfg": TINY_CFG, "model": tiny.state_dict(), "label_dict": published}, tmp_path / "b.pt")
    model = load_beats(tmp_path / "b.pt")
    assert model.labels == tuple(published.values())
    assert names_of(model) == ("Independent music", "Dog", "Speech", "x", "Music")
    assert names_of(tiny) == tuple(f"class {number}" for number in range(5))


def test_names_must_fit_the_head_and_windows_the_model(demo_beats: BEATs) -> None:
    _, sound = scene("plain", 1)
    with pytest.raises(A2VError, match="5 names for the 6 classes"):
        sound_events(sound, demo_beats, names=list("abcde"))
    with pytest.raises(A2VError, match=r"window of a hit is 0\.1 s"):
        sound_events(sound, demo_beats, window=0.1)


def test_a_sound_that_the_model_does_not_know_has_no_name(demo_beats: BEATs) -> None:
    found = sound_events(bursts([0.5], 1.0, 44100, hertz=3000), demo_beats, least=1.01)
    assert [event.label for event in found.events] == [None]
    assert events_record(found)["events"][0]["probability"] is None


def test_a_sound_without_a_hit_has_no_event(demo_beats: BEATs) -> None:
    found = sound_events(waveform(np.zeros((1, 22050)), 22050), demo_beats)
    assert found == SoundEvents(1.0, ())


def test_sustained_sounds_are_segments(demo_beats: BEATs) -> None:
    """Ten strokes of one object, then ten of another."""
    starts = (("bell", 0.2), ("box", 4.2))
    sound = struck([(shape, first + 0.37 * stroke) for shape, first in starts for stroke in range(10)], 8)
    curves = class_curves(demo_beats, sound, 8.0)
    segments = sound_segments(curves, names_of(demo_beats), 8.0)
    assert [segment.label for segment in segments] == ["bell", "box"]
    bell, box = segments
    assert [bell.start, bell.end] == pytest.approx([0.2, 4.1], abs=0.5)
    assert [box.start, box.end] == pytest.approx([4.2, 8.0], abs=0.5)
    curve = class_curve(curves, list(SHAPES).index("box"))
    assert len(curve.values) * curve.step_seconds >= 8.0
    assert curve.values[: round(3 / curve.step_seconds)].max() < 0.3


def test_events_may_come_back_from_json(demo_beats: BEATs) -> None:
    _, sound = scene("two", 3)
    found = sound_events(sound, demo_beats)
    again = parse_events(json.dumps(events_record(found)))
    assert events_record(again) == events_record(found)
    by_hand = parse_events('{"events": [{"time": 2}, {"time": 0.5, "label": "Dog"}]}')
    assert by_hand == SoundEvents(2.0, (Event(0.5, 1.0, (Heard("Dog", 1.0),)), Event(2.0, 1.0)))


def test_events_may_come_back_from_a_table() -> None:
    heard = (Heard("Male speech, man speaking", 0.9), Heard("Dog", 0.6))
    events = (Event(0.5, 1.0, heard), Event(1.25, 0.4, heard[1:]), Event(2.0, 0.1))
    segments = (Segment(0.5, 2.5, "Rain", 0.75),)
    for found in (SoundEvents(3.0, events, "hm"), SoundEvents(2.0, ())):
        again = read_events(events_table(found, segments if events is found.events else ()))
        assert again.found == SoundEvents(found.duration, found.events)
        assert again.segments == (segments if events is found.events else ())
        assert read_events(json.dumps(events_record(found, again.segments))) == (found, again.segments)
    by_hand = read_events("# mine\n2 808 kick\n0.5s Male speech, man speaking\n1 0.3")
    kick, man = Heard("808 kick", 1.0), Heard("Male speech, man speaking", 1.0)
    assert by_hand.found == SoundEvents(
        2.0, (Event(0.5, 1.0, (man,)), Event(1.0, 0.3), Event(2.0, 1.0, (kick,)))
    )


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"events": [', "is not JSON"),
        (" \n", "the text is empty"),
        ("a dog barks", "line 1 is 'a dog barks'; expected TIME LABEL"),
        ("0.5 Dog\n2.0 - 1.0 Cat", "line 2 ends at 1.0 s, not after its start at 2.0 s"),
        ("0.5 Dog\n0.2 (end)", "lies beyond the duration"),
        ('{"events": [], "segments": [{"start": 1}]}', "segment 1 needs start, end and a label"),
        ("[1]", "no list of events"),
        ('{"events": [{"label": "Dog"}]}', "event 1 has no time"),
        ('{"events": [{"time": "now"}]}', "time of event 1 is 'now'; expected a number"),
        ('{"events": [{"time": NaN}]}', "time of event 1 is nan"),
        ('{"events": [{"time": 1, "label": 3}]}', "event 1 has a label that is no text"),
        ('{"duration": 1, "events": [{"time": 2}]}', "lies beyond the duration"),
    ],
)
def test_text_that_holds_no_events_is_refused(text: str, says: str) -> None:
    with pytest.raises(A2VError, match=says):
        parse_events(text)


def test_tables_and_captions() -> None:
    dog, cat = Heard("Dog", 0.9), Heard("Cat", 0.6)
    found = SoundEvents(3.0, (Event(0.5, 1.0, (dog, cat)), Event(1.25, 0.4, (dog,)), Event(2.0, 0.1)))
    record = json.loads(json.dumps(events_record(found)))
    assert record["events"][0] == {
        "time": 0.5,
        "strength": 1.0,
        "label": "Dog",
        "probability": 0.9,
        "also": [{"label": "Cat", "probability": 0.6}],
    }
    assert (record["events"][2]["label"], record["duration"]) == (None, 3.0)
    assert events_table(found).splitlines()[1] == "   0.500s      1.00  Dog (0.90), Cat (0.60)"
    assert caption(found) == "Dog at 0.5 and 1.2 s, cat at 0.5 s, a sound at 2.0 s."
    phrases, many = Phrases({"dog": "a dog barks"}), tuple(Event(i / 10, 1.0, (dog,)) for i in range(9))
    segment = (Segment(0.3, 2.5, "Rain", 0.8),)
    said = "A dog barks 9 times from 0.0 to 0.8 s, rain from 0.3 to 2.5 s."
    assert caption(SoundEvents(3.0, many), segment, phrases) == said
    assert caption(SoundEvents(1.0, ())) == "Nothing is heard in 1.0 s."
    assert "(no onset)" in events_table(SoundEvents(1.0, ()))

"""A graph made with the mouse, run, watched and cancelled; a sound of the user."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.browser.frontend import FrontEnd
from tests.browser.pictures import colours
from tests.comfyui.tiny_models import RATE, hits
from tests.media.files import write_sound

PLAYER = "document.querySelector('video')"
# Title in the node library, type, and where it is dropped, in parts of the canvas.
DROPPED = (
    ("Load Audio", "A2VLoadAudio", 0.30, 0.15),
    ("Load BEATs", "A2VLoadBEATs", 0.30, 0.45),
    ("BEATs Encode", "A2VBEATsEncode", 0.48, 0.15),
    ("Load AudioMapper", "A2VLoadAudioMapper", 0.30, 0.60),
    ("Temporal Context Pooling", "A2VTemporalContextPooling", 0.48, 0.62),
    ("Load T2V Model", "A2VLoadT2VModel", 0.30, 0.75),
    ("T2V Sampler", "A2VT2VSampler", 0.65, 0.22),
)
SEARCHED = (
    ("AudioMapper", "A2VAudioMapper", 0.48, 0.36),
    ("Create Video", "CreateVideo", 0.83, 0.22),
    ("Save Video", "SaveVideo", 0.83, 0.40),
)
LINKS = (
    ("A2VLoadBEATs", "AUDIO_ENCODER", "A2VBEATsEncode", "audio_encoder"),
    ("A2VLoadAudio", "AUDIO", "A2VBEATsEncode", "audio"),
    ("A2VLoadAudioMapper", "mapper", "A2VAudioMapper", "mapper"),
    ("A2VBEATsEncode", "audio_features", "A2VAudioMapper", "audio_features"),
    ("A2VLoadAudioMapper", "mapper", "A2VTemporalContextPooling", "mapper"),
    ("A2VAudioMapper", "frame_tokens", "A2VTemporalContextPooling", "frame_tokens"),
    ("A2VLoadT2VModel", "model", "A2VT2VSampler", "model"),
    ("A2VTemporalContextPooling", "audio_tokens", "A2VT2VSampler", "audio_tokens"),
    ("A2VLoadAudio", "AUDIO", "A2VT2VSampler", "audio"),
    ("A2VT2VSampler", "images", "CreateVideo", "images"),
    ("A2VT2VSampler", "audio", "CreateVideo", "audio"),
    ("A2VT2VSampler", "fps", "CreateVideo", "fps"),
    ("CreateVideo", "VIDEO", "SaveVideo", "video"),
)
# Other tests may have put models and sounds on the server before.
CHOSEN = (
    ("A2VLoadAudio", "audio", "demo (bundled): drum.wav"),
    ("A2VLoadBEATs", "beats_name", "demo (bundled)"),
    ("A2VLoadAudioMapper", "mapper_name", "demo (bundled)"),
    ("A2VLoadT2VModel", "model_name", "demo (bundled)"),
)


def test_a_graph_made_with_the_mouse_makes_a_video_that_plays(frontend: FrontEnd, tmp_path: Path) -> None:
    frontend.zoom(0.55)
    frontend.open_library("audio-to-video")
    for title, type, across, down in DROPPED:
        frontend.drop(title, type, across, down)
    for title, type, across, down in SEARCHED:
        frontend.search(title, type, across, down)
    for link in LINKS:
        frontend.connect(*link)
    assert frontend.links() == set(LINKS)
    for choice in CHOSEN:
        frontend.choose(*choice)
    frontend.set_number("A2VT2VSampler", "steps", 2)
    frontend.screenshot(tmp_path / "wired.png")

    entry = frontend.result(frontend.run())
    assert entry["status"]["status_str"] == "success", entry["status"]["messages"]
    frontend.page.wait_for_function(f"{PLAYER}?.readyState >= 3")
    assert frontend.page.evaluate(f"{PLAYER}.videoWidth") == 64
    assert frontend.page.evaluate(f"{PLAYER}.duration") == pytest.approx(2.0, abs=0.1)
    x, bottom = frontend.page.evaluate(f"(({{x, bottom}}) => [x, bottom])({PLAYER}.getBoundingClientRect())")
    frontend.page.mouse.click(x + 22, bottom - 38)  # the player's own button
    frontend.page.wait_for_function(f"!{PLAYER}.paused && {PLAYER}.currentTime > 0.3")
    assert frontend.page.evaluate(f"{PLAYER}.webkitAudioDecodedByteCount") > 0
    assert colours(frontend.screenshot(tmp_path / "played.png")) > 500
    assert frontend.problems() == []


def test_cancel_stops_a_run_and_the_next_one_works(frontend: FrontEnd, tmp_path: Path) -> None:
    frontend.open_template("audio_to_video")
    frontend.set_number("A2VT2VSampler", "steps", 900)
    prompt = frontend.run()
    sampler = "app.graph.nodes.find((one) => one.type === 'A2VT2VSampler')"
    frontend.page.wait_for_function(f"{sampler}.progress > 0")
    frontend.screenshot(tmp_path / "running.png")
    frontend.page.locator("button[aria-label='Cancel current run']").first.click()
    messages = dict(frontend.result(prompt)["status"]["messages"])
    assert messages["execution_interrupted"]["node_type"] == "A2VT2VSampler"
    assert frontend.queue() == []

    frontend.set_number("A2VT2VSampler", "steps", 1)
    assert frontend.result(frontend.run())["status"]["status_str"] == "success"
    frontend.page.wait_for_function(f"{PLAYER}?.readyState >= 1")
    score = "app.graph.nodes.find((one) => one.type === 'A2VAVAlignScore')"
    frontend.page.wait_for_function(f"{score}.imgs?.length === 1 && {score}.imgs[0].naturalWidth === 768")
    report = frontend.page.evaluate(f"{score}.widgets.find((one) => one.name === 'report_view').value")
    assert report.startswith("AV-Align reference: ")
    assert "AV-Align trusted: " in report
    assert [node["type"] for node in frontend.nodes() if node["errors"]] == []
    assert frontend.problems() == []


def test_a_sound_of_the_user_is_uploaded_and_plays_in_the_node(frontend: FrontEnd, tmp_path: Path) -> None:
    sound = tmp_path / "my own sound.wav"
    write_sound(sound, hits(), RATE, "pcm_s16le")
    frontend.page.evaluate(
        "app.graph.add(LiteGraph.createNode('A2VLoadAudio')); app.graph.nodes[0].pos = [500, 200]"
    )
    frontend.settle()
    with frontend.page.expect_file_chooser() as chooser:
        frontend.canvas.click(position=frontend.widget("A2VLoadAudio", "upload"))
    chooser.value.set_files(sound)
    frontend.page.wait_for_function("app.graph.nodes[0].widgets[0].value === 'my own sound.wav'")
    player = "document.querySelector('audio.comfy-audio')"
    frontend.page.wait_for_function(f"{player}?.readyState >= 1")
    assert frontend.page.evaluate(f"{player}.duration") == pytest.approx(1.0, abs=0.01)
    frontend.page.evaluate(f"{player}.play()")
    frontend.page.wait_for_function(f"{player}.currentTime > 0.1")
    assert (frontend.server.input / "my own sound.wav").read_bytes() == sound.read_bytes()
    assert frontend.problems() == []

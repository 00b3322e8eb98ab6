"""Bad widget values, files and models: the message names the thing and the remedy, and nothing else breaks.

Where the server can see it before the run, it refuses the graph; else the node fails with the message.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from tests.comfyui.driver import Comfy, Graph, changed, node_of

Inputs = dict[str, dict[str, Any]]

REFUSED = [
    ({"A2VLoadAudio": {"audio": "none.wav"}}, r"'none\.wav' is not in ComfyUI's input folder; upload it"),
    ({"A2VLoadAudio": {"audio": "../../secret.wav"}}, r"is not in ComfyUI's input folder"),
    ({"A2VLoadAudio": {"audio": "demo (bundled): ../x.wav"}}, r"x\.wav' is not among the bundled sounds"),
    ({"A2VLoadAudio": {"start_time": -1.0}}, r"smaller than min of 0\.0: start_time"),
    ({"A2VLoadAudio": {"duration": "long"}}, r"Failed to convert.*FLOAT.*duration, long"),
    (
        {"A2VLoadBEATs": {"beats_name": "none.pt"}},
        r"'none\.pt' is not in models/audio_encoders .*Put it there",
    ),
    ({"A2VLoadAudioMapper": {"mapper_name": "README.md"}}, r"'README\.md' is not in models/a2v_mappers"),
    ({"A2VLoadT2VModel": {"model_name": "none"}}, r"'none' is not in models/a2v_t2v .*Put it there"),
    ({"A2VLoadT2VModel": {"dtype": "int4"}}, r"dtype is 'int4': choose one of auto, fp32, fp16, bf16, fp8"),
    ({"A2VBEATsEncode": {"hop": "10 ms"}}, r"hop is '10 ms': choose one of 160 ms, 80 ms, 40 ms"),
    ({"A2VBEATsEncode": {"chunk_seconds": -1}}, r"smaller than min of 0\.0: chunk_seconds"),
    ({"A2VAudioMapper": {"num_frames": -1}}, r"smaller than min of 0: num_frames"),
    ({"A2VAudioMapper": {"fps": 0}}, r"smaller than min of 0\.01: fps"),
    ({"A2VAudioMapper": {"batch_index": 5000}}, r"bigger than max of 4095: batch_index"),
    ({"A2VT2VSampler": {"width": 100}}, r"width is 100 pixels: it must be divisible by 8.*such as 96"),
    ({"A2VT2VSampler": {"height": 9000}}, r"height is 9000 pixels: .* at most 8192, such as 8192"),
    ({"A2VT2VSampler": {"width": -8}}, r"width is -8 pixels.*such as 8"),
    ({"A2VT2VSampler": {"steps": 0}}, r"smaller than min of 1: steps"),
    ({"A2VT2VSampler": {"cfg": -1}}, r"smaller than min of 0\.0: cfg"),
    ({"A2VT2VSampler": {"scheduler": "magic"}}, r"scheduler is 'magic': choose one of dpmpp_2m, "),
    ({"A2VT2VSampler": {"seed": -1}}, r"smaller than min of 0: seed"),
    ({"A2VT2VSampler": {"decode_chunk": -1}}, r"smaller than min of 0: decode_chunk"),
    ({"A2VT2VSampler": {"num_frames": -1}}, r"smaller than min of 0: num_frames"),
    ({"A2VT2VSampler": {"fps": -1}}, r"smaller than min of 0\.0: fps"),
    ({"A2VT2VSampler": {"model": None}}, r"Required input is missing: model"),
    ({"A2VAVAlignScore": {"variant": "mine"}}, r"variant is 'mine': choose one of reference"),
    ({"A2VAVAlignScore": {"fps": 0}}, r"smaller than min of 0\.01: fps"),
]

FAILS = [
    ("A2VLoadAudio", {"A2VLoadAudio": {"audio": "empty.wav"}}, r"empty\.wav: the file is empty"),
    ("A2VLoadAudio", {"A2VLoadAudio": {"audio": "text.wav"}}, r"text\.wav: cannot be read as sound or video"),
    ("A2VLoadAudio", {"A2VLoadAudio": {"audio": "silent.mp4"}}, r"silent\.mp4: .*without sound"),
    ("A2VLoadAudio", {"A2VLoadAudio": {"audio": "nan.wav"}}, r"nan\.wav: 1 of .* NaN or infinite"),
    ("A2VLoadAudio", {"A2VLoadAudio": {"start_time": 7}}, r"start 7\.0 s is beyond the end .*1\.000 s"),
    ("A2VBEATsEncode", {"A2VBEATsEncode": {"chunk_seconds": 0.1}}, r"chunk_seconds must be 0 .* 0\.175"),
    ("A2VAudioMapper", {"A2VAudioMapper": {"batch_index": 3}}, r"batch index is 3, but there are 1 sounds"),
    ("A2VT2VSampler", {"A2VT2VSampler": {"batch_index": 1}}, r"batch_index is 1, but the input audio has 1"),
    ("A2VT2VSampler", {"A2VT2VSampler": {"fps": 25}}, r"fps is 25, but .* 8 frames.*Set fps to 0"),
    ("A2VT2VSampler", {"A2VT2VSampler": {"num_frames": 9}}, r"for 8 frames, but 9 .*0 in the sampler"),
    ("A2VT2VSampler", {"A2VT2VSampler": {"audio_tokens": None}}, r"<temp>.*audio tokens"),
    ("A2VT2VSampler", {"A2VT2VSampler": {"cfg": float("nan")}}, r"guidance_scale is nan"),
    (
        "A2VT2VSampler",
        {"A2VLoadAudioMapper": {"mapper_name": "wide.safetensors"}},
        r"audio tokens are 40 wide, but the text encoder .* 32 wide: the AudioMapper was trained for another",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "message"), REFUSED, ids=lambda value: str(value)[:60])
def test_refused_before_anything_runs(comfy: Comfy, graph: Graph, changes: Inputs, message: str) -> None:
    found = comfy.refused(changed(graph, **changes))
    assert re.search(message, found), found
    assert "Traceback" not in found


@pytest.mark.parametrize(("node", "changes", "message"), FAILS, ids=lambda value: str(value)[:60])
def test_the_node_fails_with_a_message(
    comfy: Comfy, graph: Graph, node: str, changes: Inputs, message: str
) -> None:
    run = comfy.run(changed(graph, **changes))
    assert run.error is not None
    assert run.error["node_type"] == node
    assert re.search(message, run.message, re.DOTALL), run.message


@pytest.fixture
def wrong_models(comfy: Comfy) -> Iterator[None]:
    """Files in the wrong folder, a file cut off, a model without its VAE."""
    models, folder = comfy.server.models, "wrong"
    encoders, mappers, t2v = (models / key / folder for key in ("audio_encoders", "a2v_mappers", "a2v_t2v"))
    tiny = models / "a2v_t2v" / "tiny"
    for place in (encoders, mappers, t2v):
        place.mkdir()
    mapper = models / "a2v_mappers" / "tiny.safetensors"
    shutil.copy(mapper, encoders / "mapper.safetensors")
    shutil.copy(tiny / "unet" / "diffusion_pytorch_model.safetensors", mappers / "unet.safetensors")
    (mappers / "cut.safetensors").write_bytes(mapper.read_bytes()[:-100])
    shutil.copytree(tiny, t2v / "no_vae", ignore=shutil.ignore_patterns("vae"))
    yield
    for place in (encoders, mappers, t2v):
        shutil.rmtree(place)


@pytest.mark.usefixtures("wrong_models")
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"A2VLoadBEATs": {"beats_name": "wrong/mapper.safetensors"}},
            r"mapper\.safetensors: .*AudioMapper.*models/a2v_mappers, for Load AudioMapper",
        ),
        (
            {"A2VLoadAudioMapper": {"mapper_name": "wrong/unet.safetensors"}},
            r"unet\.safetensors: .*UNet.*models/a2v_t2v, for Load T2V Model",
        ),
        (
            {"A2VLoadAudioMapper": {"mapper_name": "wrong/cut.safetensors"}},
            r"cut\.safetensors: .*(download|copy) ",
        ),
        ({"A2VLoadT2VModel": {"model_name": "wrong/no_vae"}}, r"no_vae: lacks the folder vae; download"),
    ],
)
def test_a_wrong_model_file(comfy: Comfy, graph: Graph, changes: Inputs, message: str) -> None:
    run = comfy.run(changed(graph, **changes))
    assert run.error is not None
    assert run.error["node_type"] == next(iter(changes))
    assert re.search(message, run.message, re.DOTALL), run.message


def test_the_server_lives_on(comfy: Comfy, graph: Graph) -> None:
    assert comfy.refused(changed(graph, A2VT2VSampler={"width": 4}))
    failed = comfy.run(changed(graph, A2VLoadAudio={"audio": "empty.wav"}))
    assert failed.error is not None
    assert node_of(graph, "SaveVideo") in comfy.good(graph).outputs

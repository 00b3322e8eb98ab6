"""The learned "no sound" token: in the file only when the config says so, and every word of a silent clip."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from a2v_core.checkpoints import read_checkpoint, write_safetensors
from a2v_core.errors import A2VError, CheckpointError
from a2v_core.tokens import AudioMapper, MapperConfig, export_learned_embeds, load_mapper, save_mapper
from tests.tokens.tiny import tiny_config, tiny_mapper


def with_token() -> AudioMapper:
    torch.manual_seed(0)
    return AudioMapper(replace(tiny_config("time_aligned"), no_sound=True)).eval()


def test_file_has_the_key_only_when_the_config_says_so(tmp_path: Path) -> None:
    save_mapper(tmp_path / "plain.safetensors", tiny_mapper())
    assert len(read_checkpoint(tmp_path / "plain.safetensors").tensors) == 17
    mapper = with_token()
    save_mapper(tmp_path / "with.safetensors", mapper)
    tensors, metadata, _ = read_checkpoint(tmp_path / "with.safetensors")
    assert set(tensors) - set(tiny_mapper().state_dict()) == {"no_sound"}
    loaded = load_mapper(tmp_path / "with.safetensors")
    assert loaded.config.no_sound
    assert torch.equal(loaded.no_sound, mapper.no_sound)

    del tensors["no_sound"]
    write_safetensors(tmp_path / "less.safetensors", tensors, metadata)
    with pytest.raises(CheckpointError, match="1 missing: no_sound"):
        load_mapper(tmp_path / "less.safetensors")


def test_files_from_before_the_token_load(tmp_path: Path) -> None:
    values = json.loads(tiny_config().to_json())
    del values["no_sound"]
    assert MapperConfig.from_json(json.dumps(values)) == tiny_config()
    with pytest.raises(A2VError, match="no_sound is true or false"):
        MapperConfig.from_json(json.dumps(values | {"no_sound": 1}))


def test_silent_clips_say_the_token_in_every_word() -> None:
    mapper = with_token()
    tokens = torch.randn(3, 9, 8, generator=torch.Generator().manual_seed(1))
    dropped = torch.tensor([False, True, False])
    words = mapper.pool_words(mapper.drop_sound(tokens, dropped))
    kept = mapper.pool_words(tokens)
    for word in mapper.config.words:
        torch.testing.assert_close(words[word][1], mapper.no_sound.expand(9, 8))
        torch.testing.assert_close(words[word][[0, 2]], kept[word][[0, 2]])
    words["class"].sum().backward()
    assert mapper.no_sound.grad is not None
    assert mapper.no_sound.grad.abs().sum() > 0

    spoken = mapper.pool(mapper.no_sound_tokens(5, 12.0))
    assert spoken.num_frames == 5
    torch.testing.assert_close(spoken.words["local4"], mapper.no_sound.expand(5, 8))


def test_a_mapper_without_token_says_so(tmp_path: Path) -> None:
    with pytest.raises(A2VError, match="trained with condition dropout"):
        tiny_mapper().no_sound_tokens(5, 12.0)
    with pytest.raises(A2VError, match="trained with condition dropout"):
        tiny_mapper().drop_sound(torch.zeros(1, 4, 8), torch.tensor([True]))
    mapper = AudioMapper(replace(tiny_config(), no_sound=True))
    with pytest.raises(A2VError, match="no_sound True"):
        export_learned_embeds(tmp_path / "learned_embeds.pth", mapper)

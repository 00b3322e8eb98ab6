"""A text encoder that is given embeddings says what it says of the words themselves."""

from __future__ import annotations

import torch

from a2v_core.prompts import encode_embeddings, encode_ids
from tests.tiny_t2v import tiny_text_encoder


@torch.no_grad()
def test_embeddings_of_words_give_the_states_of_the_words() -> None:
    encoder = tiny_text_encoder(50)
    ids = torch.randint(50, (2, 9), generator=torch.Generator().manual_seed(0))
    embeddings = encoder.get_input_embeddings()(ids)
    states = encoder(ids, output_hidden_states=True)
    found = encode_embeddings(encoder, embeddings)
    torch.testing.assert_close(found.last, states.last_hidden_state)
    assert found.inner is None
    for layer, index in ((-2, -2), (0, 1)):  # the first of the hidden states are the embeddings
        inner = encode_embeddings(encoder, embeddings, layer).inner
        assert inner is not None
        torch.testing.assert_close(inner, states.hidden_states[index])
    assert torch.equal(encode_ids(encoder, ids), states.last_hidden_state)  # no hook is left behind

// Makes example_workflows/bring_your_own_models.json in the front end, out of its sibling:
//   python -m scripts.frontend example_workflows/audio_to_video.json \
//       --build scripts/workflows/bring_your_own_models.js --save example_workflows/bring_your_own_models.json
const set = (type, name, value) => {
    const node = app.graph.nodes.find((one) => one.type === type);
    const widget = node.widgets.find((one) => one.name === name);
    if (!widget) throw new Error(`${type} has no widget ${name}`);
    widget.value = value;
};
// The published models, with the settings of the published inference code.
set("A2VLoadBEATs", "beats_name", "BEATs_iter3_plus_AS2M_finetuned_on_AS2M_cpt2.safetensors");
set("A2VLoadAudioMapper", "mapper_name", "tempotokens_audioset_drum.safetensors");
set("A2VLoadT2VModel", "model_name", "zeroscope_v2_576w");
set("A2VLoadAudio", "duration", 2.0);
set("A2VBEATsEncode", "hop", "160 ms");
set("A2VBEATsEncode", "chunk_seconds", 2.0);
set("A2VAudioMapper", "num_frames", 24);
set("A2VT2VSampler", "width", 384);
set("A2VT2VSampler", "height", 384);
set("A2VT2VSampler", "steps", 25);
set("A2VT2VSampler", "cfg", 25.0);
set("SaveVideo", "filename_prefix", "video/bring_your_own_models");
app.graph.nodes.find((one) => one.type === "MarkdownNote").widgets[0].value = [
    "## Your own models",
    "",
    "Set up for the published ones: BEATs, the mapper trained on drums, and Zeroscope, about 9 GB together. **Run** says where each comes from, how large it is and under which licence; turn on **download_if_missing** in the three loaders to fetch them. `python -m a2v_core.models` does the same without ComfyUI.",
    "",
    "* Files you have: BEATs (`.pt` or `.safetensors`) into `models/audio_encoders`, mappers (`learned_embeds.pth` or `.safetensors`) into `models/a2v_mappers`, a text-to-video model in diffusers layout as a folder into `models/a2v_t2v`. Press R, and choose them.",
    "* A mapper belongs to the text encoder and the BEATs it was trained with; the nodes say so when they do not fit.",
    "* A mapper you trained with the pack: take **hop**, **fps** and **chunk_seconds** from its training.",
    "* A cfg down to 9, and 576 x 320 pixels, which is Zeroscope's own size, are worth a try.",
].join("\n");

// Makes example_workflows/audio_to_video_app.json in the front end, out of its sibling:
//   python -m scripts.frontend example_workflows/audio_to_video.json \
//       --build scripts/workflows/audio_to_video_app.js --save example_workflows/audio_to_video_app.json
const find = (type) => app.graph.nodes.find((one) => one.type === type);
const [sound, sampler, save] = ["A2VLoadAudio", "A2VT2VSampler", "SaveVideo"].map(find);
save.widgets.find((one) => one.name === "filename_prefix").value = "video/audio_to_video_app";
find("MarkdownNote").widgets[0].value = [
    "## Sound in, video out, as an App",
    "",
    "The same nodes as in `audio_to_video`. Front ends from 1.41 on open it as an App: a form with the sound, the prompt and the seed, and the video beside it. Others show this graph.",
].join("\n");
// Front ends from 1.41 on read these two; others keep them. Inputs: node and widget. Outputs: nodes.
app.graph.extra.linearMode = true;
app.graph.extra.linearData = {
    inputs: [[sound.id, "audio"], [sampler.id, "prompt"], [sampler.id, "seed"]],
    outputs: [save.id],
};

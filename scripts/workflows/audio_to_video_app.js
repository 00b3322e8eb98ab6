// Makes example_workflows/audio_to_video_app.json in the front end, out of its sibling:
//   python -m scripts.frontend example_workflows/audio_to_video.json \
//       --build scripts/workflows/audio_to_video_app.js --save example_workflows/audio_to_video_app.json
const find = (type) => app.graph.nodes.find((one) => one.type === type);
const [sound, sampler, save] = ["A2VLoadAudio", "A2VT2VSampler", "SaveVideo"].map(find);
save.widgets.find((one) => one.name === "filename_prefix").value = "video/audio_to_video_app";
find("MarkdownNote").widgets[0].value = [
    "## Sound in, video out, as an App",
    "",
    "The same nodes as in `audio_to_video`. In front ends from 1.41 on choose **App** above the graph: a form with the sound, the prompt and the seed, and the video beside it.",
].join("\n");
// What the App shows. Inputs: node and widget; outputs: nodes. Front ends before 1.41 keep it and take no notice;
// `linearMode`, which would open the App at once, makes some of them hide the graph behind a form of all widgets.
app.graph.extra.linearData = {
    inputs: [[sound.id, "audio"], [sampler.id, "prompt"], [sampler.id, "seed"]],
    outputs: [save.id],
};

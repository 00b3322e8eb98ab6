// Makes example_workflows/text_and_audio_to_video.json in the front end, out of its sibling:
//   python -m scripts.frontend example_workflows/audio_to_video.json \
//       --build scripts/workflows/text_and_audio_to_video.js --save example_workflows/text_and_audio_to_video.json
const set = (type, name, value) => {
    const node = app.graph.nodes.find((one) => one.type === type);
    node.widgets.find((one) => one.name === name).value = value;
};
set("A2VT2VSampler", "prompt", "a video of a blue <temp> <local1> <local2> <local3> <local4> <class>");
set("A2VT2VSampler", "seed", 1);
set("SaveVideo", "filename_prefix", "video/text_and_audio_to_video");
app.graph.nodes.find((one) => one.type === "MarkdownNote").widgets[0].value = [
    "## Text and sound",
    "",
    "The sound decides when things move; the text around its words has a say in what is seen: here the colour. The words may stand anywhere in the prompt, in any order, and some can be left out.",
    "",
    "The bundled model is small. It knows the colours red, blue, green, yellow, purple and orange and follows them well; *on the left*, *on the centre*, *on the right* and the walls *on grey*, *on navy*, *on sand* it follows now and then.",
].join("\n");

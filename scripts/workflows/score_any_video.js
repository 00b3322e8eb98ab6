// Builds example_workflows/score_any_video.json in the front end:
//   python -m scripts.frontend --build scripts/workflows/score_any_video.js --save example_workflows/score_any_video.json
const note = [
    "## Does this video move with its sound?",
    "",
    "Choose or upload any video with sound in **Load Video** and press **Run**. It may come from a camera or from any generator.",
    "",
    "* *score* is AV-Align as published. Chance alone gives 0.1 to 0.4, so look at *corrected*: 0 is what unrelated sound gives, 1 is perfect.",
    "* Sound from elsewhere: connect a **Load Audio** to *audio* instead.",
    "* Images from a graph of yours go into *images* as well; give their *fps* then. A VIDEO brings its own.",
    "* Many files at once, as a table and a page: `python -m a2v_core.metrics score FOLDER --out REPORT`",
].join("\n");

function add(type, x, y, width, height) {
    const node = LiteGraph.createNode(type);
    if (!node) throw new Error(`the front end does not know ${type}`);
    app.graph.add(node);
    // The Manager finds a missing pack by these names; it writes them itself only where it is installed.
    node.properties.cnr_id = type.startsWith("A2V") ? "audio-to-video" : "comfy-core";
    node.pos = [x, y];
    node.setSize([width, Math.max(height, node.computeSize()[1])]);
    return node;
}

function link(source, output, target, input) {
    const from = source.outputs.findIndex((one) => one.name === output || one.localized_name === output);
    const to = target.inputs.findIndex((one) => one.name === input);
    if (from < 0 || to < 0) throw new Error(`${source.type}.${output} -> ${target.type}.${input}`);
    source.connect(from, target, to);
}

const video = add("LoadVideo", 40, 80, 340, 600);
// No file by name: it would be missing everywhere else. The front end then chooses the user's first video.
const serialize = video.serialize.bind(video);
video.serialize = () => ({ ...serialize(), widgets_values: ["", "image"] });
const parts = add("GetVideoComponents", 440, 80, 320, 80);
const score = add("A2VAVAlignScore", 820, 80, 420, 600);
const preview = add("PreviewImage", 1300, 80, 480, 600);
add("MarkdownNote", 440, 240, 320, 440).widgets[0].value = note;

link(video, "VIDEO", parts, "video");
link(video, "VIDEO", score, "images");
link(parts, "audio", score, "audio");
link(score, "picture", preview, "images");

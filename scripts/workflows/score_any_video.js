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

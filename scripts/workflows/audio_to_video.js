// Builds example_workflows/audio_to_video.json in the front end:
//   python -m scripts.frontend --build scripts/workflows/audio_to_video.js --save example_workflows/audio_to_video.json
const note = [
    "## Sound in, video out",
    "",
    "Press **Run**: the drum that ships with the pack makes the picture hit.",
    "",
    "* Your sound: choose or upload it in **Load Audio**.",
    "* Another take: change **seed** in **T2V Sampler**; only the sampler and what follows run again.",
    "* Your models: put them into `models/audio_encoders` (BEATs), `models/a2v_mappers` and `models/a2v_t2v`, press R and choose them in the three loaders. For the published mappers set **hop** to 160 ms, 384 x 384 pixels, 25 steps and cfg 25.",
    "* **AV-Align Score** says how well picture and sound move together; compare it with the chance level beside it.",
].join("\n");

const sound = add("A2VLoadAudio", 40, 80, 300, 150, { audio: "demo (bundled): drum.wav" });
const loadBeats = add("A2VLoadBEATs", 40, 330, 300, 60);
const beats = add("A2VBEATsEncode", 400, 80, 300, 110, { hop: "80 ms" });
const loadMapper = add("A2VLoadAudioMapper", 40, 450, 300, 60);
const mapper = add("A2VAudioMapper", 400, 260, 300, 150);
const pooling = add("A2VTemporalContextPooling", 400, 500, 300, 60);
const loadModel = add("A2VLoadT2VModel", 40, 570, 300, 90);
const sampler = add("A2VT2VSampler", 760, 80, 420, 560);
const control = sampler.widgets.find((one) => one.name === "control_after_generate");
if (control) control.value = "fixed";
const video = add("CreateVideo", 1240, 80, 300, 80);
const save = add("SaveVideo", 1240, 230, 420, 420, { filename_prefix: "video/audio_to_video" });
const score = add("A2VAVAlignScore", 1720, 80, 380, 570);
add("MarkdownNote", 40, 780, 1140, 180).widgets[0].value = note;

link(sound, "AUDIO", beats, "audio");
link(loadBeats, "AUDIO_ENCODER", beats, "audio_encoder");
link(beats, "audio_features", mapper, "audio_features");
link(loadMapper, "mapper", mapper, "mapper");
link(loadMapper, "mapper", pooling, "mapper");
link(mapper, "frame_tokens", pooling, "frame_tokens");
link(loadModel, "model", sampler, "model");
link(pooling, "audio_tokens", sampler, "audio_tokens");
link(sound, "AUDIO", sampler, "audio");
link(sampler, "images", video, "images");
link(sampler, "audio", video, "audio");
link(sampler, "fps", video, "fps");
link(video, "VIDEO", save, "video");
link(sampler, "images", score, "images");
link(sampler, "audio", score, "audio");
link(sampler, "fps", score, "fps");

// Builds example_workflows/long_audio_to_video.json in the front end:
//   python -m scripts.frontend --build scripts/workflows/long_audio_to_video.js --save example_workflows/long_audio_to_video.json
const note = [
    "## A long sound in, a long video out",
    "",
    "Press **Run**: six seconds of water drops, 72 frames from a model that was trained on clips of 24.",
    "",
    "* Your sound: choose or upload it in **Load Audio**; minutes are fine. The video gets its length.",
    "* **BEATs Encode** hears it in pieces of chunk_seconds that overlap; **Temporal Context Pooling** makes `<class>` from what is near and from the whole.",
    "* **T2V Sampler**: long_video says how. closed_loop lets the last frame meet the first. With resume, a crash or Cancel costs one step: run again and it goes on.",
    "* Create Video wants all frames at once; long ones lie in a file, and the system keeps in memory what fits. `a2v_core.video.stream` writes an mp4 while it decodes.",
].join("\n");

const sound = add("A2VLoadAudio", 40, 80, 300, 150, { audio: "demo (bundled): water_drops.wav" });
const loadBeats = add("A2VLoadBEATs", 40, 330, 300, 60);
const beats = add("A2VBEATsEncode", 400, 80, 300, 130, { hop: "80 ms", chunk_seconds: 10, overlap_seconds: 2 });
const loadMapper = add("A2VLoadAudioMapper", 40, 450, 300, 60);
const mapper = add("A2VAudioMapper", 400, 290, 300, 150);
const pooling = add("A2VTemporalContextPooling", 400, 530, 300, 80);
const loadModel = add("A2VLoadT2VModel", 40, 570, 300, 90);
const sampler = add("A2VT2VSampler", 760, 80, 420, 620, { resume: true });
const control = sampler.widgets.find((one) => one.name === "control_after_generate");
if (control) control.value = "fixed";
const video = add("CreateVideo", 1240, 80, 300, 80);
const save = add("SaveVideo", 1240, 230, 420, 420, { filename_prefix: "video/long_audio_to_video" });
const score = add("A2VAVAlignScore", 1720, 80, 380, 570);
add("MarkdownNote", 40, 800, 1140, 220).widgets[0].value = note;

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

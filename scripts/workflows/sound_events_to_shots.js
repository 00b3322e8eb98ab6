// Builds example_workflows/sound_events_to_shots.json in the front end:
//   python -m scripts.frontend --build scripts/workflows/sound_events_to_shots.js \
//       --save example_workflows/sound_events_to_shots.json
const note = [
    "## The sound cuts the film and says what is seen",
    "",
    "Press **Run**: a drum, a plucked string and a bell become five shots. No adapter takes part.",
    "",
    "* **Cut List** cuts on the beat. From there on every node runs once for each shot: **Segment of Audio** takes its sound, **Sound Events** hears what is in it, **Timed Prompts** makes texts of that, and **Sound Schedule** says when it moves. **Rebatch Images** joins the shots; the whole sound goes with them.",
    "* **Your sound**: connect **Load Audio** in the place of **Audio Concat**, and choose a fine-tuned BEATs in **Load BEATs**: it knows AudioSet's 527 sounds. The bundled one knows six.",
    "* **Your texts**: what is seen for a sound, a line each; `*` is for all others. The two **Timed Prompts** put it into a text for rest and one for a hit. A shot in which nothing is heard takes their *quiet*.",
    "* **Your model**: any of pictures or of AnimateDiff, with its CLIP and VAE. If it makes clips of some lengths alone, choose them in *lengths* of Cut List. *fps* there is that of the whole graph.",
].join("\n");
const phrases = [
    "ball: a red ball",
    "box: a blue box",
    "bell: a yellow bell",
    "star: a purple star",
    "ring: a green ring",
    "drop: an orange drop",
].join("\n");

const sounds = ["drum", "pluck", "bell"].map((name, index) =>
    add("A2VLoadAudio", 40, 80 + 240 * index, 300, 150, { audio: `demo (bundled): ${name}.wav` }),
);
const pair = add("AudioConcat", 40, 820, 300, 80);
const sound = add("AudioConcat", 40, 990, 300, 80);
const cuts = add("A2VCutList", 400, 80, 380, 640, { fps: 12, shortest: 1, longest: 2 });
const part = add("A2VSegmentOfAudio", 400, 990, 380, 220);
const loadBeats = add("A2VLoadBEATs", 840, 80, 380, 60);
const events = add("A2VSoundEvents", 840, 210, 380, 660);
const text = add("PrimitiveStringMultiline", 840, 990, 380, 220, { value: phrases }, "What is seen for a sound");
const loadModel = add("A2VLoadT2VModel", 1280, 80, 300, 90);
const core = add("A2VT2VModelAsModel", 1640, 80, 300, 80);
const prompt = (end) => ({ template: `a video of {label} ${end}`, quiet: "a video of a wall", sounds: "all together" });
const [rest, hit] = [["still", "At rest"], ["top", "At a hit"]].map(([end, title], index) =>
    add("A2VTimedPrompts", 1280, 310 + 620 * index, 300, 560, prompt(end), title),
);
const schedule = add("A2VSoundSchedule", 1640, 230, 300, 760, { release: 1.2 });
const travel = add("A2VScheduledPrompt", 2000, 80, 300, 80);
const negative = add("CLIPTextEncode", 2000, 230, 300, 90, { text: "" }, "Negative");
const latents = add("EmptyLatentImage", 2000, 390, 300, 110, { width: 64, height: 64 });
const sampler = add("KSampler", 2000, 570, 300, 270, { seed: 0, steps: 20, cfg: 3 });
const control = sampler.widgets.find((one) => one.name === "control_after_generate");
if (control) control.value = "fixed";
const decode = add("VAEDecode", 2000, 910, 300, 60);
const join = add("RebatchImages", 2000, 1040, 300, 60, { batch_size: 4096 });
const video = add("CreateVideo", 2360, 80, 380, 80);
const save = add("SaveVideo", 2360, 230, 380, 400, { filename_prefix: "video/sound_events_to_shots" });
const score = add("A2VAVAlignScore", 2360, 700, 380, 510);
add("MarkdownNote", 40, 1350, 1180, 250).widgets[0].value = note;

link(sounds[0], "AUDIO", pair, "audio1");
link(sounds[1], "AUDIO", pair, "audio2");
link(pair, "AUDIO", sound, "audio1");
link(sounds[2], "AUDIO", sound, "audio2");
for (const node of [cuts, part, video, score]) link(sound, "AUDIO", node, "audio");
for (const node of [part, video, score]) link(cuts, "fps", node, "fps");
for (const name of ["start", "frames"]) link(cuts, name, part, name);
for (const node of [events, schedule]) link(part, "audio", node, "audio");
link(loadBeats, "AUDIO_ENCODER", events, "audio_encoder");
link(loadModel, "model", core, "t2v_model");
for (const node of [rest, hit]) {
    link(events, "events", node, "events");
    link(text, "STRING", node, "phrases");
    link(part, "fps", node, "fps");
    link(part, "frames", node, "frames");
    link(core, "clip", node, "clip");
}
link(part, "fps", schedule, "fps");
link(part, "frames", schedule, "frames");
link(part, "frames", latents, "batch_size");
link(rest, "conditioning", travel, "prompt_0");
link(hit, "conditioning", travel, "prompt_1");
link(schedule, "floats", travel, "floats");
link(core, "clip", negative, "clip");
link(core, "model", sampler, "model");
link(travel, "conditioning", sampler, "positive");
link(negative, "CONDITIONING", sampler, "negative");
link(latents, "LATENT", sampler, "latent_image");
link(sampler, "LATENT", decode, "samples");
link(core, "vae", decode, "vae");
link(decode, "IMAGE", join, "images");
link(join, "IMAGE", video, "images");
link(join, "IMAGE", score, "images");
link(video, "VIDEO", save, "video");

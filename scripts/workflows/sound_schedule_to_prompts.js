// Builds example_workflows/sound_schedule_to_prompts.json in the front end:
//   python -m scripts.frontend --build scripts/workflows/sound_schedule_to_prompts.js \
//       --save example_workflows/sound_schedule_to_prompts.json
const note = [
    "## A sound blends two prompts",
    "",
    "Press **Run**: each hit of the drum lifts the ball. No adapter takes part: **Sound Schedule** makes a value for every frame, and **Scheduled Prompt** goes from one text to the other by it.",
    "",
    "* The curve: *signal* says what is measured, *release* how slowly it falls. *fps* has to be that of Create Video.",
    "* Your texts: both about the same object, once as it is at 0 and once as it is at 1.",
    "* Your model: any of pictures or of AnimateDiff, with its CLIP and VAE. The frames are the batch: *frames* goes into *batch_size*.",
    "* *floats* fits other packs as well: weights of IPAdapter, strengths of LoRAs and hooks. *mask* and *keyframes* are the same values in other forms.",
].join("\n");

const sound = add("A2VLoadAudio", 40, 80, 300, 150, { audio: "demo (bundled): drum.wav" });
const load = add("A2VLoadT2VModel", 40, 330, 300, 90);
const core = add("A2VT2VModelAsModel", 40, 530, 300, 80);
const schedule = add("A2VSoundSchedule", 400, 80, 420, 760, { fps: 12, release: 1.2 });
const rest = add("CLIPTextEncode", 880, 80, 300, 110, { text: "a video of a red ball still" }, "Where the schedule is 0");
const hit = add("CLIPTextEncode", 880, 250, 300, 110, { text: "a video of a red ball top" }, "Where it is 1");
const negative = add("CLIPTextEncode", 880, 420, 300, 90, { text: "" }, "Negative");
const latents = add("EmptyLatentImage", 880, 570, 300, 110, { width: 64, height: 64 });
const travel = add("A2VScheduledPrompt", 1240, 80, 320, 80);
const sampler = add("KSampler", 1240, 220, 320, 270, { seed: 0, steps: 20, cfg: 3 });
const control = sampler.widgets.find((one) => one.name === "control_after_generate");
if (control) control.value = "fixed";
const decode = add("VAEDecode", 1240, 560, 320, 60);
const video = add("CreateVideo", 1620, 80, 380, 80, { fps: 12 });
const save = add("SaveVideo", 1620, 230, 380, 400, { filename_prefix: "video/sound_schedule" });
const score = add("A2VAVAlignScore", 2060, 80, 380, 570, { fps: 12 });
add("MarkdownNote", 880, 740, 680, 260).widgets[0].value = note;

link(sound, "AUDIO", schedule, "audio");
link(load, "model", core, "t2v_model");
for (const text of [rest, hit, negative]) link(core, "clip", text, "clip");
link(rest, "CONDITIONING", travel, "prompt_0");
link(hit, "CONDITIONING", travel, "prompt_1");
link(schedule, "floats", travel, "floats");
link(schedule, "frames", latents, "batch_size");
link(core, "model", sampler, "model");
link(travel, "conditioning", sampler, "positive");
link(negative, "CONDITIONING", sampler, "negative");
link(latents, "LATENT", sampler, "latent_image");
link(sampler, "LATENT", decode, "samples");
link(core, "vae", decode, "vae");
link(decode, "IMAGE", video, "images");
link(sound, "AUDIO", video, "audio");
link(video, "VIDEO", save, "video");
link(decode, "IMAGE", score, "images");
link(sound, "AUDIO", score, "audio");

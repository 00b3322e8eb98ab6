// Builds subgraphs/Sound to Shots.json in the front end:
//   python -m scripts.frontend --build scripts/blueprints/sound_to_shots.js --blueprint "subgraphs/Sound to Shots.json"
const beats = add("A2VLoadBEATs", 0, 0, 320, 60);
const cuts = add("A2VCutList", 0, 160, 320, 420);
const part = add("A2VSegmentOfAudio", 400, 160, 320, 220);
const events = add("A2VSoundEvents", 800, 0, 320, 300);
const prompts = add("A2VTimedPrompts", 1200, 0, 320, 540, { quiet: "a quiet scene", sounds: "all together" });

for (const name of ["start", "frames", "fps"]) link(cuts, name, part, name);
link(part, "audio", events, "audio");
link(beats, "AUDIO_ENCODER", events, "audio_encoder");
link(events, "events", prompts, "events");
link(part, "fps", prompts, "fps");
link(part, "frames", prompts, "frames");

blueprint("Sound to Shots", {
    inputs: [
        [cuts, "audio"],
        [part, "audio"],
        [cuts, "fps"],
        [cuts, "cut_on"],
        [cuts, "shortest"],
        [cuts, "longest"],
        [cuts, "lengths"],
        [cuts, "custom_lengths"],
        [prompts, "phrases"],
        [prompts, "template"],
        [prompts, "quiet"],
    ],
    outputs: [
        [part, "audio"],
        [part, "frames"],
        [part, "start"],
        [part, "fps"],
        [prompts, "prompt"],
        [cuts, "table"],
        [cuts, "picture"],
    ],
});

// Builds example_workflows/wan_audio_to_video.json in the front end:
//   python -m scripts.frontend --build scripts/workflows/wan_audio_to_video.js --save example_workflows/wan_audio_to_video.json
const note = [
    "## ComfyUI's own Wan hears a sound",
    "",
    "Press **Run**: the drum that ships with the pack makes the picture of a tiny Wan hit. All but the nodes marked audio-to-video are ComfyUI's own.",
    "",
    "* **Your Wan**: choose its files in **Load Diffusion Model** and **Load VAE**, and put core's **Load CLIP** (umt5, type wan) in the place of **Load Demo CLIP**. Choose your adapter in **Load Audio Adapter** and the BEATs that it was trained with in **Load BEATs**. Set 16 fps, 81 frames, 832 x 480.",
    "* **Your sound**: choose or upload it in **Load Audio**. **AudioMapper** sets length and frame rate for all; frames are 4n+1.",
    "* **Strength** 0 is exactly the model without sound. `sound_cfg` above 1 follows the sound more, and takes one more call of the model at every step.",
    "* LoRAs, EasyCache and other patches of MODEL go before or after **Apply Audio Adapter**.",
].join("\n");

const loadModel = add("UNETLoader", 40, 80, 320, 90, { unet_name: "a2v_demo_wan.safetensors" });
const loadClip = add("A2VLoadDemoCLIP", 40, 230, 320, 40);
const loadVae = add("VAELoader", 40, 330, 320, 60, { vae_name: "a2v_demo_wan_vae.safetensors" });
const sound = add("A2VLoadAudio", 40, 450, 320, 150, { audio: "demo (bundled): drum.wav" });
const loadBeats = add("A2VLoadBEATs", 40, 700, 320, 60);
const loadAdapter = add("A2VLoadAudioAdapter", 40, 820, 320, 80, { adapter_name: "a2v_demo_wan_adapter.safetensors" });
const shift = add("ModelSamplingSD3", 420, 80, 320, 60, { shift: 5 });
const positive = add("CLIPTextEncode", 420, 200, 320, 90, { text: "a video" }, "CLIP Text Encode (positive)");
const negative = add("CLIPTextEncode", 420, 350, 320, 90, { text: "" }, "CLIP Text Encode (negative)");
const beats = add("A2VBEATsEncode", 420, 500, 320, 110, { hop: "80 ms" });
const mapper = add("A2VAudioMapper", 420, 690, 320, 150, { num_frames: 25, fps: 12 });
const pooling = add("A2VTemporalContextPooling", 420, 910, 320, 60);
const apply = add("A2VApplyAudioAdapter", 800, 80, 340, 260);
const latent = add("EmptyHunyuanLatentVideo", 800, 430, 340, 130, { width: 64, height: 64 }, "Empty Latent Video (Wan)");
const sampler = add("KSampler", 1200, 80, 320, 260, { seed: 1, steps: 20, cfg: 2.5, sampler_name: "euler", scheduler: "simple" });
const control = sampler.widgets.find((one) => one.name === "control_after_generate");
if (control) control.value = "fixed";
const decode = add("VAEDecode", 1200, 430, 320, 60);
const video = add("CreateVideo", 1580, 80, 320, 80);
const save = add("SaveVideo", 1580, 230, 420, 420, { filename_prefix: "video/wan_audio_to_video" });
const score = add("A2VAVAlignScore", 2060, 80, 380, 570);
add("MarkdownNote", 800, 820, 1200, 250).widgets[0].value = note;

link(loadModel, "MODEL", shift, "model");
link(shift, "MODEL", apply, "model");
link(loadClip, "clip", positive, "clip");
link(loadClip, "clip", negative, "clip");
link(sound, "AUDIO", beats, "audio");
link(loadBeats, "AUDIO_ENCODER", beats, "audio_encoder");
link(beats, "audio_features", mapper, "audio_features");
link(loadAdapter, "mapper", mapper, "mapper");
link(loadAdapter, "mapper", pooling, "mapper");
link(mapper, "frame_tokens", pooling, "frame_tokens");
link(loadAdapter, "audio_adapter", apply, "audio_adapter");
link(pooling, "audio_tokens", apply, "audio_tokens");
link(mapper, "num_frames", latent, "length");
link(positive, "CONDITIONING", apply, "positive");
link(negative, "CONDITIONING", apply, "negative");
link(apply, "model", sampler, "model");
link(apply, "positive", sampler, "positive");
link(apply, "negative", sampler, "negative");
link(latent, "LATENT", sampler, "latent_image");
link(sampler, "LATENT", decode, "samples");
link(loadVae, "VAE", decode, "vae");
link(decode, "IMAGE", video, "images");
link(mapper, "fps", video, "fps");
link(mapper, "fps", score, "fps");
link(sound, "AUDIO", video, "audio");
link(video, "VIDEO", save, "video");
link(decode, "IMAGE", score, "images");
link(sound, "AUDIO", score, "audio");

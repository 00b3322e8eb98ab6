// Widgets by position: a seed with its control, dynamic prompts, file name patterns, upload helpers, notes,
// a widget that is fed by a link, an optional socket.
const make = (type, x, y) => { const node = LiteGraph.createNode(type); node.pos = [x, y]; app.graph.add(node); return node }
const set = (node, name, value) => { node.widgets.find((widget) => widget.name === name).value = value }
const input = (node, name) => node.inputs.findIndex((slot) => slot.name === name)

const text = make('CLIPTextEncode', 400, 0)
const negative = make('CLIPTextEncode', 400, 250)
const loader = make('CheckpointLoaderSimple', 0, 0)
const latent = make('EmptyLatentImage', 400, 500)
const sampler = make('KSampler', 850, 0)
const decode = make('VAEDecode', 1200, 0)
const save = make('SaveImage', 1500, 0)
set(text, 'text', 'a {red} ball \\{kept\\} // a comment')
set(negative, 'text', 'blur /* out */')
set(sampler, 'seed', 123456789012345)
set(sampler, 'control_after_generate', 'increment')
set(sampler, 'steps', 7)
set(sampler, 'cfg', 4.5)
set(sampler, 'sampler_name', 'dpmpp_2m')
set(sampler, 'denoise', 0.75)
set(latent, 'width', 640)
set(save, 'filename_prefix', 'run_%KSampler.seed%_%Named latent.width%_%width%')
latent.title = 'Named latent'
loader.connect(1, text, 0); loader.connect(1, negative, 0)
loader.connect(0, sampler, 0); text.connect(0, sampler, 1); negative.connect(0, sampler, 2)
latent.connect(0, sampler, 3); sampler.connect(0, decode, 0); loader.connect(2, decode, 1); decode.connect(0, save, 0)

const audio = make('LoadAudio', 0, 800)
const trim = make('TrimAudioDuration', 400, 800)
const preview = make('PreviewAudio', 850, 800)
set(trim, 'duration', 1.5)
audio.connect(0, trim, 0); trim.connect(0, preview, 0)

const images = make('EmptyImage', 0, 1100)
const fps = make('PrimitiveFloat', 0, 1400)
const video = make('CreateVideo', 400, 1100)
const saveVideo = make('SaveVideo', 850, 1100)
set(fps, 'value', 12)
images.connect(0, video, input(video, 'images')); trim.connect(0, video, input(video, 'audio'))
fps.connect(0, video, input(video, 'fps')); video.connect(0, saveVideo, 0)

const note = make('Note', 0, 1700)
set(note, 'text', 'nothing to run')
make('MarkdownNote', 400, 1700)
make('LoadImage', 850, 1500)

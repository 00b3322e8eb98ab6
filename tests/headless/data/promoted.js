// Promoted widgets: two on one input, one of a subgraph inside, a seed, a choice and a list of texts; an input that is
// linked, one whose label is not its name; two instances with values of their own, one that never set any.
const make = (type, x, y) => { const node = LiteGraph.createNode(type); node.pos = [x, y]; app.graph.add(node); return node }
const set = (node, name, value) => { node.widgets.find((widget) => widget.name === name).value = value }
const input = (node, name) => node.inputs.findIndex((slot) => slot.name === name)
const promote = (subgraph, node, name, as, type = 'INT') => {
  const slot = subgraph.inputs.find((one) => one.name === as) ?? subgraph.addInput(as, type)
  slot.connect(node.inputs[input(node, name)], node)
}

const image = make('EmptyImage', 0, 0)
const scale = make('ImageScale', 300, 0); set(scale, 'width', 48); set(scale, 'height', 64)
const crop = make('ImageCrop', 600, 0); set(crop, 'width', 31); set(crop, 'height', 17)
image.connect(0, scale, 0); scale.connect(0, crop, 0)
const save = make('SaveImage', 1000, 0); crop.connect(0, save, 0)
const { node: first, subgraph } = app.graph.convertToSubgraph(new Set([scale, crop]))
const inside = (graph, type) => graph.nodes.find((node) => node.type === type)
promote(subgraph, inside(subgraph, 'ImageScale'), 'upscale_method', 'method', 'COMBO')
promote(subgraph, inside(subgraph, 'ImageScale'), 'width', 'size')
promote(subgraph, inside(subgraph, 'ImageCrop'), 'x', 'size')
promote(subgraph, inside(subgraph, 'ImageScale'), 'height', 'tall')
promote(subgraph, inside(subgraph, 'ImageScale'), 'crop', 'cut', 'COMBO')
set(first, 'method', 'bicubic'); set(first, 'size', 20); set(first, 'cut', 'center')
subgraph.inputs.find((slot) => slot.name === 'tall').label = 'another name'

const second = LiteGraph.createNode(subgraph.id); second.pos = [600, 400]; app.graph.add(second)
image.connect(0, second, 0)
const number = make('PrimitiveInt', 0, 400); set(number, 'value', 55)
number.connect(0, second, input(second, 'size'))
set(second, 'tall', 9); set(second, 'method', 'area')
const saveSecond = make('SaveImage', 1000, 400); second.connect(0, saveSecond, 0)
const third = LiteGraph.createNode(subgraph.id); third.pos = [600, 800]; app.graph.add(third)
image.connect(0, third, 0)
const saveThird = make('SaveImage', 1000, 800); third.connect(0, saveThird, 0)

// One level deeper: what the inner instance shows is shown again, beside a prompt and a seed.
const loader = make('CheckpointLoaderSimple', 0, 1200)
const deep = LiteGraph.createNode(subgraph.id); deep.pos = [600, 1200]; app.graph.add(deep)
image.connect(0, deep, 0); set(deep, 'cut', 'center'); set(deep, 'tall', 23)
const encode = make('VAEEncode', 800, 1200); deep.connect(0, encode, 0); loader.connect(2, encode, 1)
const text = make('CLIPTextEncode', 800, 1400); loader.connect(1, text, 0); set(text, 'text', 'inside')
const sampler = make('KSampler', 1000, 1200); set(sampler, 'seed', 11); set(sampler, 'steps', 3)
loader.connect(0, sampler, 0); text.connect(0, sampler, 1); text.connect(0, sampler, 2); encode.connect(0, sampler, 3)
const decode = make('VAEDecode', 1300, 1200); sampler.connect(0, decode, 0); loader.connect(2, decode, 1)
const saveDeep = make('SaveImage', 1600, 1200); decode.connect(0, saveDeep, 0)
const { node: outer, subgraph: shell } = app.graph.convertToSubgraph(new Set([deep, encode, text, sampler, decode]))
const held = shell.nodes.find((node) => node.isSubgraphNode?.())
promote(shell, held, 'size', 'wide')
promote(shell, held, 'method', 'method', 'COMBO')
promote(shell, inside(shell, 'CLIPTextEncode'), 'text', 'prompt', 'STRING')
promote(shell, inside(shell, 'KSampler'), 'seed', 'seed')
promote(shell, inside(shell, 'KSampler'), 'sampler_name', 'sampler', 'COMBO')
set(outer, 'wide', 77); set(outer, 'prompt', 'from {outside}'); set(outer, 'seed', 4242); set(outer, 'sampler', 'ddim')

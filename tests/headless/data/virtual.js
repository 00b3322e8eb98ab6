// Nodes of the front end's own: reroutes in a row, a primitive on two widgets, one on a seed, one on a choice.
const make = (type, x, y) => { const node = LiteGraph.createNode(type); node.pos = [x, y]; app.graph.add(node); return node }
const set = (node, name, value) => { node.widgets.find((widget) => widget.name === name).value = value }
const input = (node, name) => node.inputs.findIndex((slot) => slot.name === name)

const image = make('EmptyImage', 300, 0)
const scale = make('ImageScale', 700, 0)
const one = make('Reroute', 1000, 0), two = make('Reroute', 1100, 0), empty = make('Reroute', 1100, 200)
const save = make('SaveImage', 1300, 0)
image.connect(0, scale, 0); scale.connect(0, one, 0); one.connect(0, two, 0); two.connect(0, save, 0)
const lost = make('SaveImage', 1300, 400); empty.connect(0, lost, 0)

const side = make('PrimitiveNode', 0, 0)
side.connect(0, image, input(image, 'width')); side.connect(0, image, input(image, 'height'))
side.widgets[0].value = 96
const method = make('PrimitiveNode', 300, 400)
method.connect(0, scale, input(scale, 'upscale_method'))
method.widgets[0].value = 'bicubic'
const sampler = make('KSampler', 700, 500)
const seed = make('PrimitiveNode', 300, 700)
seed.connect(0, sampler, input(sampler, 'seed'))
seed.widgets[0].value = 4242
const loose = make('PrimitiveNode', 0, 900)

// Bypassed with a reroute on either side.
const invert = make('ImageInvert', 700, 1000); invert.mode = 4
const before = make('Reroute', 600, 1000), after = make('Reroute', 900, 1000)
image.connect(0, before, 0); before.connect(0, invert, 0); invert.connect(0, after, 0)
const last = make('SaveImage', 1300, 900); after.connect(0, last, 0)

// Muted and bypassed nodes: what feeds their targets, by slot and by type; a muted node in front of an optional
// and of a required input; a bypassed node that nothing fits; a chain of bypassed nodes.
const make = (type, x, y) => { const node = LiteGraph.createNode(type); node.pos = [x, y]; app.graph.add(node); return node }
const set = (node, name, value) => { node.widgets.find((widget) => widget.name === name).value = value }
const MUTED = 2, BYPASSED = 4

const red = make('EmptyImage', 0, 0); set(red, 'color', 0xff0000); red.title = 'red'
const blue = make('EmptyImage', 0, 250); set(blue, 'color', 255); blue.title = 'blue'
const mask = make('SolidMask', 0, 500)

// The composite takes (destination, source, ..., mask) and hands the first image through.
const composite = make('ImageCompositeMasked', 400, 0)
red.connect(0, composite, 0); blue.connect(0, composite, 1)
mask.connect(0, composite, composite.inputs.findIndex((slot) => slot.name === 'mask'))
composite.mode = BYPASSED
const invert = make('ImageInvert', 800, 0); invert.mode = BYPASSED
composite.connect(0, invert, 0)
const first = make('SaveImage', 1200, 0); set(first, 'filename_prefix', 'first'); invert.connect(0, first, 0)

// A mask node between image sockets: MaskToImage bypassed has no image to hand on.
const toImage = make('MaskToImage', 400, 500); mask.connect(0, toImage, 0); toImage.mode = BYPASSED
const second = make('SaveImage', 1200, 300); set(second, 'filename_prefix', 'second'); toImage.connect(0, second, 0)

// A muted source of an optional mask, and of a required image.
const quiet = make('SolidMask', 0, 800); quiet.mode = MUTED
const other = make('ImageCompositeMasked', 400, 800)
red.connect(0, other, 0); blue.connect(0, other, 1)
quiet.connect(0, other, other.inputs.findIndex((slot) => slot.name === 'mask'))
const third = make('SaveImage', 1200, 600); set(third, 'filename_prefix', 'third'); other.connect(0, third, 0)
const gone = make('EmptyImage', 0, 1100); gone.mode = MUTED
const fourth = make('SaveImage', 1200, 900); set(fourth, 'filename_prefix', 'fourth'); gone.connect(0, fourth, 0)
const silent = make('SaveImage', 1200, 1200); silent.mode = MUTED; red.connect(0, silent, 0)

// A number that a bypassed node should make: the widget's own value stays.
const number = make('PrimitiveInt', 0, 1400); set(number, 'value', 99); number.mode = BYPASSED
const wide = make('EmptyImage', 400, 1400)
number.connect(0, wide, wide.inputs.findIndex((slot) => slot.name === 'width'))
const fifth = make('SaveImage', 1200, 1400); set(fifth, 'filename_prefix', 'fifth'); wide.connect(0, fifth, 0)

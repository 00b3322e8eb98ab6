// Set and Get by name: alone, in a chain, through a reroute of a pack and a bypassed node, from inside a subgraph to
// a Set outside, with the same name inside; a Set whose own output is used; nodes without sockets, and switches.
const make = (type, x, y) => { const node = LiteGraph.createNode(type); node.pos = [x, y]; app.graph.add(node); return node }
const set = (node, name, value) => { node.widgets.find((widget) => widget.name === name).value = value }
const input = (node, name) => node.inputs.findIndex((slot) => slot.name === name)
const named = (type, name, x, y) => { const node = make(type, x, y); set(node, 'Constant', name); return node }
const BYPASSED = 4
let row = 0
const save = (prefix, from, slot = 0) => {
  const node = make('SaveImage', 1800, 300 * row++)
  set(node, 'filename_prefix', prefix); from.connect(slot, node, 0)
  return node
}

const red = make('EmptyImage', 0, 0); set(red, 'color', 0xff0000)
const blue = make('EmptyImage', 0, 300); set(blue, 'color', 255)
const setRed = named('SetNode', 'red', 400, 0); red.connect(0, setRed, 0)
const setBlue = named('easy setNode', 'blue', 400, 300); blue.connect(0, setBlue, 0)
save('red', named('GetNode', 'red', 800, 0))
save('blue', named('easy getNode', 'blue', 800, 100))

// Set -> Get -> Set -> Get, with a reroute of a pack and a bypassed node between.
const again = named('SetNode', 'again', 1200, 200)
const invert = make('ImageInvert', 1000, 200); invert.mode = BYPASSED
const around = make('Reroute (rgthree)', 900, 200)
named('GetNode', 'red', 800, 200).connect(0, around, 0); around.connect(0, invert, 0); invert.connect(0, again, 0)
save('again', named('GetNode', 'again', 1400, 200))
save('passed', setRed)

// A number for a widget, and a name that two Set nodes have: the first counts.
const width = make('PrimitiveInt', 0, 600); set(width, 'value', 40)
const setWidth = named('SetNode', 'width', 400, 600); width.connect(0, setWidth, 0)
const wide = make('EmptyImage', 1000, 600)
named('GetNode', 'width', 800, 600).connect(0, wide, input(wide, 'width'))
save('wide', wide)
const twice = named('SetNode', 'red', 400, 150); blue.connect(0, twice, 0)

// Inside a subgraph: a Set outside, and a Set of its own whose name is that of one outside.
const getRed = named('GetNode', 'red', 800, 900)
const first = make('ImageInvert', 1000, 900); getRed.connect(0, first, 0)
const own = named('SetNode', 'own', 1100, 1000); first.connect(0, own, 0)
const getOwn = named('GetNode', 'own', 1200, 1000)
const second = make('ImageInvert', 1300, 900); getOwn.connect(0, second, 0)
const getWidth = named('GetNode', 'width', 1000, 1100)
const scale = make('ImageScale', 1500, 900); second.connect(0, scale, 0)
getWidth.connect(0, scale, input(scale, 'width'))
const inside = save('inside', scale)
app.graph.remove(twice)
const { node: instance } = app.graph.convertToSubgraph(new Set([getRed, first, own, getOwn, second, getWidth, scale]))
instance.title = 'names inside'
const outside = named('SetNode', 'own', 400, 1000); blue.connect(0, outside, 0)
const duplicate = named('SetNode', 'blue', 400, 1200); red.connect(0, duplicate, 0)

make('Bookmark (rgthree)', 0, 1500)
make('Label (rgthree)', 200, 1500)
make('Note', 400, 1500)
make('Fast Groups Muter (rgthree)', 600, 1500)
const muter = make('Fast Muter (rgthree)', 900, 1500); red.connect(0, muter, 0)

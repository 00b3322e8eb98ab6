// Subgraphs: two instances of one definition with different promoted values, one fed by a link, one inside another.
const make = (type, x, y) => { const node = LiteGraph.createNode(type); node.pos = [x, y]; app.graph.add(node); return node }
const set = (node, name, value) => { node.widgets.find((widget) => widget.name === name).value = value }
const input = (node, name) => node.inputs.findIndex((slot) => slot.name === name)
const promote = (subgraph, node, name, as) => {
  const slot = subgraph.addInput(as ?? name, 'INT')
  slot.connect(node.inputs[input(node, name)], node)
}

const image = make('EmptyImage', 0, 0)
const invert = make('ImageInvert', 300, 0)
const scale = make('ImageScale', 600, 0)
const save = make('SaveImage', 1000, 0)
set(image, 'width', 33); set(scale, 'width', 48); set(scale, 'height', 64)
image.connect(0, invert, 0); invert.connect(0, scale, 0); scale.connect(0, save, 0)

const { node: first, subgraph } = app.graph.convertToSubgraph(new Set([invert, scale]))
const inside = subgraph.nodes.find((node) => node.type === 'ImageScale')
promote(subgraph, inside, 'width'); promote(subgraph, inside, 'height', 'tall')
set(first, 'width', 100)
first.title = 'twice'

const second = LiteGraph.createNode(subgraph.id); second.pos = [600, 400]; app.graph.add(second)
set(second, 'tall', 7)
image.connect(0, second, 0)
const number = make('PrimitiveInt', 0, 400); set(number, 'value', 55)
number.connect(0, second, input(second, 'width'))
const saveSecond = make('SaveImage', 1000, 400); second.connect(0, saveSecond, 0)

// An instance inside another subgraph, with its promoted width promoted once more.
const third = LiteGraph.createNode(subgraph.id); third.pos = [600, 800]; app.graph.add(third)
image.connect(0, third, 0)
const blur = make('ImageBlur', 800, 800); third.connect(0, blur, 0)
const saveThird = make('SaveImage', 1000, 800); blur.connect(0, saveThird, 0)
const { node: outer, subgraph: shell } = app.graph.convertToSubgraph(new Set([third, blur]))
const held = shell.nodes.find((node) => node.isSubgraphNode?.())
promote(shell, held, 'width', 'wide')
set(outer, 'wide', 21)

// A bypassed instance hands its image through; a bypassed node lives inside another.
const fourth = LiteGraph.createNode(subgraph.id); fourth.pos = [600, 1200]; app.graph.add(fourth); fourth.mode = 4
image.connect(0, fourth, 0)
const saveFourth = make('SaveImage', 1000, 1200); fourth.connect(0, saveFourth, 0)
subgraph.nodes.find((node) => node.type === 'ImageInvert').mode = 4

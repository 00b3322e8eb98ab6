// Widgets that scripts of packs make: in a definition, beside it, not to be sent, saved by name, chosen by a format.
const make = (type, x, y) => { const node = LiteGraph.createNode(type); node.pos = [x, y]; app.graph.add(node); return node }
const set = (node, name, value) => {
  const widget = node.widgets.find((one) => one.name === name)
  widget.value = value; widget.callback?.(value)
}
const input = (node, name) => node.inputs.findIndex((slot) => slot.name === name)

const image = make('EmptyImage', 0, 0)
const scripted = make('A2VTestScripted', 400, 0)
image.connect(0, scripted, 0)
set(scripted, 'side', 5); set(scripted, 'shade', 'light'); set(scripted, 'word', 'end'); set(scripted, 'grain', 7)
const fed = make('A2VTestScripted', 400, 400)
scripted.connect(0, fed, 0)
const text = make('PrimitiveString', 0, 400); set(text, 'value', 'from a link')
text.connect(0, fed, input(fed, 'shade'))

const kept = make('A2VTestDict', 800, 0); fed.connect(0, kept, 0)
set(kept, 'frame_rate', 24); set(kept, 'format', 'h264'); set(kept, 'crf', 30); set(kept, 'pingpong', true)
const rate = make('PrimitiveFloat', 400, 800); set(rate, 'value', 12)
const linked = make('A2VTestDict', 800, 400); kept.connect(0, linked, 0)
rate.connect(0, linked, input(linked, 'frame_rate'))
const save = make('SaveImage', 1200, 0); linked.connect(0, save, 0)

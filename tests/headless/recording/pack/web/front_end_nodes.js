// Nodes and widgets that exist in the front end only, as packs make them: Set and Get by name, a reroute, a
// bookmark, a switch that changes modes; widgets that a script adds to nodes of the server.
import { app } from '../../scripts/app.js'

const virtual = (type, build) => {
  class Virtual extends LiteGraph.LGraphNode {
    constructor(title) {
      super(title ?? type)
      this.serialize_widgets = true
      this.isVirtualNode = true
      this.properties ??= {}
      build(this)
    }
  }
  Virtual.title = type
  LiteGraph.registerNodeType(type, Virtual)
  return Virtual
}
const linkOf = (graph, id) => (id == null ? null : (graph.getLink?.(id) ?? graph.links[id] ?? null))
const ancestors = (graph) => {
  const root = graph.rootGraph ?? graph
  const found = [graph]
  const all = [root, ...(root.subgraphs ?? root._subgraphs ?? new Map()).values()]
  while (found.at(-1) !== root) {
    const parent = all.find((one) => one.nodes.some((node) => node.subgraph === found.at(-1)))
    if (!parent) break
    found.push(parent)
  }
  return found
}
const pair = (setType, getType, across) => {
  virtual(setType, (node) => {
    node.addWidget('text', 'Constant', '', () => {})
    node.addInput('*', '*')
    node.addOutput('*', '*')
  })
  const Get = virtual(getType, (node) => {
    node.addWidget('text', 'Constant', '', () => {})
    node.addOutput('*', '*')
  })
  const setter = function (node) {
    const name = node.widgets[0].value
    for (const graph of across ? ancestors(node.graph) : [node.graph])
      for (const one of graph.nodes)
        if (one.type === setType && one.widgets[0].value === name) return { graph, node: one }
    return null
  }
  Get.prototype.getInputLink = function (slot) {
    const found = setter(this)
    if (!found || found.graph !== this.graph) return null
    return linkOf(found.graph, found.node.inputs[slot].link)
  }
  Get.prototype.resolveVirtualOutput = function (slot) {
    const found = setter(this)
    if (!found || found.graph === this.graph) return undefined
    const link = linkOf(found.graph, found.node.inputs[slot].link)
    return link ? { node: found.graph.getNodeById(link.origin_id), slot: link.origin_slot } : undefined
  }
}

app.registerExtension({
  name: 'a2v.tests.frontEndNodes',
  registerCustomNodes() {
    pair('SetNode', 'GetNode', true)
    pair('easy setNode', 'easy getNode', false)
    virtual('Reroute (rgthree)', (node) => { node.addInput('', '*'); node.addOutput('', '*') })
    virtual('Bookmark (rgthree)', (node) => {
      node.addWidget('text', 'shortcut_key', '1', () => {})
      node.addWidget('number', 'zoom', 1, () => {})
    })
    virtual('Label (rgthree)', () => {})
    virtual('Fast Groups Muter (rgthree)', (node) => { node.addOutput('OPT_CONNECTION', '*') })
    virtual('Fast Muter (rgthree)', (node) => { node.addInput('', '*'); node.addOutput('OPT_CONNECTION', '*') })
  },
  async beforeRegisterNodeDef(nodeType, nodeData) {
    if (nodeData.name === 'A2VTestScripted') {
      nodeData.input.required.shade = ['STRING', { default: 'dark' }]
      nodeData.input_order?.required?.push('shade')
    }
  },
  nodeCreated(node) {
    const type = node.comfyClass
    if (type === 'A2VTestScripted') {
      node.addWidget('number', 'grain', 3, () => {})
      node.addWidget('button', 'press me', null, () => {}).options.serialize = false
      const shown = node.addWidget('text', 'shown only', 'x', () => {})
      shown.serialize = false
      shown.options.serialize = false
    }
    if (type === 'A2VTestDict') {
      node.addWidget('button', 'choose video to upload', 'image', () => {}).options.serialize = false
      const preview = node.addWidget('text', 'videopreview', { params: {} }, () => {})
      preview.options.serialize = false
      const format = node.widgets.find((widget) => widget.name === 'format')
      const before = format.callback
      format.callback = function (value) {
        node.widgets = node.widgets.filter((widget) => !widget.of_format)
        if (value === 'h264') {
          node.addWidget('combo', 'pix_fmt', 'yuv420p', () => {}, { values: ['yuv420p', 'yuv444p'] }).of_format = true
          node.addWidget('number', 'crf', 19, () => {}).of_format = true
          node.addWidget('text', 'sizes', [1, 2], () => {}).of_format = true
        }
        return before?.apply(this, arguments)
      }
      const configured = node.onConfigure
      node.onConfigure = function (info) {
        configured?.apply(this, arguments)
        const saved = info.widgets_values
        if (!saved || Array.isArray(saved)) return
        for (const name of ['format', ...Object.keys(saved)]) {
          const widget = this.widgets.find((one) => one.name === name)
          if (widget && name in saved && widget.type !== 'button') {
            widget.value = saved[name]
            widget.callback?.(widget.value)
          }
        }
      }
      const serialized = node.onSerialize
      node.onSerialize = function (info) {
        serialized?.apply(this, arguments)
        info.widgets_values = Object.fromEntries(this.widgets.map((widget) => [widget.name, widget.value]))
      }
    }
  }
})

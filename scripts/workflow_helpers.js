// What every script of scripts/workflows can call; scripts/frontend.py puts it before them.

function add(type, x, y, width, height, values = {}, title = undefined) {
    const node = LiteGraph.createNode(type);
    if (!node) throw new Error(`the front end does not know ${type}`);
    app.graph.add(node);
    // The Manager finds a missing pack by these names; it writes them itself only where it is installed.
    node.properties.cnr_id = type.startsWith("A2V") ? "audio-to-video" : "comfy-core";
    node.pos = [x, y];
    for (const [name, value] of Object.entries(values)) {
        const widget = node.widgets.find((one) => one.name === name);
        if (!widget) throw new Error(`${type} has no widget ${name}`);
        widget.value = value;
    }
    node.setSize([width, Math.max(height, node.computeSize()[1])]);
    if (title) node.title = title;
    return node;
}

function link(source, output, target, input) {
    const from = source.outputs.findIndex((one) => one.name === output || one.localized_name === output);
    const to = target.inputs.findIndex((one) => one.name === input);
    if (from < 0 || to < 0) throw new Error(`${source.type}.${output} -> ${target.type}.${input}`);
    source.connect(from, target, to);
}

// All nodes as one subgraph with these inputs and outputs of theirs, chosen on the canvas. Inputs of one name are one.
function blueprint(title, { inputs, outputs }) {
    const { node, subgraph } = app.graph.convertToSubgraph(new Set(app.graph.nodes));
    const within = (outer) => subgraph.getNodeById(outer.id); // the subgraph has copies
    for (const [outer, name] of inputs) {
        const inner = within(outer);
        const slot = inner.inputs.find((one) => one.name === name);
        const input = subgraph.inputs.find((one) => one.name === name) ?? subgraph.addInput(name, String(slot.type));
        input.connect(slot, inner);
    }
    for (const [outer, name] of outputs) {
        const inner = within(outer);
        const slot = inner.outputs.find((one) => one.name === name);
        subgraph.addOutput(name, String(slot.type)).connect(slot, inner);
    }
    node.title = subgraph.name = title;
    app.canvas.selectItems([node]);
}

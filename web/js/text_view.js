// Shows the text that a node gives, such as the report of AV-Align Score, in the node.
import { app } from "../../../scripts/app.js";
import { ComfyWidgets } from "../../../scripts/widgets.js";

const NAME = "report_view";
const NODES = ["A2VAVAlignScore", "A2VSoundEvents", "A2VTimedPrompts", "A2VCutList", "A2VBestTake"];

app.registerExtension({
  name: "a2v.TextView",
  beforeRegisterNodeDef(nodeType, nodeData) {
    if (!NODES.includes(nodeData?.name)) return;
    const onExecuted = nodeType.prototype.onExecuted;
    nodeType.prototype.onExecuted = function (output) {
      onExecuted?.apply(this, arguments);
      const text = output?.text?.join("\n");
      if (text === undefined) return;
      let view = this.widgets?.find((widget) => widget.name === NAME);
      if (!view) {
        view = ComfyWidgets.STRING(this, NAME, ["STRING", { multiline: true }], app).widget;
        view.inputEl.readOnly = true;
        view.serialize = false;
        view.options.serialize = false;
        const [width, height] = this.computeSize();
        this.setSize([Math.max(this.size[0], width), Math.max(this.size[1], height + 70)]);
      }
      view.value = text;
    };
  },
});

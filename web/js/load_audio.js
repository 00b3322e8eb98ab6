// A player and an upload button for Load Audio. The front end adds the button to every node with an audio
// upload, but the player that the button needs only to its own nodes.
import { app } from "../../../scripts/app.js";

const BUNDLED = "demo (bundled)";

function isBundled(url) {
  return decodeURIComponent(String(url).replace(/\+/g, " ")).includes(BUNDLED);
}

function makePlayer() {
  const player = document.createElement("audio");
  player.controls = true;
  player.classList.add("comfy-audio");
  player.setAttribute("name", "media");
  // The front end looks for every sound in the input folder, where the bundled ones are not.
  const source = Object.getOwnPropertyDescriptor(HTMLMediaElement.prototype, "src");
  Object.defineProperty(player, "src", {
    get: () => source.get.call(player),
    set: (url) => (isBundled(url) ? player.removeAttribute("src") : source.set.call(player, url)),
  });
  return player;
}

app.registerExtension({
  name: "a2v.LoadAudio",
  beforeRegisterNodeDef(nodeType, nodeData) {
    if (nodeData?.name !== "A2VLoadAudio") return;
    const { audioUI, upload, ...required } = nodeData.input.required;
    nodeData.input.required = {
      ...required,
      audioUI: ["A2V_AUDIO_PLAYER", {}],
      ...(upload && { upload }),
    };
  },
  getCustomWidgets() {
    return {
      A2V_AUDIO_PLAYER(node, inputName) {
        const player = makePlayer();
        const widget = node.addDOMWidget(inputName, "audioUI", player, { serialize: false });
        widget.serialize = false;
        const onRemove = widget.onRemove;
        widget.onRemove = function () {
          onRemove?.apply(this, arguments);
          player.pause();
          player.remove();
        };
        return { widget };
      },
    };
  },
});

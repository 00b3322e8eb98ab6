"""Sound to video: the library behind the nodes, usable without ComfyUI.

A sound becomes BEATs features (`a2v_core.audio`), the features become pseudo-word tokens for every frame
(`a2v_core.tokens`), and the tokens steer a frozen text-to-video diffusion model (`a2v_core.backbones`,
`a2v_core.sampling`). `a2v_core.pipeline` is all of that in one call. `a2v_core.metrics` scores how well
picture and sound move together. The method is that of "Diverse and Aligned Audio-to-Video Generation via
Text-to-Video Model Adaptation" (arXiv 2309.16429).

Data flows one way: audio -> tokens -> prompts -> backbones -> sampling -> pipeline -> metrics. Bad input
raises a subclass of `a2v_core.errors.A2VError` whose message names the thing, what was expected and what to
do.
"""

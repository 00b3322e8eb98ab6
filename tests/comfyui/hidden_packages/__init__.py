"""A pack without nodes; see prestartup_script.py beside it."""

NODE_CLASS_MAPPINGS: dict[str, type] = {}

"""YAML file and `--set a.b=c` -> Config. All errors are reported at once, by their keys in the file."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from a2v_core.errors import A2VError
from a2v_core.stores import Place
from a2v_core.texts import read_text

from ..errors import ConfigError
from .schema import Config


class _Loader(yaml.SafeLoader):
    """YAML 1.2 numbers: PyYAML alone reads 1e-5 as text. A duplicate key is an error."""


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"^[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+$"), list("-+0123456789.")
)


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[Any, Any]:
    keys: set[Any] = set()
    for key, _ in node.value:
        name = loader.construct_object(key)
        if name in keys:
            raise yaml.constructor.ConstructorError(None, None, f"{name} stands twice", key.start_mark)
        keys.add(name)
    return loader.construct_mapping(node, deep=True)


_Loader.add_constructor("tag:yaml.org,2002:map", _mapping)


def load_config(path: str | Path, overrides: Sequence[str] = ()) -> Config:
    """Read a config file, with `a.b=c` overrides. ConfigError names the file and every wrong key or value."""
    path = Path(path)
    if not path.is_file():
        raise ConfigError(f"{path}: no such file; give the YAML file of the training")
    try:
        values = _parse(read_text(path))
    except (yaml.YAMLError, A2VError) as error:
        raise ConfigError(f"{path}: is not valid YAML: {error}") from error
    if not isinstance(values, dict):
        raise ConfigError(
            f"{path}: holds a {type(values).__name__}; expected sections such as models: and data:"
        )
    for override in overrides:
        _override(values, override)
    return make_config(values, str(path))


def make_config(values: dict[str, Any], name: str = "config") -> Config:
    """Config of nested dicts. ConfigError as `load_config`."""
    try:
        return Config.model_validate(values)
    except ValidationError as error:
        lines = "\n".join(f"  {_explain(item)}" for item in error.errors())
        raise ConfigError(f"{name}: the config cannot be used:\n{lines}") from error


def check_paths(config: Config, parts: Iterable[str]) -> None:
    """ConfigError for each of `parts` ("models.beats", "data.root", ...) that is set and is not there."""
    folders = ("data.root", "models.t2v")
    problems = []
    for part in parts:
        section, name = part.split(".")
        path: Place | None = getattr(getattr(config, section), name)
        if path is None or isinstance(path, str) or (part == "data.root" and config.data.is_of_shards):
            continue  # what is not there shows when it is listed
        exists = path.is_dir() if part in folders else path.is_file()
        if not exists:
            kind = "folder" if part in folders else "file"
            problems.append(f"{part}: {path}: no such {kind}")
    if problems:
        raise ConfigError("; ".join(problems) + ". Relative paths start where the command runs")


def to_yaml(config: Config) -> str:
    """The whole config, defaults included, as a file that `load_config` reads."""
    return yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False)


def to_json(config: Config) -> str:
    """The same as one line."""
    return json.dumps(config.model_dump(mode="json"))


def _parse(text: str) -> Any:
    return yaml.load(text, Loader=_Loader)


def _override(values: dict[str, Any], text: str) -> None:
    key, equals, value = text.partition("=")
    if not equals or not re.fullmatch(r"\w+(\.\w+)*", key):
        raise ConfigError(f"--set {text}: expected key=value, such as --set run.steps=2000")
    *sections, last = key.split(".")
    place = values
    for section in sections:
        inner = place.setdefault(section, {})
        if not isinstance(inner, dict):
            raise ConfigError(f"--set {text}: {section} is no section but has the value {inner!r}")
        place = inner
    try:
        place[last] = _parse(value)
    except yaml.YAMLError as error:
        raise ConfigError(f"--set {text}: {value!r} is not valid YAML: {error}") from error


def _explain(item: Any) -> str:
    where = [str(part) for part in item["loc"]]
    key = ".".join(where)
    if item["type"] == "extra_forbidden":
        known = _keys_at(where[:-1])
        near = difflib.get_close_matches(where[-1], known, n=1)
        hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"
        return f"{key}: unknown key; {hint}"
    if item["type"] == "missing":
        return f"{key}: is missing"
    message = item["msg"].removeprefix("Value error, ")
    got = item["input"]
    shown = "" if isinstance(got, (dict, list, BaseModel)) else f", got {got!r}"
    return f"{key}: {message}{shown}" if key else message


def _keys_at(where: Sequence[str]) -> list[str]:
    model: Any = Config
    for name in where:
        model = model.model_fields[name].annotation
    return list(model.model_fields)

"""Finds recipes, those that come with Tunebench and the user's own, and reads them.

find_recipe("nano")                                      one of ours, by name
find_recipe("./my_recipe.yaml", {"seed": 3})             the user's, with what --set changes
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import trainers
from bench.declarations.reading import Details, checked
from bench.declarations.yaml_lines import Declaration, Problem
from bench.errors import RequestError, did_you_mean
from trainers.recipe import TrainRecipe, data_mistake, length_mistake


def builtin_recipes() -> tuple[str, ...]:
    """The names of the recipes that come with Tunebench."""
    return tuple(sorted(path.stem for path in _home().glob("*.yaml")))


def find_recipe(name_or_path: str, changes: Mapping[str, object] | None = None) -> TrainRecipe:
    """The recipe with one of our names or in a YAML file, with values changed by their dotted keys.

    One of our names means our recipe even where a file of that name lies about: `./name.yaml` is the file.
    RequestError when there is no such recipe, or with every mistake in it.
    """
    path = recipe_file(name_or_path)
    recipe, problems = _checked(path, changes or {})
    if recipe is None:
        raise RequestError("\n".join(p.at(path) if p.line else f"--set {p.message}" for p in problems))
    return recipe


def recipe_file(name_or_path: str) -> Path:
    """The file of a recipe; RequestError when there is none."""
    names = builtin_recipes()
    if name_or_path in names:
        return _home() / f"{name_or_path}.yaml"
    path = Path(name_or_path).expanduser()
    if path.suffix in (".yaml", ".yml") or path.is_file():
        return path
    raise RequestError(
        f"recipe {name_or_path!r} is not one of {', '.join(names)}{did_you_mean(name_or_path, names) or '.'} "
        "For a recipe of your own give the path of its YAML file, such as ./my_recipe.yaml"
    )


def check_data_is_there(recipe: TrainRecipe) -> None:
    """RequestError when the file or folder that the recipe learns from is not there."""
    data = recipe.data
    if data.folder is not None and not data.folder.is_dir():
        raise RequestError(f"data.folder: no folder {data.folder}; `bench distill` writes one")
    for key, file in (("jsonl", data.jsonl), ("parquet", data.parquet)):
        if file is not None and not file.is_file():
            raise RequestError(f"data.{key}: no file {file}")


def recipe_problems(path: Path) -> list[Problem]:
    """Every mistake in a recipe file, in the order of its lines; RequestError when it cannot be opened."""
    return _checked(path, {})[1]


def recipe_schema() -> dict[str, Any]:
    """The JSON Schema of a recipe."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **TrainRecipe.model_json_schema()}


def _checked(path: Path, changes: Mapping[str, object]) -> tuple[TrainRecipe | None, list[Problem]]:
    placed = {tuple(key.split(".")): _from_here(key, value) for key, value in changes.items()}
    if "steps" in changes and "epochs" not in changes:
        placed["epochs",] = None
    if "epochs" in changes and "steps" not in changes:
        placed["steps",] = None
    # Our own recipes lie where nobody keeps data: their paths are the user's, from where bench was called.
    folder = Path.cwd() if path.parent == _home() else None
    return checked(TrainRecipe, path, changes=placed, unseen=_unseen, folder=folder)


def _from_here(key: str, value: object) -> object:
    """A path that --set gives, from where bench was called and not from the recipe's folder."""
    is_path = key in ("data.folder", "data.jsonl", "data.parquet") or (
        key == "base.checkpoint" and str(value).startswith((".", "~"))
    )
    return str(Path(value).expanduser().absolute()) if is_path and isinstance(value, str) else value


def _unseen(details: Details, declared: Declaration) -> list[Problem]:
    """Mistakes in the choice of a source and a length that other mistakes kept from being looked for."""
    places = {detail["loc"] for detail in details}
    found = []
    data = declared.data.get("data")
    inside = any(place[:1] == ("data",) for place in places)
    if isinstance(data, Mapping) and inside and ("data",) not in places:
        mistake = data_mistake(data)
        found += [Problem(declared.line(("data",)), f"data: {mistake}")] if mistake else []
    if () not in places:
        mistake = length_mistake(declared.data.get("epochs"), declared.data.get("steps"))
        found += [Problem(1, mistake)] if mistake else []
    return found


def _home() -> Path:
    """The folder of the recipes, in a checkout as in an installed wheel."""
    return Path(next(iter(trainers.__path__))) / "recipes"

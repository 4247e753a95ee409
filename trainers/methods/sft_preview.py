"""What a supervised training would do: all is loaded, rendered and counted, and nothing is trained."""

from __future__ import annotations

import itertools
from typing import Any

import psutil

from trainers.data.encoding import Encoded, encode, reasons
from trainers.data.examples import TrainData
from trainers.data.shared_examples import check_overlap
from trainers.loop.memory import memory_estimate
from trainers.machine.watch import Watch
from trainers.methods.sft import laid_out
from trainers.models.base import Base
from trainers.models.model_parts import part_sizes
from trainers.recipe import TrainRecipe


def preview_fine_tuning(recipe: TrainRecipe, data: TrainData, base: Base, watch: Watch) -> dict[str, Any]:
    """The resolved recipe, its data in numbers, what is trained, the memory it needs, and one example.

    Raises ValueError for what would also end the training. An overlap of splits is reported, not raised.
    """
    from trainers.loop.loop import bfloat16_here, on_cpu

    process = psutil.Process().memory_info().rss if on_cpu() else 0
    rows = encode(recipe, data.train, base, watch)
    model = base.model()
    bfloat16 = recipe.precision == "bfloat16" or (recipe.precision == "auto" and bfloat16_here())
    lengths = sorted(len(row.ids) for row in rows.rows)
    laid = laid_out(recipe, model, rows)
    steps = recipe.total_steps(len(laid.rows))
    too_long = sum(reason.endswith("are allowed") for reason in rows.dropped.values())
    dropped = {**data.left_out, **rows.dropped}
    total = len(data.train) + len(data.left_out)
    sizes = part_sizes(model)
    return {
        "recipe": recipe.as_plain(),
        "recipe_digest": recipe.digest,
        "data": {
            **data.described,
            "examples": len(rows.rows),
            "left_out": len(dropped),
            "too_long": f"{too_long} ({100 * too_long / total:.1f}%)",
            "why": reasons(dropped),
            "overlap": check_overlap(data, allow=True),
            "tokens": sum(lengths),
            "tokens_trained": sum(len(row.trained) for row in rows.rows),
            "tokens_per_example": {
                "median": lengths[len(lengths) // 2],
                "longest": lengths[-1],
            },
        },
        "steps": steps,
        "passes": round(steps * recipe.batch.size / len(laid.rows), 2),
        "arithmetic": "bfloat16" if bfloat16 else "float32",
        "parameters": {size.part: {"all": size.parameters, "trained": size.trained} for size in sizes},
        "parameters_trained": sum(size.trained for size in sizes),
        "memory_gib_estimate": memory_estimate(recipe, model, laid, bfloat16=bfloat16, process=process),
        "example": {"id": rows.rows[0].id, "text": marked(rows.rows[0], base.tokenizer)},
    }


def marked(row: Encoded, tokenizer: Any) -> str:
    """An example as the model sees it: runs of one token as `token×n`, the trained ones between ⟦ and ⟧."""

    def text(ids: Any) -> str:
        pieces = []
        for token, run in itertools.groupby(int(token) for token in ids):
            count = len(list(run))
            pieces.append(([token] * count, count))
        said, pending = [], []
        for tokens, count in pieces:
            if count < 4:
                pending += tokens
                continue
            said += [tokenizer.decode(pending), f"{tokenizer.decode(tokens[:1])}×{count}"]
            pending = []
        return "".join([*said, tokenizer.decode(pending)])

    return f"{text(row.ids[: row.prompt_length])}⟦{text(row.trained)}⟧"

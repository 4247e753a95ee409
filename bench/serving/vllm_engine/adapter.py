"""A LoRA adapter as vLLM serves it on its base: which ones it takes, its rank, the request's option."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from bench.errors import RequestError

# vLLM accepts a fixed list of ranks.
_RANKS = (8, 16, 32, 64, 128, 256, 320, 512)


def engine_arguments(adapter: str) -> dict[str, Any]:
    """The engine arguments that an adapter folder needs; RequestError when vLLM does not serve such a one."""
    rank = int(json.loads((Path(adapter) / "adapter_config.json").read_text())["r"])
    room = next((size for size in _RANKS if size >= rank), rank)
    _check(adapter, room)
    return {"enable_lora": True, "max_lora_rank": room}


def lora_request(adapter: str) -> Any:
    """The option of a request that is completed with the adapter."""
    from vllm.lora.request import LoRARequest

    return LoRARequest(lora_name=adapter, lora_int_id=1, lora_path=adapter)


def _check(adapter: str, rank: int) -> None:
    """vLLM's own check, which it would make at the first request, for the engine to die of."""
    from vllm.config.lora import LoRAConfig
    from vllm.lora.peft_helper import PEFTHelper

    try:
        helper = PEFTHelper.from_local_dir(adapter, max_position_embeddings=None)
        helper.validate_legal(LoRAConfig(max_lora_rank=rank))
    except (ValueError, TypeError) as error:
        raise RequestError(
            f"--model {adapter}: vLLM cannot serve this adapter on its base: {error} "
            f"Merge it: bench merge {adapter} --out FOLDER"
        ) from error

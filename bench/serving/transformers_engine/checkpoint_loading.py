"""A checkpoint → a model that answers: loaded by transformers, its adapter put on, placed on a device."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import Any

from bench.errors import RequestError, first_line
from bench.serving.checkpoint import Checkpoint
from bench.serving.transformers_engine.loaded_model import LoadedModel
from trainers.models.video_stand_in import stand_in_for_video


def load(checkpoint: Checkpoint, *, device: str, dtype: str, trust_remote_code: bool) -> LoadedModel:
    """Load a checkpoint, and its adapter if it has one, onto a device.

    Raises RequestError when transformers cannot load it, when weights that it needs are missing, or when a
    package is.
    """
    # Waiting OpenMP threads otherwise spin, and take the cores from preprocessing.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    try:
        from transformers import AutoModelForCausalLM, AutoModelForImageTextToText, AutoProcessor
    except ImportError as error:
        raise RequestError(f"--model transformers/… needs {error.name}; install tunebench[cpu]") from error

    options = {"trust_remote_code": trust_remote_code}
    refusals: list[str] = []
    with _without_progress_bars():
        families = _masked_language_model(checkpoint, options)
        for family in families or (AutoModelForImageTextToText, AutoModelForCausalLM):
            try:
                model, report = family.from_pretrained(
                    checkpoint.folder, dtype=dtype, output_loading_info=True, **options
                )
                break
            except Exception as error:  # remote code and configurations fail in many kinds
                refusals.append(first_line(error))
        else:
            raise RequestError(
                f"--model {checkpoint.name}: transformers cannot load it: {'; nor: '.join(refusals)}"
                + ("" if trust_remote_code else ". --trust-remote-code allows code from the checkpoint")
            )
        if missing := sorted(report["missing_keys"]):
            raise RequestError(
                f"--model {checkpoint.name}: {len(missing)} weights are not in its files and would be "
                f"random: {', '.join(missing[:3])}…; give the folder that save_pretrained wrote"
            )
        stand_in_for_video()
        try:
            processor = AutoProcessor.from_pretrained(checkpoint.folder, **options)
        except Exception as error:
            raise RequestError(
                f"--model {checkpoint.name}: its processor cannot be loaded: {first_line(error)}. "
                "Copy the processor and tokenizer files of its base model into the folder"
            ) from error
        # Before an adapter is put on: this changes the base's generation_config, which peft shares.
        loaded = LoadedModel(model, processor, device)
        if checkpoint.adapter is not None:
            loaded.model = _with_adapter(model, checkpoint)
        try:
            loaded.model.to(device).eval()
        except (RuntimeError, AssertionError) as error:
            raise RequestError(
                f"--model {checkpoint.name}: it cannot be put on device {device!r}: {first_line(error)}"
            ) from error
    return loaded


def _masked_language_model(checkpoint: Checkpoint, options: dict[str, Any]) -> tuple[Any, ...]:
    """The class of an encoder with a masked-language-model head, when the checkpoint says that it is one.

    transformers has no automatic class for those that also see pictures, such as ViLT.
    """
    import transformers

    try:
        named = transformers.AutoConfig.from_pretrained(checkpoint.folder, **options).architectures or ()
    except Exception:  # whatever is wrong with it, loading the model says it better
        return ()
    found = (getattr(transformers, name, None) for name in named if name.endswith("ForMaskedLM"))
    return tuple(family for family in found if family is not None)


def _with_adapter(model: Any, checkpoint: Checkpoint) -> Any:
    try:
        from peft import PeftModel
    except ImportError as error:
        raise RequestError(
            f"--model {checkpoint.name}: an adapter needs {error.name}; install tunebench[train]"
        ) from error
    try:
        return PeftModel.from_pretrained(model, str(checkpoint.adapter))
    except Exception as error:
        raise RequestError(
            f"--model {checkpoint.name}: the adapter does not fit {checkpoint.folder}: {first_line(error)}"
        ) from error


@contextlib.contextmanager
def _without_progress_bars() -> Iterator[None]:
    from transformers.utils import logging as transformers_logging

    shown = transformers_logging.is_progress_bar_enabled()
    transformers_logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            transformers_logging.enable_progress_bar()

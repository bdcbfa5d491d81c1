"""Colours and materials of the sample buildings."""

from __future__ import annotations

from typing import NamedTuple


class Colour(NamedTuple):
    """A surface colour: red, green, blue and transparency, each 0 to 1."""

    red: float
    green: float
    blue: float
    transparency: float = 0.0


class Stuff(NamedTuple):
    """A building material: IFC category and the surface style that shows it."""

    category: str
    style: str


WHITE = "白色涂料 White render"
WARM = "暖灰涂料 Warm grey render"
BRICK = "岭南青砖 Grey brick"
TERRA = "陶土 Terracotta"
TIMBER = "木色格栅 Timber slats"
CONCRETE = "混凝土 Concrete"
EDGE = "楼板 Slab edge"
INTERIOR = "内墙白 Interior white"
DARK = "深灰铝 Dark aluminium"
CHAMPAGNE = "香槟铝 Champagne aluminium"
SILVER = "铝板 Silver panel"
GLASS = "玻璃 Clear glass"
BLUE_GLASS = "蓝灰玻璃 Blue-grey glass"
GRANITE = "石材 Granite"
DARK_STONE = "深色石材 Dark stone"
DOOR_WOOD = "木门 Timber door"
DOOR_FIRE = "防火门 Fire door"
STEEL = "不锈钢 Stainless steel"
RED = "消防红 Fire red"
GALVANISED = "镀锌钢 Galvanised steel"
SOLAR = "光伏 Photovoltaic"
LAWN = "草地 Lawn"
PAVING = "铺装 Paving"
ASPHALT = "沥青 Asphalt"
LEAF = "树冠 Foliage"
BARK = "树干 Bark"
FABRIC_BLUE = "织物蓝 Blue fabric"
FABRIC_ORANGE = "织物橙 Orange fabric"
WOOD = "木饰面 Light wood"
EQUIPMENT = "设备白 Equipment white"
SPACE = "空间 Space"

COLOURS: dict[str, Colour] = {
    WHITE: Colour(0.93, 0.92, 0.88),
    WARM: Colour(0.74, 0.70, 0.65),
    BRICK: Colour(0.47, 0.50, 0.51),
    TERRA: Colour(0.72, 0.39, 0.25),
    TIMBER: Colour(0.66, 0.45, 0.27),
    CONCRETE: Colour(0.67, 0.67, 0.66),
    EDGE: Colour(0.84, 0.84, 0.82),
    INTERIOR: Colour(0.95, 0.95, 0.94),
    DARK: Colour(0.20, 0.22, 0.25),
    CHAMPAGNE: Colour(0.78, 0.70, 0.57),
    SILVER: Colour(0.83, 0.85, 0.87),
    GLASS: Colour(0.55, 0.75, 0.85, 0.65),
    BLUE_GLASS: Colour(0.23, 0.42, 0.55, 0.45),
    GRANITE: Colour(0.72, 0.69, 0.64),
    DARK_STONE: Colour(0.30, 0.30, 0.32),
    DOOR_WOOD: Colour(0.50, 0.33, 0.20),
    DOOR_FIRE: Colour(0.60, 0.22, 0.17),
    STEEL: Colour(0.75, 0.77, 0.79),
    RED: Colour(0.80, 0.10, 0.10),
    GALVANISED: Colour(0.62, 0.66, 0.70),
    SOLAR: Colour(0.07, 0.12, 0.27),
    LAWN: Colour(0.45, 0.62, 0.32),
    PAVING: Colour(0.78, 0.75, 0.70),
    ASPHALT: Colour(0.33, 0.34, 0.36),
    LEAF: Colour(0.25, 0.48, 0.22),
    BARK: Colour(0.40, 0.30, 0.22),
    FABRIC_BLUE: Colour(0.25, 0.40, 0.60),
    FABRIC_ORANGE: Colour(0.87, 0.53, 0.25),
    WOOD: Colour(0.82, 0.68, 0.49),
    EQUIPMENT: Colour(0.90, 0.91, 0.92),
    SPACE: Colour(0.60, 0.80, 0.95, 0.85),
}

RC = "C30 混凝土 Concrete"
AAC = "加气混凝土砌块 AAC block"
WOOL = "岩棉保温 Mineral wool"
RENDER = "外墙涂料 Render"
CLADDING = "干挂石材 Granite cladding"
GYPSUM = "轻钢龙骨石膏板 Gypsum stud"
ALUMINIUM = "铝合金 Aluminium"
GLAZING = "中空玻璃 Insulated glass"
TIMBER_MATERIAL = "木材 Timber"
STEEL_MATERIAL = "钢 Steel"
SHEET = "镀锌钢板 Galvanised sheet"
SILICON = "单晶硅 Silicon"
PLANT = "植被 Planting"
CLOTH = "织物 Fabric"

MATERIALS: dict[str, Stuff] = {
    RC: Stuff("concrete", CONCRETE),
    AAC: Stuff("block", INTERIOR),
    WOOL: Stuff("insulation", WARM),
    RENDER: Stuff("plaster", WHITE),
    CLADDING: Stuff("stone", GRANITE),
    GYPSUM: Stuff("gypsum", INTERIOR),
    ALUMINIUM: Stuff("aluminium", DARK),
    GLAZING: Stuff("glass", BLUE_GLASS),
    TIMBER_MATERIAL: Stuff("wood", DOOR_WOOD),
    STEEL_MATERIAL: Stuff("steel", STEEL),
    SHEET: Stuff("steel", GALVANISED),
    SILICON: Stuff("glass", SOLAR),
    PLANT: Stuff("other", LEAF),
    CLOTH: Stuff("fabric", FABRIC_BLUE),
}

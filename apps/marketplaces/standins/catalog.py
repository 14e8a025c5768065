"""What the world's shop sells: names, identifiers, categories, brands, and in which warehouses it lies.

A product is an index 0..n-1 everywhere inside the world; `Catalog` translates it to and from OZON's identifiers.
"""

from dataclasses import dataclass

import numpy as np

from apps.marketplaces.standins.demand import Demand, Ints

FBO, FBS, BOTH = 0, 1, 2  # how a product is sold: from OZON's warehouses, from the seller's, or both
NO_BRAND = "Нет бренда"


@dataclass(frozen=True)
class Category:
    """A leaf of the category tree: `category_id` groups products, each has one of the types of its category."""

    section: str
    section_id: int
    name: str
    category_id: int
    prefix: str
    types: tuple[tuple[int, str], ...]  # id, name


def _categories() -> tuple[Category, ...]:
    sections: dict[str, dict[str, tuple[str, tuple[str, ...]]]] = {
        "Дом и сад": {
            "Посуда для чая и кофе": ("TEA", ("Чайник заварочный", "Кружка", "Турка", "Набор чайных пар")),
            "Хранение вещей": ("BOX", ("Короб для хранения", "Органайзер", "Вешалка", "Корзина плетёная")),
            "Текстиль": ("TEX", ("Плед", "Полотенце махровое", "Комплект постельного белья", "Наволочка")),
            "Освещение": ("LMP", ("Лампа настольная", "Ночник", "Гирлянда светодиодная")),
        },
        "Продукты питания": {
            "Чай": ("CHA", ("Чай чёрный листовой", "Чай зелёный", "Иван-чай", "Чай травяной")),
            "Кофе": ("COF", ("Кофе в зёрнах", "Кофе молотый", "Кофе растворимый")),
            "Сладости": ("SWT", ("Шоколад горький", "Мармелад", "Пастила яблочная", "Халва")),
        },
        "Красота и здоровье": {
            "Уход за лицом": ("FAC", ("Крем для лица", "Сыворотка для лица", "Пенка для умывания")),
            "Уход за волосами": ("HAI", ("Шампунь", "Маска для волос", "Бальзам для волос")),
        },
        "Спорт и отдых": {
            "Фитнес": ("FIT", ("Коврик для йоги", "Эспандер", "Гантели", "Ролик для пресса")),
            "Туризм": ("CMP", ("Термос", "Фонарь налобный", "Рюкзак туристический")),
        },
        "Детские товары": {
            "Развивающие игры": ("TOY", ("Пазл", "Конструктор деревянный", "Сортер", "Настольная игра")),
        },
    }
    found: list[Category] = []
    for place, (section, categories) in enumerate(sections.items()):
        for name, (prefix, types) in categories.items():
            number = len(found)
            ids = tuple((970_000_000 + 1_000 * number + i, kind) for i, kind in enumerate(types))
            found.append(Category(section, 15_621_000 + place, name, 17_028_600 + number, prefix, ids))
    return tuple(found)


CATEGORIES = _categories()
BRANDS = (
    *("Берёзка", "Северное сияние", "Уютный дом", "Tavolga", "Лавка & Ко", "Сова", "NordHaus", "Рассвет", "Mirta"),
    *("Лён и хлопок", "Добрыня", "Alto", NO_BRAND),
)
DETAILS = (  # in words that stand beside a noun of any gender
    "цвет белый",
    "цвет графитовый",
    "цвет зелёный",
    "размер L",
    "размер S",
    "набор 2 шт.",
    "набор 6 шт.",
    "250 мл",
    "500 г",
    "премиум",
)
# Endings of names that break a message whose author forgot to escape them.
AWKWARD = {2: "*Утро_в_лесу* <новинка> & подарок", 5: "«[Сова]» 100%_эко"}


@dataclass(frozen=True)
class Warehouse:
    warehouse_id: int
    name: str
    cluster: str


FBO_WAREHOUSES = (
    Warehouse(22_655_170_176_000, "ХОРУГВИНО_РФЦ", "Москва, МО и Дальние регионы"),
    Warehouse(1_020_000_115_166_000, "КАЗАНЬ_РФЦ_НОВЫЙ", "Казань"),
    Warehouse(1_020_001_835_658_000, "НОВОСИБИРСК_РФЦ_НОВЫЙ", "Сибирь"),
)
FBS_WAREHOUSE = Warehouse(1_020_005_000_278_593, "Основной склад", "Москва, МО и Дальние регионы")
WAREHOUSES = (*FBO_WAREHOUSES, FBS_WAREHOUSE)
FBS_PLACE = len(FBO_WAREHOUSES)  # index of the seller's warehouse in WAREHOUSES


class Catalog:
    """The products of one shop. `shop_number` (0 to 99) keeps the identifiers of two shops apart."""

    def __init__(self, demand: Demand, *, shop_number: int) -> None:
        self.shop_number = shop_number
        numbers = demand.stream("catalog")
        skus = demand.skus
        spread = np.sort(numbers.choice(skus * 5, skus, replace=False))
        self.product_id = 1_000_000_000 + shop_number * 10_000_000 + spread
        self.sku = 2_000_000_000 + shop_number * 10_000_000 + numbers.permutation(spread)
        self.category = [CATEGORIES[place] for place in demand.category]
        self.type = [category.types[numbers.integers(len(category.types))] for category in self.category]
        self.brand = [BRANDS[place] for place in numbers.integers(0, len(BRANDS), skus)]
        details = [DETAILS[place] for place in numbers.integers(0, len(DETAILS), skus)]
        self.name = [
            f"{self.type[i][1]} {self._label(i)}{AWKWARD.get(i, details[i])}, арт. {i + 1}" for i in range(skus)
        ]
        self.offer_id = [f"{category.prefix}-{i + 1:04d}" for i, category in enumerate(self.category)]
        self.scheme = numbers.choice([FBO, FBS, BOTH], skus, p=[0.7, 0.2, 0.1])
        self.main_place = np.where(self.scheme == FBS, FBS_PLACE, numbers.integers(0, len(FBO_WAREHOUSES), skus))
        second = (self.main_place + 1 + numbers.integers(0, len(FBO_WAREHOUSES) - 1, skus)) % len(FBO_WAREHOUSES)
        self.second_place = np.where(self.scheme == FBO, second, FBS_PLACE)
        self.volume_weight = np.round(numbers.uniform(0.1, 4.0, skus), 1)
        self._by_offer_id = {offer_id: i for i, offer_id in enumerate(self.offer_id)}
        self._by_product_id = {int(product_id): i for i, product_id in enumerate(self.product_id)}
        self._by_sku = {int(sku): i for i, sku in enumerate(self.sku)}

    def of_offer_id(self, offer_id: str) -> int | None:
        return self._by_offer_id.get(offer_id)

    def of_product_id(self, product_id: int) -> int | None:
        return self._by_product_id.get(product_id)

    def of_sku(self, sku: int) -> int | None:
        return self._by_sku.get(sku)

    def by_warehouse(self, units: Ints) -> Ints:
        """Units of every product split over WAREHOUSES: shape (products, warehouses), 70 % in the main one."""
        split = np.zeros((len(units), len(WAREHOUSES)), dtype=np.int64)
        products = np.arange(len(units))
        second = np.where(self.scheme == FBS, 0, units * 3 // 10)
        split[products, self.second_place] += second
        split[products, self.main_place] += units - second
        return split

    def _label(self, product: int) -> str:
        brand = self.brand[product]
        return "" if brand == NO_BRAND else f"{brand} "

"""What the columns of a sheet are called, in three languages, and what may be wrong with a cell."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Field(StrEnum):
    """A column of any sheet; those of settings are named as the columns of `ProductSettings`."""

    OFFER_ID = "offer_id"
    SKU = "sku"
    AMOUNT = "amount"
    CURRENCY = "currency"
    STARTS_ON = "starts_on"
    MIN_PRICE = "min_price"
    MAX_PRICE = "max_price"
    MIN_MARGIN = "min_margin_rate"
    IS_REPRICED = "is_repriced"
    LEAD_DAYS = "lead_days"
    PACK_SIZE = "pack_size"
    MIN_ORDER = "min_order"


NAMES: dict[Field, Promise] = {
    Field.OFFER_ID: _("offer id"),
    Field.SKU: _("SKU"),
    Field.AMOUNT: _("unit cost"),
    Field.CURRENCY: _("currency"),
    Field.STARTS_ON: _("from"),
    Field.MIN_PRICE: _("lowest price"),
    Field.MAX_PRICE: _("highest price"),
    Field.MIN_MARGIN: _("minimum margin"),
    Field.IS_REPRICED: _("price may be changed"),
    Field.LEAD_DAYS: _("days of supply"),
    Field.PACK_SIZE: _("order in multiples of"),
    Field.MIN_ORDER: _("least to order"),
}

# The first of a language is what the template says; these and what people call the same in their own tables are read.
TITLES: dict[Field, dict[str, tuple[str, ...]]] = {
    Field.OFFER_ID: {
        "ru": ("артикул", "артикул продавца", "артикул товара", "ваш артикул"),
        "uk": ("артикул", "артикул продавця", "артикул товару", "ваш артикул"),
        "en": ("offer id", "seller's article", "article", "item code"),
    },
    Field.SKU: {
        "ru": ("sku", "ozon sku", "sku ozon", "ozon sku id", "артикул ozon"),
        "uk": ("sku", "ozon sku", "sku ozon"),
        "en": ("sku", "ozon sku"),
    },
    Field.AMOUNT: {
        "ru": ("себестоимость", "себестоимость единицы", "закупочная цена", "цена закупки", "закупка"),
        "uk": ("собівартість", "собівартість одиниці", "закупівельна ціна", "ціна закупівлі", "закупівля"),
        "en": ("unit cost", "cost", "cost price", "cogs", "purchase price", "amount"),
    },
    Field.CURRENCY: {"ru": ("валюта",), "uk": ("валюта",), "en": ("currency",)},
    Field.STARTS_ON: {
        "ru": ("действует с", "с даты", "с", "дата", "дата начала", "начало действия"),
        "uk": ("діє з", "з дати", "з", "дата", "дата початку", "початок дії"),
        "en": ("starts on", "from", "valid from", "date", "start date"),
    },
    Field.MIN_PRICE: {
        "ru": ("цена не ниже", "минимальная цена", "мин. цена", "нижняя граница цены"),
        "uk": ("ціна не нижче", "мінімальна ціна", "мін. ціна", "нижня межа ціни"),
        "en": ("lowest price", "minimum price", "min price", "price from"),
    },
    Field.MAX_PRICE: {
        "ru": ("цена не выше", "максимальная цена", "макс. цена", "верхняя граница цены"),
        "uk": ("ціна не вище", "максимальна ціна", "макс. ціна", "верхня межа ціни"),
        "en": ("highest price", "maximum price", "max price", "price to"),
    },
    Field.MIN_MARGIN: {
        "ru": ("минимальная маржа, %", "мин. маржа", "маржа не ниже", "минимальная маржинальность"),
        "uk": ("мінімальна маржа, %", "мін. маржа", "маржа не нижче", "мінімальна маржинальність"),
        "en": ("minimum margin, %", "min margin", "lowest margin"),
    },
    Field.IS_REPRICED: {
        "ru": ("цену можно менять", "менять цену", "переоценка", "управлять ценой"),
        "uk": ("ціну можна змінювати", "змінювати ціну", "переоцінка", "керувати ціною"),
        "en": ("price may be changed", "repricing", "pricing", "change price"),
    },
    Field.LEAD_DAYS: {
        "ru": ("срок поставки, дней", "срок поставки в днях", "дней поставки"),
        "uk": ("термін постачання, днів", "термін поставки", "днів постачання"),
        "en": ("days of supply", "lead time", "lead days", "lead time days"),
    },
    Field.PACK_SIZE: {
        "ru": ("кратность заказа, шт", "кратность", "штук в упаковке", "упаковка"),
        "uk": ("кратність замовлення, шт", "кратність", "штук в упаковці", "упаковка"),
        "en": ("order in multiples of", "order multiple", "pack size", "pack"),
    },
    Field.MIN_ORDER: {
        "ru": ("минимальный заказ, шт", "мин. заказ", "заказ не меньше"),
        "uk": ("мінімальне замовлення, шт", "мін. замовлення", "замовлення не менше"),
        "en": ("least to order", "minimum order", "min order", "moq"),
    },
}


class Trouble(StrEnum):
    """What may be wrong with a cell, or with its row."""

    NO_PRODUCT_NAMED = "no_product_named"
    UNKNOWN_OFFER = "unknown_offer"
    UNKNOWN_SKU = "unknown_sku"
    AMBIGUOUS_OFFER = "ambiguous_offer"
    OTHER_PRODUCT = "other_product"
    BAD_AMOUNT = "bad_amount"
    BAD_PERCENT = "bad_percent"
    BAD_SWITCH = "bad_switch"
    BAD_DAYS = "bad_days"
    BAD_COUNT = "bad_count"
    NO_ROOM = "no_room"
    OTHER_CURRENCY = "other_currency"
    BAD_DAY = "bad_day"
    REPEATED = "repeated"
    REPEATED_PRODUCT = "repeated_product"


WORDS: dict[Trouble, Promise] = {
    Trouble.NO_PRODUCT_NAMED: _("Neither an offer id nor a SKU: one of the two says which product is meant."),
    Trouble.UNKNOWN_OFFER: _("The shop has no product with the offer id “%(given)s”."),
    Trouble.UNKNOWN_SKU: _("The shop has no product with the SKU “%(given)s”."),
    Trouble.AMBIGUOUS_OFFER: _("Several products have the offer id “%(given)s”: give the SKU as well."),
    Trouble.OTHER_PRODUCT: _("The SKU “%(given)s” belongs to another product than the offer id."),
    Trouble.BAD_AMOUNT: _("“%(given)s” is not an amount: above 0, at most two decimals, such as 1448.00 or 1 448,00."),
    Trouble.BAD_PERCENT: _("“%(given)s” is not a margin in percent: 0, or from 1 to 90, such as 15 or 12.5."),
    Trouble.BAD_SWITCH: _("“%(given)s” is neither yes nor no."),
    Trouble.BAD_DAYS: _("“%(given)s” is not a number of days: a whole one from 1 to %(expected)s."),
    Trouble.BAD_COUNT: _("“%(given)s” is not a number of pieces: a whole one from 1 to %(expected)s."),
    Trouble.NO_ROOM: _("The highest price, %(given)s, is below the lowest, %(expected)s: it must be at least that."),
    Trouble.OTHER_CURRENCY: _("“%(given)s” is not the shop's money: leave it empty, or give %(expected)s."),
    Trouble.BAD_DAY: _(
        "“%(given)s” is not a day on which a cost can start: from the year 2000 to two years ahead,"
        " such as 2026-03-01 or 01.03.2026."
    ),
    Trouble.REPEATED: _("Row %(given)s has the same product and the same day: keep one of the two."),
    Trouble.REPEATED_PRODUCT: _("Row %(given)s has the same product: keep one of the two."),
}
LONGEST_GIVEN = 60


@dataclass(frozen=True)
class Problem:
    """`given` is what stands in the file, `expected` what could, where that depends on the shop or the column."""

    field: Field
    code: Trouble
    given: str = ""
    expected: str = ""

    def __str__(self) -> str:
        return str(WORDS[self.code]) % {"given": self.given[:LONGEST_GIVEN], "expected": self.expected}

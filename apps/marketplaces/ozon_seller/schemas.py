"""Rows of the OZON Seller API, as the API sends them: percents stay percents, customers and addressees are dropped."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from apps.marketplaces.fields import (
    ApiRow,
    Count,
    EmptyList,
    Id,
    MaybeId,
    MaybeMoment,
    MaybeMoney,
    Moment,
    Name,
    SetMoney,
    Text,
    decimal_of,
    is_absent,
)


def _percent(value: Any) -> Decimal | None:
    """30 is 30 %. A figure between 0 and 1 is a fraction sent by mistake: taken as percent it would hide a fee."""
    percent = None if is_absent(value) else decimal_of(value)
    if percent is not None and not (percent == 0 or 1 <= percent <= 100):
        raise ValueError("expected a percent like 30: 0, or 1 to 100")
    return percent


def _vat(value: Any) -> Any:
    """ "0.10", 0.22 and "20%" are all rates here."""
    if isinstance(value, str) and value.endswith("%") and value[:-1].isdecimal():
        return Decimal(value[:-1]) / 100
    return value


MaybePercent = Annotated[Decimal | None, BeforeValidator(_percent)]
VatRate = Annotated[MaybeMoney, BeforeValidator(_vat)]


# Products


class ProductRef(ApiRow):
    """A line of /v3/product/list. `sku` is absent in answers from before July 2026."""

    product_id: Id
    offer_id: Name
    sku: MaybeId = None
    archived: bool | None = None
    is_discounted: bool | None = None
    has_fbo_stocks: bool | None = None
    has_fbs_stocks: bool | None = None


class SchemeCommission(ApiRow):
    """What OZON takes when the product sells by `sale_schema` (FBO, FBS, RFBS, FBP): percent of the price, money."""

    sale_schema: Text
    percent: MaybeMoney = None
    value: MaybeMoney = None
    delivery_amount: MaybeMoney = None
    return_amount: MaybeMoney = None


class ProductStatuses(ApiRow):
    status: Text = ""
    status_name: Text = ""
    moderate_status: Text = ""
    validation_status: Text = ""
    is_created: bool | None = None
    status_updated_at: MaybeMoment = None


class Product(ApiRow):
    """An item of /v3/product/info/list. `sku` is None until the product is created; unset prices are None."""

    product_id: Id = Field(alias="id")
    offer_id: Name
    sku: MaybeId = None
    name: Text = ""
    barcodes: Annotated[tuple[Text, ...], EmptyList] = ()
    description_category_id: MaybeId = None
    type_id: MaybeId = None
    created_at: MaybeMoment = None
    updated_at: MaybeMoment = None
    currency_code: Text = ""
    price: SetMoney = None
    old_price: SetMoney = None
    min_price: SetMoney = None
    vat: VatRate = None
    volume_weight: MaybeMoney = None
    is_archived: bool | None = None
    is_autoarchived: bool | None = None
    commissions: Annotated[tuple[SchemeCommission, ...], EmptyList] = ()
    statuses: ProductStatuses | None = None


class AttributeValue(ApiRow):
    dictionary_value_id: MaybeId = None
    value: Text = ""


class Attribute(ApiRow):
    attribute_id: Id = Field(alias="id")
    values: Annotated[tuple[AttributeValue, ...], EmptyList] = ()


BRAND_ATTRIBUTE = 85


class ProductAttributes(ApiRow):
    """A product of /v4/product/info/attributes, read for its brand."""

    product_id: Id = Field(alias="id")
    offer_id: Name
    sku: MaybeId = None
    attributes: Annotated[tuple[Attribute, ...], EmptyList] = ()

    @property
    def brand(self) -> str | None:
        """The brand's name as the card says it ("Нет бренда" is such a name too), None when the card has none."""
        values = (value for one in self.attributes if one.attribute_id == BRAND_ATTRIBUTE for value in one.values)
        return next((value.value for value in values if value.value), None)


# Prices


class CurrentPrice(ApiRow):
    """`price` is the ceiling without promotions, not what the buyer pays; `min_price` the lower bound of that ceiling.

    A price that is not set comes as 0 and is None here. `vat` is a rate (0.22).
    """

    price: SetMoney = None
    old_price: SetMoney = None
    min_price: SetMoney = None
    net_price: SetMoney = None
    marketing_seller_price: SetMoney = None
    retail_price: SetMoney = None
    vat: VatRate = None
    currency_code: Text = ""


class Commissions(ApiRow):
    """Percents of the price, money in roubles. A scheme the API says nothing about is None, never 0."""

    sales_percent_fbo: MaybePercent = None
    sales_percent_fbs: MaybePercent = None
    sales_percent_rfbs: MaybePercent = None
    sales_percent_fbp: MaybePercent = None
    fbo_direct_flow_trans_min_amount: MaybeMoney = None
    fbo_direct_flow_trans_max_amount: MaybeMoney = None
    fbo_deliv_to_customer_amount: MaybeMoney = None
    fbo_return_flow_amount: MaybeMoney = None
    fbs_direct_flow_trans_min_amount: MaybeMoney = None
    fbs_direct_flow_trans_max_amount: MaybeMoney = None
    fbs_deliv_to_customer_amount: MaybeMoney = None
    fbs_first_mile_min_amount: MaybeMoney = None
    fbs_first_mile_max_amount: MaybeMoney = None
    fbs_return_flow_amount: MaybeMoney = None


class MarketingAction(ApiRow):
    """`value` means different things in different actions and is not interpreted."""

    title: Text = ""
    value: MaybeMoney = None
    date_from: MaybeMoment = None
    date_to: MaybeMoment = None


class MarketingActions(ApiRow):
    current_period_from: MaybeMoment = None
    current_period_to: MaybeMoment = None
    ozon_actions_exist: bool | None = None
    actions: Annotated[tuple[MarketingAction, ...], EmptyList] = ()


class IndexData(ApiRow):
    """`price_index_value` above 1: dearer than there. 0 is "no data" and None here."""

    min_price: SetMoney = None
    min_price_currency: Text = ""
    price_index_value: SetMoney = None


class PriceIndexes(ApiRow):
    color_index: Text = ""
    ozon_index_data: IndexData | None = None
    external_index_data: IndexData | None = None
    self_marketplaces_index_data: IndexData | None = None


class ProductPrice(ApiRow):
    """An item of /v5/product/info/prices. `acquiring` is money, not a percent."""

    product_id: Id
    offer_id: Name
    price: CurrentPrice
    acquiring: MaybeMoney = None
    volume_weight: MaybeMoney = None
    commissions: Commissions = Commissions()
    marketing_actions: MarketingActions | None = None
    price_indexes: PriceIndexes | None = None


class PriceTimer(ApiRow):
    """Until when the minimum price of a product is in force; None: no timer runs, so it is not."""

    product_id: Id
    expired_at: MaybeMoment = None
    min_price_for_auto_actions_enabled: bool | None = None


# Stocks


class SchemeStock(ApiRow):
    """`present` includes what is `reserved`. Rows of type "fbo" are not to be relied upon: `fbo_stocks` has those."""

    type: Text
    sku: MaybeId = None
    present: Count
    reserved: Count
    warehouse_ids: Annotated[tuple[Id, ...], EmptyList] = ()


class ProductStock(ApiRow):
    """An item of /v4/product/info/stocks: stock in the seller's own warehouses."""

    product_id: Id
    offer_id: Name
    stocks: Annotated[tuple[SchemeStock, ...], EmptyList]


class FboStock(ApiRow):
    """A product in one warehouse of OZON."""

    sku: Id
    product_id: MaybeId = None
    offer_id: Text = ""
    warehouse_id: Id
    present: Count
    reserved: Count


class ClusterStock(ApiRow):
    """A product in one warehouse of OZON, in /v1/analytics/stocks; `ads_cluster` is what its whole cluster sells a day.

    Counts are units: for sale, being prepared for it, on the way in a supply, in supply requests, coming back.
    """

    sku: Id
    warehouse_id: MaybeId = None
    cluster_id: MaybeId = None
    cluster_name: Text = ""
    available_stock_count: Count
    valid_stock_count: Count
    transit_stock_count: Count
    requested_stock_count: Count
    return_from_customer_stock_count: Count
    ads_cluster: MaybeMoney = None
    turnover_grade_cluster: Text = ""


class Warehouse(ApiRow):
    """One of the seller's own warehouses (FBS and rFBS)."""

    warehouse_id: Id
    name: Text = ""
    status: Text = ""
    is_rfbs: bool | None = None


# Account


class Role(ApiRow):
    name: Text
    methods: Annotated[tuple[Text, ...], EmptyList] = ()


class KeyRoles(ApiRow):
    """What the key may do and until when it lives."""

    expires_at: Moment
    roles: Annotated[tuple[Role, ...], EmptyList] = ()


class Company(ApiRow):
    name: Text = ""
    currency: Text = ""
    country: Text = ""


class Subscription(ApiRow):
    is_premium: bool | None = None
    type: Text = ""


class SellerInfo(ApiRow):
    """`company.currency` is the one currency that prices may be written in; the subscription says what may be asked."""

    company: Company
    subscription: Subscription = Subscription()

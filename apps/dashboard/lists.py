"""Lists to look at, page by page: the goods of a seller's marketplace shops, and what was proposed, tried and decided.

Nothing here changes anything. Words are in the caller's language, codes beside them are for programs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Generic, Literal, TypeVar

from django.db.models import F, Max, Prefetch, QuerySet, Sum
from django.http import HttpRequest, HttpResponse
from ninja import Query, Router
from pydantic import Field

from apps.catalog.models import Product, StockSnapshot, Warehouse
from apps.common import clock
from apps.dashboard.answers import or_known
from apps.dashboard.caller import caller_of
from apps.dashboard.parameters import PageQuery, listed_shops
from apps.dashboard.wire import dump, money, tag_of, tagged
from apps.decisions.models import Approval, Proposal
from apps.experiments.models import Experiment, Verdict
from apps.sales.channels import Channel, channels
from apps.shops.models import Shop

router = Router(tags=["Goods and decisions"])

Item = TypeVar("Item")
Row = TypeVar("Row")
ProposalState = Literal["pending", "approved", "rejected", "expired", "superseded", "stale"]
ExperimentState = Literal["running", "judged", "stopped", "kept", "rolling_back", "rolled_back", "void"]


@dataclass(frozen=True)
class Page(Generic[Item]):
    """`count` is that of all pages."""

    items: list[Item]
    count: int
    page: int
    pageSize: int


@dataclass(frozen=True)
class ChannelItem:
    """The same article in another shop. `unitsSold` and `revenue` are of the last 28 days, without what was cancelled
    or came back; stock is that of the morning of `stockDay`. Null is not known; nothing is added up over shops."""

    productId: int
    shopId: int
    offerId: str
    currency: str
    price: float | None
    stock: int | None
    stockDay: date | None
    unitsSold: int
    revenue: float


@dataclass(frozen=True)
class ProductItem:
    """`article` is the seller's word for what is the same in several shops, `otherShops` that article there."""

    id: int
    shopId: int
    externalId: str
    offerId: str
    sku: int | None
    name: str
    brand: str | None
    categoryId: int | None
    category: str | None
    isArchived: bool
    currency: str
    price: float | None
    oldPrice: float | None
    minPrice: float | None
    syncedAt: datetime | None
    article: str | None
    otherShops: list[ChannelItem]


@dataclass(frozen=True)
class StockItem:
    """Units on the morning of `day`, by scheme, without what is reserved; null is not known."""

    productId: int
    shopId: int
    offerId: str
    name: str
    day: date | None
    fbo: int | None
    fbs: int | None
    reserved: int | None


@dataclass(frozen=True)
class ProposalItem:
    """Money a day: the expected effect with its range, and the worst case. Null is not known."""

    id: int
    shopId: int
    productId: int | None
    words: str
    state: str
    stateInWords: str
    currency: str
    priceFrom: float | None
    priceTo: float | None
    effect: float | None
    effectLow: float | None
    effectHigh: float | None
    worstCase: float | None
    approvalsNeeded: int
    createdAt: datetime
    expiresAt: datetime
    decidedAt: datetime | None


@dataclass(frozen=True)
class VerdictItem:
    asOf: date
    result: str
    resultInWords: str
    advice: str
    probability: float
    perDay: float | None


@dataclass(frozen=True)
class ExperimentItem:
    id: int
    shopId: int
    productId: int
    product: str
    state: str
    stateInWords: str
    startDate: date
    endDate: date
    currency: str
    priceFrom: float
    priceTo: float
    verdict: VerdictItem | None


@dataclass(frozen=True)
class ApprovalItem:
    person: str
    decision: str
    at: datetime


@dataclass(frozen=True)
class DecisionItem:
    """A proposal that people have decided on, and what became of the change at the marketplace."""

    id: int
    shopId: int
    words: str
    state: str
    stateInWords: str
    decidedAt: datetime | None
    approvals: list[ApprovalItem]
    commandState: str | None
    commandStateInWords: str | None
    sentAt: datetime | None
    verifiedAt: datetime | None


class ProposalsQuery(PageQuery):
    state: ProposalState | None = Field(default=None, description="Only those in this state.")


class ExperimentsQuery(PageQuery):
    state: ExperimentState | None = Field(default=None, description="Only those in this state.")


@router.get("/products", response=or_known(Page[ProductItem]))
def products(request: HttpRequest, query: Query[PageQuery]) -> HttpResponse:
    """Products with what the marketplace says of them."""
    found = _of_shops(request, query, Product.objects.all(), "shop").select_related("brand", "category", "article")

    def say(rows: Sequence[Product]) -> list[ProductItem]:
        articles = channels(rows, now=clock.now())
        return [_product(row, articles.get(row.pk, [])) for row in rows]

    return _page(request, found.order_by("pk"), query, say)


@router.get("/stock", response=or_known(Page[StockItem]))
def stock(request: HttpRequest, query: Query[PageQuery]) -> HttpResponse:
    """Stock of each product as of the shop's last morning that was read."""
    found = _of_shops(request, query, Product.objects.filter(is_archived=False), "shop")
    return _page(request, found.order_by("pk"), query, _stock_of)


@router.get("/price-proposals", response=or_known(Page[ProposalItem]))
def price_proposals(request: HttpRequest, query: Query[ProposalsQuery]) -> HttpResponse:
    """Price changes that were proposed, the newest first."""
    found = _of_shops(request, query, Proposal.objects.filter(kind="price"), "shop")
    return _page(request, _in_state(found, query.state), query, lambda rows: [_proposal(row) for row in rows])


@router.get("/experiments", response=or_known(Page[ExperimentItem]))
def experiments(request: HttpRequest, query: Query[ExperimentsQuery]) -> HttpResponse:
    """Price changes that are or were measured, the newest first, each with its last verdict."""
    verdicts = Verdict.objects.order_by("experiment_id", "-as_of").distinct("experiment_id")
    found = _of_shops(request, query, Experiment.objects.select_related("product"), "shop")
    found = found.prefetch_related(Prefetch("verdicts", verdicts, to_attr="last_verdict"))
    return _page(request, _in_state(found, query.state), query, lambda rows: [_experiment(row) for row in rows])


@router.get("/decisions", response=or_known(Page[DecisionItem]))
def decisions(request: HttpRequest, query: Query[PageQuery]) -> HttpResponse:
    """What people have approved or rejected, the newest first, and how it went at the marketplace."""
    approvals = Approval.objects.select_related("member__person__user").order_by("at")
    decided = Proposal.objects.filter(approvals__isnull=False).distinct().select_related("command")
    found = _of_shops(request, query, decided, "shop").prefetch_related(Prefetch("approvals", approvals))
    return _page(request, found.order_by("-pk"), query, lambda rows: [_decision(row) for row in rows])


def _of_shops(request: HttpRequest, query: PageQuery, rows: QuerySet[Any], path: str) -> QuerySet[Any]:
    shops: list[Shop] = listed_shops(caller_of(request), query.shop)
    return rows.filter(**{f"{path}__in": shops})


def _in_state(rows: QuerySet[Any], state: str | None) -> QuerySet[Any]:
    return (rows.filter(state=state) if state else rows).order_by("-pk")


def _page(
    request: HttpRequest, rows: QuerySet[Any], query: PageQuery, say: Callable[[Sequence[Any]], list[Any]]
) -> HttpResponse:
    """Tagged by what it says: no version tells of all that a list shows, and who has it is sent it no more."""
    start = (query.page - 1) * query.page_size
    shown = list(rows[start : start + query.page_size])
    body = dump(Page(say(shown), rows.count(), query.page, query.page_size))
    return tagged(request, tag_of(body), lambda: body)


def _money(amount: Decimal | str | None) -> float | None:
    return None if amount is None else money(Decimal(amount))


def _product(row: Product, article: Sequence[Channel]) -> ProductItem:
    return ProductItem(
        id=row.pk,
        shopId=row.shop_id,
        externalId=row.external_id,
        offerId=row.offer_id,
        sku=row.sku,
        name=row.name,
        brand=row.brand.name if row.brand else None,
        categoryId=row.category_id,
        category=row.category.name if row.category else None,
        isArchived=row.is_archived,
        currency=row.currency,
        price=_money(row.price),
        oldPrice=_money(row.old_price),
        minPrice=_money(row.min_price),
        syncedAt=row.synced_at,
        article=row.article.code if article else None,
        otherShops=[_channel(one) for one in article if one.product != row],
    )


def _channel(channel: Channel) -> ChannelItem:
    product, stock = channel.product, channel.stock
    return ChannelItem(
        productId=product.pk,
        shopId=product.shop_id,
        offerId=product.offer_id,
        currency=product.shop.currency,
        price=_money(product.price),
        stock=stock.units if stock else None,
        stockDay=stock.day if stock else None,
        unitsSold=channel.sold.units,
        revenue=money(channel.sold.revenue),
    )


def _stock_of(rows: Sequence[Product]) -> list[StockItem]:
    mornings = dict(
        StockSnapshot.objects.filter(warehouse__shop__in={row.shop_id for row in rows})
        .values_list("warehouse__shop")
        .annotate(day=Max("day"))
    )
    lying = (
        StockSnapshot.objects.filter(product__in=rows, day__in=set(mornings.values()))
        .values("product_id", "day", scheme=F("warehouse__scheme"))
        .annotate(present=Sum("present"), reserved=Sum("reserved"))
    )
    found = {(each["product_id"], each["day"], each["scheme"]): each for each in lying}
    return [_stock(row, mornings.get(row.shop_id), found) for row in rows]


def _stock(row: Product, day: date | None, found: dict[Any, Any]) -> StockItem:
    by_scheme = {scheme: found.get((row.pk, day, scheme)) for scheme in Warehouse.Scheme.values}
    free = {scheme: each and max(each["present"] - each["reserved"], 0) for scheme, each in by_scheme.items()}
    reserved = [each["reserved"] for each in by_scheme.values() if each]
    return StockItem(
        productId=row.pk,
        shopId=row.shop_id,
        offerId=row.offer_id,
        name=row.name,
        day=day,
        fbo=free[Warehouse.Scheme.FBO],
        fbs=free[Warehouse.Scheme.FBS],
        reserved=sum(reserved) if reserved else None,
    )


def _proposal(row: Proposal) -> ProposalItem:
    return ProposalItem(
        id=row.pk,
        shopId=row.shop_id,
        productId=row.payload.get("product_id"),
        words=str(row),
        state=row.state,
        stateInWords=row.get_state_display(),
        currency=row.currency,
        priceFrom=_money(row.payload.get("expected_price")),
        priceTo=_money(row.payload.get("price")),
        effect=_money(row.effect),
        effectLow=_money(row.effect_low),
        effectHigh=_money(row.effect_high),
        worstCase=_money(row.worst_case),
        approvalsNeeded=row.needed,
        createdAt=row.created_at,
        expiresAt=row.expires_at,
        decidedAt=row.decided_at,
    )


def _experiment(row: Any) -> ExperimentItem:
    verdict: Verdict | None = row.last_verdict[0] if row.last_verdict else None
    return ExperimentItem(
        id=row.pk,
        shopId=row.shop_id,
        productId=row.product_id,
        product=str(row.product),
        state=row.state,
        stateInWords=row.get_state_display(),
        startDate=row.starts_on,
        endDate=row.ends_on,
        currency=row.currency,
        priceFrom=money(row.price_from),
        priceTo=money(row.price_to),
        verdict=_verdict(verdict) if verdict else None,
    )


def _verdict(row: Verdict) -> VerdictItem:
    return VerdictItem(
        asOf=row.as_of,
        result=row.result,
        resultInWords=row.get_result_display(),
        advice=row.advice,
        probability=round(row.probability, 3),
        perDay=_money(row.per_day),
    )


def _decision(row: Proposal) -> DecisionItem:
    command = getattr(row, "command", None)  # a rejected proposal has none
    return DecisionItem(
        id=row.pk,
        shopId=row.shop_id,
        words=str(row),
        state=row.state,
        stateInWords=row.get_state_display(),
        decidedAt=row.decided_at,
        approvals=[ApprovalItem(str(each.member.person), each.verdict, each.at) for each in row.approvals.all()],
        commandState=command.state if command else None,
        commandStateInWords=command.get_state_display() if command else None,
        sentAt=command.sent_at if command else None,
        verifiedAt=command.verified_at if command else None,
    )

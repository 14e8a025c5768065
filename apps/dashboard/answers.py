"""The answers about sales as they go over the wire: each key is the contract's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from apps.dashboard.wire import Dataset


@dataclass(frozen=True)
class Detail:
    """What is wrong, for a person."""

    detail: str


ERRORS = frozenset({400, 401, 403, 404, 429})


NOT_BUILT_YET = 503


def or_error(shape: Any, *more: int) -> dict[Any, Any]:
    """The answers of an operation, for the document: `shape`, or what is wrong, also with the codes `more`."""
    return {200: shape, ERRORS | set(more): Detail}


def or_known(shape: Any, *more: int) -> dict[Any, Any]:
    """The same of one that has an ETag: the caller may have it already."""
    return {304: None, **or_error(shape, *more)}


def stored(shape: Any) -> dict[Any, Any]:
    """The same of one out of the read store, which may not be built yet."""
    return or_known(shape, NOT_BUILT_YET)


@dataclass(frozen=True)
class Summary:
    totalOrders: int
    totalRevenue: float
    avgCheck: float
    totalReturns: int
    returnsRevenue: float
    startDate: str
    endDate: str


@dataclass(frozen=True)
class ComparedPeriod:
    start: str
    end: str
    type: str


@dataclass(frozen=True)
class Totals:
    """`growth_percent` is null when there was nothing before."""

    current: float
    previous: float
    growth_percent: float | None


@dataclass(frozen=True)
class Comparison:
    labels: list[str]
    revenue: list[float]
    orders: list[int]
    period: ComparedPeriod
    totals: Totals


@dataclass(frozen=True)
class Trend:
    labels: list[str]
    revenue: list[float]
    orders: list[int]
    datasets: list[Dataset]
    comparison: Comparison


@dataclass(frozen=True)
class BySource:
    labels: list[str]
    orders: list[int]
    revenue: list[float]
    backgroundColor: list[str]
    sourceIds: list[int]


@dataclass(frozen=True)
class TopProducts:
    labels: list[str]
    wrappedLabels: list[list[str]]
    data: list[int]
    percentages: list[float]
    backgroundColor: list[str]


@dataclass(frozen=True)
class TopByRevenue:
    labels: list[str]
    wrappedLabels: list[list[str]]
    data: list[float]
    quantities: list[int]
    backgroundColor: list[str]


@dataclass(frozen=True)
class CategoryBreakdown:
    labels: list[str]
    revenue: list[float]
    quantity: list[int]
    backgroundColor: list[str]


@dataclass(frozen=True)
class PerformanceMetrics:
    totalProducts: int
    totalRevenue: float
    totalQuantity: int
    avgProductRevenue: float


@dataclass(frozen=True)
class Performance:
    topByRevenue: TopByRevenue
    categoryBreakdown: CategoryBreakdown
    metrics: PerformanceMetrics


@dataclass(frozen=True)
class Subcategories:
    parentCategory: str
    labels: list[str]
    revenue: list[float]
    quantity: list[int]
    backgroundColor: list[str]


@dataclass(frozen=True)
class NewVsReturning:
    labels: list[str]
    data: list[int]
    backgroundColor: list[str]


@dataclass(frozen=True)
class Chart:
    labels: list[str]
    datasets: list[Dataset]


@dataclass(frozen=True)
class CustomerMetrics:
    """The first seven and `purchaseFrequency` are of the period, the others of all time.

    Lifetime value, frequency and lifespan are means over the buyers with two orders or more.
    """

    totalCustomers: int
    newCustomers: int
    returningCustomers: int
    totalOrders: int
    repeatRate: float
    averageOrderValue: float
    customerLifetimeValue: float
    avgPurchaseFrequency: float
    avgCustomerLifespanDays: float
    purchaseFrequency: float
    totalCustomersAllTime: int
    repeatCustomersAllTime: int
    trueRepeatRate: float
    avgOrdersPerCustomer: float


@dataclass(frozen=True)
class Customers:
    newVsReturning: NewVsReturning
    aovTrend: Chart
    metrics: CustomerMetrics


@dataclass(frozen=True)
class BrandsByRevenue:
    labels: list[str]
    data: list[float]
    quantities: list[int]
    orders: list[int]
    backgroundColor: list[str]


@dataclass(frozen=True)
class BrandsByQuantity:
    labels: list[str]
    data: list[int]
    revenue: list[float]
    backgroundColor: list[str]


@dataclass(frozen=True)
class BrandMetrics:
    """`topBrand` is empty when no brand was sold."""

    totalBrands: int
    topBrand: str
    topBrandShare: float
    totalRevenue: float
    totalQuantity: int
    avgBrandRevenue: float


@dataclass(frozen=True)
class Brands:
    topByRevenue: BrandsByRevenue
    topByQuantity: BrandsByQuantity
    metrics: BrandMetrics


@dataclass(frozen=True)
class ExpensesByType:
    labels: list[str]
    data: list[float]
    counts: list[int]
    backgroundColor: list[str]


@dataclass(frozen=True)
class ExpenseMetrics:
    totalExpenses: float
    expenseCount: int
    ordersWithExpenses: int
    avgExpensePerOrder: float


@dataclass(frozen=True)
class Expenses:
    byType: ExpensesByType
    trend: Chart
    metrics: ExpenseMetrics


@dataclass(frozen=True)
class ProfitMetrics:
    totalRevenue: float
    totalExpenses: float
    grossProfit: float
    profitMargin: float


@dataclass(frozen=True)
class Profit:
    chart: Chart
    metrics: ProfitMetrics


@dataclass(frozen=True)
class Category:
    id: int
    name: str


@dataclass(frozen=True)
class Brand:
    name: str


@dataclass(frozen=True)
class ExpenseType:
    id: int
    name: str
    alias: str

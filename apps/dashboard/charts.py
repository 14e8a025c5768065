"""From what the store answers to what a chart draws: roundings, labels and colours, no figure of its own."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal

from django.utils.translation import gettext as _

from apps.analytics import shapes
from apps.analytics.shapes import DaySales
from apps.common.periods import Period, months_before
from apps.dashboard import answers
from apps.dashboard.wire import (
    BLUE,
    GREEN,
    GREY,
    RED,
    colours,
    day_label,
    growth,
    line,
    mean,
    money,
    share,
    units,
    wrapped,
)

MONTHS_BACK = {"month_ago": 1, "year_ago": 12}


def summary(found: shapes.Summary, period: Period) -> answers.Summary:
    return answers.Summary(
        totalOrders=found.orders,
        totalRevenue=money(found.revenue),
        avgCheck=mean(found.revenue, found.orders),
        totalReturns=found.returns,
        returnsRevenue=money(found.returned_revenue),
        startDate=period.first.isoformat(),
        endDate=period.last.isoformat(),
    )


def compared(period: Period, compare_type: str) -> Period:
    """The period that `period` is compared with."""
    months = MONTHS_BACK.get(compare_type)
    return period.months_before(months) if months else period.before


def trend(now: Sequence[DaySales], before: Sequence[DaySales], period: Period, compare_type: str) -> answers.Trend:
    """The dashed line has under each day the day it is compared with, and nothing where that month has no such day."""
    revenue, revenue_before = [money(day.revenue) for day in now], [money(day.revenue) for day in before]
    by_day = {day.day: amount for day, amount in zip(before, revenue_before, strict=True)}
    counterparts = [_counterpart(day.day, period, compare_type) for day in now]
    earlier = compared(period, compare_type)
    current, previous = _sum_of(now), _sum_of(before)
    return answers.Trend(
        labels=[day_label(day.day) for day in now],
        revenue=revenue,
        orders=[day.orders for day in now],
        datasets=[
            line("This Period", revenue, BLUE, filled=True),
            line("Previous Period", [by_day.get(day) if day else None for day in counterparts], GREY, dashed=True),
        ],
        comparison=answers.Comparison(
            labels=[day_label(day.day) for day in before],
            revenue=revenue_before,
            orders=[day.orders for day in before],
            period=answers.ComparedPeriod(earlier.first.isoformat(), earlier.last.isoformat(), compare_type),
            totals=answers.Totals(money(current), money(previous), growth(current, previous)),
        ),
    )


def _counterpart(day: date, period: Period, compare_type: str) -> date | None:
    """The day that `day` is compared with: the same day of an earlier month, which that month may not have."""
    months = MONTHS_BACK.get(compare_type)
    if not months:
        return day - timedelta(days=period.days)
    earlier = months_before(day, months)
    return earlier if earlier.day == day.day else None


def _sum_of(days: Sequence[DaySales]) -> Decimal:
    return sum((day.revenue for day in days), Decimal(0))


def by_source(found: Sequence[shapes.SourceSales]) -> answers.BySource:
    return answers.BySource(
        labels=[source.name for source in found],
        orders=[source.orders for source in found],
        revenue=[money(source.revenue) for source in found],
        backgroundColor=colours(len(found)),
        sourceIds=[source.source_id for source in found],
    )


def top_products(found: shapes.TopProducts) -> answers.TopProducts:
    return answers.TopProducts(
        labels=[product.name for product in found.products],
        wrappedLabels=[wrapped(product.name) for product in found.products],
        data=[units(product.quantity) for product in found.products],
        percentages=[share(product.quantity, found.quantity) for product in found.products],
        backgroundColor=colours(len(found.products)),
    )


def performance(found: shapes.Performance) -> answers.Performance:
    return answers.Performance(
        topByRevenue=answers.TopByRevenue(
            labels=[product.name for product in found.products],
            wrappedLabels=[wrapped(product.name) for product in found.products],
            data=[money(product.revenue) for product in found.products],
            quantities=[units(product.quantity) for product in found.products],
            backgroundColor=colours(len(found.products)),
        ),
        categoryBreakdown=answers.CategoryBreakdown(
            labels=[root.name for root in found.roots],
            revenue=[money(root.revenue) for root in found.roots],
            quantity=[units(root.quantity) for root in found.roots],
            backgroundColor=colours(len(found.roots)),
        ),
        metrics=answers.PerformanceMetrics(
            totalProducts=found.product_count,
            totalRevenue=money(found.revenue),
            totalQuantity=units(found.quantity),
            avgProductRevenue=mean(found.revenue, found.product_count),
        ),
    )


def subcategories(found: Sequence[shapes.CategorySales], parent_name: str) -> answers.Subcategories:
    return answers.Subcategories(
        parentCategory=parent_name,
        labels=[category.name for category in found],
        revenue=[money(category.revenue) for category in found],
        quantity=[units(category.quantity) for category in found],
        backgroundColor=colours(len(found)),
    )


def customers(found: shapes.Customers) -> answers.Customers:
    return answers.Customers(
        newVsReturning=answers.NewVsReturning(
            labels=["New Customers", "Returning Customers"],
            data=[found.new, found.returning],
            backgroundColor=colours(2),
        ),
        aovTrend=answers.Chart(
            labels=[day_label(day.day) for day in found.days],
            datasets=[line("Average Order Value", [mean(day.revenue, day.orders) for day in found.days], BLUE)],
        ),
        metrics=_customer_metrics(found, found.ever),
    )


def _customer_metrics(found: shapes.Customers, ever: shapes.Ever) -> answers.CustomerMetrics:
    bought_once = ever.buyers - ever.repeat_buyers
    return answers.CustomerMetrics(
        totalCustomers=found.buyers,
        newCustomers=found.new,
        returningCustomers=found.returning,
        totalOrders=found.orders,
        repeatRate=share(found.returning, found.buyers),
        averageOrderValue=mean(found.revenue, found.orders),
        customerLifetimeValue=mean(ever.repeat_spent, ever.repeat_buyers),
        avgPurchaseFrequency=mean(ever.orders - bought_once, ever.repeat_buyers),
        avgCustomerLifespanDays=mean(ever.lifespan_days, ever.repeat_buyers),
        purchaseFrequency=mean(found.buyer_orders, found.buyers),
        totalCustomersAllTime=ever.buyers,
        repeatCustomersAllTime=ever.repeat_buyers,
        trueRepeatRate=share(ever.repeat_buyers, ever.buyers),
        avgOrdersPerCustomer=mean(ever.orders, ever.buyers),
    )


def brands(found: shapes.Brands) -> answers.Brands:
    top = found.by_revenue[0] if found.by_revenue else None
    return answers.Brands(
        topByRevenue=answers.BrandsByRevenue(
            labels=[brand.name for brand in found.by_revenue],
            data=[money(brand.revenue) for brand in found.by_revenue],
            quantities=[units(brand.quantity) for brand in found.by_revenue],
            orders=[brand.orders for brand in found.by_revenue],
            backgroundColor=colours(len(found.by_revenue)),
        ),
        topByQuantity=answers.BrandsByQuantity(
            labels=[brand.name for brand in found.by_quantity],
            data=[units(brand.quantity) for brand in found.by_quantity],
            revenue=[money(brand.revenue) for brand in found.by_quantity],
            backgroundColor=colours(len(found.by_quantity)),
        ),
        metrics=answers.BrandMetrics(
            totalBrands=found.brand_count,
            topBrand=top.name if top else "",
            topBrandShare=share(top.revenue, found.revenue) if top else 0.0,
            totalRevenue=money(found.revenue),
            totalQuantity=units(found.quantity),
            avgBrandRevenue=mean(found.revenue, found.brand_count),
        ),
    )


def expenses(found: shapes.Expenses) -> answers.Expenses:
    return answers.Expenses(
        byType=answers.ExpensesByType(
            labels=[of_type.name or _("No type") for of_type in found.by_type],
            data=[money(of_type.amount) for of_type in found.by_type],
            counts=[of_type.count for of_type in found.by_type],
            backgroundColor=colours(len(found.by_type)),
        ),
        trend=answers.Chart(
            labels=[day_label(day.day) for day in found.days],
            datasets=[line("Expenses", [money(day.amount) for day in found.days], RED, filled=True)],
        ),
        metrics=answers.ExpenseMetrics(
            totalExpenses=money(found.amount),
            expenseCount=found.count,
            ordersWithExpenses=found.orders,
            avgExpensePerOrder=mean(found.amount, found.orders),
        ),
    )


def profit(found: shapes.Profit) -> answers.Profit:
    return answers.Profit(
        chart=answers.Chart(
            labels=[day_label(day.day) for day in found.days],
            datasets=[
                line("Revenue", [money(day.revenue) for day in found.days], BLUE),
                line("Expenses", [money(day.expenses) for day in found.days], RED),
                line("Gross Profit", [money(day.profit) for day in found.days], GREEN),
            ],
        ),
        metrics=answers.ProfitMetrics(
            totalRevenue=money(found.revenue),
            totalExpenses=money(found.expenses),
            grossProfit=money(found.profit),
            profitMargin=share(found.profit, found.revenue),
        ),
    )
